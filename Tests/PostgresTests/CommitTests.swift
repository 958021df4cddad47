import Postgres
import PostgresServer
import Testing

/// COMMITs whose answer is lost, on servers of their own.
@Suite(.timeLimit(.minutes(2)))
struct CommitTests {
    private static func table(_ server: PostgresServer) async throws {
        let connection = try await PostgresConnection.open(.tests(server.conninfo()))
        try await connection.script("CREATE TABLE t (id bigint, mark text)")
        await connection.close()
    }

    /// A server whose COMMITs wait for a standby that does not exist.
    private static func waiting() async throws -> PostgresServer {
        var options = PostgresServer.Options()
        options.parameters["synchronous_standby_names"] = "nobody"
        options.parameters["synchronous_commit"] = "local"
        let server = try await PostgresServer.start(options)
        try await table(server)
        return server
    }

    /// Begins a transaction whose COMMIT will wait for a standby, and returns when it does.
    private static func commit(
        _ connection: PostgresConnection,
        _ watcher: PostgresConnection,
        _ options: TransactionOptions = TransactionOptions()
    ) async throws -> Task<Void, any Error> {
        let task = Task {
            try await connection.transaction(options) { transaction in
                _ = try await transaction.query("SET LOCAL synchronous_commit = on")
                _ = try await transaction.query("INSERT INTO t VALUES (1, 'a')")
            }
        }
        try await watcher.wait(
            for: "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'SyncRep')",
            [.int(connection.server.process)]
        )
        return task
    }

