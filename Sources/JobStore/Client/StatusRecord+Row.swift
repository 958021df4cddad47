import GRDB
import PromptQueue

extension DaemonRecord {
    init(_ row: Row) {
        let limit: Int? = row["rate_limit"]
        let window: Int64? = row["rate_window_ms"]
        let used: Int? = row["rate_used"]
        self.init(
            version: row["version"],
            startedAt: row.instant("started_at"),
            balance: row.credits("balance_millicredits"),
            balanceAt: row.instant("balance_at"),
            sentSince: row.credits("sent_millicredits") ?? .zero,
            rateUsed: used ?? 0,
            rate: limit.flatMap { limit in window.map { RateLimit(count: limit, window: .milliseconds($0)) } },
            running: row["running"],
            runningLimit: row["running_limit"],
            lastError: row["last_error"],
            lastErrorAt: row.instant("last_error_at"),
            lastResultAt: row.instant("last_result_at"),
            rules: AccountRules(daemon: row)
        )
    }
}

extension QueueRecord {
    init(_ row: Row) {
        // `running` holds those that are being submitted, too.
        let states: [JobState] = [.queued, .running, .succeeded, .failed, .cancelled, .unconfirmed]
        self.init(
            name: row["queue"],
            counts: Dictionary(uniqueKeysWithValues: states.map { ($0, row[$0.rawValue] as Int) }),
            maxRunning: row["max_running"],
            isPaused: row["paused"],
            blockedBy: (row["blocked_by"] as String?).map(BlockReason.init)
        )
    }
}

extension BudgetRecord {
    init(_ row: Row) {
        self.init(
            name: row["name"],
            scope: BudgetScope(
                queue: row["queue"],
                model: row["model"],
                batch: row["batch"],
                label: (row["label"] as String?).flatMap(BudgetScope.Label.init(text:))
            ),
            period: row["period"],
            limit: Credits(millicredits: row["limit_millicredits"]),
            reserved: Credits(millicredits: row["reserved"]),
            spent: Credits(millicredits: row["spent"]),
            resetsAt: row.instant("resets_at")
        )
    }
}
