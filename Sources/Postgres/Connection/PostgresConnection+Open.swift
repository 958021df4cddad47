extension PostgresConnection {
    /// The oldest server that is taken.
    static let oldest: Int64 = 150_000

    /// Connects, and sets the limits and what the decoding of results relies on, for the session.
    ///
    /// - Throws: `PostgresError` with `settings`, `cannotConnect` or `pooler`, whose message says what to do; `CancellationError`.
    package static func open(_ settings: PostgresSettings) async throws -> PostgresConnection {
        try await open(settings, inbox: NotificationInbox())
    }

    static func open(_ settings: PostgresSettings, inbox: NotificationInbox) async throws -> PostgresConnection {
        try Task.checkCancellation()
        let plan = try ConnectionPlan(settings)
        let session = try await session(plan, settings, inbox)
        do {
            let process = await session.begin()
            let identity = try await prepare(session, settings)
            if Int64(process) != identity.process {
                guard settings.allowsSessionPooler else { throw pooler(plan) }
                try await checkPooler(session, identity, plan, settings)
            }
            guard identity.version >= oldest else {
                throw PostgresError(
                    .settings,
                    "\(plan.place) is PostgreSQL \(identity.version / 10_000); \(oldest / 10_000) or newer is needed: upgrade the server"
                )
            }
            try Task.checkCancellation()
            return PostgresConnection(session, settings: settings, plan: plan, server: identity)
        } catch {
            await session.close("it was closed")
            // A session that begins has prepared nothing: names that are taken, or gone again, are those of others.
            if let error = error as? PostgresError, ["42P05", "26000"].contains(error.sqlState) { throw pooler(plan) }
            throw error
        }
    }

    private static func session(
        _ plan: ConnectionPlan,
        _ settings: PostgresSettings,
        _ inbox: NotificationInbox
    ) async throws -> PostgresSession {
        let loop = try SocketLoop.shared()
        let connected = await OwnThread.run { () -> Result<ConnectionHandle, PostgresError> in
            do throws(PostgresError) { return .success(try ConnectionHandle(plan)) } catch { return .failure(error) }
        }
        guard let connected else { throw PostgresError(.cannotConnect, "no thread could be started to connect with") }
        return PostgresSession(try connected.get(), loop: loop, limits: settings.limits, inbox: inbox)
    }

    private static func pooler(_ plan: ConnectionPlan) -> PostgresError {
        PostgresError(
            .pooler,
            """
            \(plan.place) is answered by a connection pooler. A pooler in transaction mode loses LISTEN, prepared statements and limits of \
            a session: name PostgreSQL's own host and port
            """
        )
    }

    /// While a second session holds a transaction open, the first must still be served by its own process, and the second by another.
    private static func checkPooler(
        _ first: PostgresSession,
        _ identity: ServerIdentity,
        _ plan: ConnectionPlan,
        _ settings: PostgresSettings
    ) async throws {
        let second = try await session(plan, settings, NotificationInbox())
        do {
            _ = await second.begin()
            let process: SQL = "SELECT pg_backend_pid()::bigint"
            let held = await second.run([try Statement("BEGIN"), try Statement(process)])
            if let failure = held.failure { throw failure }
            let own = await first.run([try Statement(process)])
            if let failure = own.failure { throw failure }
            let (other, again): (Int64, Int64) = (try held.rows[1].only()[0], try own.rows[0].only()[0])
            guard other != identity.process, again == identity.process else { throw pooler(plan) }
        } catch {
            await second.close("it was closed")
            throw error
        }
        await second.close("it was closed")
    }

    /// `set_config` rather than startup options, which poolers refuse.
    private static func prepare(
        _ session: PostgresSession,
        _ settings: PostgresSettings
    ) async throws(PostgresError) -> ServerIdentity {
        func milliseconds(_ limit: Duration?) -> String {
            guard let parts = limit?.components else { return "0" }
            return "\(max(1, parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000))"
        }
        let limits = settings.limits
        var parameters = [
            "statement_timeout": milliseconds(limits.statement), "lock_timeout": milliseconds(limits.lock),
            "idle_in_transaction_session_timeout": milliseconds(limits.idleInTransaction), "bytea_output": "hex",
            "extra_float_digits": "1", "standard_conforming_strings": "on", "datestyle": "ISO",
            "intervalstyle": "postgres",
            // To compile a statement takes seconds where it has many parts, and each of these reads a few rows.
            "jit": "off",
        ]
        parameters.merge(settings.parameters) { $1 }
        let ordered = parameters.sorted { $0.key < $1.key }
        let reply = await session.run([
            try Statement(
                "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS u(name, value)",
                [.texts(ordered.map(\.key)), .texts(ordered.map(\.value))]
            ),
            try Statement(ServerIdentity.question),
        ])
        if let failure = reply.failure { throw failure }
        return try ServerIdentity(reply.rows[1].only())
    }
}
