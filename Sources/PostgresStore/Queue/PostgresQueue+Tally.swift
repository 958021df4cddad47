import Postgres
package import PromptQueue

extension JobGroup {
    /// A condition over `jobs`, with one parameter.
    fileprivate var condition: (sql: String, argument: PostgresValue) {
        switch self {
        case .ids(let ids): ("id = ANY ($1)", .ints(ids.map(\.rawValue)))
        // No batch has a name that cannot be stored.
        case .batch(let name): StoredText.holdsNUL(name) ? ("$1::text IS NULL", "") : ("batch = $1", .text(name))
        }
    }
}

extension PostgresQueue {
    private func read(of group: JobGroup, _ sql: (String) -> String) throws(LedgerError) -> PostgresRows {
        let (condition, argument) = group.condition
        return try read(SQL(pasted: sql(condition)), [argument])
    }

    /// Counts by state. For a batch an index answers it alone.
    package func tally(of group: JobGroup) throws(LedgerError) -> JobTally {
        let rows = try read(of: group) {
            "SELECT state, count(*), min(id) FROM jobs WHERE \($0) GROUP BY state"
        }
        return try LedgerError.wrapping {
            var tally = JobTally()
            for row in rows {
                guard let state = JobState(rawValue: try row[0]) else { continue }
                tally.counts[state] = try row[1]
                if state == .unconfirmed { tally.firstUnconfirmed = JobID(try row[2]) }
            }
            return tally
        }
    }

    package func charged(to group: JobGroup) throws(LedgerError) -> Credits {
        // That it is positive is what an index is for.
        let rows = try read(of: group) {
            "SELECT coalesce(sum(charged_millicredits), 0) FROM jobs WHERE \($0) AND charged_millicredits > 0"
        }
        return try LedgerError.wrapping { Credits(millicredits: try rows.only()[0]) }
    }

    package func failures(of group: JobGroup) throws(LedgerError) -> [String: Int] {
        let rows = try read(of: group) {
            "SELECT coalesce(error_code, 'unknown'), count(*) FROM jobs WHERE state = 'failed' AND \($0) GROUP BY 1"
        }
        return try LedgerError.wrapping { try rows.reduce(into: [:]) { $0[try $1[0]] = try $1[1] } }
    }

    package func outstanding(of group: JobGroup) throws(LedgerError) -> (estimated: Credits, unpriced: Int) {
        let rows = try read(of: group) { condition in
            """
            SELECT coalesce(sum(estimated_millicredits), 0), count(*) - count(estimated_millicredits) FROM jobs
            WHERE state IN ('queued', 'submitting', 'running', 'unconfirmed') AND \(condition)
            """
        }
        return try LedgerError.wrapping {
            let row = try rows.only()
            return (Credits(millicredits: try row[0]), try row[1])
        }
    }

    package func holds(
        of group: JobGroup
    ) throws(LedgerError) -> [(queue: String, reason: BlockReason, message: String?)] {
        // A sample of a large batch: it is the same for all jobs of a queue.
        let rows = try read(of: group) { condition in
            """
            SELECT s.queue, s.blocked_by, (SELECT g.message FROM gates AS g
                WHERE g.name = s.blocked_by AND g.queue IN ('', s.queue) AND g.account IN ('', s.account) LIMIT 1)
            FROM queue_status AS s WHERE s.blocked_by IS NOT NULL AND s.queue IN (
                SELECT queue FROM jobs WHERE state = 'queued' AND \(condition) LIMIT 1000)
            ORDER BY s.queue
            """
        }
        return try LedgerError.wrapping {
            try rows.map { (try $0[0], BlockReason(rawValue: try $0[1]), try $0[2]) }
        }
    }
}
