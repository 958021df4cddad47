import GRDB
import PromptQueue

extension DaemonRecord {
    /// - Parameter accounts: what is configured counts together; the window and the rules are the standard account's.
    init(_ row: Row, _ accounts: [AccountStatus]) {
        let configured = accounts.filter(\.isConfigured)
        let own = configured.first
        let balances = configured.compactMap(\.balance)
        let limits = configured.compactMap(\.runningLimit)
        var rules = own?.rules ?? AccountRules()
        rules.creditReserve = configured.reduce(.zero) { $0 + $1.rules.creditReserve }
        self.init(
            version: row["version"],
            startedAt: row.instant("started_at"),
            balance: balances.isEmpty ? nil : balances.reduce(.zero, +),
            balanceAt: configured.compactMap(\.balanceAt).min(),
            sentSince: configured.reduce(.zero) { $0 + $1.sentSince },
            rateUsed: accounts.reduce(0) { $0 + $1.rateUsed },
            rate: own?.rate.map { first in
                RateLimit(count: configured.reduce(0) { $0 + ($1.rate?.count ?? 0) }, window: first.window)
            },
            running: accounts.reduce(0) { $0 + $1.running },
            runningLimit: limits.isEmpty ? nil : limits.reduce(0, +),
            lastError: row["last_error"],
            lastErrorAt: row.instant("last_error_at"),
            lastResultAt: row.instant("last_result_at"),
            rules: rules
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
            blockedBy: (row["blocked_by"] as String?).map(BlockReason.init),
            account: AccountName(stored: row["account"])
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
                label: (row["label"] as String?).flatMap(BudgetScope.Label.init(text:)),
                account: (row["account"] as String?).map(AccountName.init(stored:))
            ),
            period: row["period"],
            limit: Credits(millicredits: row["limit_millicredits"]),
            reserved: Credits(millicredits: row["reserved"]),
            spent: Credits(millicredits: row["spent"]),
            resetsAt: row.instant("resets_at")
        )
    }
}
