import Postgres
import PromptQueue

extension PostgresLedger {
    /// Notes the balance, keeps the reading beside what the ledger has booked, and looks what it tells of lost answers.
    func record(
        _ reading: BalanceReading,
        settles: Bool,
        of account: AccountName,
        now: Instant,
        done: @escaping @Sendable (Result<CommitResult, LedgerError>) -> Void
    ) {
        Task.detached { [self] in
            do throws(LedgerError) {
                done(.success(try await record(reading, settles: settles, of: account, now: now)))
            } catch {
                done(.failure(error))
            }
        }
    }

    private func record(
        _ reading: BalanceReading,
        settles: Bool,
        of account: AccountName,
        now: Instant
    ) async throws(LedgerError) -> CommitResult {
        let called = options.clock()
        return try await change { [options] transaction in
            let rows = try await transaction.pipeline { pipeline in
                // One reading at a time, and no claim in between: what is under way is counted in one piece.
                pipeline.add("SELECT lock_claims()")
                pipeline.add("SELECT fact_time(), coalesce((SELECT max(id) FROM attempts), 0)")
            }
            let row = try rows[1].only()
            let milliseconds: Int64 = try row[0]
            // The question was asked then at the latest: what was answered since may be in the balance or not, and a moment too many is
            // safe.
            let waited = options.clock() - called
            let askedAt = reading.askedAt + ServerClock(server: milliseconds, local: now).shift - waited
            let readings = AccountReadings(transaction, account)
            let current = try await readings.current(
                reading,
                askedAt: askedAt,
                answeredAt: Instant(milliseconds: milliseconds),
                lastAttempt: try row[1]
            )
            guard let previous = try await readings.last(), let first = try await readings.first() else {
                try await readings.insert(current)
                return CommitResult()
            }
            let settled = try await readings.lastSettled()
            let comparison = AccountComparison(current, first: first, previous: previous, settled: settled)
            var recorded = CommitResult()
            if comparison.hasLateCharge { try await readings.forgetEvidence() }
            if let settled, comparison.reading.isComparable {
                let evidence = LostRequests(transaction, account)
                recorded.settled = try await evidence.examine(from: settled, to: comparison.reading, settles: settles)
            }
            recorded.account = comparison.standing
            try await readings.insert(comparison.reading)
            return recorded
        }
    }
}

/// Rows of `account_readings`. What they tell is `AccountComparison`'s and `Evidence`'s to say.
struct AccountReadings {
    private let transaction: PostgresTransaction
    private let account: AccountName

    private static let columns = """
        asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
            open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits,
            slack_millicredits
        """

    init(_ transaction: PostgresTransaction, _ account: AccountName) {
        self.transaction = transaction
        self.account = account
    }

    /// The row for a reading, with what the ledger has booked by now. All of it in one statement: of one instant.
    func current(
        _ reading: BalanceReading,
        askedAt: Instant,
        answeredAt: Instant,
        lastAttempt: Int64
    ) async throws -> AccountReading {
        _ = try await transaction.query(
            """
            UPDATE account SET balance_millicredits = $2, balance_at = $3, balance_asked_at = $4, balance_attempt_id = $5
            WHERE name = $1
            """,
            [
                .text(account.rawValue), .int(reading.balance.millicredits), .int(answeredAt.milliseconds),
                .int(askedAt.milliseconds), .int(lastAttempt),
            ]
        )
        let row = try await transaction.query(
            """
            SELECT a.charged_millicredits, a.presumed_millicredits, a.adopted_millicredits,
                coalesce(sum(t.reserved_millicredits) FILTER (WHERE t.state = 'accepted'), 0),
                count(*) FILTER (WHERE t.state = 'accepted'),
                coalesce(sum(t.reserved_millicredits) FILTER (WHERE t.state = 'unknown'), 0),
                -- What was answered after the question, or lost shortly before it, may be in the balance or not.
                EXISTS (SELECT 1 FROM attempts AS s WHERE s.state = 'sending' AND s.account = $1)
                    OR EXISTS (SELECT 1 FROM attempts AS s WHERE s.answered_at >= $2 AND s.account = $1)
                    OR EXISTS (SELECT 1 FROM attempts AS s
                        WHERE s.finished_at IS NULL AND s.state = 'unknown' AND s.answered_at > $3 AND s.account = $1)
            FROM accounts AS a LEFT JOIN attempts AS t ON t.account = a.name AND t.finished_at IS NULL
            WHERE a.name = $1 GROUP BY a.charged_millicredits, a.presumed_millicredits, a.adopted_millicredits
            """,
            [
                .text(account.rawValue), .int(askedAt.milliseconds),
                .int((askedAt - BalanceReading.settlingTime).milliseconds),
            ]
        ).only()
        func credits(_ column: Int) throws -> Credits { Credits(millicredits: try row[column]) }
        let isDisturbed: Bool = try row[6]
        return AccountReading(
            askedAt: askedAt,
            answeredAt: answeredAt,
            balance: reading.balance,
            charged: try credits(0),
            presumed: try credits(1),
            adopted: try credits(2),
            open: try credits(3),
            openTasks: try row[4],
            unknown: try credits(5),
            isComparable: reading.isQuiet && !isDisturbed,
            lastAttempt: lastAttempt
        )
    }

