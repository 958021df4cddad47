import Postgres
package import PromptQueue

extension PostgresQueue {
    /// Sets whether a queue submits; a queue that nobody has named yet comes into being.
    package func setPaused(_ paused: Bool, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try carryOut(
            """
            INSERT INTO queues (name, paused) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused
            """,
            [.text(queue), .int(paused ? 1 : 0)]
        )
    }

    /// Sets how many tasks of a queue may run at once; `nil`: no limit of its own.
    package func setMaxRunning(_ limit: Int?, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try carryOut(
            """
            INSERT INTO queues (name, max_running) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET max_running = excluded.max_running
            """,
            [.text(queue), .int(limit.map { Int64($0) })]
        )
    }

    package func setAccount(_ account: AccountName?, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try carryOut(
            "INSERT INTO queues (name, account) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET account = excluded.account",
            [.text(queue), .text(account?.rawValue)]
        )
    }

    /// Makes a budget, or replaces the one of that name.
    package func setBudget(
        _ name: String,
        scope: BudgetScope,
        period: BudgetPeriod,
        limit: Credits
    ) throws(LedgerError) {
        for text in [name, scope.queue, scope.model, scope.batch, scope.label?.description] {
            try StoredText.check(text, "budgets")
        }
        try carryOut(
            """
            INSERT INTO budgets (name, queue, model, batch, label, account, period, limit_millicredits)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, model = excluded.model, batch = excluded.batch,
                label = excluded.label, account = excluded.account, period = excluded.period,
                limit_millicredits = excluded.limit_millicredits
            """,
            [
                .text(name), .text(scope.queue), .text(scope.model), .text(scope.batch),
                .text(scope.label?.description),
                .text(scope.account?.rawValue), .text(period.rawValue), .int(limit.millicredits),
            ]
        )
    }

    package func removeBudget(_ name: String) throws(LedgerError) -> Bool {
        guard !StoredText.holdsNUL(name) else { return false }
        return try carryOut("DELETE FROM budgets WHERE name = $1", [.text(name)]).affected > 0
    }

    /// Sets a price of the operator's own, in place of one with the same conditions.
    package func setPrice(_ price: PriceOverride) throws(LedgerError) {
        try change { connection in
            _ = try Self.remove(price.model, price.conditions, connection)
            _ = try connection.query(
                """
                INSERT INTO prices (model, input, millicredits, per, source, note) VALUES ($1, $2, $3, $4, 'operator', $5)
                """,
                [
                    .text(price.model), .text(JSONValue.object(price.conditions).json),
                    .int(price.credits.millicredits),
                    .text(price.measure.text), .text(price.note),
                ]
            )
        }
    }

    /// Removes a price of the operator's own.
    ///
    /// - Returns: false if there was none with these conditions.
    package func removePrice(model: String, conditions: JSONObject) throws(LedgerError) -> Bool {
        guard !StoredText.holdsNUL(model) else { return false }
        return try change { try Self.remove(model, conditions, $0) }
    }

    /// Finds the row by its meaning: people write JSON in many ways.
    private static func remove(
        _ model: String,
        _ conditions: JSONObject,
        _ connection: BlockingConnection
    ) throws -> Bool {
        let rows = try connection.query(
            "SELECT input FROM prices WHERE model = $1 AND source = 'operator' FOR UPDATE",
            [.text(model)]
        )
        let found = try rows.map { try $0[0] as String }.filter { JSONValue.object(in: $0) == conditions }
        guard !found.isEmpty else { return false }
        _ = try connection.query(
            "DELETE FROM prices WHERE model = $1 AND source = 'operator' AND input = ANY ($2)",
            [.text(model), .texts(found)]
        )
        return true
    }

    package func keep(_ models: [ProviderModel]) throws(LedgerError) {
        try change { connection in
            _ = try connection.pipeline { pipeline in
                for model in models { pipeline.add(ProviderModel.keeping, model.arguments) }
            }
        }
    }

    package func removeProviderModels(named model: String?) throws(LedgerError) -> Int {
        guard !StoredText.holdsNUL(model) else { return 0 }
        return try carryOut("DELETE FROM provider_models WHERE $1::text IS NULL OR model = $1", [.text(model)]).affected
    }
}
