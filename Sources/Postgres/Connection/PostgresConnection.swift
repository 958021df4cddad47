import Synchronization

/// A connection to PostgreSQL, for one operation at a time; others wait in order.
///
/// No thread waits for a query: one thread of the process waits for all connections (`SocketLoop`). When a task is cancelled, the server is
/// asked to end its statement, and the connection can be used afterwards; a COMMIT is never cancelled. Once the connection is lost,
/// every operation fails with `connectionLost`: open a new one.
package final class PostgresConnection: Sendable {
    /// The connections whose turn this task has: to wait for one of them would be to wait for oneself.
    @TaskLocal private static var held: Set<UInt64> = []
    private static let count = Atomic<UInt64>(0)

    /// Never another connection's, as an address may be.
    private let number = count.add(1, ordering: .relaxed).newValue

    let session: PostgresSession
    let settings: PostgresSettings
    let plan: ConnectionPlan
    /// Which server it is, and which of its processes.
    package let server: ServerIdentity
    private let turns = Turns()

    init(_ session: PostgresSession, settings: PostgresSettings, plan: ConnectionPlan, server: ServerIdentity) {
        self.session = session
        self.settings = settings
        self.plan = plan
        self.server = server
    }

    deinit { Self.end(session) }

    private static func end(_ session: PostgresSession) {
        Task { await session.close("it was closed") }
    }

    /// Ends the connection; whoever waits for an answer gets `connectionLost`.
    package func close() async {
        await session.close("it was closed")
    }

    /// Host, database and user, for messages.
    package var place: String { plan.place }

    /// Why it is lost; nil as long as it is not.
    package var lossReason: String? {
        get async { await session.lossReason }
    }

    /// Carries out one statement. Outside of a transaction it is one by itself.
    ///
    /// - Throws: `PostgresError`; `CancellationError` if the task was cancelled and the statement not carried out.
    package func query(_ sql: SQL, _ parameters: [PostgresValue] = []) async throws -> PostgresRows {
        let statement = try Statement(sql, parameters)
        return try await run([statement])[0]
    }

    /// Carries out several statements in one round trip, all or none: without a BEGIN in it a pipeline is one transaction.
    ///
    /// - Returns: the rows of each.
    /// - Throws: `PostgresError`, of the first that failed; `CancellationError`.
    package func pipeline(_ build: (inout PostgresPipeline) throws -> Void) async throws -> [PostgresRows] {
        var pipeline = PostgresPipeline()
        try build(&pipeline)
        return try await run(pipeline.bound())
    }

    private func run(_ statements: [Statement]) async throws -> [PostgresRows] {
        let reply = try await withTurn { try await self.reply(statements, isCancellable: true) }
        if let failure = reply.failure { throw failure }
        // Nothing has a transaction of its own here: the end of the pipeline was a COMMIT.
        if reply.warns(of: statements.count) { throw CommitTrouble.local(reply) }
        return reply.rows
    }

    /// Sends statements and takes the answers, for whoever has the turn.
    ///
    /// - Throws: `CancellationError` if the task is cancelled before, or the server ended a statement because of it.
    func reply(_ statements: [Statement], isCancellable: Bool) async throws -> PipelineReply {
        guard !statements.isEmpty else { return PipelineReply() }
        guard isCancellable else { return await session.run(statements) }
        return try await cancellably {
            await self.session.run(statements)
        } isCancelled: {
            $0.failure?.sqlState == .queryCanceled || $0.failure?.isConnectionLost ?? false
        }
    }

    /// Runs an operation of the session's that the server is asked to end when the task is cancelled.
    func cancellably<Value>(
        _ body: () async throws -> Value,
        isCancelled: (Value) -> Bool = { _ in false }
    ) async throws -> Value {
        try Task.checkCancellation()
        let cancellation = Cancellation(session)
        let result: Result<Value, any Error>
        do {
            let value = try await withTaskCancellationHandler {
                try await body()
            } onCancel: {
                cancellation.request()
            }
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        await cancellation.settle()
        guard cancellation.isRequested else { return try result.get() }
        switch result {
        case .success(let value):
            if isCancelled(value) { throw CancellationError() }
            return value
        case .failure: throw CancellationError()
        }
    }

    /// Waits until nobody else uses the connection, and uses it.
    ///
    /// - Throws: `PostgresError` with `misuse` within a turn of the same task; `CancellationError` if the task is cancelled first.
    func withTurn<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard !Self.held.contains(number) else {
            throw PostgresError(
                .misuse,
                "a connection was used within its own transaction, which would wait for itself: use the transaction"
            )
        }
        try await turns.take()
        defer { turns.giveBack() }
        return try await Self.$held.withValue(Self.held.union([number])) { try await body() }
    }
}
