import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct TransactionTests {
    @Test func `a transaction is committed when its body returns, and rolled back when it throws`() async throws {
        struct Enough: Error {}
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        let value = try await connection.transaction { transaction in
            _ = try await transaction.query("INSERT INTO t VALUES (1)")
            return try await transaction.query("SELECT current_setting('transaction_isolation')").only()[0] as String
        }
        #expect(value == "read committed")
        await #expect(throws: Enough.self) {
            try await connection.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (2)")
                throw Enough()
            }
        }
        try await connection.transaction { _ in }
        #expect(try await connection.query("SELECT array_agg(id)::text FROM t").only()[0] == "{1}")
        await connection.close()
    }

    @Test(arguments: TransactionOptions.Isolation.allCases)
    func `the isolation is said, whatever the server's default is`(
        _ isolation: TransactionOptions.Isolation
    ) async throws {
        let connection = try await PostgresConnection.shared()
        try await connection.script(
            "SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = on"
        )
        var options = TransactionOptions()
        options.isolation = isolation
        let said = try await connection.transaction(options) { transaction in
            let row = try await transaction.query(
                "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
            ).only()
            #expect(try row[1] == "off")
            return try row[0] as String
        }
        #expect(
            said
                == ["read committed", "repeatable read", "serializable"][
                    TransactionOptions.Isolation.allCases.firstIndex(of: isolation)!
                ]
        )
        await connection.close()
    }

    @Test func `the last statements go with the COMMIT`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        for numbering in [TransactionOptions.Numbering.whenWritten, .atBegin] {
            var options = TransactionOptions()
            options.numbering = numbering
            let rows = try await connection.transaction(options) { transaction in
                _ = try await transaction.pipeline { $0.add("SELECT 1") }
                let rows = try await transaction.commit { $0.add("INSERT INTO t VALUES (1) RETURNING id") }
                await #expect(throws: PostgresError.self) { try await transaction.query("SELECT 1") }
                return rows
            }
            #expect(try rows[0].only()[0] == Int64(1))
        }
        let alone = try await connection.transaction { try await $0.commit { $0.add("INSERT INTO t VALUES (1)") } }
        #expect(alone[0].affected == 1)
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(3))
        await connection.close()
    }

    @Test func `when the last statement fails, nothing is kept, and the connection goes on`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        for numbering in [TransactionOptions.Numbering.whenWritten, .atBegin] {
            var options = TransactionOptions()
            options.numbering = numbering
            let error = await #expect(throws: PostgresError.self) {
                try await connection.transaction(options) { transaction in
                    _ = try await transaction.query("INSERT INTO t VALUES (1)")
                    _ = try await transaction.commit { $0.add("SELECT 1 / 0") }
                }
            }
            #expect(error?.sqlState == "22012")
            let idle: Bool = try await connection.query("SELECT pg_current_xact_id_if_assigned() IS NULL").only()[0]
            #expect(idle)
            #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        }
        await connection.close()
    }

    @Test func `a task that is cancelled before its COMMIT keeps nothing, and the connection goes on`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        let inserted = AsyncStream.makeStream(of: Void.self)
        let goOn = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await connection.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (1)")
                inserted.continuation.finish()
                for await _ in goOn.stream {}
            }
        }
        for await _ in inserted.stream {}
        task.cancel()
        goOn.continuation.finish()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await connection.close()
    }

    @Test func `a failure that the body swallows does not become a commit`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint)")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { transaction in
                _ = try await transaction.query("INSERT INTO t VALUES (1)")
                _ = try? await transaction.query("SELECT 1 / 0")
            }
        }
        #expect(error?.outcome == .rolledBack)
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await connection.close()
    }

    @Test func `a COMMIT that the server refuses is an error, and nothing is kept`() async throws {
        let connection = try await PostgresConnection.alone()
        try await connection.script("CREATE TABLE t (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { _ = try await $0.query("INSERT INTO t VALUES (1), (1)") }
        }
        #expect(error?.sqlState == .uniqueViolation)
        // Without a transaction's words the end of a pipeline is where it is committed.
        let other = await #expect(throws: PostgresError.self) {
            try await connection.query("INSERT INTO t VALUES (1), (1)")
        }
        #expect(other?.sqlState == .uniqueViolation)
        #expect(try await connection.query("SELECT count(*) FROM t").only()[0] == Int64(0))
        await connection.close()
    }

    @Test func `a connection that is used within its own transaction does not wait for itself`() async throws {
        let connection = try await PostgresConnection.shared()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { _ in _ = try await connection.query("SELECT 1") }
        }
        #expect(error?.code == .misuse)
        await connection.close()
    }

    @Test func `scripts are all or nothing, and may not leave a transaction open`() async throws {
        let connection = try await PostgresConnection.alone()
        await #expect(throws: PostgresError.self) {
            try await connection.script("CREATE TABLE a (id bigint); CREATE TABLE b (id nothing)")
        }
        await #expect(throws: PostgresError.self) { try await connection.script("BEGIN; CREATE TABLE c (id bigint)") }
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { try await $0.script("CREATE TABLE d (id bigint); ROLLBACK") }
        }
        #expect(error?.code == .misuse)
        try await connection.transaction { transaction in
            try await transaction.script("CREATE TABLE e (id bigint); CREATE TABLE f (id bigint)")
        }
        #expect(
            try await connection.query(
                "SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"
            )
            .only()[0] == "e,f"
        )
        await connection.close()
    }
}
