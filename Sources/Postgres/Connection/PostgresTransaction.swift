/// A transaction that is under way: what `PostgresConnection.transaction` lends.
package final class PostgresTransaction {
    let connection: PostgresConnection
    private let options: TransactionOptions
    private(set) var isBegun = false
    private(set) var isOver = false
    /// `pg_current_xact_id()`, once it is known.
    private var number: String?

    init(_ connection: PostgresConnection, _ options: TransactionOptions) {
        self.connection = connection
        self.options = options
    }

    /// Carries out one statement.
    ///
    /// - Throws: `PostgresError`; `CancellationError`. Either way the transaction cannot go on.
    package func query(_ sql: SQL, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        try await pipeline { $0.add(sql, parameters) }[0]
    }

    /// Carries out several statements in one round trip.
    ///
    /// - Returns: the rows of each.
    /// - Throws: `PostgresError`, of the first that failed; `CancellationError`. Either way the transaction cannot go on.
    package func pipeline(_ build: (inout PostgresPipeline) throws -> Void) async throws -> [PostgresRows] {
        var pipeline = PostgresPipeline()
        try build(&pipeline)
        return try await run(pipeline.bound())
    }

    /// Carries out the last statements and commits: in one round trip, if there is a proof, or the transaction's number is known
    /// already. Nothing can follow.
    ///
    /// - Throws: as `PostgresConnection.transaction`.
    package func commit(with build: (inout PostgresPipeline) throws -> Void) async throws -> [PostgresRows] {
        var pipeline = PostgresPipeline()
        try build(&pipeline)
        let statements = try pipeline.bound()
        guard number != nil || options.proof != nil || options.isReadOnly || options.numbering == .atBegin && !isBegun
        else {
            let rows = try await run(statements)
            try await commit()
            return rows
        }
        return try await commit(statements)
    }

    /// Commits, unless that was done, or nothing was begun.
    func commit() async throws {
        guard !isOver, isBegun else { return }
        _ = try await commit([])
    }

    /// Sends what must be sent before anything else.
    func begin() async throws {
        guard !isBegun else { return try checkOpen() }
        _ = try await run([])
    }

    private func checkOpen() throws(PostgresError) {
        if isOver { throw PostgresError(.misuse, "a transaction was used after its end") }
    }

    private func run(_ statements: [Statement]) async throws -> [PostgresRows] {
        try checkOpen()
        let asksAtBegin = !isBegun && options.numbering == .atBegin && !options.isReadOnly
        let asksAtEnd = number == nil && !asksAtBegin && !options.isReadOnly
        var all = try opening()
        let first = all.count
        all += statements
        if asksAtEnd { all.append(try Statement("SELECT pg_current_xact_id_if_assigned()::text")) }
        isBegun = true
        let reply = try await connection.reply(all, isCancellable: true)
        if let failure = reply.failure { throw failure }
        if asksAtBegin { number = try reply.rows[1].only()[0] }
        if asksAtEnd { number = try reply.rows[all.count - 1].only()[0] }
        return Array(reply.rows[first..<first + statements.count])
    }

    /// What goes before the first statement.
    private func opening() throws(PostgresError) -> [Statement] {
        guard !isBegun else { return [] }
        var opening = [try Statement(options.begin)]
        if options.numbering == .atBegin, !options.isReadOnly {
            opening.append(try Statement("SELECT pg_current_xact_id()::text"))
        }
        return opening
    }

    private func commit(_ statements: [Statement]) async throws -> [PostgresRows] {
        try checkOpen()
        // From here on nothing may interrupt: a COMMIT that is cancelled reports success all the same.
        try Task.checkCancellation()
        if options.numbering == .atBegin, !isBegun, !options.isReadOnly, options.proof == nil { try await begin() }
        let opening = try opening()
        let all = opening + statements + [try Statement("COMMIT")]
        let place = all.count - 1
        isBegun = true
        let reply = try await connection.reply(all, isCancellable: false)
        if let failure = reply.failure {
            try await settle(failure, reply, commit: place)
        } else {
            isOver = true
            guard reply.rows[place].result.command == "COMMIT" else {
                throw CommitTrouble.error(
                    .rolledBack,
                    after: PostgresError(.refused, "a statement of it had failed before, and the server rolled it back")
                )
            }
            if reply.warns(of: place) { throw CommitTrouble.local(reply) }
        }
        guard reply.rows.count >= opening.count + statements.count else { return [] }
        return Array(reply.rows[opening.count..<opening.count + statements.count])
    }

    /// Returns if the transaction turns out to be committed.
    private func settle(_ failure: PostgresError, _ reply: PipelineReply, commit place: Int) async throws {
        // The server answered before it came to the COMMIT, or refused that one: nothing was committed.
        let isRefused = failure.server != nil && (reply.rows.count < place || !failure.isConnectionLost)
        guard !isRefused, reply.isSent else { throw failure }
        isOver = true
        guard number != nil || options.proof != nil else { throw failure }
        let inquiry = CommitInquiry(
            settings: connection.settings,
            server: connection.server,
            number: number,
            proof: options.proof
        )
        // Not cancelled with its task: nobody else would find it out. On the loop's thread, for a caller that blocks one of the pool's.
        let found = await Task(executorPreference: connection.session.loop) { await inquiry.outcome() }.value
        let outcome = found == .committed && reply.warns(of: place) ? .committedLocally : found
        guard outcome == .committed else { throw CommitTrouble.error(outcome, after: failure) }
        guard reply.rows.count >= place else {
            throw PostgresError(
                .commit,
                "the transaction is committed, but the answers to its last statements are lost (\(failure))",
                outcome: .committed
            )
        }
    }

    /// Ends it without keeping anything. If that fails, the connection is closed, which has the same effect.
    func rollBack() async {
        guard !isOver, isBegun else { return }
        isOver = true
        await connection.session.rollBack()
    }
}
