import GRDB
import PromptQueue

extension ClaimWork {
    /// How many more tasks may be at the provider, as the ledger counts them.
    func freePlaces(_ db: Database) throws -> Int {
        let running = try Int.fetchOne(
            db.cachedStatement(
                // A task that is set aside may have ended long ago.
                sql: """
                    SELECT count(*) - (SELECT count(*) FROM suspects AS s JOIN attempts AS a ON a.id = s.subject
                        WHERE s.step = 'poll' AND s.is_aside = 1 AND a.finished_at IS NULL AND a.state = 'accepted')
                    FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')
                    """
            )
        )
        return request.runningLimit - (running ?? 0)
    }

    /// How many slots of the rate window are free, as the ledger counts them.
    mutating func freeSlots(_ db: Database) throws -> Int {
        let window = request.rate.window
        let sending = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM attempts WHERE state = 'sending'")
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
            UNION ALL
            SELECT arrives_until FROM attempts
            WHERE arrives_until IS NOT NULL AND arrives_until > :lost AND arrives_until <= :late AND id > :lostAfter
            """
        let arguments: StatementArguments = [
            "since": since, "until": until, "late": late, "lost": lost,
            "answeredAfter": request.clockShift.answeredAfter.rawValue,
            "lostAfter": request.clockShift.lostAfter.rawValue,
        ]
        // What was settled under another time of the clock is over when its own time is, whatever the instants say.
        let answered = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM (\(busy))"),
            arguments: arguments
        )
        let free = request.rate.count - (sending ?? 0) - (answered ?? 0)
        if free <= 0, let answered, answered > 0 {
            let oldest = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT busy FROM (\(busy)) ORDER BY busy LIMIT 1 OFFSET :offset"),
                arguments: arguments &+ ["offset": min(-free, answered - 1)]
            )
            claim.nextSlotAt = oldest.map { Instant(milliseconds: $0) + window }
            // A request under way may be answered at once, and frees its slot a window later.
            if let sending, sending > 0 { claim.nextSlotAt = claim.nextSlotAt.map { min($0, request.now + window) } }
        }
        return free
    }
}

/// What a budget has left in its present period.
struct BudgetHeadroom {
    var name: String
    /// nil: all queues.
    var queue: ExactText?
    var limit: Credits
    /// When its next period begins; nil if it has none.
    var resetsAt: Instant?
    /// In thousandths of a credit; negative after an overrun.
    var left: Int64

    func skip(of price: Credits) -> BudgetSkip { BudgetSkip(price: price, limit: limit, resetsAt: resetsAt) }

    /// All budgets, from the running sums.
    static func all(_ db: Database, at now: Instant) throws -> [BudgetHeadroom] {
        try Row
            .fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT b.name, b.queue, b.limit_millicredits, b.limit_millicredits - coalesce((
                            -- total(): a sum that somebody has spoiled must not fail.
                            SELECT CAST(total(s.reserved_millicredits + s.charged_millicredits) AS INTEGER)
                            FROM spending AS s
                            WHERE s.period = CASE b.period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END
                                AND s.starts_at >= CASE b.period
                                    WHEN 'hour' THEN :now / 3600000 * 3600000
                                    WHEN 'day' THEN :now / 86400000 * 86400000
                                    -- 1970-01-01 was a Thursday; weeks start on Monday.
                                    WHEN 'week' THEN (:now / 86400000 - (:now / 86400000 + 3) % 7) * 86400000
                                    WHEN 'month' THEN unixepoch(:now / 1000, 'unixepoch', 'start of month') * 1000
                                    ELSE 0 END
                                AND (b.queue IS NULL OR s.queue = b.queue)), 0) AS room,
                            CASE b.period
                                WHEN 'hour' THEN (:now / 3600000 + 1) * 3600000
                                WHEN 'day' THEN (:now / 86400000 + 1) * 86400000
                                WHEN 'week' THEN (:now / 86400000 - (:now / 86400000 + 3) % 7 + 7) * 86400000
                                WHEN 'month' THEN unixepoch(:now / 1000, 'unixepoch', 'start of month', '+1 month') * 1000
                            END AS resets_at
                        FROM budgets AS b
                        """
                ),
                arguments: ["now": now.milliseconds]
            )
            .map { row in
                BudgetHeadroom(
                    name: row["name"],
                    queue: (row["queue"] as String?).map { ExactText($0) },
                    limit: Credits(millicredits: row["limit_millicredits"]),
                    resetsAt: row.instant("resets_at"),
                    left: row["room"]
                )
            }
    }
}
