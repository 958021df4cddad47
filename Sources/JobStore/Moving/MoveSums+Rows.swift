import GRDB
import PromptQueue

extension MoveSums {
    /// From the rows themselves, in one reading.
    init(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT 'jobs of ' || queue || ', ' || state,
                    count(*) || ', estimated ' || coalesce(sum(estimated_millicredits), 0)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM jobs GROUP BY queue, state
                UNION ALL
                SELECT 'jobs counted in ' || queue || ', ' || state, CAST(jobs AS TEXT) FROM queue_counts WHERE jobs <> 0
                UNION ALL
                SELECT 'requests of the account ' || account || ', ' || state,
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM attempts GROUP BY account, state
                UNION ALL
                SELECT 'requests of ' || queue || ' in the month from ' || (sent_at / 2592000000 * 2592000000),
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM attempts GROUP BY queue, sent_at / 2592000000
                UNION ALL
                SELECT 'requests of the budget ' || budget,
                    count(*) || ', reserved ' || sum(reserved_millicredits)
                        || ', charged ' || coalesce(sum(charged_millicredits), 0)
                FROM budget_attempts JOIN attempts ON attempts.id = attempt_id GROUP BY budget
                UNION ALL
                SELECT 'kept of the budget ' || budget || ' by ' || period,
                    'reserved ' || sum(reserved_millicredits) || ', charged ' || sum(charged_millicredits)
                FROM budget_spending GROUP BY budget, period
                UNION ALL
                SELECT 'kept of ' || queue || ' by ' || period,
                    'reserved ' || sum(reserved_millicredits) || ', charged ' || sum(charged_millicredits)
                FROM spending GROUP BY queue, period
                UNION ALL
                SELECT 'kept of the account ' || name,
                    'charged ' || charged_millicredits || ', presumed ' || presumed_millicredits
                        || ', adopted ' || adopted_millicredits
                FROM accounts
                UNION ALL
                SELECT 'results ' || state, count(*) || ', bytes ' || coalesce(sum(bytes), 0) FROM results GROUP BY state
                UNION ALL
                SELECT 'jobs that have a turn', CAST(count(*) AS TEXT) FROM jobs WHERE state = 'queued' AND turn IS NOT NULL
                """
        )
        self.init(Dictionary(rows.map { ($0[0], $0[1]) }) { first, _ in first })
    }
}