    /// The newest that can be compared.
    func last() async throws -> AccountReading? {
        try await one("WHERE account = $1 AND in_flight = 0 ORDER BY id DESC LIMIT 1")
    }

    /// The newest that can be compared and was taken while no task was open.
    func lastSettled() async throws -> AccountReading? {
        try await one(
            "WHERE account = $1 AND in_flight = 0 AND open_tasks = 0 ORDER BY last_attempt_id DESC, id DESC LIMIT 1"
        )
    }

    /// The oldest such that is not older than an instant.
    func firstSettled(since instant: Instant?) async throws -> AccountReading? {
        try await one(
            """
            WHERE account = $1 AND in_flight = 0 AND open_tasks = 0 AND asked_at >= $2
            ORDER BY last_attempt_id, id LIMIT 1
            """,
            [.int(instant?.milliseconds ?? .min)]
        )
    }

    /// The one that the comparison begins with: as `account_status` takes it.
    func first() async throws -> AccountReading? {
        if let settled = try await firstSettled(since: nil) { return settled }
        return try await one("WHERE account = $1 AND in_flight = 0 ORDER BY id LIMIT 1")
    }

    private func one(_ condition: String, _ more: [PostgresValue] = []) async throws -> AccountReading? {
        let sql = SQL(pasted: "SELECT \(Self.columns) FROM account_readings \(condition)")
        return try await transaction.query(sql, [.text(account.rawValue)] + more).first.map(AccountReading.init(row:))
    }

    /// The account was charged late for something: what was taken for free may not have been.
    func forgetEvidence() async throws {
        _ = try await transaction.query(
            """
            UPDATE attempts SET evidence_charged = NULL
            WHERE finished_at IS NULL AND state = 'unknown' AND evidence_charged = 0 AND account = $1
            """,
            [.text(account.rawValue)]
        )
    }

    /// Adds a row, unless it repeats the last; and drops what nothing needs any more: the beginning of the comparison stays, and the
    /// last that proves something.
    func insert(_ reading: AccountReading) async throws {
        _ = try await transaction.query(
            """
            INSERT INTO account_readings (account, asked_at, answered_at, balance_millicredits, charged_millicredits,
                presumed_millicredits, adopted_millicredits, open_millicredits, open_tasks, unknown_millicredits, in_flight,
                last_attempt_id, top_ups_millicredits, slack_millicredits)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
            WHERE NOT EXISTS (SELECT 1 FROM account_readings AS r
                WHERE r.id = (SELECT max(id) FROM account_readings WHERE account = $1)
                    AND (r.balance_millicredits, r.charged_millicredits, r.presumed_millicredits, r.open_millicredits, r.open_tasks,
                        r.unknown_millicredits, r.in_flight, r.last_attempt_id, r.top_ups_millicredits)
                        = ($4::bigint, $5::bigint, $6::bigint, $8::bigint, $9::bigint, $10::bigint, $11::int, $12::bigint, $13::bigint))
            """,
            [
                .text(account.rawValue), .int(reading.askedAt.milliseconds), .int(reading.answeredAt.milliseconds),
                .int(reading.balance.millicredits), .int(reading.charged.millicredits),
                .int(reading.presumed.millicredits),
                .int(reading.adopted.millicredits), .int(reading.open.millicredits), .int(Int64(reading.openTasks)),
                .int(reading.unknown.millicredits), .int(reading.isComparable ? 0 : 1), .int(reading.lastAttempt),
                .int(reading.topUps.millicredits), .int(reading.slack.millicredits),
            ]
        )
        let needed = try await [first(), lastSettled()].compactMap { $0?.lastAttempt }
        _ = try await transaction.query(
            """
            DELETE FROM account_readings
            WHERE id IN (SELECT id FROM account_readings WHERE account = $1 ORDER BY id LIMIT 100)
                AND asked_at < $2 AND last_attempt_id <> ALL ($3)
            """,
            [
                .text(account.rawValue), .int((reading.askedAt - AccountReading.lifetime).milliseconds),
                .ints(needed.map { $0 }),
            ]
        )
    }
}

extension AccountReading {
    fileprivate init(row: PostgresRow) throws {
        func credits(_ column: Int) throws -> Credits { Credits(millicredits: try row[column]) }
        self.init(
            askedAt: Instant(milliseconds: try row[0]),
            answeredAt: Instant(milliseconds: try row[1]),
            balance: try credits(2),
            charged: try credits(3),
            presumed: try credits(4),
            adopted: try credits(5),
            open: try credits(6),
            openTasks: try row[7],
            unknown: try credits(8),
            isComparable: try (row[9] as Int64) == 0,
            lastAttempt: try row[10],
            topUps: try credits(11),
            slack: try credits(12)
        )
    }
}
