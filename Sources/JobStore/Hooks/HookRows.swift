import GRDB
import PromptQueue

/// The queries over `hook_deliveries`, for the daemon and for commands.
struct HookRows {
    let db: Database

    private static let page = 1_000

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
        let events = try EventRows(db: db).events(EventQuery(after: EventSequence(read), limit: Self.page))
        note.isFull = events.count == Self.page
        for event in events {
            guard let kind = HookEvent(event.state) else { continue }
            for rule in rules where rule.covers(kind, queue: event.queue, batch: event.batch) {
                note.made += try make(rule, kind, event.at, now, job: event.job, sequence: event.sequence)
            }
        }
        note.made += try noteBatches(events, rules, now)
        note.made += try noteGates(rules, now)
        note.made += try noteBudgets(rules, now)
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

    /// A batch is done with the last of its events, if none of its jobs is open then. An earlier event says nothing: the jobs may
    /// have gone on since.
    private func noteBatches(_ events: [JobEvent], _ rules: [HookRule], _ now: Instant) throws -> Int {
        let rules = rules.filter { $0.events.contains(.batchDone) }
        guard !rules.isEmpty, let end = events.last else { return 0 }
        var made = 0
        var seen: Set<String> = []
        for event in events.reversed() {
            guard let batch = event.batch, seen.insert(batch).inserted, event.state.isFinal else { continue }
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
            for rule in rules where rule.covers(.batchDone, queue: event.queue, batch: batch) {
                made += try make(rule, .batchDone, event.at, now, subject: batch, sequence: event.sequence)
            }
        }
        return made
    }

    /// Once in each period of a budget.
    private func noteBudgets(_ rules: [HookRule], _ now: Instant) throws -> Int {
        let rules = rules.filter { $0.events.contains(.budgetWarning) }
        guard !rules.isEmpty else { return 0 }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT name, starts_at, limit_millicredits, reserved_millicredits, charged_millicredits FROM budget_sums AS s
                WHERE NOT EXISTS (SELECT 1 FROM budget_warnings WHERE budget = s.name AND starts_at = s.starts_at)
                """
        )
        var made = 0
        for row in rows {
            let limit: Int64 = row["limit_millicredits"]
            let used = (row["reserved_millicredits"] as Int64) + (row["charged_millicredits"] as Int64)
            guard limit > 0, limit - used <= limit / 5 else { continue }
            let name: String = row["name"]
            try db.execute(
                sql: """
                    INSERT INTO budget_warnings (budget, starts_at) VALUES (?1, ?2)
                    ON CONFLICT (budget) DO UPDATE SET starts_at = ?2
                    """,
                arguments: [name, row["starts_at"] as Int64]
            )
            for rule in rules { made += try make(rule, .budgetWarning, now, now, subject: name) }
        }
        return made
    }

    private func noteGates(_ rules: [HookRule], _ now: Instant) throws -> Int {
        var made = 0
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM gate_closings ORDER BY id")
        guard !rows.isEmpty else { return 0 }
        for row in rows {
            let name: String = row["name"]
            let budget = name.hasPrefix("budget:") ? String(name.dropFirst(7)) : nil
            let kind = budget == nil ? HookEvent.gateClosed : .budgetReached
            for rule in rules where rule.events.contains(kind) {
                let at = Instant(milliseconds: row["at"])
                made += try make(rule, kind, at, now, subject: budget ?? name, message: row["message"])
            }
        }
        try db.execute(sql: "DELETE FROM gate_closings")
        return made
    }

    private func make(
        _ rule: HookRule,
        _ event: HookEvent,
        _ at: Instant,
        _ now: Instant,
        job: JobID? = nil,
        subject: String? = nil,
        message: String? = nil,
        sequence: EventSequence? = nil
    ) throws -> Int {
        try db
            .cachedStatement(
                sql: """
                    INSERT INTO hook_deliveries (hook, event, job_id, subject, message, sequence, at, next_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """
            )
            .execute(arguments: [
                rule.name, event.rawValue, job?.rawValue, subject, message, sequence?.rawValue, at.milliseconds,
                now.milliseconds,
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
        let (state, error): (HookDelivery.State, String?) =
            switch outcome {
            case .delivered: (.delivered, nil)
            case .failed(let reason): (next == nil ? .dead : .pending, reason)
            case .refused(let reason): (.dead, reason)
            }
        try db
            .cachedStatement(
                sql: """
                    UPDATE hook_deliveries SET state = ?1, attempts = attempts + 1, last_error = ?2,
                        next_at = coalesce(?3, next_at), ended_at = CASE WHEN ?1 = 'pending' THEN NULL ELSE ?4 END
                    WHERE id = ?5 AND state = 'pending'
                    """
            )
            .execute(arguments: [
                state.rawValue, error.map { String($0.prefix(500)) }, next?.milliseconds, now.milliseconds, id.rawValue,
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
        _ = try make(HookRule(name: hook, events: [.test]), .test, now, now, subject: hook)
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
            guard let details = try QueueFile.details(db, job) else {
                // It was pruned before this could be delivered.
                return ["id": .integer(job.rawValue), "state": .null]
            }
            return details.object(latest: nil, now: now)
        case .batchDone: return try batch(delivery.subject ?? "")
        case .gateClosed:
            return [
                "gate": JSONValue(delivery.subject), "message": JSONValue(delivery.message),
                "closed_at": JSONValue(delivery.at),
            ]
        case .budgetWarning, .budgetReached: return try budget(delivery)
        case .test: return ["hook": .string(delivery.hook), "message": "a test of this hook"]
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
        var object: JSONObject = ["batch": .string(name)]
        for state in JobState.allCases { object[state.rawValue] = 0 }
        var (jobs, charged): (Int64, Credits) = (0, .zero)
        for row in rows {
            object[row["state"]] = .integer(row["jobs"])
            jobs += row["jobs"]
            charged = charged + (row.credits("charged") ?? .zero)
        }
        object["jobs"] = .integer(jobs)
        object["charged_credits"] = JSONValue(charged)
        return object
    }

    private func budget(_ delivery: HookDelivery) throws -> JSONObject {
        var object: JSONObject = [
            "budget": JSONValue(delivery.subject), "message": JSONValue(delivery.message),
            delivery.event == .budgetReached ? "reached_at" : "warned_at": JSONValue(delivery.at),
        ]
        let row = try Row.fetchOne(
            db,
            sql: "SELECT * FROM budget_sums WHERE name = ?",
            arguments: [delivery.subject]
        )
        if let row {
            object["limit_credits"] = JSONValue(row.credits("limit_millicredits"))
            object["reserved_credits"] = JSONValue(row.credits("reserved_millicredits"))
            object["charged_credits"] = JSONValue(row.credits("charged_millicredits"))
        }
        return object
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
