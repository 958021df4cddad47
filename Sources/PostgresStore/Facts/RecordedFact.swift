import PromptQueue

/// What a function that records a change answers: a JSON object with how the change left the job.
struct RecordedFact {
    private let object: JSONObject

    /// - Throws: `LedgerError` for what is not such an object: the database's functions are another version's.
    init(_ text: String) throws(LedgerError) {
        guard let object = JSONValue.object(in: text) else {
            throw LedgerError(.unusable, "the database answers a change with what this program does not know")
        }
        self.object = object
    }

    private var id: JobID? { object["job"]?.integerValue.map { JobID($0) } }
    private var origin: JobOrigin {
        JobOrigin(queue: object["queue"]?.stringValue ?? "", batch: object["batch"]?.stringValue)
    }

    private var job: RecordedJob? {
        guard let id, let state = object["state"]?.stringValue.flatMap(JobState.init(rawValue:)) else { return nil }
        return RecordedJob(id: id, state: state)
    }

    var result: CommitResult {
        var result = CommitResult(job: job, downloads: downloads)
        result.isUnwanted = object["unwanted"]?.boolValue ?? false
        result.feedsOthers = object["feeds"]?.boolValue ?? false
        return result
    }

    private var downloads: [PendingDownload] {
        guard let id else { return [] }
        return (object["downloads"]?.arrayValue ?? []).compactMap(\.objectValue).compactMap { row in
            guard let ordinal = row["ordinal"]?.integerValue, let created = row["created_at"]?.integerValue else {
                return nil
            }
            let url = row["url"]?.stringValue
            return PendingDownload(
                result: ResultID(job: id, ordinal: Int(ordinal)),
                output: url.map { .file(url: $0) } ?? .object(json: row["content"]?.stringValue ?? ""),
                origin: origin,
                createdAt: Instant(milliseconds: created)
            )
        }
    }

    /// Of an acceptance: whether the ledger knows better, or somebody else asks about the task now.
    func acceptance(of attempt: AttemptID) -> CommitResult {
        var result = result
        if object["elsewhere"]?.boolValue == true { result.refusal = AcceptanceRefusal() }
        guard object["refused"]?.boolValue == true else { return result }
        result.refusal = AcceptanceRefusal(instead: instead(attempt))
        return result
    }

    /// The open task that is the attempt's instead.
    private func instead(_ attempt: AttemptID) -> OpenTask? {
        guard let task = object["instead"]?.objectValue, let id, let name = task["task"]?.stringValue else {
            return nil
        }
        return OpenTask(
            attempt: attempt,
            job: id,
            origin: JobOrigin(queue: task["queue"]?.stringValue ?? "", batch: task["batch"]?.stringValue),
            task: TaskID(name),
            model: task["model"]?.stringValue ?? "",
            acceptedAt: Instant(milliseconds: task["answered_at"]?.integerValue ?? 0),
            attemptCount: Int(task["attempt_count"]?.integerValue ?? 1),
            maxAttempts: Int(task["max_attempts"]?.integerValue ?? 1),
            profile: task["profile"]?.stringValue ?? ""
        )
    }

    /// Of a request that was given up.
    func givenUp(_ attempt: AttemptID) -> CommitResult {
        var result = result
        if object["settled"]?.boolValue == true {
            result.settled = [SettledUnknown(attempt: attempt, job: job, origin: origin, evidence: nil)]
        }
        return result
    }

    /// Of a request that the balance showed to have cost nothing; nil if it was not settled by that.
    func settledByEvidence(_ attempt: AttemptID, _ evidence: String) -> SettledUnknown? {
        guard object["settled"]?.boolValue == true else { return nil }
        return SettledUnknown(attempt: attempt, job: job, origin: job == nil ? nil : origin, evidence: evidence)
    }
}
