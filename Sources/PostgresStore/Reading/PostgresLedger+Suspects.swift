import Postgres
package import PromptQueue

extension PostgresLedger: SuspectStore {
    package func noteDeaths(
        _ steps: [RiskyStep],
        _ end: SuddenEnd,
        version: String,
        now: Instant
    ) async throws(LedgerError) -> [SetAsideStep] {
        // A job is prepared within microseconds: a process that ends then has ended of that.
        let claims = steps.filter { if case .claim = $0 { true } else { false } }
        let steps = claims.isEmpty ? steps : claims
        return try await change { transaction in
            _ = try await transaction.query("SELECT release_suspects($1)", [.text(version)])
            let found = try await transaction.query(
                "SELECT step, subject, ordinal, job_id, reason, queue, batch FROM note_deaths($1, $2, $3, $4, $5)",
                [
                    .text(JSONValue.array(steps.map { $0.json(end) }).json), .int(Int64(end.weight)), .text(version),
                    .int(Int64(SuddenEnd.crashWeight)), .int(Int64(SuddenEnd.enough)),
                ]
            )
            var aside: [SetAsideStep] = []
            for row in found {
                guard let step = try RiskyStep(row: row) else { continue }
                let job = JobID(try row[3])
                let reason: String = try row[4]
                let queue: String? = try row[5]
                let batch: String? = try row[6]
                let origin = queue.map { JobOrigin(queue: $0, batch: batch) }
                let found = SetAsideStep(step: step, job: job, origin: origin, reason: reason)
                aside.append(found)
                _ = try await transaction.query(
                    "SELECT set_step_aside($1, $2, $3, $4, $5, $6)",
                    step.key + [
                        .int(job.rawValue), .text(FailureCode.setAside.rawValue), .text(found.message),
                    ]
                )
            }
            return aside
        }
    }

    package func suspects() async throws(LedgerError) -> Set<RiskyStep> {
        let rows = try await read(
            "SELECT step, subject, ordinal FROM suspects WHERE is_aside = 0 AND weight >= $1",
            [.int(Int64(SuddenEnd.crashWeight))]
        )
        return try LedgerError.wrapping { Set(try rows.compactMap { try RiskyStep(row: $0) }) }
    }

    /// Not waited for: should it fail, the step is under suspicion a little longer.
    package func acquit(_ step: RiskyStep) {
        Task.detached { [self] in
            try? await change { transaction in
                _ = try await transaction.query(
                    "DELETE FROM suspects WHERE step = $1 AND subject = $2 AND ordinal = $3 AND is_aside = 0",
                    step.key
                )
            }
        }
    }
}

extension RiskyStep {
    /// `step`, `subject` and `ordinal`.
    fileprivate var columns: (step: String, subject: Int64, ordinal: Int) {
        switch self {
        case .claim(let job): ("claim", job.rawValue, 0)
        case .poll(let attempt): ("poll", attempt.rawValue, 0)
        case .download(let result): ("download", result.job.rawValue, result.ordinal)
        }
    }

    fileprivate var key: [PostgresValue] { [.text(columns.step), .int(columns.subject), .int(Int64(columns.ordinal))] }

    fileprivate func json(_ end: SuddenEnd) -> JSONValue {
        .object([
            "step": .string(columns.step), "subject": .integer(columns.subject),
            "ordinal": .integer(Int64(columns.ordinal)), "reason": .string(end.reason(self)),
        ])
    }

    /// Nil for a kind that this program does not know.
    fileprivate init?(row: PostgresRow) throws {
        let subject: Int64 = try row[1]
        switch try row[0] as String {
        case "claim": self = .claim(JobID(subject))
        case "poll": self = .poll(AttemptID(subject))
        case "download": self = .download(ResultID(job: JobID(subject), ordinal: try row[2]))
        default: return nil
        }
    }
}
