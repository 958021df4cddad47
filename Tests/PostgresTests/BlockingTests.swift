import Glibc
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct BlockingTests {
    private struct Enough: Error {}

    /// To an empty database of its own, with a table.
    private static func alone() async throws -> BlockingConnection {
        let connection = try await BlockingConnection(.tests(PostgresServer.shared().database()))
        try connection.script("CREATE TABLE t (id bigint); CREATE TABLE u (id bigint)")
        return connection
    }

    private static func ids(_ connection: BlockingConnection) throws -> [Int64] {
        try connection.query("SELECT id FROM t ORDER BY id").map { try $0[0] }
    }

    @Test func `all threads of the pool may wait for their answers at once`() async throws {
        let conninfo = try await PostgresServer.shared().database()
        let total = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 1...64 {
                group.addTask {
                    let connection = try BlockingConnection(.tests(conninfo))
                    let value: Int64 = try connection.transaction {
                        _ = try connection.query("SELECT pg_sleep(0.01)")
                        return try connection.query("SELECT $1::bigint", [.int(Int64(number))]).only()[0]
                    }
                    try connection.close()
                    return value
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 64 * 65 / 2)
    }

    @Test func `a transaction is committed when its body returns, and undone when it throws`() async throws {
        let connection = try await Self.alone()
        let count: Int64 = try connection.transaction {
            _ = try connection.query("INSERT INTO t VALUES (1)")
            #expect(connection.isInTransaction)
            return try connection.query("SELECT count(*) FROM t").only()[0]
        }
        #expect(count == 1 && !connection.isInTransaction)
        #expect(throws: Enough.self) {
            try connection.transaction {
                _ = try connection.query("INSERT INTO t VALUES (2)")
                throw Enough()
            }
        }
        let found: Int64 = try connection.transaction(keeps: false) {
            _ = try connection.query("INSERT INTO t VALUES (3)")
            return try connection.query("SELECT max(id) FROM t").only()[0]
        }
        #expect(found == 3)
        #expect(try Self.ids(connection) == [1])
        try connection.close()
    }

    @Test func `a transaction within another is a part of it, which is undone alone`() async throws {
        let connection = try await Self.alone()
        try connection.transaction {
            _ = try connection.query("INSERT INTO t VALUES (1)")
            #expect(throws: PostgresError.self) {
                try connection.transaction {
                    _ = try connection.query("INSERT INTO t VALUES (2)")
                    _ = try connection.query("SELECT 1 / 0")
                }
            }
            try connection.transaction {
                try connection.transaction(keeps: false) { _ = try connection.query("INSERT INTO t VALUES (3)") }
                _ = try connection.query("INSERT INTO t VALUES (4)")
            }
        }
        #expect(try Self.ids(connection) == [1, 4])
        #expect(throws: Enough.self) {
            try connection.transaction {
                try connection.transaction { _ = try connection.query("INSERT INTO t VALUES (5)") }
                throw Enough()
            }
        }
        #expect(try Self.ids(connection) == [1, 4])
        try connection.close()
    }

    @Test func `a failure that the body does not pass on is told by the COMMIT`() async throws {
        let connection = try await Self.alone()
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction {
                _ = try connection.query("INSERT INTO t VALUES (1)")
                do { _ = try connection.query("SELECT 1 / 0") } catch {}
            }
        }
        #expect(error?.outcome == .rolledBack)
        #expect(try Self.ids(connection).isEmpty)
        try connection.close()
    }

    @Test func `rows are copied into a table, all or none`() async throws {
        let connection = try await Self.alone()
        let copied = try connection.copyIn("COPY t FROM STDIN") { writer in
            for number in 1...50_000 as ClosedRange<Int64> { try writer.write([.int(number)]) }
        }
        #expect(copied == 50_000)
        #expect(throws: Enough.self) {
            try connection.copyIn("COPY t FROM STDIN") { writer in
                for number in 1...50_000 as ClosedRange<Int64> { try writer.write([.int(number)]) }
                throw Enough()
            }
        }
        #expect(throws: PostgresError.self) { try connection.copyIn("COPY nowhere FROM STDIN") { _ in } }
        try connection.transaction {
            _ = try connection.query("DELETE FROM t")
            try connection.copyIn("COPY t FROM STDIN") { try $0.write(raw: "7\n8\n".utf8) }
        }
        #expect(try Self.ids(connection) == [7, 8])
        try connection.close()
    }

    @Test func `many rows are read in bounded memory, and the connection is used meanwhile`() async throws {
        let connection = try await Self.alone()
        var sum: Int64 = 0
        let before = Process.memory
        try connection.forEachRow(
            "SELECT n, repeat('x', $1::int) FROM generate_series(1, 200000) AS n",
            [1_000]
        ) { row in
            sum += try row[0]
            if sum % 100_000 == 0 { _ = try connection.query("INSERT INTO t VALUES (1)") }
        }
        #expect(sum == 200_000 * 200_001 / 2)
        // All of them would be 200 MB.
        #expect(Process.memory - before < 100_000_000)
        try connection.transaction {
            var count = 0
            try connection.forEachRow("SELECT generate_series(1, 2500)") { _ in count += 1 }
            #expect(count == 2_500)
        }
        #expect(throws: Enough.self) {
            try connection.forEachRow("SELECT generate_series(1, 2500)") { _ in throw Enough() }
        }
        #expect(throws: PostgresError.self) {
            try connection.forEachRow("SELECT 1 / n FROM generate_series(0, 1) AS n") { _ in }
        }
        #expect(try connection.query("SELECT count(*) FROM pg_cursors WHERE name <> ''").only()[0] == Int64(0))
        try connection.close()
    }

    @Test func `one thread at a time uses the connection`() async throws {
        let connection = try await Self.alone()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...16 {
                group.addTask {
                    try connection.transaction {
                        let count: Int64 = try connection.query("SELECT count(*) FROM t").only()[0]
                        _ = try connection.query("INSERT INTO t VALUES ($1)", [.int(count)])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try Self.ids(connection) == Array(0..<16))
        try connection.close()
    }

    @Test func `a lost connection is told, and its transaction is not kept`() async throws {
        let connection = try await Self.alone()
        let killer = try await PostgresConnection.shared()
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction {
                _ = try connection.query("INSERT INTO t VALUES (1)")
                let process = connection.server.process
                try BlockingTests.wait {
                    _ = try await killer.query("SELECT pg_terminate_backend($1::int)", [.int(process)])
                }
                _ = try connection.query("INSERT INTO t VALUES (2)")
            }
        }
        #expect(error?.isConnectionLost == true)
        #expect(try connection.lossReason() != nil)
        let again = #expect(throws: PostgresError.self) { try connection.query("SELECT 1") }
        #expect(again?.code == .connectionLost)
        #expect(again?.message.contains("terminating connection") == true)
        await killer.close()
    }

    @Test func `what was not waited for by a COMMIT whose connection is lost is found out`() async throws {
        var options = PostgresServer.Options()
        options.parameters["synchronous_standby_names"] = "nobody"
        options.parameters["synchronous_commit"] = "local"
        let server = try await PostgresServer.start(options)
        let connection = try BlockingConnection(.tests(server.conninfo()))
        try connection.script("CREATE TABLE t (id bigint)")
        let watcher = try await PostgresConnection.open(.tests(server.conninfo()))
        // Its answer waits for a standby that does not exist, and never comes: the server is killed.
        let task = Task.detached {
            try connection.transaction {
                _ = try connection.query("SET LOCAL synchronous_commit = on")
                _ = try connection.query("INSERT INTO t VALUES (1)")
            }
        }
        let waits: SQL =
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'SyncRep')"
        try await watcher.wait(for: waits, [.int(connection.server.process)])
        _ = try await watcher.query("SELECT pg_terminate_backend($1::int)", [.int(connection.server.process)])
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.outcome == .committedLocally)
        #expect(try await watcher.query("SELECT count(*) FROM t").only()[0] == Int64(1))
        await watcher.close()
    }

    /// Waits for asynchronous work on a thread of its own.
    private static func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
        let semaphore = Semaphore()
        Task.detached {
            try await body()
            semaphore.raise()
        }
        semaphore.wait()
    }
}

/// Lets a test's thread wait.
@safe private final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    func raise() { unsafe sem_post(semaphore) }
    func wait() { while unsafe sem_wait(semaphore) != 0 {} }
}
