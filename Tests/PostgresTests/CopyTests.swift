import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CopyTests {
    @Test func `200,000 rows are streamed in and out, and memory does not grow with them`() async throws {
        let conninfo = try await PostgresServer.shared().database()
        // In a process of its own: other tests need memory too.
        await #expect(processExitsWith: .success) { [conninfo = conninfo as String] in
            let connection = try await PostgresConnection.open(.tests(conninfo))
            _ = try await connection.query("SET statement_timeout = 0")
            try await connection.script("CREATE UNLOGGED TABLE t (id bigint, name text, data bytea)")
            let name = "a fox in the snow, and a lighthouse far away, oil on canvas"
            let before = Process.memory
            let count = try await connection.copyIn("COPY t (id, name, data) FROM STDIN") { writer in
                for number in 0..<200_000 as Range<Int64> {
                    try await writer.write([.int(number), .text(name), .null])
                }
            }
            #expect(count == 200_000)
            var lines = 0
            var bytes = 0
            let copied = try await connection.copyOut("COPY (SELECT id, name FROM t) TO STDOUT") { rows in
                lines += rows.count { $0 == UInt8(ascii: "\n") }
                bytes += rows.count
            }
            #expect(copied == 200_000)
            #expect(lines == 200_000)
            #expect(bytes > 13_000_000)
            #expect(Process.memory - before < 8_000_000)
            await connection.close()
        }
    }

    @Test func `hostile texts, bytes and NULL come back as they were`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (n bigint, s text, b bytea, d float8, x boolean)")
        let texts: [String?] = ValueTests.hostile + [nil]
        try await connection.transaction { transaction in
            let count = try await transaction.copyIn("COPY t FROM STDIN") { writer in
                for (number, text) in texts.enumerated() {
                    try await writer.write([
                        .int(Int64(number)), .text(text), .bytes([0, 92, 255]), .double(0.1), .bool(true),
                    ])
                }
            }
            #expect(count == texts.count)
        }
        let rows = try await connection.query("SELECT s, b, d, x FROM t ORDER BY n")
        #expect(try rows.map { row -> String? in try row[0] } == texts)
        #expect(try rows.allSatisfy { row in try row[1] as [UInt8] == [0, 92, 255] })
        #expect(try rows.allSatisfy { row in try row[2] as Double == 0.1 })
        #expect(try rows.allSatisfy { row in try row[3] as Bool })
        await connection.close()
    }

    @Test func `a copy that fails on either side keeps nothing, and the connection goes on`() async throws {
        struct Enough: Error {}
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (n bigint)")
        await #expect(throws: Enough.self) {
            try await connection.copyIn("COPY t FROM STDIN") { writer in
                try await writer.write([1])
                throw Enough()
            }
        }
        let error = await #expect(throws: PostgresError.self) {
            try await connection.copyIn("COPY t FROM STDIN") { writer in
                for _ in 0..<50_000 { try await writer.write(["a secret prompt"]) }
            }
        }
        #expect(error?.sqlState == "22P02")
        #expect(error?.message.contains("secret") == false)
        await #expect(throws: Enough.self) {
            try await connection.copyOut("COPY (SELECT generate_series(1, 3000000)) TO STDOUT") { _ in throw Enough() }
        }
        await #expect(throws: PostgresError.self) { try await connection.copyIn("COPY nothing FROM STDIN") { _ in } }
        await #expect(throws: PostgresError.self) { try await connection.copyIn("SELECT 1") { _ in } }
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await #expect(throws: PostgresError.self) { try await connection.query("COPY t TO STDOUT") }
    }
}
