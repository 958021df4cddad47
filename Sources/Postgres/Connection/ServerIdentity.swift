/// Which server a connection leads to, and what tells whether it is the same one later.
package struct ServerIdentity: Sendable, Hashable {
    /// 150004 for 15.4.
    package let version: Int64
    package let encoding: String
    /// Whether it is a standby, which takes no writes.
    package let isStandby: Bool
    /// The process that serves the connection.
    package let process: Int64
    /// When that process began, in microseconds since 1970: numbers of processes come again.
    package let processStart: Int64
    /// What is another after a failover or a crash; empty on a standby.
    let incarnation: String

    /// Asks for all of it, whoever the user is. A failover has another timeline; a crash throws the statistics away, which are kept when
    /// the server is restarted in order.
    static let question: SQL = """
        SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'), pg_is_in_recovery(),
            pg_backend_pid()::bigint,
            (SELECT (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid()),
            CASE WHEN pg_is_in_recovery() THEN ''
                ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
                    || ' ' || extract(epoch FROM coalesce((SELECT stats_reset FROM pg_stat_wal), pg_postmaster_start_time()))
            END
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        version = try row[0]
        encoding = try row[1]
        isStandby = try row[2]
        process = try row[3]
        processStart = try row[4]
        incarnation = try row[5]
    }

    /// Whether both are one server that has neither crashed nor been replaced in between: then a transaction's number means the same
    /// transaction.
    package func isSameIncarnation(as other: ServerIdentity) -> Bool {
        !incarnation.isEmpty && incarnation == other.incarnation
    }
}
