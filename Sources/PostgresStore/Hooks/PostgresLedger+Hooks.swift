import Postgres
package import PromptQueue

// What has happened is noted by one daemon at a time, and what is to be told is told by the daemon that has the turn (`hook_turns`).
// What is told bears the store's instants as they are, so that all daemons tell the same.
extension PostgresLedger: HookStore {
    /// How long a turn lasts of which nothing is heard: longer than anything that is told takes.
    private static let turn: Duration = .seconds(600)

    package func noteHooks(_ rules: [HookRule], now: Instant) async throws(LedgerError) -> HookNote {
        let look = try await read("SELECT has_hook_news($1)", [.int(epoch.rawValue)])
        guard try LedgerError.wrapping({ try look.only()[0] as Bool }) else { return HookNote() }
        return try await change { [self] transaction in
            try await HookNotes(transaction, HookPlan(rules)).note(epoch)
        }
    }

    package func forgetHooks() async throws(LedgerError) {
        let look = try await read("SELECT hooks_read IS NOT NULL FROM store")
        guard try LedgerError.wrapping({ try look.only()[0] as Bool }) else { return }
        try await carryOut("SELECT forget_hooks($1)", [.int(epoch.rawValue)])
    }

    /// With the turns at them, which this daemon has until it has noted what became of them.
    package func dueDeliveries(
        to hook: String,
        now: Instant,
        limit: Int
    ) async throws(LedgerError) -> [HookDelivery] {
        let look = try await read(
            "SELECT EXISTS (SELECT 1 FROM hook_deliveries WHERE state = 'pending' AND hook = $1 AND next_at <= now_ms())",
            [.text(hook)]
        )
        guard try LedgerError.wrapping({ try look.only()[0] as Bool }) else { return [] }
        let rows = try await change { [self] transaction in
            try await transaction.query(
                """
                SELECT id, hook, event, job_id, subject, message, at, state, attempts, next_at, last_error, ended_at
                FROM take_hook_turns($1, $2, $3, $4)
                """,
                [.int(epoch.rawValue), .text(hook), .int(Int64(limit)), .int(Self.turn.milliseconds)]
            )
        }
        return try LedgerError.wrapping { try rows.map(HookDelivery.init(row:)) }
    }

    package func deliveryEnded(
        _ delivery: HookDeliveryID,
        _ outcome: HookOutcome,
        next: Instant?,
        now: Instant
    ) async throws(LedgerError) {
        let (state, error) = outcome.noted(next: next)
        try await carryOut(
            "SELECT end_hook_turn($1, $2, $3, $4, $5)",
            [
                .int(epoch.rawValue), .int(delivery.rawValue), .text(state.rawValue), .text(error),
                .int(next.map { ($0 - now).milliseconds }),
            ]
        )
    }

    /// Over weeks it does not matter whose clock it is.
    package func removeDeliveries(
        delivered: Instant,
        dead: Instant,
        limit: Int
    ) async throws(LedgerError) -> Int {
        let rows = try await change { transaction in
            try await transaction.query(
                "SELECT remove_deliveries($1, $2, $3)",
                [.int(delivered.milliseconds), .int(dead.milliseconds), .int(Int64(limit))]
            )
        }
        return try LedgerError.wrapping { try rows.only()[0] }
    }

    // MARK: - What is told

    package func subject(of delivery: HookDelivery, now: Instant) async throws(LedgerError) -> JSONObject {
        switch delivery.event {
        case .succeeded, .failed, .unconfirmed:
            guard let job = delivery.job else { return [:] }
            guard let (details, now) = try await details(of: job) else { return HookSubject.removed(job) }
            return details.object(latest: nil, now: now)
        case .batchDone: return try await batch(delivery.subject ?? "")
        case .gateClosed: return HookSubject.gate(delivery)
        case .budgetWarning, .budgetReached: return try await budget(delivery)
        case .test: return HookSubject.test(delivery)
        }
    }

    private func batch(_ name: String) async throws(LedgerError) -> JSONObject {
        let rows = try await read(
            "SELECT state, count(*), coalesce(sum(charged_millicredits), 0) FROM jobs WHERE batch = $1 GROUP BY state",
            [.text(name)]
        )
        return try LedgerError.wrapping {
            HookSubject.batch(name, try rows.map { (try $0[0], try $0[1], Credits(millicredits: try $0[2])) })
        }
    }

    private func budget(_ delivery: HookDelivery) async throws(LedgerError) -> JSONObject {
        let rows = try await read(
            """
            SELECT limit_millicredits, reserved_millicredits, charged_millicredits FROM budget_sums WHERE name = $1
            """,
            [.text(delivery.subject)]
        )
        return try LedgerError.wrapping {
            HookSubject.budget(
                delivery,
                try rows.first.map { row in
                    (
                        Credits(millicredits: try row[0]), Credits(millicredits: try row[1]),
                        Credits(millicredits: try row[2])
                    )
                }
            )
        }
    }
}

extension HookDelivery {
    /// Its columns, in the order of `take_hook_turns`.
    init(row: PostgresRow) throws {
        guard let event = HookEvent(rawValue: try row[2]), let state = State(rawValue: try row[7]) else {
            throw LedgerError(.unusable, "hook_deliveries.event is not known to this program; upgrade it")
        }
        self.init(
            id: HookDeliveryID(try row[0]),
            hook: try row[1],
            event: event,
            job: try (row[3] as Int64?).map { JobID($0) },
            subject: try row[4],
            message: try row[5],
            at: Instant(milliseconds: try row[6]),
            state: state,
            attempts: try row[8],
            nextTry: Instant(milliseconds: try row[9]),
            lastError: try row[10],
            endedAt: try (row[11] as Int64?).map(Instant.init(milliseconds:))
        )
    }
}