    @Test func `a COMMIT whose wait for a standby is cancelled is not taken for durable`() async throws {
        let server = try await Self.waiting()
        let connection = try await PostgresConnection.open(.tests(server.conninfo()))
        let watcher = try await PostgresConnection.open(.tests(server.conninfo()))
        let task = try await Self.commit(connection, watcher)
        // The task's own cancellation does not reach a COMMIT.
        task.cancel()
        #expect(
            try await watcher.query(
                "SELECT wait_event FROM pg_stat_activity WHERE pid = $1::bigint",
                [.int(connection.server.process)]
            )
            .only()[0] == "SyncRep"
        )
        _ = try await watcher.query("SELECT pg_cancel_backend($1::int)", [.int(connection.server.process)])
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.outcome == .committedLocally)
        #expect(error?.server?.severity == "WARNING")

        // Without a transaction's words the end of a pipeline is a COMMIT as well.
        _ = try await connection.query("SET synchronous_commit = on")
        let insert = Task { try await connection.query("INSERT INTO t VALUES (2, 'b')") }
        try await watcher.wait(
            for: "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'SyncRep')",
            [.int(connection.server.process)]
        )
        _ = try await watcher.query("SELECT pg_cancel_backend($1::int)", [.int(connection.server.process)])
        let other = await #expect(throws: PostgresError.self) { try await insert.value }
        #expect(other?.outcome == .committedLocally)
        await connection.close()
        await watcher.close()
    }

    @Test func `a COMMIT whose connection is lost is waited for until it is decided`() async throws {
        let server = try await Self.waiting()
        let watcher = try await PostgresConnection.open(.tests(server.conninfo()))
        let connection = try await PostgresConnection.open(.tests(server.conninfo()))
        let task = try await Self.commit(connection, watcher)
        // The client's side of the connection is gone; the server does not notice, and goes on waiting.
        await connection.close()
        try await watcher.wait(
            for:
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_xact_status%' AND pid <> pg_backend_pid()"
        )
        #expect(try await watcher.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        // The standby that it waits for is not asked for any more: the transaction is committed.
        try await watcher.script("ALTER SYSTEM SET synchronous_standby_names = ''")
        _ = try await watcher.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        try await task.value
        #expect(try await watcher.query("SELECT count(*) FROM t").only()[0] == Int64(1))
        await watcher.close()
    }

    @Test func `a server that is killed during COMMIT is asked when it is back`() async throws {
        let server = try await Self.waiting()
        for proven in [true, false] {
            let connection = try await PostgresConnection.open(.tests(server.conninfo()))
            let watcher = try await PostgresConnection.open(.tests(server.conninfo()))
            _ = try await watcher.query("TRUNCATE t")
            var options = TransactionOptions()
            if proven {
                options.proof = TransactionOptions.Proof("SELECT EXISTS (SELECT FROM t WHERE mark = $1)", ["a"])
            }
            let task = try await Self.commit(connection, watcher, options)
            server.stop(.killed)
            try await server.start()
            // Its record was written before it waited: with a proof that is certain. Its number alone is none after a crash.
            if proven {
                try await task.value
            } else {
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                #expect(error?.code == .commit)
                guard case .unknown = error?.outcome else {
                    Issue.record("the outcome is \(String(describing: error?.outcome))")
                    return
                }
            }
        }
    }

    @Test func `a server that is killed before the COMMIT is written has kept nothing`() async throws {
        let server = try await PostgresServer.start()
        try await Self.table(server)
        let connection = try await PostgresConnection.open(.tests(server.conninfo()))
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (1, 'a')")
                server.stop(.killed)
                try await server.start()
            }
        }
        #expect(error?.isConnectionLost == true || error?.outcome == .rolledBack)
        let again = try await PostgresConnection.open(.tests(server.conninfo()))
        #expect(try await again.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await again.close()
    }

    @Test func `a number that is given again after a crash is not taken for the lost transaction`() async throws {
        let server = try await PostgresServer.start()
        try await Self.table(server)
        let before = try await PostgresConnection.open(.tests(server.conninfo()))
        var number = ""
        await #expect(throws: PostgresError.self) {
            try await before.transaction { transaction in
                number = try await transaction.query("SELECT pg_current_xact_id()::text").only()[0]
                server.stop(.killed)
                try await server.start()
                _ = try await transaction.query("SELECT 1")
            }
        }
        let after = try await PostgresConnection.open(.tests(server.conninfo()))
        var last = ""
        while last < number || last.count < number.count {
            last = try await after.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (1, 'of another')")
                return try await transaction.query("SELECT pg_current_xact_id()::text").only()[0]
            }
        }
        #expect(last == number, "the server does not give numbers again any more: the care for it can go")
        #expect(try await after.query("SELECT pg_xact_status($1::xid8)", [.text(number)]).only()[0] == "committed")
        #expect(before.server.isSameIncarnation(as: after.server) == false)
        await after.close()
    }

    @Test func `a server that is restarted in order is still the same one`() async throws {
        let server = try await PostgresServer.start()
        let before = try await PostgresConnection.open(.tests(server.conninfo()))
        server.stop(.inOrder)
        try await server.start()
        let after = try await PostgresConnection.open(.tests(server.conninfo()))
        #expect(before.server.isSameIncarnation(as: after.server))
        await #expect(throws: PostgresError.self) { try await before.query("SELECT 1") }
        await after.close()
    }

    @Test func `a promoted standby is another server, and of two hosts the primary is found`() async throws {
        let primary = try await PostgresServer.start()
        try await Self.table(primary)
        let standby = try await primary.standby("s1")
        let both = "host=\(standby.directory),\(primary.directory) port=5432,5432 dbname=postgres user=postgres"
        let before = try await PostgresConnection.open(.tests(both))
        #expect(!before.server.isStandby)
        var alone = PostgresSettings.tests(standby.conninfo())
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.open(alone) }
        #expect(error?.message.contains("standbys") == true)
        alone.needsPrimary = false
        #expect(try await PostgresConnection.open(alone).server.isStandby)
        primary.stop(.killed)
        try await standby.promote()
        let after = try await PostgresConnection.open(.tests(both))
        #expect(!before.server.isSameIncarnation(as: after.server))
        await after.close()
    }
}
