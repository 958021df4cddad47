import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct PipelineTests {
    @Test func `50 MB go both ways in one pipeline, and neither side waits for the other`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.statement = nil }
        let text = String(repeating: "grüße, ", count: 131_072)
        let count = 50
        let rows = try await connection.pipeline { pipeline in
            for _ in 0..<count { pipeline.add("SELECT $1::text", [.text(text)]) }
        }
        #expect(rows.count == count)
        #expect(try rows.allSatisfy { rows in try rows.only()[0] == text })
        await connection.close()
    }

    @Test func `ten thousand small statements are one round trip`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits.statement = nil }
        let rows = try await connection.pipeline { pipeline in
            for number in 0..<10_000 { pipeline.add("SELECT $1::bigint", [.int(Int64(number))]) }
        }
        #expect(try rows.enumerated().allSatisfy { try $1.only()[0] == Int64($0) })
        await connection.close()
    }

    @Test func `after a failure nothing of a pipeline is kept, and the connection goes on`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script(
            "CREATE TABLE t (id bigint PRIMARY KEY, name text CONSTRAINT named CHECK (name <> ''))"
        )
        let error = await #expect(throws: PostgresError.self) {
            try await connection.pipeline { pipeline in
                pipeline.add("INSERT INTO t VALUES (1, 'a')")
                pipeline.add("INSERT INTO t VALUES (2, $1)", [""])
                pipeline.add("INSERT INTO t VALUES (3, 'c')")
            }
        }
        #expect(error?.code == .refused)
        #expect(error?.sqlState == .checkViolation)
        #expect(error?.server?.constraint == "named")
        #expect(error?.server?.table == "t")
        #expect(error?.server?.severity == "ERROR")
        #expect(error?.server?.detail?.contains("Failing row") == true)
        #expect("\(try #require(error))".contains("Failing row") == false)
        #expect(error?.isTransient == false)
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        // Statements behind the failure were not prepared: they are when they are used next.
        let rows = try await connection.pipeline { pipeline in
            pipeline.add("INSERT INTO t VALUES (1, 'a')")
            pipeline.add("INSERT INTO t VALUES (3, 'c')")
            pipeline.add("SELECT count(*) FROM t")
        }
        #expect(rows[0].affected == 1)
        #expect(try rows[2].only()[0] == Int64(2))
        await connection.close()
    }

    @Test func `a statement whose result has another form since the schema changed works again`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (a bigint); INSERT INTO t VALUES (1)")
        #expect(try await connection.query("SELECT * FROM t").columns == ["a"])
        try await connection.script("ALTER TABLE t ADD b text")
        await #expect(throws: PostgresError.self) { try await connection.query("SELECT * FROM t") }
        #expect(try await connection.query("SELECT * FROM t").columns == ["a", "b"])
        await connection.close()
    }

    @Test func `threads do not grow with the queries in flight`() async throws {
        var connections: [PostgresConnection] = []
        for _ in 0..<100 { connections.append(try await PostgresConnection.shared()) }
        let ears = try await PostgresConnection.shared()
        _ = try await ears.query("SELECT 1")
        let before = Process.threads
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for connection in connections {
                group.addTask {
                    _ = try await connection.query("SELECT pg_advisory_lock_shared(814)")
                    return try await connection.query("SELECT count(*) FROM pg_locks WHERE objid = 815").only()[0]
                }
            }
            for try await _ in group {}
            // All wait for one lock at once.
            _ = try await ears.query("SELECT pg_advisory_lock(815)")
            for connection in connections {
                group.addTask {
                    try await connection.query("SELECT 1::bigint FROM pg_advisory_xact_lock_shared(815)").only()[0]
                }
            }
            try await ears.wait(for: "SELECT count(*) = 100 FROM pg_locks WHERE objid = 815 AND NOT granted")
            #expect(Process.threads <= before + 4)
            _ = try await ears.query("SELECT pg_advisory_unlock(815)")
            for try await _ in group {}
        }
        for connection in connections { await connection.close() }
        await ears.close()
    }
}
