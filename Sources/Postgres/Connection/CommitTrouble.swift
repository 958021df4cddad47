/// Errors about a transaction whose COMMIT was sent.
enum CommitTrouble {
    /// Committed here, and not confirmed by a standby that had to.
    static func local(_ reply: PipelineReply) -> PostgresError {
        let said = reply.notices.last { $0.message.severity == "WARNING" }?.message
        return PostgresError(
            .commit,
            "the transaction is committed on this server only; the server said: \(said?.shown ?? "nothing")",
            server: said,
            outcome: .committedLocally
        )
    }

    static func error(_ outcome: CommitOutcome, after failure: PostgresError) -> PostgresError {
        switch outcome {
        case .committed:
            PostgresError(.commit, "the transaction is committed", outcome: outcome)
        case .committedLocally:
            PostgresError(
                .commit,
                "the transaction is committed on this server, and no standby has confirmed it (\(failure))",
                outcome: outcome
            )
        case .rolledBack:
            PostgresError(
                .commit,
                "the transaction was not committed (\(failure))",
                server: failure.server,
                outcome: outcome,
                isTransient: true
            )
        case .unknown(let reason):
            PostgresError(
                .commit,
                "it is not known whether the transaction is committed (\(failure)): \(reason)",
                outcome: outcome
            )
        }
    }
}
