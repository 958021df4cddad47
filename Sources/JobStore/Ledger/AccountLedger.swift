import GRDB
package import PromptQueue

/// The ledger of one account: what its engine reads and writes.
struct AccountLedger: JobLedger {
    let store: SQLiteLedger
    let account: AccountName

    /// The account under which the attempts of the job `j` are: the one that is not settled, else that of its task, else the last.
    static let ofJob = """
        coalesce((SELECT account FROM (SELECT account, id, finished_at IS NULL AS is_open, task_id IS j.task_id AS is_its_task
            FROM attempts WHERE job_id = j.id) ORDER BY is_open DESC, is_its_task DESC, id DESC LIMIT 1), 'default')
        """

    func recover(now: Instant, rate: RateLimit) async throws(LedgerError) -> Recovery {
        try await store.recover(account, now: now, rate: rate)
    }

    func claim(
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try await store.claim(account, request, prepare: prepare)
    }

    func record(
        _ change: LedgerChange,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        store.record(change, of: account, now: now, done: done)
    }

    func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID] { try await store.unwanted(results) }

    func hasForeignChanges() async throws(LedgerError) -> Bool { try await store.hasForeignChanges() }

    func takeResumed(now: Instant) async throws(LedgerError) -> Recovery {
        try await store.takeResumed(account, now: now)
    }
}

extension SQLiteLedger {
    package func ledger(of account: AccountName) -> any JobLedger { AccountLedger(store: self, account: account) }

    package func accountsUnderWay() async throws(LedgerError) -> [AccountName: Int] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                // By the indexes of what is open.
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT account, count(DISTINCT job_id) FROM (
                            SELECT account, job_id FROM attempts WHERE finished_at IS NULL
                            UNION ALL
                            SELECT \(AccountLedger.ofJob), j.id FROM jobs AS j INDEXED BY jobs_running
                            WHERE j.state = 'running')
                        GROUP BY account
                        """
                )
                return Dictionary(rows.map { (AccountName(stored: $0[0]), $0[1] as Int) }, uniquingKeysWith: +)
            }
        }
    }
}
