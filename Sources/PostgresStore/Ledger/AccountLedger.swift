import Postgres
package import PromptQueue

/// The ledger of one account: what its engine reads and writes.
struct AccountLedger: JobLedger {
    let store: PostgresLedger
    let account: AccountName

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
        let context = FactContext(
            account: account,
            epoch: store.epoch,
            lateArrival: store.options.lateArrival,
            now: now
        )
        if let call = FactCall(change, context) {
            store.facts.record(call, done: done)
        } else if case .balance(let reading, let settles) = change {
            store.record(reading, settles: settles, of: account, now: now, done: done)
        }
    }

    func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID] { try await store.unwanted(results) }

    var maySend: Bool { store.maySend }

    func hasForeignChanges() async throws(LedgerError) -> Bool { try await store.hasForeignChanges() }

    func takeResumed(now: Instant) async throws(LedgerError) -> Recovery {
        try await store.takeResumed(account, now: now)
    }
}

extension PostgresLedger {
    package func ledger(of account: AccountName) -> any JobLedger { AccountLedger(store: self, account: account) }

    package func accountsUnderWay() async throws(LedgerError) -> [AccountName: Int] {
        let rows = try await read(
            """
            SELECT account, count(DISTINCT job_id) FROM (
                SELECT account, job_id FROM attempts WHERE finished_at IS NULL
                UNION ALL
                SELECT coalesce((attempt_of(j.id)).account, 'default'), j.id FROM jobs AS j WHERE j.state = 'running') AS open
            GROUP BY account
            """
        )
        return try LedgerError.wrapping {
            try Dictionary(rows.map { (AccountName(stored: try $0[0]), try $0[1] as Int) }, uniquingKeysWith: +)
        }
    }

    package func unwanted(_ results: [ResultID]) async throws(LedgerError) -> [ResultID] {
        let rows = try await read(
            """
            SELECT w.job, w.ordinal FROM unnest($1::bigint[], $2::bigint[]) AS w (job, ordinal)
            WHERE NOT EXISTS (SELECT 1 FROM results AS r JOIN jobs AS j ON j.id = r.job_id
                WHERE r.job_id = w.job AND r.ordinal = w.ordinal AND r.state = 'pending' AND j.state = 'running')
            """,
            [.ints(results.map(\.job.rawValue)), .ints(results.map { Int64($0.ordinal) })]
        )
        return try LedgerError.wrapping {
            try rows.map { ResultID(job: JobID(try $0[0]), ordinal: try $0[1]) }
        }
    }
}
