import Postgres
import PromptQueue

/// Texts in a JSON array.
func Texts(json: String) throws -> [String] { try JSONValue(parsing: json).arrayValue?.compactMap(\.stringValue) ?? [] }

extension PostgresRow {
    func instant(_ column: Int) throws -> Instant? { try (self[column] as Int64?).map(Instant.init(milliseconds:)) }
    func credits(_ column: Int) throws -> Credits? { try (self[column] as Int64?).map(Credits.init(millicredits:)) }
}

extension JobRecord {
    /// Of the jobs `j`.
    static let columns = columns(prompt: "j.prompt", input: "j.input::text")
    /// As pages show them: the beginning of the prompt, and no input.
    static let shortColumns = columns(prompt: "left(j.prompt, 500)", input: "'{}'")

    private static func columns(prompt: String, input: String) -> String {
        """
        j.id, j.state, j.queue, j.batch, j.model, j.priority, j.run_at, \(prompt), \(input), j.labels::text, j.unique_key,
        j.attempt_count, j.max_attempts, j.task_id, j.provider_state, j.estimated_millicredits, j.estimate_basis,
        j.charged_millicredits, j.error_code, j.error_message, j.created_at, j.submitted_at, j.finished_at, j.pruned_at,
        (SELECT coalesce(json_agg(r.path ORDER BY r.ordinal), '[]') FROM results AS r
            WHERE r.job_id = j.id AND r.state = 'saved')::text,
        CASE WHEN j.waits > 0 AND j.state = 'queued' THEN (
            SELECT coalesce(json_agg(DISTINCT i.source_id::text), '[]') FROM job_inputs AS i JOIN jobs AS s ON s.id = i.source_id
            WHERE i.job_id = j.id AND s.state <> 'succeeded') ELSE '[]' END::text,
        CASE WHEN j.waits > 0 AND j.state = 'queued' THEN (
            SELECT CASE WHEN count(*) > 0 THEN coalesce(max(f.message), '') END
            FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
            WHERE u.job_id = j.id AND f.state IS DISTINCT FROM 'ready') END
        """
    }

    /// From `columns`.
    init(row: PostgresRow) throws {
        guard let state = JobState(rawValue: try row[1]) else {
            throw LedgerError(.unusable, "jobs.state: \(try row[1] as String) is not known to this program; upgrade it")
        }
        let runAt: Int64 = try row[6]
        let upload: String? = try row[26]
        self.init(
            id: JobID(try row[0]),
            state: state,
            queue: try row[2],
            batch: try row[3],
            model: try row[4],
            priority: try row[5],
            runAt: runAt == 0 ? nil : Instant(milliseconds: runAt),
            prompt: try row[7],
            input: try row[8],
            labels: try row[9],
            uniqueKey: try row[10],
            attemptCount: try row[11],
            maxAttempts: try row[12],
            taskID: try (row[13] as String?).map { TaskID($0) },
            providerState: try row[14],
            estimated: try row.credits(15),
            estimateBasis: try (row[16] as String?).flatMap { Estimate.Kind(rawValue: $0) },
            charged: try row.credits(17),
            errorCode: try row[18],
            errorMessage: try row[19],
            createdAt: Instant(milliseconds: try row[20]),
            submittedAt: try row.instant(21),
            finishedAt: try row.instant(22),
            prunedAt: try row.instant(23),
            files: try Texts(json: row[24]),
            waitsFor: try Texts(json: row[25]).compactMap { Int64($0).map { JobID($0) } }.sorted(),
            waitsForUpload: upload != nil,
            uploadTrouble: upload.flatMap { $0.isEmpty ? nil : $0 }
        )
    }
}

extension AttemptRecord {
    static let columns = """
        id, account, state, task_id, task_source, hinted_task_id, sent_at, answered_at, finished_at, http_status, api_code,
        error_code, message, reserved_millicredits, estimated_millicredits, estimate_basis, charged_millicredits,
        coalesce(charge_reported, 0), evidence, evidence_charged, input, result_json
        """

    /// From `columns`.
    init(row: PostgresRow) throws {
        guard let state = AttemptState(rawValue: try row[2]) else {
            throw LedgerError(.unusable, "attempts.state is not known to this program; upgrade it")
        }
        self.init(
            id: AttemptID(try row[0]),
            account: AccountName(stored: try row[1]),
            state: state,
            taskID: try (row[3] as String?).map { TaskID($0) },
            taskSource: try (row[4] as String?).flatMap { TaskSource(rawValue: $0) },
            hintedTask: try (row[5] as String?).map { TaskID($0) },
            sentAt: Instant(milliseconds: try row[6]),
            answeredAt: try row.instant(7),
            finishedAt: try row.instant(8),
            httpStatus: try row[9],
            apiCode: try row[10],
            errorCode: try row[11],
            message: try row[12],
            reserved: Credits(millicredits: try row[13]),
            estimated: try row.credits(14),
            estimateBasis: try (row[15] as String?).flatMap { Estimate.Kind(rawValue: $0) },
            charged: try row.credits(16),
            isChargeReported: try (row[17] as Int64) != 0,
            evidence: try row[18],
            wasCharged: try (row[19] as Int64?).map { $0 != 0 },
            input: try row[20],
            unread: try row[21]
        )
    }
}

extension ResultRecord {
    static let columns = """
        ordinal, role, state, url, content, path, content_type, bytes, sha256, error_message, created_at, saved_at
        """

    /// From `columns`.
    init(row: PostgresRow) throws {
        guard let state = ResultState(rawValue: try row[2]) else {
            throw LedgerError(.unusable, "results.state is not known to this program; upgrade it")
        }
        self.init(
            ordinal: try row[0],
            role: try row[1],
            state: state,
            url: try row[3],
            content: try row[4],
            path: try row[5],
            contentType: try row[6],
            bytes: try row[7],
            sha256: try row[8],
            errorMessage: try row[9],
            createdAt: Instant(milliseconds: try row[10]),
            savedAt: try row.instant(11)
        )
    }
}
