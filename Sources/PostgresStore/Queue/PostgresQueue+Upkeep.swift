import Postgres
package import PromptQueue

extension PostgresQueue {
    /// - Parameter full: whether the indexes are read for damages, where the extension amcheck is installed.
    package func health(full: Bool) throws(LedgerError) -> FileHealth {
        try reading { connection in
            let server = try ServerHealth(connection)
            let row = try connection.query(
                """
                SELECT (SELECT version FROM schema_version), (SELECT max(heartbeat_at) FROM daemons),
                    greatest((SELECT max(heartbeat_at) FROM daemons),
                        (SELECT created_at FROM jobs ORDER BY id DESC LIMIT 1), (SELECT sent_at FROM attempts ORDER BY id DESC LIMIT 1)),
                    -- What close_store has every write answered with, which ends with a NUL there.
                    (SELECT convert_from(substr(t.tgargs, 1, length(t.tgargs) - 1), getdatabaseencoding()) FROM pg_trigger AS t
                        WHERE t.tgrelid = 'jobs'::regclass AND t.tgname = '0_moved')
                """
            ).only()
            return FileHealth(
                engine: .postgresql(server),
                schemaVersion: try row[0],
                latest: try row.instant(2),
                heartbeat: try row.instant(1),
                damages: full ? try Self.damages(connection) : nil,
                refusal: try row[3]
            )
        }
    }

    /// What amcheck finds; nil without it.
    private static func damages(_ connection: BlockingConnection) throws -> [String]? {
        let schema = try connection.query(
            "SELECT n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'"
        ).first
        guard let schema: String = try schema?[0] else { return nil }
        let indexes = try connection.query(
            """
            SELECT c.oid::bigint, c.relname FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
            WHERE c.relnamespace = 'promptd'::regnamespace AND c.relkind = 'i' AND a.amname = 'btree' ORDER BY c.relname
            """
        )
        let check = SQL(pasted: "SELECT \(try SQL.quoted(schema)).bt_index_check($1::bigint::regclass, true)")
        return try indexes.compactMap { row in
            do {
                _ = try connection.transaction { try connection.query(check, [.int(try row[0])]) }
                return nil
            } catch let error as PostgresError where error.server?.state.errorClass == "XX" {
                return "\(try row[1] as String): \(error.server?.message ?? "is damaged")"
            }
        }
    }

    /// There is no file of the database's to copy.
    package func copy(to path: String) throws(LedgerError) {
        throw LedgerError(.unusable, "\(Advice.backUpServer)")
    }
}

extension ServerHealth {
    /// What the server says of itself. What this user may not see is left out.
    init(_ connection: BlockingConnection) throws {
        let rows = try connection.pipeline { pipeline in
            pipeline.add(
                """
                SELECT current_setting('server_version'), current_setting('server_version_num')::bigint, pg_is_in_recovery(),
                    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
                    current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
                    current_setting('autovacuum') = 'on', now_ms(), pg_database_size(current_database()),
                    (SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database())
                """
            )
            pipeline.add(
                """
                SELECT coalesce(application_name, ''), state, sync_state = 'sync' OR sync_state = 'quorum',
                    (extract(epoch FROM replay_lag) * 1000)::bigint
                FROM pg_stat_replication WHERE state IS NOT NULL ORDER BY 1
                """
            )
            pipeline.add(
                """
                SELECT (SELECT count(*) FROM queue_count_deltas) + (SELECT count(*) FROM spending_deltas)
                        + (SELECT count(*) FROM budget_spending_deltas) + (SELECT count(*) FROM account_deltas)
                        + (SELECT count(*) FROM completion_deltas),
                    (SELECT count(*) FROM new_events), (SELECT now_ms() - min(at) FROM new_events)
                """
            )
            pipeline.add(
                """
                SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables
                WHERE schemaname = 'promptd' AND n_dead_tup > 0 ORDER BY n_dead_tup DESC LIMIT 20
                """
            )
            pipeline.add(
                """
                SELECT pid::bigint, coalesce(application_name, ''), coalesce(state, ''),
                    (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint
                FROM pg_stat_activity
                WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend'
                ORDER BY xact_start LIMIT 1
                """
            )
            pipeline.add(
                """
                SELECT slot_name, coalesce(pg_wal_lsn_diff(
                    CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() ELSE pg_last_wal_replay_lsn() END,
                    restart_lsn), 0)::bigint
                FROM pg_replication_slots WHERE NOT active ORDER BY 1
                """
            )
            pipeline.add(
                """
                SELECT epoch, name, host, pid, heartbeat_at, lease_until > fact_time() FROM daemons WHERE ended_at IS NULL ORDER BY epoch
                """
            )
        }
        let row = try rows[0].only()
        self.init(version: try row[0], versionNumber: try row[1])
        isStandby = try row[2]
        synchronousCommit = try row[3]
        synchronousStandbys = try row[4]
        syncsFiles = try row[5]
        writesFullPages = try row[6]
        vacuums = try row[7]
        now = Instant(milliseconds: try row[8])
        bytes = try row[9]
        transactionAge = try row[10]
        standbys = try rows[1].map { row in
            Standby(
                name: try row[0],
                state: try row[1],
                isSynchronous: try row[2],
                lag: try (row[3] as Int64?).map { .milliseconds($0) }
            )
        }
        let waiting = try rows[2].only()
        (unfolded, unnumbered) = (try waiting[0], try waiting[1])
        unnumberedFor = try (waiting[2] as Int64?).map { .milliseconds($0) }
        tables = try rows[3].map { Table(name: try $0[0], live: try $0[1], dead: try $0[2], bytes: try $0[3]) }
        oldestTransaction = try rows[4].first.map { row in
            Transaction(
                process: try row[0],
                application: try row[1],
                state: try row[2],
                age: .milliseconds(try row[3] as Int64)
            )
        }
        idleSlots = try rows[5].map { Slot(name: try $0[0], retained: try $0[1]) }
        daemons = try rows[6].map { row in
            Daemon(
                epoch: try row[0],
                name: try row[1],
                host: try row[2],
                processID: try row[3],
                heartbeat: Instant(milliseconds: try row[4]),
                mayClaim: try row[5]
            )
        }
    }
}
