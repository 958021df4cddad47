import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ValueTests {
    static let hostile = [
        "", "'", "'; DROP TABLE jobs; --", "\\", "\\'", "$1", "\"", "{}", "{\"a\": 1}", "NULL", "null", "a\tb\nc\rd",
        "🦊 in the snow",
        "\u{1}\u{7f}", "%s%n", "E'\\x41'", "\u{202e}right to left", String(repeating: "x", count: 100_000), "\\N",
        "\\.", ",", "a,b", " ",
    ]

    @Test func `hostile texts come back as they were`() async throws {
        let connection = try await PostgresConnection.shared()
        for text in Self.hostile {
            let back: String = try await connection.query("SELECT $1::text", [.text(text)]).only()[0]
            #expect(back == text)
        }
        let rows = try await connection.query(
            "SELECT t FROM unnest($1::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
            [.texts(Self.hostile + [nil])]
        )
        #expect(try rows.map { row -> String? in try row[0] } == Self.hostile + [nil])
        await connection.close()
    }

    @Test func `numbers, booleans, bytes and NULL come back as they were`() async throws {
        let connection = try await PostgresConnection.shared()
        let integers: [Int64] = [0, 1, -1, .max, .min, 10, -100]
        let doubles = [0, -0.0, 0.1, 1e300, -Double.leastNonzeroMagnitude, .infinity, -.infinity, .pi]
        let bytes: [[UInt8]] = [[], [0], Array(0...255), [0x5c, 0x78]]
        let row = try await connection.query(
            """
            SELECT $1::bigint, $2::float8, $3::boolean, $4::bytea, $5::text, (SELECT sum(n) FROM unnest($6::bigint[]) AS u(n)),
                $7::smallint, $8::json->>'a'
            """,
            [-42, 0.1, true, .bytes(Array(0...255)), nil, .ints([1, 2, 3]), 7, "{\"a\": \"b\"}"]
        ).only()
        #expect(try row[0] as Int64 == -42)
        #expect(try row[1] as Double == 0.1)
        #expect(try row[2] as Bool)
        #expect(try row[3] as [UInt8] == Array(0...255))
        #expect(try row[4] as String? == nil)
        #expect(try row[5] as Int64 == 6)
        #expect(try row[6] as Int == 7)
        #expect(try row[7] as String == "b")
        for value in integers {
            #expect(try await connection.query("SELECT $1::bigint", [.int(value)]).only()[0] == value)
        }
        for value in doubles {
            #expect(try await connection.query("SELECT $1::float8", [.double(value)]).only()[0] == value)
        }
        for value in bytes {
            #expect(try await connection.query("SELECT $1::bytea", [.bytes(value)]).only()[0] == value)
        }
        let arrays = try await connection.query(
            """
            SELECT n, d, b, x FROM unnest($1::bigint[], $2::float8[], $3::boolean[], $4::bytea[]) WITH ORDINALITY AS u(n, d, b, x, i)
            ORDER BY i
            """,
            [
                .ints([.min, nil, 3]), .doubles([0.5, -.infinity, nil]), .bools([true, nil, false]),
                .byteStrings([[], [1, 0, 255], nil]),
            ]
        )
        #expect(try arrays.map { row -> Int64? in try row[0] } == [.min, nil, 3])
        #expect(try arrays.map { row -> Double? in try row["d"] } == [0.5, -.infinity, nil])
        #expect(try arrays.map { row -> Bool? in try row["b"] } == [true, nil, false])
        #expect(try arrays.map { row -> [UInt8]? in try row["x"] } == [[], [1, 0, 255], nil])
        await connection.close()
    }

    @Test func `a NUL character is refused before anything is sent, and the parameter is named`() async throws {
        let connection = try await PostgresConnection.shared()
        for values: [PostgresValue] in [["a", "b\u{0}c"], ["a", .texts(["b", "\u{0}"])]] {
            let error = await #expect(throws: PostgresError.self) {
                try await connection.query("SELECT $1::text, $2::text", values)
            }
            #expect(error?.code == .unsendable)
            #expect(error?.message.contains("$2") == true)
        }
        #expect(try await connection.query("SELECT 1").count == 1)
        await connection.close()
    }

    @Test func `bytes that are no UTF-8 are refused by the server, and do not become text`() async throws {
        let connection = try await PostgresConnection.shared()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("SELECT convert_from($1::bytea, 'UTF8')", [.bytes([0x61, 0xff, 0xfe])])
        }
        #expect(error?.sqlState == "22021")
        await #expect(throws: PostgresError.self) {
            let _: String = try await connection.query("SELECT $1::bytea", [.bytes([0xff])]).only()[0]
        }
        await connection.close()
    }

    @Test func `reading a column as what it is not throws`() async throws {
        let connection = try await PostgresConnection.shared()
        let row = try await connection.query(
            "SELECT NULL::bigint AS n, 'x'::text AS t, 1.5::numeric AS d, 9223372036854775808 AS big"
        )
        .only()
        #expect(throws: PostgresError.self) { let _: Int64 = try row["n"] }
        #expect(throws: PostgresError.self) { let _: Int64 = try row["t"] }
        #expect(throws: PostgresError.self) { let _: Bool = try row["t"] }
        #expect(throws: PostgresError.self) { let _: Int64 = try row["d"] }
        #expect(throws: PostgresError.self) { let _: Int64 = try row["big"] }
        #expect(throws: PostgresError.self) { let _: Int64 = try row["missing"] }
        #expect(throws: PostgresError.self) { let _: Int64 = try row[9] }
        #expect(try row["d"] as Double == 1.5)
        let none = try await connection.query("SELECT 1 WHERE false")
        #expect(throws: PostgresError.self) { try none.only() }
        await connection.close()
    }
}
