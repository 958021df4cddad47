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
        let loop = try SocketLoop.shared()
        let plan = try ConnectionPlan(settings)
        let connected = await OwnThread.run { () -> Result<ConnectionHandle, PostgresError> in
            do throws(PostgresError) { return .success(try ConnectionHandle(plan)) } catch { return .failure(error) }
        }
        guard let connected else { throw PostgresError(.cannotConnect, "no thread could be started to connect with") }
        let handle = try connected.get()
        let session = PostgresSession(handle, loop: loop, limits: settings.limits, inbox: inbox)
        do {
            let process = await session.begin()
            let identity = try await prepare(session, settings.limits)
            guard Int64(process) == identity.process || settings.allowsSessionPooler else {
                throw PostgresError(
                    .pooler,
                    """
                    \(plan.place) is answered by a connection pooler (the server's process is \(identity.process), the connection names \
                    \(process)). A pooler in transaction mode loses LISTEN, prepared statements and limits of a session: name PostgreSQL's \
                    own host and port
                    """
                )
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
            throw error
        }
    }

    /// `set_config` rather than startup options, which poolers refuse.
    private static func prepare(
        _ session: PostgresSession,
        _ limits: PostgresLimits
    ) async throws(PostgresError) -> ServerIdentity {
        let set: SQL = """
            SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
                set_config('idle_in_transaction_session_timeout', $3, false), set_config('bytea_output', 'hex', false),
                set_config('extra_float_digits', '1', false), set_config('standard_conforming_strings', 'on', false),
                set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false)
            """
        func milliseconds(_ limit: Duration?) -> PostgresValue {
            guard let parts = limit?.components else { return "0" }
            return .text("\(max(1, parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000))")
        }
        let reply = await session.run([
            try Statement(
                set,
                [milliseconds(limits.statement), milliseconds(limits.lock), milliseconds(limits.idleInTransaction)]
            ),
            try Statement(ServerIdentity.question),
        ])
        if let failure = reply.failure { throw failure }
        return try ServerIdentity(reply.rows[1].only())
    }
}
