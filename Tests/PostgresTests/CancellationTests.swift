import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CancellationTests {
    @Test func `a cancelled query ends at the server, and the connection goes on`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.statement = nil }
        let watcher = try await PostgresConnection.shared()
        let task = Task { try await connection.query("SELECT pg_sleep(600)") }
        try await watcher.wait(
            for: "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'PgSleep')",
            [.int(connection.server.process)]
        )
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(
            try await watcher.query(
                "SELECT state FROM pg_stat_activity WHERE pid = $1::bigint",
                [.int(connection.server.process)]
            )
            .only()[0] == "idle"
        )
        for number in 0..<100 as Range<Int64> {
            #expect(try await connection.query("SELECT $1::bigint", [.int(number)]).only()[0] == number)
        }
        await connection.close()
        await watcher.close()
    }

    @Test func `cancellations that race with the end of a query never hit the next one`() async throws {
        let connection = try await PostgresConnection.shared()
        for _ in 0..<60 {
            let task = Task { try await connection.query("SELECT 1") }
            task.cancel()
            _ = await task.result
            #expect(try await connection.query("SELECT 2::bigint FROM pg_sleep(0.001)").only()[0] == Int64(2))
        }
        await connection.close()
    }

    @Test func `a task that is cancelled while it waits for its turn leaves the turn to others`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.statement = nil }
        let watcher = try await PostgresConnection.shared()
        let first = Task { try await connection.query("SELECT pg_sleep(600)") }
        try await watcher.wait(
            for: "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'PgSleep')",
            [.int(connection.server.process)]
        )
        let second = Task { try await connection.query("SELECT 2") }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        first.cancel()
        _ = await first.result
        #expect(try await connection.query("SELECT 3").count == 1)
        await connection.close()
        await watcher.close()
    }

    @Test func `a cancelled transaction keeps nothing`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        let inserted = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await connection.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (1)")
                inserted.continuation.finish()
                _ = try await transaction.query("SELECT pg_sleep(600)")
            }
        }
        for await _ in inserted.stream {}
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await connection.close()
    }

    @Test func `the server ends what takes longer than its limit`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.statement = .milliseconds(50) }
        let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT pg_sleep(600)") }
        #expect(error?.sqlState == .queryCanceled)
        #expect(error?.isTransient == true)
        #expect(try await connection.query("SELECT 1").count == 1)
        await connection.close()
    }

    @Test func `a lock that others hold is waited for only so long`() async throws {
        let holder = try await PostgresConnection.shared()
        let connection = try await PostgresConnection.shared { $0.limits.lock = .milliseconds(50) }
        _ = try await holder.query("SELECT pg_advisory_lock(816)")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("SELECT pg_advisory_lock(816)")
        }
        #expect(error?.sqlState == .lockNotAvailable)
        #expect(error?.isTransient == true)
        await holder.close()
        await connection.close()
    }

    @Test func `a frozen client's transaction is ended by the server, and its connection says so`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.idleInTransaction = .milliseconds(50) }
        let watcher = try await PostgresConnection.shared()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { transaction in
                _ = try await transaction.query("SELECT 1")
                try await watcher.wait(
                    for: "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint)",
                    [.int(connection.server.process)]
                )
                _ = try await transaction.query("SELECT 2")
            }
        }
        #expect(error?.isConnectionLost == true)
        #expect(error?.isTransient == true)
        await watcher.close()
    }
}
