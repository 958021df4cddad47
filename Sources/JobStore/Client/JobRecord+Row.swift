import GRDB
import PromptQueue

extension JobRecord {
    static let selection = """
        jobs.*, (SELECT json_group_array(path) FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
        CASE WHEN jobs.waits > 0 AND jobs.state = 'queued' THEN (SELECT json_group_array(DISTINCT i.source_id)
            FROM job_inputs AS i JOIN jobs AS s ON s.id = i.source_id
            WHERE i.job_id = jobs.id AND s.state <> 'succeeded') END AS waits_for,
        CASE WHEN jobs.waits > 0 AND jobs.state = 'queued' THEN (
            SELECT CASE WHEN count(*) > 0 THEN coalesce(max(f.message), '') END
            FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
            WHERE u.job_id = jobs.id AND f.state IS NOT 'ready') END AS waits_for_upload
        """

    init(_ row: Row) throws {
        guard let state = JobState(rawValue: row["state"]) else {
            throw LedgerError(
                .unusable,
                "jobs.state: \(row["state"] as String) is not known to this program; upgrade it"
            )
        }
        let runAt = row.instant("run_at")
        let task: String? = row["task_id"]
        let basis: String? = row["estimate_basis"]
        self.init(
            id: JobID(row["id"]),
            state: state,
            queue: row["queue"],
            batch: row["batch"],
            model: row["model"],
            priority: row["priority"],
            runAt: runAt?.milliseconds == 0 ? nil : runAt,
            prompt: row["prompt"],
            input: row["input"],
            labels: row["labels"],
            uniqueKey: row["unique_key"],
            attemptCount: row["attempt_count"],
            maxAttempts: row["max_attempts"],
            taskID: task.map(TaskID.init),
            providerState: row["provider_state"],
            estimated: row.credits("estimated_millicredits"),
            estimateBasis: basis.flatMap(Estimate.Kind.init),
            charged: row.credits("charged_millicredits"),
            errorCode: row["error_code"],
            errorMessage: row["error_message"],
            createdAt: Instant(milliseconds: row["created_at"]),
            submittedAt: row.instant("submitted_at"),
            finishedAt: row.instant("finished_at"),
            prunedAt: row.instant("pruned_at"),
            files: try JSONValue(parsing: row["files"] as String).arrayValue?.compactMap(\.stringValue) ?? [],
            waitsFor: try (row["waits_for"] as String?).flatMap { try JSONValue(parsing: $0).arrayValue }?
                .compactMap { $0.integerValue.map { JobID($0) } } ?? [],
            waitsForUpload: (row["waits_for_upload"] as String?) != nil,
            uploadTrouble: (row["waits_for_upload"] as String?).flatMap { $0.isEmpty ? nil : $0 }
        )
    }
}

extension AttemptRecord {
    init(_ row: Row) throws {
        guard let state = AttemptState(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "attempts.state is not known to this program; upgrade it")
        }
        let task: String? = row["task_id"]
        let source: String? = row["task_source"]
        let hinted: String? = row["hinted_task_id"]
        let basis: String? = row["estimate_basis"]
        self.init(
            id: AttemptID(row["id"]),
            account: AccountName(stored: row["account"]),
            state: state,
            taskID: task.map(TaskID.init),
            taskSource: source.flatMap(TaskSource.init),
            hintedTask: hinted.map(TaskID.init),
            sentAt: Instant(milliseconds: row["sent_at"]),
            answeredAt: row.instant("answered_at"),
            finishedAt: row.instant("finished_at"),
            httpStatus: row["http_status"],
            apiCode: row["api_code"],
            errorCode: row["error_code"],
            message: row["message"],
            reserved: Credits(millicredits: row["reserved_millicredits"]),
            estimated: row.credits("estimated_millicredits"),
            estimateBasis: basis.flatMap(Estimate.Kind.init),
            charged: row.credits("charged_millicredits"),
            isChargeReported: (row["charge_reported"] as Bool?) ?? false,
            evidence: row["evidence"],
            wasCharged: row["evidence_charged"],
            input: row["input"],
            unread: row["result_json"]
        )
    }
}

extension ResultRecord {
    init(_ row: Row) throws {
        guard let state = ResultState(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "results.state is not known to this program; upgrade it")
        }
        self.init(
            ordinal: row["ordinal"],
            role: row["role"],
            state: state,
            url: row["url"],
            content: row["content"],
            path: row["path"],
            contentType: row["content_type"],
            bytes: row["bytes"],
            sha256: row["sha256"],
            errorMessage: row["error_message"],
            createdAt: Instant(milliseconds: row["created_at"]),
            savedAt: row.instant("saved_at")
        )
    }
}
