/// Where the server is, and how long to wait for it.
package struct PostgresSettings: Sendable {
    /// What libpq takes: `postgresql://…`, `host=… dbname=…` or `service=NAME`, with several hosts if there are standbys.
    let conninfo: Hidden<String>
    /// How the connection is called in `pg_stat_activity`.
    package var applicationName: String
    /// A file of passwords in pgpass's form, before libpq's own places; a systemd credential, for example.
    package var passwordFile: String?
    package var limits = PostgresLimits()
    /// Parameters of the session, such as `search_path`.
    package var parameters: [String: String] = [:]
    /// Whether the server has to take writes: of several hosts, the primary is looked for.
    package var needsPrimary = true
    /// Whether a pooler is taken, because whoever runs it says that it keeps a session for each client. One that does not is refused all
    /// the same where it can be told.
    package var allowsSessionPooler = false
    /// For pauses between attempts to reach the server.
    package var clock: any Clock<Duration> = ContinuousClock()

    package init(_ conninfo: String, applicationName: String) {
        self.conninfo = Hidden(conninfo)
        self.applicationName = applicationName
    }
}

/// How long things may take. The server's own limits are set for the session.
package struct PostgresLimits: Sendable {
    /// For each host that is tried.
    package var connect: Duration = .seconds(5)
    /// `statement_timeout`; nil for none.
    package var statement: Duration? = .seconds(5)
    /// `lock_timeout`; nil for none.
    package var lock: Duration? = .seconds(2)
    /// `idle_in_transaction_session_timeout`: how long a frozen client can hold up others; nil for none.
    package var idleInTransaction: Duration? = .seconds(3)
    /// How long the network may leave sent data unconfirmed (`tcp_user_timeout`).
    package var network: Duration = .seconds(5)
    /// How long nothing may come from the server while an answer is owed; then the connection is given up. It is longer than
    /// `statement`, which the server itself keeps. nil for ever.
    package var silence: Duration? = .seconds(30)
    /// How long a statement that was cancelled may take to end; then the connection is given up.
    package var cancellation: Duration = .seconds(5)
    /// How long the outcome of a COMMIT is inquired for after its answer was lost.
    package var inquiry: Duration = .seconds(30)

    package init() {}
}
