import GRDB
import PromptQueue

extension DaemonRecord {
    init(_ row: Row, _ accounts: [AccountStatus]) {
        self.init(
            version: row["version"],
            startedAt: row.instant("started_at"),
            lastError: row["last_error"],
            lastErrorAt: row.instant("last_error_at"),
            lastResultAt: row.instant("last_result_at"),
            accounts: accounts
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
