import Postgres
import PromptQueue

/// One look at what has happened, inside its transaction. What hooks are told of is `HookPlan`'s to say.
struct HookNotes {
    private let transaction: PostgresTransaction
    private let plan: HookPlan

    init(_ transaction: PostgresTransaction, _ plan: HookPlan) {
        self.transaction = transaction
        self.plan = plan
    }

    func note(_ epoch: Epoch) async throws -> HookNote {
        var note = HookNote()
        let start = try await transaction.query(
            "SELECT is_ours, was_read, coalesce(removed, 0) FROM begin_hooks($1)",
            [.int(epoch.rawValue)]
        ).only()
        guard try start[0], let read: Int64 = try start[1] else { return note }
        let removed: Int64 = try start[2]
        note.hasMissed = read < removed
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                """
                SELECT sequence, job_id, previous_state, state, queue, batch, error_code, at FROM events
                WHERE sequence > $1 ORDER BY sequence LIMIT $2
                """,
                [.int(read), .int(Int64(HookPlan.page))]
            )
            // Those that are noted while this goes on are for the next time.
            pipeline.add("DELETE FROM gate_closings RETURNING id, name, message, at")
        }
        let events = try rows[0].map(JobEvent.init(row:))
        note.isFull = events.count == HookPlan.page
        var deliveries = plan.deliveries(of: events)
        deliveries += try await batches(events)
        let closings = try rows[1].map { (id: try $0[0] as Int64, row: $0) }.sorted { $0.id < $1.id }
        for (_, row) in closings {
            deliveries += plan.deliveries(
                ofClosed: try row[1],
                message: try row[2],
                at: Instant(milliseconds: try row[3])
            )
        }
        deliveries += try await budgets()
        let end = max(events.last?.sequence.rawValue ?? read, note.isFull ? read : removed)
        note.made = try await make(deliveries, read: end)
        return note
    }

    private func batches(_ events: [JobEvent]) async throws -> [NewHookDelivery] {
        let endings = plan.endings(events)
        guard !endings.isEmpty, let end = events.last else { return [] }
        let done = try await transaction.query(
            "SELECT batches_done($1, $2)",
            [.texts(endings.map(\.batch)), .int(end.sequence.rawValue)]
        )
        let names = Set(try done.map { try $0[0] as String })
        return endings.filter { names.contains($0.batch) }.flatMap { plan.deliveries(ofDone: $0.batch, $0.event) }
    }

    /// Once in each period of a budget.
    private func budgets() async throws -> [NewHookDelivery] {
        guard plan.tellsOfBudgets else { return [] }
        let rows = try await transaction.query(
            """
            SELECT name, starts_at, limit_millicredits, reserved_millicredits + charged_millicredits FROM budget_sums AS s
            WHERE NOT EXISTS (SELECT 1 FROM budget_warnings AS w WHERE w.budget = s.name AND w.starts_at = s.starts_at)
            ORDER BY name
            """
        )
        let used = try rows.filter { HookPlan.isNearlyUsed(limit: try $0[2], used: try $0[3]) }
        guard !used.isEmpty else { return [] }
        _ = try await transaction.query(
            """
            INSERT INTO budget_warnings (budget, starts_at) SELECT * FROM unnest($1::text[], $2::bigint[])
            ON CONFLICT (budget) DO UPDATE SET starts_at = excluded.starts_at
            """,
            [.texts(try used.map { try $0[0] as String }), .ints(try used.map { try $0[1] as Int64 })]
        )
        return try used.flatMap { plan.deliveries(ofNearlyUsed: try $0[0]) }
    }

    private func make(_ deliveries: [NewHookDelivery], read: Int64) async throws -> Int {
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                "SELECT make_deliveries($1, $2, $3, $4, $5, $6, $7)",
                [
                    .texts(deliveries.map(\.hook)), .texts(deliveries.map(\.event.rawValue)),
                    .ints(deliveries.map { $0.job?.rawValue }), .texts(deliveries.map(\.subject)),
                    .texts(deliveries.map(\.message)), .ints(deliveries.map { $0.sequence?.rawValue }),
                    .ints(deliveries.map { $0.at?.milliseconds }),
                ]
            )
            pipeline.add("UPDATE store SET hooks_read = $1 WHERE hooks_read < $1", [.int(read)])
        }
        return try rows[0].only()[0]
    }
}
