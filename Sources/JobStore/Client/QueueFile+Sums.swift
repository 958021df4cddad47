import GRDB
package import PromptQueue

extension QueueFile {
    package func sumFaults() throws(LedgerError) -> [SumFault] {
        try read { db in try KeptSums.faults(db) }
    }

    package func rebuildSums() throws(LedgerError) -> [SumFault] {
        try write { db in
            let faults = try KeptSums.faults(db)
            if !faults.isEmpty { try KeptSums.rebuild(db) }
            return faults
        }
    }
}

/// Sums and counts that triggers keep so that nobody has to add up millions of rows. Whoever writes to their tables makes
/// them wrong, and SQLite's triggers cannot tell him from the triggers that keep them.
private enum KeptSums {
    private struct Kept {
        var table: String
        /// Rows of `name`, `kept` and `counted`, for what differs.
        var differing: String
        /// Sets the kept numbers to zero, then to what the rows add up to. Rows are never deleted.
        var rebuilding: String
    }

    static func faults(_ db: Database) throws -> [SumFault] {
        try all.flatMap { sum in
            try Row.fetchAll(db, sql: sum.differing).map { row in
                SumFault(table: sum.table, row: row["name"], kept: row["kept"], counted: row["counted"])
            }
        }
    }

    static func rebuild(_ db: Database) throws {
        for sum in all { try db.execute(sql: sum.rebuilding) }
    }

    private static var all: [Kept] { [spending, narrow, totals, counts, lanes] }

    /// What attempts reserve and have cost, by the period in which they were sent. The ledger is read once, by hours.
    private static var spending: Kept {
        let rows = """
            WITH hours AS MATERIALIZED (
                SELECT sent_at / 3600000 * 3600000 AS starts_at, queue, sum(reserved_millicredits) AS reserved,
                    sum(coalesce(charged_millicredits, 0)) AS charged
                FROM attempts GROUP BY 1, 2)
            SELECT 'hour' AS period, starts_at, queue, reserved, charged FROM hours
            UNION ALL
            SELECT 'day', starts_at / 86400000 * 86400000, queue, sum(reserved), sum(charged) FROM hours GROUP BY 2, 3
            UNION ALL
            SELECT 'total', 0, queue, sum(reserved), sum(charged) FROM hours GROUP BY 3
            """
        let start = "coalesce(strftime('%Y-%m-%dT%H:%MZ', starts_at / 1000, 'unixepoch'), starts_at)"
        let differing = """
            WITH both AS MATERIALIZED (
                SELECT period || ' from ' || \(start) || ' of ' || queue AS name,
                    sum(kept_reserved) AS kept_reserved, sum(reserved) AS reserved,
                    sum(kept_charged) AS kept_charged, sum(charged) AS charged
                FROM (
                    SELECT period, starts_at, queue, reserved_millicredits AS kept_reserved,
                        charged_millicredits AS kept_charged, 0 AS reserved, 0 AS charged
                    FROM spending
                    UNION ALL
                    SELECT period, starts_at, queue, 0, 0, reserved, charged FROM (\(rows)))
                GROUP BY period, starts_at, queue)
            SELECT name || ', reserved_millicredits' AS name, kept_reserved AS kept, reserved AS counted
            FROM both WHERE kept_reserved <> reserved
            UNION ALL
            SELECT name || ', charged_millicredits', kept_charged, charged FROM both WHERE kept_charged <> charged
            """
        let rebuilding = """
            UPDATE spending SET reserved_millicredits = 0, charged_millicredits = 0;
            INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
            SELECT * FROM (\(rows)) WHERE true
            ON CONFLICT (period, starts_at, queue) DO UPDATE SET
                reserved_millicredits = excluded.reserved_millicredits,
                charged_millicredits = excluded.charged_millicredits;
            """
        return Kept(table: "spending", differing: differing, rebuilding: rebuilding)
    }

