/// A connection for programs that wait for each answer: commands, and pages on threads that may block.
///
/// One thread at a time uses it; others wait. It works on a thread of the cooperative pool as well, because what it waits for is done by
/// the loop's thread (`SocketLoop`). Once the connection is lost, every call fails with `connectionLost`: open a new one.
package final class BlockingConnection: Sendable {
    let connection: PostgresConnection
    let turn = BlockingTurn()
    let isReadOnly: Bool

    /// Connects.
    ///
    /// - Parameter isReadOnly: whether the server is to refuse whatever writes.
    /// - Throws: `PostgresError` with `settings`, `cannotConnect` or `pooler`, whose message says what to do.
    package init(_ settings: PostgresSettings, isReadOnly: Bool = false) throws {
        self.isReadOnly = isReadOnly
        var settings = settings
        if isReadOnly { settings.parameters["default_transaction_read_only"] = "on" }
        if settings.clock is ContinuousClock { settings.clock = ThreadClock() }
        connection = try BlockingCall.run(on: .shared()) { [settings] in try await PostgresConnection.open(settings) }
    }

    /// Ends the connection. A call of another thread that is under way is waited for.
    ///
    /// - Throws: `PostgresError` with `misuse`.
    package func close() throws {
        try call { [connection] in await connection.close() }
    }

    /// Host, database and user, for messages.
    package var place: String { connection.place }
    /// Which server it is, and which of its processes.
    package var server: ServerIdentity { connection.server }
    /// Whether this thread is within `transaction`. Another thread's transaction is waited for.
    package var isInTransaction: Bool { turn.take { turn.transaction != nil } }

    /// Why it is lost; nil as long as it is not.
    ///
    /// - Throws: `PostgresError` with `misuse`.
    package func lossReason() throws -> String? {
        try call { [connection] in await connection.lossReason }
    }

    /// Carries out one statement. Outside of a transaction it is one by itself.
    ///
    /// - Throws: `PostgresError`.
    package func query(_ sql: SQL, _ parameters: [PostgresValue] = []) throws -> PostgresRows {
        try pipeline { $0.add(sql, parameters) }[0]
    }

    /// Carries out several statements in one round trip, all or none.
    ///
    /// - Returns: the rows of each.
    /// - Throws: `PostgresError`, of the first that failed.
    package func pipeline(_ build: (inout PostgresPipeline) throws -> Void) throws -> [PostgresRows] {
        var pipeline = PostgresPipeline()
        try build(&pipeline)
        return try call { [connection, turn, pipeline] in
            if let transaction = turn.transaction { return try await transaction.pipeline { $0 = pipeline } }
            return try await connection.pipeline { $0 = pipeline }
        }
    }

    /// Carries out a script of several statements, such as a migration. It is one transaction, or part of the one that is under way, which
    /// it must not end.
    ///
    /// - Throws: `PostgresError`.
    package func script(_ sql: SQL) throws {
        try call { [connection, turn] in
            if let transaction = turn.transaction { return try await transaction.script(sql) }
            try await connection.script(sql)
        }
    }

    /// Runs what is written for a `PostgresConnection`, outside of a transaction. It runs on the thread of all connections: nothing in it
    /// may block or take long.
    ///
    /// - Throws: what `body` throws; `PostgresError` with `misuse` within a transaction.
    package func run<Value>(_ body: @escaping (PostgresConnection) async throws -> Value) throws -> Value {
        try turn.take {
            guard turn.transaction == nil else {
                throw PostgresError(.misuse, "a connection was used beside its own transaction")
            }
            return try call { [connection] in try await body(connection) }
        }
    }

    /// Has the loop's thread do something with the connection when it is this thread's turn, and waits for it.
    func call<Value>(_ body: @escaping () async throws -> Value) throws -> Value {
        try turn.take { try BlockingCall.run(on: connection.session.loop, body) }
    }
}
