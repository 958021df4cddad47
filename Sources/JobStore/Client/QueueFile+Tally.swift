import GRDB
package import PromptQueue

extension JobGroup {
    fileprivate var condition: (sql: String, arguments: StatementArguments) {
        switch self {
        case .ids(let ids):
            let list = JSONValue.array(ids.map { .integer($0.rawValue) }).json
            return ("id IN (SELECT value FROM json_each(?))", [list])
        case .batch(let name):
            return ("batch = ?", [name])
        }
    }
}

extension QueueFile {
    /// Counts by state. For a batch an index answers it alone.
    package func tally(of group: JobGroup) throws(LedgerError) -> JobTally {
        try read { db in
            let (condition, arguments) = group.condition
            var tally = JobTally()
            let statement = try db.cachedStatement(
                sql: "SELECT state, count(*) AS jobs, min(id) AS first FROM jobs WHERE \(condition) GROUP BY state"
            )
            for row in try Row.fetchAll(statement, arguments: arguments) {
                guard let state = JobState(rawValue: row["state"]) else { continue }
                tally.counts[state] = row["jobs"]
                if state == .unconfirmed { tally.firstUnconfirmed = JobID(row["first"]) }
            }
            return tally
        }
    }

    package func charged(to group: JobGroup) throws(LedgerError) -> Credits {
        try read { db in
            let (condition, arguments) = group.condition
            let statement = try db.cachedStatement(
                sql: "SELECT coalesce(sum(charged_millicredits), 0) FROM jobs WHERE \(condition)"
            )
            return Credits(millicredits: try Int64.fetchOne(statement, arguments: arguments) ?? 0)
        }
    }

    package func failures(of group: JobGroup) throws(LedgerError) -> [String: Int] {
        try read { db in
            let (condition, arguments) = group.condition
            let statement = try db.cachedStatement(
                sql: """
                    SELECT coalesce(error_code, 'unknown') AS code, count(*) AS jobs FROM jobs
                    WHERE state = 'failed' AND \(condition) GROUP BY 1
                    """
            )
            return try Row.fetchAll(statement, arguments: arguments)
                .reduce(into: [:]) { failures, row in failures[row["code"]] = row["jobs"] }
        }
    }

    package func outstanding(of group: JobGroup) throws(LedgerError) -> (estimated: Credits, unpriced: Int) {
        try read { db in
            let (condition, arguments) = group.condition
            let statement = try db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(estimated_millicredits), 0) AS estimated,
                        count(*) - count(estimated_millicredits) AS unpriced
                    FROM jobs WHERE state IN ('queued', 'submitting', 'running', 'unconfirmed') AND \(condition)
                    """
            )
            guard let row = try Row.fetchOne(statement, arguments: arguments) else { return (.zero, 0) }
            return (Credits(millicredits: row["estimated"]), row["unpriced"])
        }
    }

    package func holds(
        of group: JobGroup
    ) throws(LedgerError) -> [(queue: String, reason: BlockReason, message: String?)] {
        try read { db in
            let (condition, arguments) = group.condition
            // A sample of a large batch: it is the same for all jobs of a queue.
            let statement = try db.cachedStatement(
                sql: """
                    SELECT s.queue, s.blocked_by, (SELECT g.message FROM gates AS g
                        WHERE g.name = s.blocked_by AND g.queue IN ('', s.queue) AND g.account IN ('', s.account) LIMIT 1) AS message
                    FROM queue_status AS s WHERE s.blocked_by IS NOT NULL AND s.queue IN (
                        SELECT queue FROM jobs WHERE state = 'queued' AND \(condition) LIMIT 1000)
                    ORDER BY s.queue
                    """
            )
            return try Row.fetchAll(statement, arguments: arguments)
                .map { ($0["queue"], BlockReason(rawValue: $0["blocked_by"]), $0["message"]) }
        }
    }

    package func missing(_ ids: [JobID]) throws(LedgerError) -> [JobID] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM jobs WHERE id = ?")
            return try ids.filter { try Int.fetchOne(statement, arguments: [$0.rawValue]) == nil }
        }
    }
}