    /// The same for the budgets that ask for more than a queue.
    private static var narrow: Kept {
        let rows = """
            SELECT m.budget, p.column1 AS period, a.sent_at / p.column2 * p.column2 AS starts_at,
                sum(a.reserved_millicredits) AS reserved, sum(coalesce(a.charged_millicredits, 0)) AS charged
            FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
                (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p
            GROUP BY 1, 2, 3
            """
        return Kept(
            table: "budget_spending",
            differing: """
                WITH both AS MATERIALIZED (
                    SELECT budget || ', ' || period || ' from ' || starts_at AS name,
                        sum(kept_reserved) AS kept_reserved, sum(reserved) AS reserved,
                        sum(kept_charged) AS kept_charged, sum(charged) AS charged
                    FROM (
                        SELECT budget, period, starts_at, reserved_millicredits AS kept_reserved,
                            charged_millicredits AS kept_charged, 0 AS reserved, 0 AS charged
                        FROM budget_spending
                        UNION ALL
                        SELECT budget, period, starts_at, 0, 0, reserved, charged FROM (\(rows)))
                    GROUP BY budget, period, starts_at)
                SELECT name || ', reserved_millicredits' AS name, kept_reserved AS kept, reserved AS counted
                FROM both WHERE kept_reserved <> reserved
                UNION ALL
                SELECT name || ', charged_millicredits', kept_charged, charged FROM both WHERE kept_charged <> charged
                """,
            rebuilding: """
                UPDATE budget_spending SET reserved_millicredits = 0, charged_millicredits = 0;
                INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
                SELECT * FROM (\(rows)) WHERE true
                ON CONFLICT (budget, period, starts_at) DO UPDATE SET
                    reserved_millicredits = excluded.reserved_millicredits,
                    charged_millicredits = excluded.charged_millicredits;
                """
        )
    }

    /// What the ledger has booked for each account. `adopted_millicredits` is history that no row tells any more.
    private static var totals: Kept {
        let counted = """
            SELECT n.name AS account,
                coalesce(sum(a.charged_millicredits) FILTER (WHERE a.state <> 'unknown'), 0) AS charged,
                coalesce(sum(a.charged_millicredits) FILTER (WHERE a.state = 'unknown'), 0) AS presumed
            FROM accounts AS n LEFT JOIN attempts AS a ON a.account = n.name GROUP BY n.name
            """
        return Kept(
            table: "accounts",
            differing: """
                WITH counted AS (\(counted))
                SELECT t.name || ', charged_millicredits' AS name, t.charged_millicredits AS kept, c.charged AS counted
                FROM accounts AS t JOIN counted AS c ON c.account = t.name WHERE t.charged_millicredits <> c.charged
                UNION ALL
                SELECT t.name || ', presumed_millicredits', t.presumed_millicredits, c.presumed
                FROM accounts AS t JOIN counted AS c ON c.account = t.name WHERE t.presumed_millicredits <> c.presumed
                """,
            rebuilding: """
                UPDATE accounts SET (charged_millicredits, presumed_millicredits) = (
                    SELECT coalesce(sum(charged_millicredits) FILTER (WHERE state <> 'unknown'), 0),
                        coalesce(sum(charged_millicredits) FILTER (WHERE state = 'unknown'), 0)
                    FROM attempts WHERE account = accounts.name);
                """
        )
    }

    private static var counts: Kept {
        Kept(
            table: "queue_counts",
            differing: """
                SELECT queue || ', ' || state AS name, sum(kept) AS kept, sum(counted) AS counted
                FROM (
                    SELECT queue, state, jobs AS kept, 0 AS counted FROM queue_counts
                    UNION ALL
                    SELECT queue, state, 0, count(*) FROM jobs GROUP BY queue, state)
                GROUP BY queue, state HAVING sum(kept) <> sum(counted)
                """,
            rebuilding: """
                UPDATE queue_counts SET jobs = 0;
                INSERT INTO queue_counts (queue, state, jobs)
                SELECT queue, state, count(*) FROM jobs WHERE true GROUP BY queue, state
                ON CONFLICT (queue, state) DO UPDATE SET jobs = excluded.jobs;
                """
        )
    }

    /// How many jobs wait in each lane: a claim asks only the lanes in which some do.
    private static var lanes: Kept {
        let rows = """
            SELECT queue, priority, coalesce(batch, '') AS batch, count(*) AS jobs, max(turn) AS turn
            FROM jobs WHERE state = 'queued' AND turn IS NOT NULL GROUP BY 1, 2, 3
            """
        return Kept(
            table: "turns",
            differing: """
                SELECT queue || ', priority ' || priority || ', batch ' || quote(batch) AS name,
                    sum(kept) AS kept, sum(counted) AS counted
                FROM (
                    SELECT queue, priority, batch, waiting AS kept, 0 AS counted FROM turns
                    UNION ALL
                    SELECT queue, priority, batch, 0, jobs FROM (\(rows)))
                GROUP BY queue, priority, batch HAVING sum(kept) <> sum(counted)
                """,
            rebuilding: """
                UPDATE turns SET waiting = 0;
                INSERT INTO turns (queue, priority, batch, turn, waiting)
                SELECT queue, priority, batch, turn, jobs FROM (\(rows)) WHERE true
                ON CONFLICT (queue, priority, batch) DO UPDATE SET
                    waiting = excluded.waiting, turn = max(turn, excluded.turn);
                """
        )
    }
}
