import Postgres
import PromptQueue

/// Sums and counts that are kept so that nobody has to add up millions of rows: what was folded, and what has been appended since.
/// Whoever writes to their tables makes them wrong.
///
/// Each is compared in one statement, which sees one instant: nobody is kept from anything meanwhile. What is missing is added to what
/// is kept, so that what others add at the same time counts as well.
struct KeptSums {
    private let table: String
    /// Rows of `name`, `kept` and `counted`, for what differs.
    private let differing: SQL
    /// Adds what is missing.
    private let mending: SQL

    static func faults(_ connection: BlockingConnection) throws -> [SumFault] {
        let rows = try connection.pipeline { pipeline in for sum in all { pipeline.add(sum.differing) } }
        return try zip(all, rows).flatMap { sum, rows in
            try rows.map { SumFault(table: sum.table, row: try $0[0], kept: try $0[1], counted: try $0[2]) }
        }
    }

    /// Of two at once, the second waits, and finds nothing.
    static func hold(_ connection: BlockingConnection) throws {
        _ = try connection.query("SELECT pg_advisory_xact_lock(hashtext('promptd'), hashtext('sums'))")
    }

    static func mend(_ connection: BlockingConnection) throws {
        for sum in all { _ = try connection.query(sum.mending) }
    }

    private static var all: [KeptSums] { [spending, narrow, totals, counts, places] }

    /// What attempts reserve and have cost, by the period in which they were sent. The ledger is read once, by hours.
    private static var spending: KeptSums {
        let both = """
            WITH hours AS MATERIALIZED (
                SELECT sent_at / 3600000 * 3600000 AS starts_at, queue, sum(reserved_millicredits) AS reserved,
                    sum(coalesce(charged_millicredits, 0)) AS charged
                FROM attempts GROUP BY 1, 2),
            counted AS (
                SELECT 'hour' AS period, starts_at, queue, reserved, charged FROM hours
                UNION ALL
                SELECT 'day', starts_at / 86400000 * 86400000, queue, sum(reserved), sum(charged) FROM hours GROUP BY 2, 3
                UNION ALL
                SELECT 'total', 0, queue, sum(reserved), sum(charged) FROM hours GROUP BY 3),
            both_sums AS MATERIALIZED (
                SELECT period, starts_at, queue, sum(kept_reserved)::bigint AS kept_reserved, sum(reserved)::bigint AS reserved,
                    sum(kept_charged)::bigint AS kept_charged, sum(charged)::bigint AS charged
                FROM (
                    SELECT period, starts_at, queue, reserved_millicredits AS kept_reserved,
                        charged_millicredits AS kept_charged, 0 AS reserved, 0 AS charged
                    FROM spending
                    UNION ALL
                    SELECT period, starts_at, queue, 0, 0, reserved, charged FROM counted) AS s
                GROUP BY period, starts_at, queue)
            """
        return amounts(
            of: "spending",
            by: "period, starts_at, queue",
            name: """
                period || ' from ' || to_char(to_timestamp(starts_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') || ' of ' || queue
                """,
            both
        )
    }

    /// The same for the budgets that ask for more than a queue, but those that have been changed and not counted anew yet.
    private static var narrow: KeptSums {
        let both = """
            WITH both_sums AS MATERIALIZED (
                SELECT budget, period, starts_at, sum(kept_reserved)::bigint AS kept_reserved, sum(reserved)::bigint AS reserved,
                    sum(kept_charged)::bigint AS kept_charged, sum(charged)::bigint AS charged
                FROM (
                    SELECT budget, period, starts_at, reserved_millicredits AS kept_reserved,
                        charged_millicredits AS kept_charged, 0 AS reserved, 0 AS charged
                    FROM budget_spending
                    UNION ALL
                    SELECT m.budget, p.period, a.sent_at / p.length * p.length, 0, 0, sum(a.reserved_millicredits),
                        sum(coalesce(a.charged_millicredits, 0))
                    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
                        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p (period, length)
                    GROUP BY 1, 2, 3) AS s
                WHERE NOT EXISTS (SELECT 1 FROM budget_changes AS c WHERE s.budget IN (c.old_name, c.new_name))
                GROUP BY budget, period, starts_at)
            """
        return amounts(
            of: "budget_spending",
            by: "budget, period, starts_at",
            name: "budget || ', ' || period || ' from ' || starts_at",
            both
        )
    }

