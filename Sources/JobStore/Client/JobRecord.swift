import GRDB
package import PromptQueue

/// A row of `jobs`, as a command shows it.
package struct JobRecord: Sendable {
    package let id: JobID
    package let state: JobState
    package let queue: String
    package let batch: String?
    package let model: String
    package let priority: Int64
    /// `nil`: as soon as possible.
    package let runAt: Instant?
    package let prompt: String?
    /// A JSON object.
    package let input: String
    /// A JSON object.
    package let labels: String?
    package let uniqueKey: String?
    package let attemptCount: Int
    package let maxAttempts: Int
    package let taskID: TaskID?
    package let providerState: String?
    package let estimated: Credits?
    /// `nil` if whoever estimated it did not say.
    package let estimateBasis: Estimate.Kind?
    package let charged: Credits?
    package let errorCode: String?
    package let errorMessage: String?
    package let createdAt: Instant
    package let submittedAt: Instant?
    package let finishedAt: Instant?
    /// The saved results, relative to the media directory.
    package let files: [String]

    static let selection = """
        jobs.*, (SELECT json_group_array(path) FROM results WHERE job_id = jobs.id AND state = 'saved') AS files
        """

    init(_ row: Row) throws {
        guard let state = JobState(rawValue: row["state"]) else {
            throw LedgerError(
                .unusable,
                "jobs.state: \(row["state"] as String) is not known to this program; upgrade it"
            )
        }
        let runAt = row.instant("run_at")
        id = JobID(row["id"])
        self.state = state
        queue = row["queue"]
        batch = row["batch"]
        model = row["model"]
        priority = row["priority"]
        self.runAt = runAt?.milliseconds == 0 ? nil : runAt
        prompt = row["prompt"]
        input = row["input"]
        labels = row["labels"]
        uniqueKey = row["unique_key"]
        attemptCount = row["attempt_count"]
        maxAttempts = row["max_attempts"]
        let task: String? = row["task_id"]
        taskID = task.map(TaskID.init)
        providerState = row["provider_state"]
        estimated = row.credits("estimated_millicredits")
        let basis: String? = row["estimate_basis"]
        estimateBasis = basis.flatMap(Estimate.Kind.init)
        charged = row.credits("charged_millicredits")
        errorCode = row["error_code"]
        errorMessage = row["error_message"]
        createdAt = Instant(milliseconds: row["created_at"])
        submittedAt = row.instant("submitted_at")
        finishedAt = row.instant("finished_at")
        files = try JSONValue(parsing: row["files"] as String).arrayValue?.compactMap(\.stringValue) ?? []
    }
}

/// A row of `attempts`: one request.
package struct AttemptRecord: Sendable {
    package let id: AttemptID
    package let state: AttemptState
    package let taskID: TaskID?
    /// Who said so; nil if nobody did, or somebody by SQL.
    package let taskSource: TaskSource?
    /// The task that a callback named when the answer was not there, or lost.
    package let hintedTask: TaskID?
    package let sentAt: Instant
    package let answeredAt: Instant?
    package let finishedAt: Instant?
    package let httpStatus: Int?
    package let apiCode: Int?
    package let errorCode: String?
    package let message: String?
    package let reserved: Credits
    /// What was reserved at the claim; `nil` if a version that did not note it made the claim.
    package let estimated: Credits?
    package let estimateBasis: Estimate.Kind?
    package let charged: Credits?
    /// Whether `charged` is what the provider reported; if not, it is what was reserved.
    package let isChargeReported: Bool
    /// What the account's balance says of a request whose answer was lost.
    package let evidence: String?
    /// What that comes to: whether it was charged.
    package let wasCharged: Bool?
    /// What was sent, a JSON object; nil if an older version sent it.
    package let input: String?
    /// What the provider gave as the result, where it holds more than the rows of `results` do.
    package let unread: String?

    init(_ row: Row) throws {
        guard let state = AttemptState(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "attempts.state is not known to this program; upgrade it")
        }
        id = AttemptID(row["id"])
        self.state = state
        let task: String? = row["task_id"]
        taskID = task.map(TaskID.init)
        let source: String? = row["task_source"]
        taskSource = source.flatMap(TaskSource.init)
        let hinted: String? = row["hinted_task_id"]
        hintedTask = hinted.map(TaskID.init)
        sentAt = Instant(milliseconds: row["sent_at"])
        answeredAt = row.instant("answered_at")
        finishedAt = row.instant("finished_at")
        httpStatus = row["http_status"]
        apiCode = row["api_code"]
        errorCode = row["error_code"]
        message = row["message"]
        reserved = Credits(millicredits: row["reserved_millicredits"])
        estimated = row.credits("estimated_millicredits")
        let basis: String? = row["estimate_basis"]
        estimateBasis = basis.flatMap(Estimate.Kind.init)
        charged = row.credits("charged_millicredits")
        isChargeReported = (row["charge_reported"] as Bool?) ?? false
        evidence = row["evidence"]
        wasCharged = row["evidence_charged"]
        unread = row["result_json"]
        input = row["input"]
    }
}

/// A row of `results`.
package struct ResultRecord: Sendable {
    package let ordinal: Int
    /// `result`, or the provider's field without `Url`.
    package let role: String
    package let state: ResultState
    package let url: String?
    /// JSON that came in the answer itself.
    package let content: String?
    package let path: String?
    package let contentType: String?
    package let bytes: Int64?
    package let sha256: String?
    package let errorMessage: String?
    package let createdAt: Instant
    package let savedAt: Instant?

    init(_ row: Row) throws {
        guard let state = ResultState(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "results.state is not known to this program; upgrade it")
        }
        ordinal = row["ordinal"]
        role = row["role"]
        self.state = state
        url = row["url"]
        content = row["content"]
        path = row["path"]
        contentType = row["content_type"]
        bytes = row["bytes"]
        sha256 = row["sha256"]
        errorMessage = row["error_message"]
        createdAt = Instant(milliseconds: row["created_at"])
        savedAt = row.instant("saved_at")
    }
}
