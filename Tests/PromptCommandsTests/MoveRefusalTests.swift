import FoundationEssentials
import GRDB
import JobStore
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import StateFiles
import Testing

@testable import PromptCommands

/// What `promptctl migrate` refuses, and what it says.
@Suite struct MoveRefusalTests {
    typealias Places = MoveTests.Places

    private func connect(_ places: Places, _ statement: Postgres.SQL) async throws {
        let connection = try await places.connect()
        _ = try await connection.query(statement)
        await connection.close()
    }

    /// A database with promptd's schema.
    private func prepare(_ places: Places) async throws {
        let connection = try await places.connect()
        try await StoreSchema.install(connection)
        await connection.close()
    }

    @Test func `from the command line a queue moves to PostgreSQL and back`() async throws {
        let places = try await Places()
        let moved = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(moved.code == 0)
        #expect(moved.talk.contains("  jobs: 10 rows"))
        #expect(moved.talk.contains { $0.hasPrefix("compared on both sides: ") })
        #expect(moved.talk.last == "next: name it in the configuration (database:), and start promptd")

        let added = try await places.fixture.run("add", "a fox")
        #expect(added.code == 65)
        #expect(added.talk.last?.contains("this queue has moved to database t_") == true)
        #expect(try await places.fixture.run("list").output.count >= 10)
        let doctor = try await places.fixture.run("doctor", "--offline")
        #expect(doctor.output.contains { $0.contains("move: this queue has moved to database t_") })
        let again = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(again.code == 0)
        #expect(again.talk.contains { $0.hasPrefix("the queue has moved from ") })

        let home = try await places.fixture.run("migrate", "--database", places.conninfo, "--to", places.back)
        #expect(home.code == 0)
        #expect(try await places.fixture.run("list", "--database", places.back).output.count >= 10)
        #expect(try places.refusal(of: places.back) == nil)
        #expect(try await places.refusalOfServer()?.contains("this queue has moved to \(places.back)") == true)
    }