    /// - Parameters:
    ///   - table: whose folded sums are in `TABLE_sums`.
    ///   - keys: its columns that tell its rows apart.
    ///   - name: what a row is called.
    ///   - both: the beginning of a statement, with a table `both_sums` of what is kept and what is counted.
    private static func amounts(of table: String, by keys: String, name: String, _ both: String) -> KeptSums {
        KeptSums(
            table: table,
            differing: SQL(
                pasted: """
                    \(both)
                    SELECT \(name) || ', reserved_millicredits' AS name, kept_reserved, reserved
                    FROM both_sums WHERE kept_reserved <> reserved
                    UNION ALL
                    SELECT \(name) || ', charged_millicredits', kept_charged, charged FROM both_sums WHERE kept_charged <> charged
                    """
            ),
            mending: SQL(
                pasted: """
                    \(both)
                    INSERT INTO \(table)_sums AS s (\(keys), reserved_millicredits, charged_millicredits)
                    SELECT \(keys), reserved - kept_reserved, charged - kept_charged FROM both_sums
                    WHERE kept_reserved <> reserved OR kept_charged <> charged ORDER BY 1, 2, 3
                    ON CONFLICT (\(keys)) DO UPDATE SET
                        reserved_millicredits = s.reserved_millicredits + excluded.reserved_millicredits,
                        charged_millicredits = s.charged_millicredits + excluded.charged_millicredits
                    """
            )
        )
    }

    /// What the ledger has booked for each account. `adopted_millicredits` is history that no row tells any more.
    private static var totals: KeptSums {
        let counted = """
            WITH counted AS (
                SELECT account, sum(charged_millicredits) FILTER (WHERE state <> 'unknown') AS charged,
                    sum(charged_millicredits) FILTER (WHERE state = 'unknown') AS presumed
                FROM attempts GROUP BY account),
            both_sums AS MATERIALIZED (
                SELECT t.name, t.charged_millicredits AS kept_charged, coalesce(c.charged, 0)::bigint AS charged,
                    t.presumed_millicredits AS kept_presumed, coalesce(c.presumed, 0)::bigint AS presumed
                FROM accounts AS t LEFT JOIN counted AS c ON c.account = t.name)
            """
        return KeptSums(
            table: "accounts",
            differing: SQL(
                pasted: """
                    \(counted)
                    SELECT name || ', charged_millicredits' AS name, kept_charged, charged FROM both_sums WHERE kept_charged <> charged
                    UNION ALL
                    SELECT name || ', presumed_millicredits', kept_presumed, presumed FROM both_sums WHERE kept_presumed <> presumed
                    """
            ),
            mending: SQL(
                pasted: """
                    \(counted)
                    INSERT INTO account_deltas (account, charged_millicredits, presumed_millicredits, adopted_millicredits)
                    SELECT name, charged - kept_charged, presumed - kept_presumed, 0 FROM both_sums
                    WHERE kept_charged <> charged OR kept_presumed <> presumed
                    """
            )
        )
    }

    private static var counts: KeptSums {
        let both = """
            WITH both_counts AS MATERIALIZED (
                SELECT queue, state, sum(kept)::bigint AS kept, sum(counted)::bigint AS counted
                FROM (
                    SELECT queue, state, jobs AS kept, 0 AS counted FROM queue_counts
                    UNION ALL
                    SELECT queue, state, 0, count(*) FROM jobs GROUP BY queue, state) AS c
                GROUP BY queue, state)
            """
        return KeptSums(
            table: "queue_counts",
            differing: SQL(
                pasted:
                    "\(both) SELECT queue || ', ' || state AS name, kept, counted FROM both_counts WHERE kept <> counted"
            ),
            mending: SQL(
                pasted: """
                    \(both)
                    INSERT INTO queue_count_deltas (queue, state, jobs) SELECT queue, state, counted - kept FROM both_counts
                    WHERE kept <> counted
                    """
            )
        )
    }

    /// Where queued jobs wait: a claim finds those alone that have a place.
    private static var places: KeptSums {
        let both = """
            WITH both_places AS MATERIALIZED (
                SELECT j.id, j.queue, j.priority, coalesce(j.batch, '') AS batch, j.run_at,
                    (SELECT count(*) FROM job_turns AS t WHERE t.job_id = j.id)
                        + (SELECT count(*) FROM job_times AS t WHERE t.job_id = j.id) AS kept,
                    CASE WHEN coalesce(j.waits, 0) = 0 THEN 1 ELSE 0 END AS counted
                FROM jobs AS j WHERE j.state = 'queued')
            """
        return KeptSums(
            table: "job_turns",
            differing: SQL(
                pasted: """
                    \(both)
                    SELECT queue || ', priority ' || priority || ', batch ' || quote_literal(batch) AS name, sum(kept)::bigint,
                        sum(counted)::bigint
                    FROM both_places GROUP BY queue, priority, batch HAVING bool_or(kept <> counted)
                    """
            ),
            mending: SQL(
                pasted: """
                    \(both)
                    SELECT mend_places(ARRAY(SELECT id FROM both_places WHERE kept <> counted ORDER BY id))
                    """
            )
        )
    }
}
