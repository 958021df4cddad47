import GRDB
import PromptQueue

extension ClaimTransaction {
    func freePlaces() throws -> Int {
        let running = try Int.fetchOne(
            db.cachedStatement(
                // A task that is set aside may have ended long ago.
                sql: """
                    SELECT count(*) - (SELECT count(*) FROM suspects AS s JOIN attempts AS a ON a.id = s.subject
                        WHERE s.step = 'poll' AND s.is_aside = 1 AND a.finished_at IS NULL AND a.state = 'accepted'
                            AND a.account = ?1)
                    FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted') AND account = ?1
                    """
            ),
            arguments: [account.rawValue]
        )
        return request.runningLimit - (running ?? 0)
    }

    func freeSlots() throws -> (count: Int, nextAt: Instant?) {
        let window = request.rate.window
        let sending = try Int.fetchOne(
            db.cachedStatement(
                sql: "SELECT count(*) FROM attempts WHERE state = 'sending' AND account = ? AND finished_at IS NULL"
            ),
            arguments: [account.rawValue]
        )
        // Instants beyond one window from now are from before the clock was set back, and say nothing. A request whose
        // answer was lost may be on its way for longer, and has its slot until then.
        let since = (request.now - window).milliseconds
        let until = (request.now + window).milliseconds
        let late = (request.now + window + lateArrival + request.clockShift.back).milliseconds
        let lost = (request.now - window - request.clockShift.forward).milliseconds
        let busy = """
            SELECT answered_at AS busy FROM attempts
            WHERE answered_at > :since AND answered_at <= :until AND arrives_until IS NULL AND id > :answeredAfter
                AND account = :account
            UNION ALL
            SELECT arrives_until FROM attempts
            WHERE arrives_until IS NOT NULL AND arrives_until > :lost AND arrives_until <= :late AND id > :lostAfter
                AND account = :account
            """
        let arguments: StatementArguments = [
            "since": since, "until": until, "late": late, "lost": lost,
            "answeredAfter": request.clockShift.answeredAfter.rawValue,
            "lostAfter": request.clockShift.lostAfter.rawValue, "account": account.rawValue,
        ]
        // What was settled under another time of the clock is over when its own time is, whatever the instants say.
        let answered = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM (\(busy))"),
            arguments: arguments
        )
        let free = request.rate.count - (sending ?? 0) - (answered ?? 0)
        guard free <= 0, let answered, answered > 0 else { return (free, nil) }
        let oldest = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT busy FROM (\(busy)) ORDER BY busy LIMIT 1 OFFSET :offset"),
            arguments: arguments &+ ["offset": min(-free, answered - 1)]
        )
        let next = oldest.map { Instant(milliseconds: $0) + window }
        // A request under way may be answered at once, and frees its slot a window later.
        guard let sending, sending > 0 else { return (free, next) }
        return (free, next.map { min($0, request.now + window) })
    }

    /// From the running sums.
    func budgets() throws -> [BudgetHeadroom] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                // By the name as it is stored: one that is not UTF-8 would be another one when it comes back.
                sql: """
                    SELECT name, queue, period, limit_millicredits, is_narrow, CASE WHEN is_narrow THEN (
                        SELECT CAST(total(s.reserved_millicredits + s.charged_millicredits) AS INTEGER)
                        FROM budget_spending AS s WHERE s.budget = b.name AND s.period = b.sums AND s.starts_at >= b.start)
                        END AS used
                    FROM (
                        SELECT *, model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL OR account IS NOT NULL AS is_narrow,
                            CASE period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END AS sums,
                            CASE period WHEN 'hour' THEN :hour WHEN 'day' THEN :day WHEN 'week' THEN :week
                                WHEN 'month' THEN :month ELSE 0 END AS start
                        FROM budgets) AS b
                    """
            ),
            arguments: [
                "hour": start(of: .hour), "day": start(of: .day), "week": start(of: .week), "month": start(of: .month),
            ]
        )
        return try rows.map { row in
            let period = BudgetPeriod(rawValue: row["period"]) ?? .total
            let name: String = row["name"]
            let queue: String? = row["queue"]
            let isNarrow: Bool = row["is_narrow"]
            let used: Int64? =
                try isNarrow
                ? row["used"]
                : Int64.fetchOne(
                    db.cachedStatement(
                        // total(): a sum that somebody has spoiled must not fail.
                        sql: """
                            SELECT CAST(total(reserved_millicredits + charged_millicredits) AS INTEGER) FROM spending
                            WHERE period = ?1 AND starts_at >= ?2 AND (?3 IS NULL OR queue = ?3)
                            """
                    ),
                    arguments: [
                        period.sums.rawValue, start(of: period), queue,
                    ]
                )
            return BudgetHeadroom(
                name: name,
                queue: queue.map { ExactText($0) },
                isNarrow: isNarrow,
                period: period,
                limit: Credits(millicredits: row["limit_millicredits"]),
                used: Credits(millicredits: used ?? 0),
                now: request.now
            )
        }
    }

    private func start(of period: BudgetPeriod) -> Int64 { period.interval(at: request.now).start.milliseconds }

    func narrowBudgets(of job: JobID) throws -> Set<ExactText> {
        let names = try String.fetchAll(
            db.cachedStatement(
                sql: "SELECT budget FROM budget_jobs WHERE job_id = ? AND (account IS NULL OR account = ?)"
            ),
            arguments: [job.rawValue, account.rawValue]
        )
        return Set(names.map { ExactText($0) })
    }

    func reserve() throws -> Reserve? {
        guard request.creditReserve > .zero else { return nil }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT balance_millicredits, balance_asked_at, balance_attempt_id FROM accounts WHERE name = ?"
            ),
            arguments: [account.rawValue]
        )
        guard let row, let balance = row.credits("balance_millicredits"), let asked = row.instant("balance_asked_at"),
            Reserve.isCurrent(askedAt: asked, now: request.now)
        else { return Reserve(keeping: request.creditReserve, balance: nil, committed: .zero) }
        let last: Int64? = row["balance_attempt_id"]
        let committed = try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(sum(money), 0) FROM (
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) AS money FROM attempts
                        WHERE id > :last AND account = :account
                        UNION ALL
                        SELECT reserved_millicredits FROM attempts
                        WHERE state = 'sending' AND finished_at IS NULL AND id <= :last AND account = :account
                        UNION ALL
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                        WHERE answered_at >= :asked AND answered_at <= :future AND id <= :last AND account = :account
                        UNION ALL
                        SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                        WHERE state = 'unknown' AND answered_at > :settled AND answered_at < :asked AND id <= :last
                            AND account = :account)
                    """
            ),
            arguments: [
                "last": last ?? 0, "asked": asked.milliseconds,
                "future": (request.now + BalanceReading.settlingTime).milliseconds,
                "settled": (asked - BalanceReading.settlingTime).milliseconds, "account": account.rawValue,
            ]
        )
        return Reserve(
            keeping: request.creditReserve,
            balance: balance,
            committed: Credits(millicredits: committed ?? 0)
        )
    }
}
