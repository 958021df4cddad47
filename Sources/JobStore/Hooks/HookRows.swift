import GRDB
import PromptQueue

/// The queries over `hook_deliveries`, for the daemon and for commands.
struct HookRows {
    let db: Database

    // MARK: - What has happened

    func note(_ rules: [HookRule], now: Instant) throws -> HookNote {
        let range = try EventRows(db: db).range()
        guard let read = try Int64?.fetchOne(db, sql: "SELECT hooks_read FROM daemon") ?? nil else {
            try db.execute(sql: "UPDATE daemon SET hooks_read = ?", arguments: [range.latest.rawValue])
            try db.execute(sql: "DELETE FROM gate_closings")
            return HookNote()
        }
        var note = HookNote()
        note.hasMissed = read < range.removed.rawValue
        let events = try EventRows(db: db).events(EventQuery(after: EventSequence(read), limit: HookPlan.page))
        note.isFull = events.count == HookPlan.page
        let plan = HookPlan(rules)
        for delivery in plan.deliveries(of: events) { note.made += try make(delivery, now) }
        note.made += try noteBatches(events, plan, now)
        note.made += try noteGates(plan, now)
        note.made += try noteBudgets(plan, now)
        let end = max(events.last?.sequence.rawValue ?? read, note.isFull ? read : range.removed.rawValue)
        if end > read { try db.execute(sql: "UPDATE daemon SET hooks_read = ?", arguments: [end]) }
        return note
    }

