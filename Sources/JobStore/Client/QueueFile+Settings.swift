import GRDB
package import PromptQueue

extension QueueFile {
    /// Sets whether a queue submits; a queue that nobody has named yet comes into being.
    package func setPaused(_ paused: Bool, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO queues (name, paused) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused
                    """,
                arguments: [queue, paused]
            )
        }
    }

    /// Sets how many tasks of a queue may run at once; `nil`: no limit of its own.
    package func setMaxRunning(_ limit: Int?, queue: String) throws(LedgerError) {
        try StoredText.check(queue, "queues.name")
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO queues (name, max_running) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET max_running = excluded.max_running
                    """,
                arguments: [queue, limit]
            )
        }
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
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO budgets (name, queue, model, batch, label, account, period, limit_millicredits)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, model = excluded.model,
                        batch = excluded.batch, label = excluded.label, account = excluded.account, period = excluded.period,
                        limit_millicredits = excluded.limit_millicredits
                    """,
                arguments: [
                    name, scope.queue, scope.model, scope.batch, scope.label?.description, scope.account?.rawValue,
                    period.rawValue,
                    limit.millicredits,
                ]
            )
        }
    }

    package func removeBudget(_ name: String) throws(LedgerError) -> Bool {
        try write { db in
            try db.execute(sql: "DELETE FROM budgets WHERE name = ?", arguments: [name])
            return db.changesCount > 0
        }
    }
}
