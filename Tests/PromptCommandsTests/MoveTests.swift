import FoundationEssentials
import GRDB
import JobStore
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

@testable import PromptCommands

/// A queue that moves from a file to PostgreSQL, and back.
@Suite struct MoveTests {
    /// A file, a server's database, and the way between them.
    struct Places {
        let fixture: CommandFixture
        let conninfo: String
        var file: String { fixture.database }
        var back: String { fixture.directory + "/back.sqlite" }

        init(filled: Bool = true) async throws {
            fixture = try CommandFixture()
            conninfo = try await PostgresServer.shared().database()
            if filled { try MovedQueue.fill(fixture.database) }
        }

        /// Every run opens both anew, as another process does.
        @discardableResult
        func there(onStep: @escaping (MoveRun.Step) throws -> Void = { _ in }) async throws -> [String] {
            try await Self.move(
                SQLiteMoveSource(path: file, media: fixture.directory),
                { try await PostgresMoveDestination(self.conninfo) },
                onStep
            )
        }

        func home(onStep: @escaping (MoveRun.Step) throws -> Void = { _ in }) async throws {
            _ = try await Self.move(
                PostgresMoveSource(conninfo, files: fixture.directory + "/postgresql"),
                { try SQLiteMoveDestination(path: self.back) },
                onStep
            )
        }

        private static func move(
            _ source: any MoveSource,
            _ open: () async throws -> any MoveDestination,
            _ onStep: @escaping (MoveRun.Step) throws -> Void
        ) async throws -> [String] {
            let destination: any MoveDestination
            do { destination = try await open() } catch {
                await source.disconnect()
                throw error
            }
            let result: Result<[String], any Error>
            do {
                result = .success(try await MoveRun(source: source, destination: destination, onStep: onStep).run())
            } catch {
                result = .failure(error)
            }
            await source.disconnect()
            await destination.disconnect()
            return try result.get()
        }

        func connect() async throws -> PostgresConnection {
            try await PostgresConnection.open(.patient(conninfo, applicationName: "tests"))
        }

        /// With what words a producer's job is refused; nil: it is taken, and gone again.
        func refusalOfServer() async throws -> String? {
            let connection = try await connect()
            defer { Task { await connection.close() } }
            guard try await connection.query("SELECT to_regclass('promptd.jobs') IS NOT NULL").only()[0] else {
                return "there is none"
            }
            do {
                try await connection.transaction { transaction in
                    _ = try await transaction.query("INSERT INTO promptd.jobs (prompt) VALUES ('a fox')")
                    throw CancellationError()
                }
                return nil
            } catch let error as PostgresError {
                return error.server?.message ?? error.message
            } catch is CancellationError { return nil }
        }

        func refusal(of path: String) throws -> String? {
            guard FileManager.default.fileExists(atPath: path) else { return "there is none" }
            let shell = try DatabaseQueue(path: path)
            defer { try? shell.close() }
            do {
                try shell.inDatabase { db in
                    try db.inTransaction {
                        try db.execute(sql: "INSERT INTO jobs (prompt) VALUES ('a fox')")
                        return .rollback
                    }
                }
                return nil
            } catch let error as DatabaseError { return error.message }
        }
    }

    private struct Killed: Error {}

    @Test func `every kind of row moves there and back, and is the same`() async throws {
        let places = try await Places()
        let before = try MovedQueue.rows(at: places.file)
        #expect(before.filter { $0.value.isEmpty }.keys.sorted() == ["search_changes"])
        #expect(try await places.there() == [])
        func refusal() throws -> String? { try PostgresQueue(.patient(places.conninfo)).health(full: false).refusal }
        #expect(try refusal() == nil)
        try await places.home()
        #expect(try refusal() == "this queue has moved to \(places.back), and goes on there")
        let after = try MovedQueue.rows(at: places.back)
        for (table, rows) in before where table != "sqlite_sequence" {
            #expect(after[table] == rows, "\(table)")
        }
        let numbers = try #require(after["sqlite_sequence"])
        #expect(Set(numbers).isSuperset(of: before["sqlite_sequence"] ?? []))
    }

