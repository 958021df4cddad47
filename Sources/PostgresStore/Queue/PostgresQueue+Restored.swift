import Postgres
package import PromptQueue

extension PostgresQueue {
    package func restoredCopy() throws(LedgerError) -> RestoredCopy? {
        let rows = try read(
            "SELECT restored_at, restored_requests, restored_job_id FROM store WHERE restored_at IS NOT NULL"
        )
        return try LedgerError.wrapping {
            try rows.first.map { row in
                RestoredCopy(
                    since: Instant(milliseconds: try row[0]),
                    requests: try row[1],
                    lastJob: JobID(try row[2] ?? 0)
                )
            }
        }
    }

    package func isUnnoticedCopy() throws(LedgerError) -> Bool {
        let rows = try read("SELECT is_copy = 1 AND restored_at IS NULL FROM store")
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    package func databaseID() throws(LedgerError) -> String {
        let rows = try read("SELECT coalesce(database_id, '') FROM store")
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    package func jobsToSend(of copy: RestoredCopy) throws(LedgerError) -> [JobID] {
        let rows = try read(
            "SELECT id FROM jobs WHERE state = 'queued' AND id <= $1 ORDER BY id",
            [.int(copy.lastJob.rawValue)]
        )
        return try LedgerError.wrapping { try rows.map { JobID(try $0[0]) } }
    }

    package func release() throws(LedgerError) {
        try change { connection in
            _ = try connection.pipeline {
                $0.add("UPDATE store SET restored_at = NULL, restored_requests = NULL, restored_job_id = NULL")
                $0.add("DELETE FROM daemon_gates WHERE name = $1", [.text(BlockReason.restored.rawValue)])
                // Daemons at work see it with the next thing that they are told of.
                $0.add("SELECT pg_notify('promptd_news', 'rules')")
            }
        }
    }
}