    @Test func `a daemon does not start on a file that has moved`() async throws {
        let places = try await Places()
        try await places.there()
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: places.file) }
        #expect(error?.message.contains("this queue has moved to database t_") == true)
    }

    @Test func `a daemon joins no store before its queue has come, nor after it has gone`() async throws {
        struct Killed: Error {}
        let places = try await Places()
        func refusal() async throws -> String? {
            do {
                let ledger = try await PostgresLedger.patient(places.conninfo)
                try await ledger.end(now: Instant(milliseconds: 1))
                await ledger.disconnect()
                return nil
            } catch { return error.message }
        }
        do { try await places.there { if case .verified = $0 { throw Killed() } } } catch is Killed {}
        #expect(try await refusal()?.contains("is not complete") == true)
        try await places.there()
        #expect(try await refusal() == nil)
        try await places.home()
        #expect(try await refusal()?.contains("this queue has moved to \(places.back)") == true)
    }

    @Test func `a file that a daemon works on does not move`() async throws {
        let places = try await Places()
        let lock = try OwnerLock(database: places.file)
        let refused = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(refused.code == 75)
        #expect(refused.talk.last?.contains("stop it first") == true)
        #expect(try places.refusal(of: places.file) == nil)
        withExtendedLifetime(lock) {}
    }

    @Test func `outcomes that the database has not are taken in first`() async throws {
        let places = try await Places()
        try OutcomeFile(database: places.file)
            .append(.accepted(AttemptID(2), task: TaskID("t2"), httpStatus: 200), at: Instant(milliseconds: 1))
        let refused = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("start promptd once, so that it takes them in") == true)
        #expect(try places.refusal(of: places.file) == nil)
    }

    @Test func `outcomes that PostgreSQL has not are taken in first`() async throws {
        let places = try await Places()
        try await places.there()
        try OutcomeFile(database: places.fixture.directory + "/postgresql")
            .append(.accepted(AttemptID(2), task: TaskID("t2"), httpStatus: 200), at: Instant(milliseconds: 1))
        await #expect(throws: LedgerError.self) { try await places.home() }
        #expect(try await places.refusalOfServer() == nil)
    }

    @Test func `an older copy does not move`() async throws {
        let places = try await Places()
        let ledger = try SQLiteLedger(path: places.file)
        _ = try await ledger.checkAge(marks: [places.file + "-requests"], now: Instant(milliseconds: 1))
        try ledger.close()
        try MovedQueue.write("UPDATE sqlite_sequence SET seq = 3 WHERE name = 'attempts'", at: places.file)
        let refused = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("is an older copy") == true)
    }

    @Test(
        arguments: [
            "INSERT INTO promptd.jobs (prompt) VALUES ('a fox')",
            "INSERT INTO promptd.budgets (name, period, limit_millicredits) VALUES ('all', 'day', 1)",
            "SELECT promptd.join_daemons('promptd', 'host', 1, '1', 600000)",
        ] as [Postgres.SQL]
    )
    func `a store with a queue of its own is left alone, and the file can be worked on`(
        statement: Postgres.SQL
    ) async throws {
        let places = try await Places()
        try await prepare(places)
        try await connect(places, statement)
        let refused = try await places.fixture.run("migrate", "--to", places.conninfo)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("a queue moves only to where there is none") == true)
        #expect(try places.refusal(of: places.file) == nil)
        #expect(try await places.refusalOfServer() == nil)
    }

    @Test func `a store with a daemon at work is not left`() async throws {
        let places = try await Places()
        try await prepare(places)
        try await connect(places, "SELECT promptd.join_daemons('left', 'far', 1, '1', 600000)")
        let refused = try await places.fixture.run("migrate", "--database", places.conninfo, "--to", places.back)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("a promptd works on it (left on far, pid 1)") == true)
        #expect(try await places.refusalOfServer() == nil)
        try await connect(places, "SELECT promptd.leave_daemons(1)")
        #expect(try await places.fixture.run("migrate", "--database", places.conninfo, "--to", places.back).code == 0)
    }

    @Test func `a file that is there is not overwritten`() async throws {
        let places = try await Places()
        try await places.there()
        let refused = try await places.fixture.run("migrate", "--database", places.conninfo, "--to", places.file)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("is there already") == true)
        #expect(try await places.refusalOfServer() == nil)
    }

    @Test func `what was added last goes along with its events and sums`() async throws {
        let places = try await Places()
        try await places.there()
        try await connect(
            places,
            "INSERT INTO promptd.jobs (prompt, queue) SELECT 'a fox', 'new' FROM generate_series(1, 30)"
        )
        try await places.home()
        let shell = try DatabaseQueue(path: places.back)
        let counts = try await shell.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT (SELECT jobs FROM queue_counts WHERE queue = 'new' AND state = 'queued'),
                        (SELECT count(*) FROM events WHERE queue = 'new'), (SELECT max(id) FROM jobs),
                        (SELECT waiting || ' ' || turn FROM turns WHERE queue = 'new')
                    """
            ).map(\.description)
        }
        #expect(counts.count == 1)
        #expect(counts.first?.contains("30") == true)
        #expect(counts.first?.contains("\"30 29\"") == true)
        try shell.close()
    }

    @Test func `a move that is not finished is taken back, one that is finished is not`() async throws {
        struct Killed: Error {}
        let places = try await Places()
        do { try await places.there { if $0 == .begun { throw Killed() } } } catch is Killed {}
        #expect(try await places.fixture.run("add", "a fox").code == 65)
        let back = try await places.fixture.run("migrate", "--undo")
        #expect(back.code == 0)
        #expect(try places.refusal(of: places.file) == nil)
        #expect(try await places.refusalOfServer()?.contains("is not complete") == true)
        // Another try takes what has come of the first for what it is.
        #expect(try await places.fixture.run("add", "a fox", "--queue", "later").code == 0)
        #expect(try await places.fixture.run("migrate", "--to", places.conninfo).code == 0)
        #expect(try await places.refusalOfServer() == nil)
        let late = try await places.fixture.run("migrate", "--undo")
        #expect(late.code == 65)
        #expect(late.talk.last?.contains("this queue has moved to") == true)
    }

    @Test func `a move goes on only to where it began to go`() async throws {
        struct Killed: Error {}
        let places = try await Places()
        do { try await places.there { if $0 == .begun { throw Killed() } } } catch is Killed {}
        let other = try await PostgresServer.shared().database()
        let refused = try await places.fixture.run("migrate", "--to", other)
        #expect(refused.code == 65)
        #expect(refused.talk.last?.contains("this queue is being moved to database t_") == true)
    }

    @Test func `a file does not move to a file, and something has to be said`() async throws {
        let places = try await Places(filled: false)
        #expect(try await places.fixture.run("migrate", "--to", places.back).code == 64)
        #expect(try await places.fixture.run("migrate").code == 64)
        #expect(try await places.fixture.run("migrate", "--undo", "--to", places.conninfo).code == 64)
        #expect(try await places.fixture.run("migrate", "--undo").code == 64)
    }
}
