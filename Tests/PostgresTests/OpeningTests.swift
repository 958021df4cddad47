import Foundation
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OpeningTests {
    private static func error(
        _ conninfo: String,
        _ change: (inout PostgresSettings) -> Void = { _ in }
    ) async -> PostgresError? {
        var settings = PostgresSettings.tests(conninfo)
        change(&settings)
        return await #expect(throws: PostgresError.self) { try await PostgresConnection.open(settings) }
    }

    @Test func `a server that is not there is named, with what to do`() async throws {
        let error = try #require(await Self.error("host=/nowhere port=6000 dbname=prompts user=me password=tulip"))
        #expect(error.code == .cannotConnect)
        #expect(error.isTransient)
        #expect(error.message.contains("prompts at /nowhere, port 6000, as me"))
        #expect(error.message.contains("start the server"))
        #expect(!error.message.contains("tulip"))
    }

    @Test func `a wrong password is told, and not shown`() async throws {
        let server = try await PostgresServer.shared()
        let connection = try await PostgresConnection.shared()
        try await connection.script("CREATE ROLE locked LOGIN PASSWORD 'right'")
        for conninfo in [
            server.conninfo(user: "locked") + " password=wr0ngtulip",
            "postgresql://locked:wr0ngtulip@/postgres?host=" + server.directory,
        ] {
            let error = try #require(await Self.error(conninfo))
            #expect(!error.message.contains("wr0ngtulip"))
            #expect(error.message.contains("password authentication failed"))
            #expect(error.message.contains("pgpass"))
            #expect(!error.isTransient)
        }
        #expect(try #require(await Self.error(server.conninfo(user: "locked"))).message.contains("pgpass"))

        let file = server.directory + "/passwords"
        try "*:*:*:locked:right\n".write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        var settings = PostgresSettings.tests(server.conninfo(user: "locked"))
        settings.passwordFile = file
        let locked = try await PostgresConnection.open(settings)
        // What the identity is made of is open to every user.
        #expect(locked.server.isSameIncarnation(as: connection.server))
        await locked.close()
        await connection.close()
    }

    @Test(arguments: [
        "postgresql://me:tulip@host:port/db", "host=x password='tulip", "postgresql://me:tul%ipe@host/db",
        "me:tulip@host/db =",
        "passwort=tulip host=x",
    ])
    func `an address that cannot be read is not shown, because a password may be in it`(_ conninfo: String) async throws
    {
        let error = try #require(await Self.error(conninfo))
        #expect(error.code == .settings)
        #expect(!error.message.contains("tul"))
        #expect(error.message.contains("postgresql://USER@HOST/DATABASE"))
    }

    @Test func `settings and connections show no password, however they are printed`() async throws {
        let server = try await PostgresServer.shared()
        let settings = PostgresSettings.tests(server.conninfo() + " password=wr0ngtulip")
        let connection = try await PostgresConnection.open(settings)
        var shown = "\(settings) \(String(reflecting: settings)) \(connection.place) \(connection)"
        dump(settings, to: &shown)
        dump(connection, to: &shown)
        #expect(!shown.contains("wr0ngtulip"))
        await connection.close()
    }

    /// A server with TLS needs a port and a certificate: whoever has one names it, as a superuser and with the name that is on it.
    @Test(.enabled(if: tls != nil, "PROMPTD_TEST_POSTGRES_TLS names no server"))
    func `results of megabytes come over TLS, and a certificate with another name is refused`() async throws {
        let conninfo = try #require(Self.tls)
        let connection = try await PostgresConnection.open(.tests(conninfo + " sslmode=verify-full"))
        let isEncrypted: Bool = try await connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .only()[0]
        #expect(isEncrypted)
        let text = String(repeating: "a fox ", count: 200_000)
        let rows = try await connection.pipeline { pipeline in
            for _ in 0..<20 { pipeline.add("SELECT $1::text, repeat('x', 15000)", [.text(text)]) }
        }
        #expect(try rows.allSatisfy { rows in try rows.only()[0] == text })
        await connection.close()
        let error = try #require(
            await Self.error(conninfo.replacing("host=localhost", with: "host=127.0.0.1") + " sslmode=verify-full")
        )
        #expect(error.message.contains("What helps: check sslrootcert"))
    }

    private static let tls = ProcessInfo.processInfo.environment["PROMPTD_TEST_POSTGRES_TLS"]

    @Test func `a database, a role or a service that is missing is named, with what to do`() async throws {
        let server = try await PostgresServer.shared()
        let database = try #require(await Self.error(server.conninfo(database: "nothing")))
        #expect(database.message.contains("createdb"))
        #expect(!database.isTransient)
        let role = try #require(await Self.error(server.conninfo(user: "nobody_at_all")))
        #expect(role.message.contains("CREATE ROLE"))
        let service = try #require(await Self.error("service=nothing_of_the_kind"))
        #expect(service.code == .settings)
        #expect(service.message.contains("pg_service.conf"))
    }

    @Test func `the session has its name and its limits`() async throws {
        let connection = try await PostgresConnection.shared { $0.limits = PostgresLimits() }
        let row = try await connection.query(
            """
            SELECT current_setting('application_name'), current_setting('statement_timeout'), current_setting('lock_timeout'),
                current_setting('idle_in_transaction_session_timeout'), current_setting('client_encoding')
            """
        ).only()
        let values = try (0..<5).map { place -> String in try row[place] }
        #expect(values == ["promptd tests", "5s", "2s", "3s", "UTF8"])
        #expect(connection.server.version >= 150_000)
        #expect(connection.server.encoding == "UTF8")
        await connection.close()
    }

    @Test func `a connection that somebody ends says so, and every later use of it`() async throws {
        let connection = try await PostgresConnection.shared()
        let other = try await PostgresConnection.shared()
        _ = try await other.query("SELECT pg_terminate_backend($1::int)", [.int(connection.server.process)])
        let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
        #expect(error?.isConnectionLost == true)
        #expect(error?.isTransient == true)
        await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
        await other.close()
    }

    @Test func `what the server said before it went is told by an operation that began in between`() async throws {
        let settings = try await PostgresSettings.tests(PostgresServer.shared().database())
        let connection = try await PostgresConnection.open(settings)
        let watcher = try await PostgresConnection.open(settings)
        let process = PostgresValue.int(connection.server.process)
        _ = try await connection.query("CREATE TEMPORARY TABLE kept ()")
        let schema: String = try await connection.query(
            "SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()"
        )
        .only()[0]
        let task = try await watcher.transaction { transaction in
            _ = try await transaction.query(SQL(pasted: "LOCK TABLE \(schema).kept IN ACCESS SHARE MODE"))
            _ = try await transaction.query("SELECT pg_terminate_backend($1::int)", [process])
            // The server has said why it ends, and waits for the lock before it removes the table and closes the connection.
            var isWaiting = false
            while !isWaiting {
                let waits: SQL = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1::int AND NOT granted)"
                isWaiting = try await transaction.query(waits, [process]).only()[0]
            }
            let task = Task { try await connection.query("SELECT 1") }
            // Until the operation has begun: both connections have one thread, and each answer is a turn of it.
            for _ in 1...100 { _ = try await transaction.query("SELECT 1") }
            return task
        }
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.message.contains("terminating connection") == true)
        await watcher.close()
    }

    @Test(.enabled(if: PostgresPrograms.pgbouncer != nil, "pgbouncer is not installed"))
    func `a pooler in transaction mode is refused, with words`() async throws {
        let server = try await PostgresServer.shared()
        let program = try #require(PostgresPrograms.pgbouncer)
        let pooler = try await Pgbouncer(program, before: server, mode: .transaction)
        let error = try #require(await Self.error(pooler.conninfo))
        #expect(error.code == .pooler)
        #expect(error.message.contains("pooler"))
        // Even on the word of whoever runs it.
        let believed = try #require(await Self.error(pooler.conninfo) { $0.allowsSessionPooler = true })
        #expect(believed.code == .pooler)
    }

    @Test(.enabled(if: PostgresPrograms.pgbouncer != nil, "pgbouncer is not installed"))
    func `a pooler in session mode is taken on somebody's word`() async throws {
        let server = try await PostgresServer.shared()
        let pooler = try await Pgbouncer(#require(PostgresPrograms.pgbouncer), before: server, mode: .session)
        #expect(try #require(await Self.error(pooler.conninfo)).code == .pooler)
        var settings = PostgresSettings.tests(pooler.conninfo)
        settings.allowsSessionPooler = true
        let connection = try await PostgresConnection.open(settings)
        for number in 0..<3 as Range<Int64> {
            #expect(try await connection.query("SELECT $1::bigint", [.int(number)]).only()[0] == number)
        }
        await connection.close()
    }
}
