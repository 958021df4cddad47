import FoundationEssentials
import Postgres
import PromptQueue

/// What two readings of the balance tell of the requests between them whose answer was lost.
struct LostRequests {
    private let transaction: PostgresTransaction
    private let account: AccountName

    init(_ transaction: PostgresTransaction, _ account: AccountName) {
        self.transaction = transaction
        self.account = account
    }

    /// - Parameter settles: whether those that cost nothing are settled by it; otherwise it is only noted.
    func examine(from before: AccountReading, to after: AccountReading, settles: Bool) async throws -> [SettledUnknown]
    {
        guard after.isSettled, after.topUps == before.topUps,
            let evidence = Evidence(
                from: before,
                to: after,
                try await requests(after: before.lastAttempt, upTo: after.lastAttempt)
            ), try await isTrustworthy(before)
        else { return [] }
        let text = evidence.text(before, after) { $0.iso8601 }
        var settled: [SettledUnknown] = []
        for attempt in evidence.lost {
            if let found = try await settle(attempt, text, wasCharged: evidence.wasCharged, settles: settles) {
                settled.append(found)
            }
        }
        return settled
    }

    private func requests(after first: Int64, upTo last: Int64) async throws -> [Evidence.Request] {
        try await transaction.query(
            """
            SELECT id, state, finished_at IS NOT NULL, reserved_millicredits, charged_millicredits, coalesce(charge_reported, 0)
            FROM attempts WHERE id > $1 AND id <= $2 AND account = $3 ORDER BY id LIMIT $4
            """,
            [.int(first), .int(last), .text(account.rawValue), .int(Int64(Evidence.maximumRequests + 1))]
        ).map { row in
            Evidence.Request(
                attempt: AttemptID(try row[0]),
                // A state that is not known proves nothing.
                state: AttemptState(rawValue: try row[1]) ?? .sending,
                isFinished: try row[2],
                reserved: Credits(millicredits: try row[3]),
                charged: try (row[4] as Int64?).map(Credits.init(millicredits:)),
                isChargeReported: try (row[5] as Int64) != 0
            )
        }
    }

    /// Whether nothing from before a reading may move the balance after it: no refund that is still to come, and nobody else who uses
    /// the account.
    private func isTrustworthy(_ before: AccountReading) async throws -> Bool {
        let hasRefunds: Bool = try await transaction.query(
            """
            SELECT EXISTS (SELECT 1 FROM attempts
                WHERE state = 'accepted' AND error_code IS NOT NULL AND finished_at > $1 AND id <= $2 AND account = $3)
            """,
            [
                .int((before.askedAt - Evidence.refundTime).milliseconds), .int(before.lastAttempt),
                .text(account.rawValue),
            ]
        ).only()[0]
        guard !hasRefunds else { return false }
        let readings = AccountReadings(transaction, account)
        return Evidence.isAgreed(
            before,
            since: try await readings.firstSettled(since: before.askedAt - Evidence.trustTime)
        )
    }

    /// Writes the evidence down. Where it shows that nothing was charged, and that is to be acted on, the job may be sent again, unless
    /// a callback named a task of which the provider has not said whose it is.
    private func settle(
        _ attempt: AttemptID,
        _ evidence: String,
        wasCharged: Bool,
        settles: Bool
    ) async throws -> SettledUnknown? {
        let text: String = try await transaction.query(
            "SELECT record_evidence($1, $2, $3, $4, $5)",
            [
                .int(attempt.rawValue), .text(BoundedText.message(evidence)), .bool(wasCharged),
                .bool(settles && !wasCharged), .text(LedgerMessages.costNothing),
            ]
        ).only()[0]
        let fact = try RecordedFact(text)
        return fact.settledByEvidence(attempt, evidence)
    }
}
