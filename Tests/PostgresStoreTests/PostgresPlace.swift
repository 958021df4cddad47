import Foundation
import LedgerConformance
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Synchronization

/// A database of promptd's of its own, with producers who write SQL. Its clock is what the ledger is told, so that hours pass at once.
struct PostgresPlace: LedgerPlace {
    let conninfo: String
    let connection: PostgresConnection

    /// - Parameter server: nil: the one that all tests share.
    static func make(_ server: PostgresServer? = nil) async throws -> PostgresPlace {
        let conninfo: String
        if let server {
            conninfo = try await server.database()
        } else {
            conninfo = try await PostgresServer.shared().database()
        }
        var settings = PostgresSettings.patient(conninfo, applicationName: "tests")
        settings.limits.statement = nil
        let connection = try await PostgresConnection.open(settings)
        try await StoreSchema.install(connection)
        return PostgresPlace(conninfo: conninfo, connection: connection)
    }

    private func rows(_ sql: SQL, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        try await connection.query(sql, parameters)
    }

    func open() async throws -> any CoreLedger {
        // Whoever was at work before has been gone for long.
        _ = try await rows("UPDATE promptd.daemons SET lease_until = 0")
        return try await PostgresLedger.patient(conninfo)
    }

    func add(prompt: String, input: String, queue: String, priority: Int64, maxAttempts: Int) async throws -> JobID {
        JobID(
            try await rows(
                """
                INSERT INTO promptd.jobs (prompt, input, queue, priority, max_attempts) VALUES ($1, $2, $3, $4, $5)
                RETURNING id
                """,
                [.text(prompt), .text(input), .text(queue), .int(priority), .int(Int64(maxAttempts))]
            ).only()[0]
        )
    }

    /// What a rule of the schema refuses changes nothing.
    private func set(_ state: JobState, _ job: JobID) async throws {
        do {
            _ = try await rows(
                "UPDATE promptd.jobs SET state = $1 WHERE id = $2",
                [.text(state.rawValue), .int(job.rawValue)]
            )
        } catch let error as PostgresError where error.sqlState == .checkViolation {}
    }

    func cancel(_ job: JobID) async throws { try await set(.cancelled, job) }
    func retry(_ job: JobID) async throws { try await set(.queued, job) }

    func pause(_ queue: String) async throws {
        _ = try await rows("UPDATE promptd.queues SET paused = 1 WHERE name = $1", [.text(queue)])
    }

    func setAccount(_ account: AccountName, queue: String) async throws {
        _ = try await rows(
            "UPDATE promptd.queues SET account = $1 WHERE name = $2",
            [.text(account.rawValue), .text(queue)]
        )
    }

    func setBudget(_ name: String, limit: Credits) async throws {
        _ = try await rows(
            "INSERT INTO promptd.budgets (name, period, limit_millicredits) VALUES ($1, 'total', $2)",
            [.text(name), .int(limit.millicredits)]
        )
    }

    func add(_ schedule: ScheduleRecord) async throws {
        _ = try await rows(
            "INSERT INTO promptd.schedules (name, cron, prompt, model, next_run_at) VALUES ($1, $2, $3, $4, $5)",
            [
                .text(schedule.name), .text(schedule.cron), .text(schedule.job.prompt), .text(schedule.job.model),
                .int(schedule.nextRunAt?.milliseconds),
            ]
        )
    }

    /// As a server that never heard of it: the job waits as before it was claimed.
    func forget(_ attempt: AttemptID) async throws {
        let id = PostgresValue.int(attempt.rawValue)
        try await connection.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('session_replication_role', 'replica', true)")
            _ = try await transaction.query(
                """
                WITH gone AS (DELETE FROM promptd.attempts WHERE id = $1 RETURNING job_id)
                UPDATE promptd.jobs AS j SET state = 'queued', attempt_count = 0 FROM gone WHERE j.id = gone.job_id
                """,
                [id]
            )
        }
    }

    func makeOlder(_ mark: String) async throws -> String {
        let last: Int64 = try await rows("SELECT max(id) FROM promptd.attempts").only()[0]
        try await forget(AttemptID(last))
        return mark
    }

    func release() async throws { _ = try await rows("UPDATE promptd.store SET restored_at = NULL") }
    var mark: String { NSTemporaryDirectory() + "/mark-\(UUID().uuidString)" }

    func state(of job: JobID) async throws -> JobState? {
        try await rows("SELECT state FROM promptd.jobs WHERE id = $1", [.int(job.rawValue)]).first
            .flatMap { JobState(rawValue: try $0[0]) }
    }

    func charged(_ job: JobID) async throws -> Credits? {
        let row = try await rows("SELECT charged_millicredits FROM promptd.jobs WHERE id = $1", [.int(job.rawValue)])
            .only()
        return try (row[0] as Int64?).map(Credits.init(millicredits:))
    }

    func reserved(_ job: JobID) async throws -> Credits {
        Credits(
            millicredits: try await rows(
                "SELECT coalesce(sum(reserved_millicredits), 0) FROM promptd.attempts WHERE job_id = $1",
                [.int(job.rawValue)]
            ).only()[0]
        )
    }

    func charged() async throws -> Credits { try await sum("charged_millicredits") }
    func reserved() async throws -> Credits { try await sum("reserved_millicredits") }

    private func sum(_ column: String) async throws -> Credits {
        Credits(
            millicredits: try await rows(
                SQL(pasted: "SELECT coalesce(sum(\(column)), 0) FROM promptd.spending WHERE period = 'total'")
            ).only()[0]
        )
    }
}
