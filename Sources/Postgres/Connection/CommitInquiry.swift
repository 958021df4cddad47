/// Finds out, on a new connection, what became of a transaction whose COMMIT got no answer.
///
/// "Its rows are not there" does not mean that it was rolled back: it may be committed a second later. So the server is asked about
/// the transaction's number until it is not in progress any more.
///
/// A number alone is no proof after a crash or a failover: what the server had not yet written is forgotten, its number too, and
/// given to another transaction, which may be committed (`ServerIdentity.isSameIncarnation`).
struct CommitInquiry: Sendable {
    private static let longestPause = Duration.milliseconds(500)

    let settings: PostgresSettings
    /// The server and the process that the COMMIT was sent to.
    let server: ServerIdentity
    /// The transaction's; nil if it is not known.
    let number: String?
    let proof: TransactionOptions.Proof?

    func outcome() async -> CommitOutcome {
        await outcome(by: settings.clock)
    }

    private func outcome<Time: Clock>(by clock: Time) async -> CommitOutcome where Time.Duration == Duration {
        let end = clock.now.advanced(by: settings.limits.inquiry)
        var pause = Duration.milliseconds(10)
        var reason = "nobody was asked"
        var connection: PostgresConnection?
        while true {
            do {
                let open = if let connection { connection } else { try await PostgresConnection.open(settings) }
                connection = open
                if let outcome = try await ask(open) {
                    await open.close()
                    return outcome
                }
                reason = "the server still says that it is in progress"
            } catch {
                reason = "\(error)"
                if await connection?.lossReason != nil { connection = nil }
            }
            guard clock.now < end else {
                await connection?.close()
                return .unknown(reason: reason)
            }
            do { try await clock.sleep(for: pause) } catch { return .unknown(reason: "the inquiry was cancelled") }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// - Returns: nil if it is not decided yet.
    private func ask(_ connection: PostgresConnection) async throws -> CommitOutcome? {
        guard let number else { return try await askByProof(connection) }
        let status: String?
        do {
            status = try await connection.query("SELECT pg_xact_status($1::xid8)", [.text(number)]).only()[0]
        } catch let error as PostgresError where error.sqlState == "22023" {
            // The number is in this server's future: it never saw the transaction.
            return .rolledBack
        }
        switch status {
        case "in progress": return nil
        // Whoever has the number now: this one is not committed.
        case "aborted": return .rolledBack
        case "committed":
            if server.isSameIncarnation(as: connection.server) { return .committed }
            if proof != nil { return try await isProven(connection) ? .committed : .rolledBack }
            return .unknown(
                reason: """
                    the server has crashed or been replaced since, and its number \(number) may be another transaction's: look for its rows
                    """
            )
        default:
            return .unknown(reason: "the server does not know its number \(number) any more: look for its rows")
        }
    }

    /// Without a number: once the process that had it is gone, its rows are there or never will be.
    private func askByProof(_ connection: PostgresConnection) async throws -> CommitOutcome? {
        let rows = try await connection.query(
            """
            SELECT EXISTS (
                SELECT FROM pg_stat_activity
                WHERE pid = $1::bigint AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2::bigint
            )
            """,
            [.int(server.process), .int(server.processStart)]
        )
        let isServed: Bool = try rows.only()[0]
        // Asked after it is known that the process is gone: only then their absence counts.
        if try await isProven(connection) { return .committed }
        return isServed ? nil : .rolledBack
    }

    private func isProven(_ connection: PostgresConnection) async throws -> Bool {
        guard let proof else { return false }
        return try await connection.query(proof.sql, proof.parameters).only()[0]
    }
}
