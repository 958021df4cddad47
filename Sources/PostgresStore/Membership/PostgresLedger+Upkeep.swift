import Postgres
package import PromptQueue
import StateFiles

extension PostgresLedger: LedgerStore {
    /// None: others are heard of by `news`.
    package var watchedFiles: [String] { [] }

    package var requestMark: String { options.requestMark }

    package var transactions: Int { facts.transactions }

    package var loss: LedgerLoss? { lease.isFenced ? .fenced : nil }

    package var isMaintenanceLong: Bool { false }

    package var memberNumber: Int64? { epoch.rawValue }

    /// Adds what was appended to the sums, numbers what has happened, and looks at what jobs wait for. One daemon at a time does it.
    package func maintain() async throws(LedgerError) {
        try await change { transaction in _ = try await transaction.query("SELECT fold()") }
    }

    /// Ends what an earlier process with the same files has left, and holds the store if it does not know that one's last claim.
    ///
    /// - Parameter paths: where that was noted; this daemon's alone.
    package func checkAge(marks paths: [String], now: Instant) async throws(LedgerError) -> AgeCheck {
        let file = RequestMarks(paths, databaseID: databaseID)
        let noted = file.found.compactMap(ClaimMarks.read)
        let copy = try await change { [self] transaction in
            _ = try await transaction.pipeline { pipeline in
                for (old, claim) in noted {
                    // Whoever has these files has outlived that process.
                    pipeline.add("SELECT leave_daemons($1) WHERE $1 <> $2", [.int(old), .int(epoch.rawValue)])
                    if let claim { Self.check(claim, &pipeline) }
                }
                pipeline.add("SELECT hold_store(NULL, NULL, NULL) FROM store WHERE is_copy = 1")
            }
            return try await Self.heldCopy(transaction)
        }
        // What is held is told once.
        let last = copy == nil ? noted.compactMap(\.claim).max { $0.attempt < $1.attempt } : nil
        return AgeCheck(copy: copy, problems: file.problems + claimMarks.begin(file, last: last))
    }

    /// Requests that are not settled: all daemons'.
    package func underWay() async throws(LedgerError) -> [(job: JobID, attempt: AttemptID, task: TaskID?)] {
        let rows = try await read("SELECT job_id, id, task_id FROM attempts WHERE finished_at IS NULL ORDER BY id")
        return try LedgerError.wrapping {
            try rows.map { (JobID(try $0[0]), AttemptID(try $0[1]), try ($0[2] as String?).map(TaskID.init)) }
        }
    }

    // MARK: - An older store

    static func check(_ claim: ClaimMarks.Claim, _ pipeline: inout PostgresPipeline) {
        pipeline.add(
            "SELECT check_claim($1::uuid, $2, $3)",
            [.text(claim.number), .int(claim.attempt), .int(claim.job)]
        )
    }

    /// What is held, with the gate that says so.
    private static func heldCopy(_ transaction: PostgresTransaction) async throws -> RestoredCopy? {
        let rows = try await transaction.query(
            "SELECT restored_at, restored_requests, restored_job_id FROM store WHERE restored_at IS NOT NULL"
        )
        guard let row = rows.first else { return nil }
        let copy = RestoredCopy(
            since: Instant(milliseconds: try row[0]),
            requests: try row[1],
            lastJob: JobID(try (row[2] as Int64?) ?? 0)
        )
        _ = try await transaction.query(
            """
            INSERT INTO daemon_gates (owner, name, closed_at, message) VALUES (0, $1, $2, $3)
            ON CONFLICT (name, queue, account, owner) DO UPDATE SET message = excluded.message
            """,
            [
                .text(BlockReason.restored.rawValue), .int(copy.since.milliseconds),
                .text("\(copy.text); \(Advice.lookAtRestored)"),
            ]
        )
        return copy
    }
}