    @Test func `every column of the schema is carried, or made anew`() throws {
        let fixture = try CommandFixture()
        let anew: Set = [
            "daemon.has_marks", "jobs.kept_turn", "turns.turn", "turns.waiting", "turns_served.retried",
        ]
        let tables = ["job_keys", "key_sought", "queue_counts", "queue_sought", "search_changes"]
        let shell = try DatabaseQueue(path: fixture.database)
        let columns = try shell.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
                    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
                    """
            )
        }
        try shell.close()
        let carried = Set(MovedTable.all.flatMap { table in table.columns.map { "\(table.name).\($0.name)" } })
        let missing = columns.filter { column in
            !carried.contains(column) && !anew.contains(column) && !tables.contains { column.hasPrefix($0 + ".") }
        }
        #expect(missing == [])
    }

    @Test func `killed after each step, it goes on, and nobody can work on both`() async throws {
        let places = try await Places()
        let before = try MovedQueue.rows(at: places.file)
        func killedAgainAndAgain(
            _ move: (@escaping (MoveRun.Step) throws -> Void) async throws -> Void,
            _ refusals: () async throws -> (String?, String?)
        ) async throws {
            var seen: Set<MoveRun.Step> = []
            while true {
                do {
                    try await move { step in
                        if seen.insert(step).inserted { throw Killed() }
                    }
                    break
                } catch is Killed {
                    let (left, reached) = try await refusals()
                    #expect(left != nil || reached != nil)
                    if !seen.contains(.opened) {
                        #expect(left?.contains("this queue") == true)
                        // Before it takes part in the move it is empty, and anybody's.
                        let isFirst = seen == [.closed]
                        #expect(
                            isFirst || reached?.contains("this queue is being moved here") == true
                                || reached == "there is none"
                        )
                    }
                }
                try #require(seen.count < 200)
            }
            #expect(seen.contains(.opened))
        }
        try await killedAgainAndAgain({ try await places.there(onStep: $0) }) {
            (try places.refusal(of: places.file), try await places.refusalOfServer())
        }
        #expect(try places.refusal(of: places.file)?.hasPrefix("this queue has moved to database t_") == true)
        #expect(try await places.refusalOfServer() == nil)

        try await killedAgainAndAgain({ try await places.home(onStep: $0) }) {
            (try await places.refusalOfServer(), try places.refusal(of: places.back))
        }
        #expect(try await places.refusalOfServer()?.hasPrefix("this queue has moved to /") == true)
        #expect(try places.refusal(of: places.back) == nil)
        let after = try MovedQueue.rows(at: places.back)
        for (table, rows) in before where table != "sqlite_sequence" { #expect(after[table] == rows, "\(table)") }
    }

    struct Mutation: Sendable {
        let table: String
        let change: String
        let words: String
    }

    @Test(
        arguments: [
            Mutation(
                table: "attempts",
                change: "UPDATE promptd.attempts SET message = 'x' WHERE id = 1",
                words: "table attempts"
            ),
            Mutation(
                table: "results",
                change: "DELETE FROM promptd.results WHERE ordinal = 2",
                words: "table results: 3 rows before, 2 now"
            ),
            Mutation(
                table: "attempts",
                change: "UPDATE promptd.attempts SET charged_millicredits = 12001 WHERE id = 1",
                words:
                    "requests of the account default, accepted: 2, reserved 0, charged 12000 before, 2, reserved 0, charged 12001 now"
            ),
            Mutation(
                table: "spending_sums",
                change: "UPDATE promptd.spending_sums SET charged_millicredits = 1",
                words: "table spending"
            ),
            Mutation(
                table: "account",
                change: "UPDATE promptd.account SET presumed_millicredits = 0",
                words: "table accounts"
            ),
        ]
    )
    func `what differs there is found, and nothing is opened`(mutation: Mutation) async throws {
        let places = try await Places()
        do {
            try await places.there { step in if step == .completed { throw Killed() } }
        } catch is Killed {}
        let connection = try await places.connect()
        try await connection.script(
            Postgres.SQL(
                pasted: """
                    ALTER TABLE promptd.\(mutation.table) DISABLE TRIGGER USER; \(mutation.change);
                    ALTER TABLE promptd.\(mutation.table) ENABLE TRIGGER USER
                    """
            )
        )
        await connection.close()
        let error = await #expect(throws: CommandError.self) { try await places.there() }
        #expect(error?.message.contains(mutation.words) == true, "\(error?.message ?? "")")
        #expect(try places.refusal(of: places.file)?.contains("promptctl migrate --undo takes it back") == true)
        #expect(try await places.refusalOfServer()?.contains("is not complete") == true)
        // All tables come anew.
        try await places.there()
        #expect(try await places.refusalOfServer() == nil)
    }

    @Test func `a text that PostgreSQL does not take is mended, and kept as it was`() async throws {
        let places = try await Places()
        try MovedQueue.write("UPDATE jobs SET prompt = CAST(x'61005cff620962' AS TEXT) WHERE id = 2", at: places.file)
        try await places.there()
        let connection = try await places.connect()
        let prompt: String = try await connection.query("SELECT prompt FROM promptd.jobs WHERE id = 2").only()[0]
        #expect(prompt == "a\u{FFFD}\\\u{FFFD}b\tb")
        let kept = try await connection.query(
            "SELECT table_name, row_key, column_name, encode(original, 'hex') FROM promptd.moved_texts"
        ).only()
        #expect(try [kept[0], kept[1], kept[2], kept[3]] == ["jobs", "2", "prompt", "61005cff620962"])
        await connection.close()
    }

    @Test func `what was under way goes on there, and turns are kept`() async throws {
        let places = try await Places()
        try MovedQueue.write(
            "UPDATE daemon SET restored_at = NULL; DELETE FROM gates; DELETE FROM set_aside; UPDATE queues SET paused = 0",
            at: places.file
        )
        try await places.there()
        let ledger = try await PostgresLedger.patient(places.conninfo)
        let now = Instant(milliseconds: 1_800_000_000_000)
        let request = ClaimRequest(
            limit: 5,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 100,
            now: now
        )
        let recovery = try await ledger.recover(now: now, rate: request.rate)
        #expect(recovery.unknown.map(\.job.rawValue).sorted() == [6, 8])
        // A window of silence: its clock is another one.
        let silent = try await ledger.claim(request) { $0.prepared(by: .builtIn, unknownModels: .allow) }
        #expect(silent.jobs.isEmpty)
        #expect(silent.nextSlotAt != nil)
        await ledger.disconnect()
    }
}