    /// Whether `note` would find anything, or there is nothing that says how far was read.
    func hasNews() throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT coalesce((SELECT max(sequence) FROM events) > hooks_read, hooks_read IS NULL)
                    OR EXISTS (SELECT 1 FROM gate_closings) FROM daemon
                """
        ) ?? false
    }

    private func noteBatches(_ events: [JobEvent], _ plan: HookPlan, _ now: Instant) throws -> Int {
        guard let end = events.last else { return 0 }
        var made = 0
        for (batch, event) in plan.endings(events) {
            let isOver =
                try Bool.fetchOne(
                    db,
                    sql: """
                        SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE batch = ?1
                                AND state IN ('queued', 'submitting', 'running', 'unconfirmed'))
                            AND NOT EXISTS (SELECT 1 FROM events WHERE sequence > ?2 AND batch = ?1)
                        """,
                    arguments: [batch, end.sequence.rawValue]
                ) ?? false
            guard isOver else { continue }
            for delivery in plan.deliveries(ofDone: batch, event) { made += try make(delivery, now) }
        }
        return made
    }

    /// Once in each period of a budget.
    private func noteBudgets(_ plan: HookPlan, _ now: Instant) throws -> Int {
        guard plan.tellsOfBudgets else { return 0 }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT name, starts_at, limit_millicredits, reserved_millicredits, charged_millicredits FROM budget_sums AS s
                WHERE NOT EXISTS (SELECT 1 FROM budget_warnings WHERE budget = s.name AND starts_at = s.starts_at)
                """
        )
        var made = 0
        for row in rows {
            let used = (row["reserved_millicredits"] as Int64) + (row["charged_millicredits"] as Int64)
            guard HookPlan.isNearlyUsed(limit: row["limit_millicredits"], used: used) else { continue }
            let name: String = row["name"]
            try db.execute(
                sql: """
                    INSERT INTO budget_warnings (budget, starts_at) VALUES (?1, ?2)
                    ON CONFLICT (budget) DO UPDATE SET starts_at = ?2
                    """,
                arguments: [name, row["starts_at"] as Int64]
            )
            for delivery in plan.deliveries(ofNearlyUsed: name) { made += try make(delivery, now) }
        }
        return made
    }

    private func noteGates(_ plan: HookPlan, _ now: Instant) throws -> Int {
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM gate_closings ORDER BY id")
        guard !rows.isEmpty else { return 0 }
        var made = 0
        for row in rows {
            let at = Instant(milliseconds: row["at"])
            for delivery in plan.deliveries(ofClosed: row["name"], message: row["message"], at: at) {
                made += try make(delivery, now)
            }
        }
        try db.execute(sql: "DELETE FROM gate_closings")
        return made
    }

    private func make(_ delivery: NewHookDelivery, _ now: Instant) throws -> Int {
        try db
            .cachedStatement(
                sql: """
                    INSERT INTO hook_deliveries (hook, event, job_id, subject, message, sequence, at, next_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """
            )
            .execute(arguments: [
                delivery.hook, delivery.event.rawValue, delivery.job?.rawValue, delivery.subject, delivery.message,
                delivery.sequence?.rawValue, (delivery.at ?? now).milliseconds, now.milliseconds,
            ])
        return db.changesCount
    }

    // MARK: - Deliveries

    func due(_ hook: String, now: Instant, limit: Int) throws -> [HookDelivery] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT * FROM hook_deliveries AS d WHERE state = 'pending' AND hook = ?1 AND next_at <= ?2
                    AND NOT EXISTS (SELECT 1 FROM hook_deliveries AS e
                        WHERE e.state = 'pending' AND e.job_id IS NOT NULL AND e.hook = d.hook AND e.job_id = d.job_id
                            AND e.id < d.id)
                ORDER BY next_at, id LIMIT ?3
                """
        )
        return try Row.fetchAll(statement, arguments: [hook, now.milliseconds, limit]).map(HookDelivery.init)
    }

    func ended(_ id: HookDeliveryID, _ outcome: HookOutcome, next: Instant?, now: Instant) throws {
        let (state, error) = outcome.noted(next: next)
        try db
            .cachedStatement(
                sql: """
                    UPDATE hook_deliveries SET state = ?1, attempts = attempts + 1, last_error = ?2,
                        next_at = coalesce(?3, next_at), ended_at = CASE WHEN ?1 = 'pending' THEN NULL ELSE ?4 END
                    WHERE id = ?5 AND state = 'pending'
                    """
            )
            .execute(arguments: [
                state.rawValue, error, next?.milliseconds, now.milliseconds, id.rawValue,
            ])
    }

    func list(_ states: Set<HookDelivery.State>, limit: Int) throws -> [HookDelivery] {
        let names = states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        return try Row.fetchAll(
            db,
            sql: "SELECT * FROM hook_deliveries WHERE state IN (\(names)) ORDER BY id DESC LIMIT ?",
            arguments: [limit]
        )
        .map(HookDelivery.init)
    }

    /// - Parameter ids: nil: all that are dead.
    /// - Returns: how many are tried again.
    func retry(_ ids: [HookDeliveryID]?, now: Instant) throws -> Int {
        let which = ids.map { "id IN (\($0.map(\.description).joined(separator: ", ")))" } ?? "state = 'dead'"
        try db.execute(
            sql: """
                UPDATE hook_deliveries SET state = 'pending', attempts = 0, next_at = ?1, ended_at = NULL
                WHERE \(which)
                """,
            arguments: [now.milliseconds]
        )
        return db.changesCount
    }

    func test(_ hook: String, now: Instant) throws -> HookDeliveryID {
        _ = try make(.test(hook), now)
        return HookDeliveryID(db.lastInsertedRowID)
    }

    func remove(delivered: Instant, dead: Instant, limit: Int) throws -> Int {
        try db.execute(
            sql: """
                DELETE FROM hook_deliveries WHERE id IN (
                    SELECT id FROM hook_deliveries
                    WHERE ended_at IS NOT NULL AND (state = 'delivered' AND ended_at < ?1 OR ended_at < ?2)
                    UNION SELECT id FROM hook_deliveries WHERE state = 'pending' AND hook IS NOT NULL AND next_at < ?2
                    LIMIT ?3)
                """,
            arguments: [delivered.milliseconds, dead.milliseconds, limit]
        )
        return db.changesCount
    }

    // MARK: - What is told

    func subject(of delivery: HookDelivery, now: Instant) throws -> JSONObject {
        switch delivery.event {
        case .succeeded, .failed, .unconfirmed:
            guard let job = delivery.job else { return [:] }
            return try QueueFile.details(db, job)?.object(latest: nil, now: now) ?? HookSubject.removed(job)
        case .batchDone: return try batch(delivery.subject ?? "")
        case .gateClosed: return HookSubject.gate(delivery)
        case .budgetWarning, .budgetReached: return try budget(delivery)
        case .test: return HookSubject.test(delivery)
        }
    }

    private func batch(_ name: String) throws -> JSONObject {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT state, count(*) AS jobs, coalesce(sum(charged_millicredits), 0) AS charged
                FROM jobs WHERE batch = ? GROUP BY state
                """,
            arguments: [name]
        )
        return HookSubject.batch(name, rows.map { ($0["state"], $0["jobs"], $0.credits("charged") ?? .zero) })
    }

    private func budget(_ delivery: HookDelivery) throws -> JSONObject {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT * FROM budget_sums WHERE name = ?",
            arguments: [delivery.subject]
        )
        func credits(_ row: Row, _ column: String) -> Credits { row.credits(column) ?? .zero }
        return HookSubject.budget(
            delivery,
            row.map {
                (
                    credits($0, "limit_millicredits"), credits($0, "reserved_millicredits"),
                    credits($0, "charged_millicredits")
                )
            }
        )
    }
}

extension HookDelivery {
    init(_ row: Row) throws {
        guard let event = HookEvent(rawValue: row["event"]), let state = State(rawValue: row["state"]) else {
            throw LedgerError(.unusable, "hook_deliveries.event is not known to this program; upgrade it")
        }
        let job: Int64? = row["job_id"]
        self.init(
            id: HookDeliveryID(row["id"]),
            hook: row["hook"],
            event: event,
            job: job.map(JobID.init),
            subject: row["subject"],
            message: row["message"],
            at: Instant(milliseconds: row["at"]),
            state: state,
            attempts: row["attempts"],
            nextTry: Instant(milliseconds: row["next_at"]),
            lastError: row["last_error"],
            endedAt: row.instant("ended_at")
        )
    }
}
