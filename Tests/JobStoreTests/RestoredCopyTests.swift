import FoundationEssentials
import GRDB
import Glibc
import Migrations
import PromptQueue
import StateFiles
import Testing

@testable import JobStore

/// An older copy in the database's place must not send again what was paid for after it was made.
@Suite struct RestoredCopyTests {
    private func marks(_ fixture: LedgerFixture) -> [String] {
        [fixture.path + "-requests", fixture.directory + "/media-requests"]
    }

    /// Two jobs; one is sent, a plain copy of the database is made, and then the other one is sent.
    private func copied() async throws -> (fixture: LedgerFixture, copy: String) {
        let fixture = try LedgerFixture()
        #expect(try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now).copy == nil)
        try fixture.insert("(prompt) VALUES ('1')", "(prompt) VALUES ('2')")
        #expect(try await fixture.claim(1).jobs.count == 1)
        try await fixture.ledger.maintain()
        let copy = fixture.directory + "/copy.sqlite"
        try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
        #expect(try await fixture.claim(1).jobs.count == 1)
        return (fixture, copy)
    }

    private func claim(_ ledger: SQLiteLedger, _ fixture: LedgerFixture) async throws -> [Int64] {
        let claim = try await ledger.claim(fixture.request(10)) { _ in
            .ready(
                PreparedInput(input: [:], estimate: Estimate(credits: Credits(millicredits: 1), basis: .listed("x")))
            )
        }
        return claim.jobs.map(\.job.rawValue)
    }

    @Test func `a plain copy is found by the number of the last request, and submits nothing`() async throws {
        let (fixture, path) = try await copied()
        let ledger = try SQLiteLedger(path: path)
        let copy = try await ledger.checkAge(marks: marks(fixture), now: fixture.now).copy
        #expect(copy == RestoredCopy(since: fixture.now, requests: 1, lastJob: JobID(2)))
        #expect(try await claim(ledger, fixture) == [])
        // It stays so over a restart, and whatever gates come and go.
        try await ledger.begin(
            DaemonIdentity(
                processID: 1,
                version: "x",
                rate: RateLimit(count: 20, window: .seconds(10)),
                runningLimit: 100,
                rules: AccountRules()
            ),
            now: fixture.now
        )
        _ = try await ledger.record(.gates([]), now: fixture.now)
        #expect(try await ledger.checkAge(marks: marks(fixture), now: fixture.now + .seconds(9)).copy == copy)
        let file = try QueueFile(path: path)
        #expect(try file.status().queues.first?.blockedBy == .restored)
        #expect(try file.jobsToSend(of: #require(copy)).map(\.rawValue) == [2])
        #expect(try file.restoredCopy() == copy)
        try file.release()
        #expect(try file.status().queues.first?.blockedBy != .restored)
        try file.close()
        #expect(try await claim(ledger, fixture) == [2])
        // The numbers of the missing requests are not given again.
        #expect(try await ledger.underWay().map(\.attempt.rawValue).max() == 3)
        try ledger.close()
    }

    @Test func `one of the two marks is enough`() async throws {
        for lost in 0..<2 {
            let (fixture, path) = try await copied()
            try FileManager.default.removeItem(atPath: marks(fixture)[lost])
            let ledger = try SQLiteLedger(path: path)
            #expect(try await ledger.checkAge(marks: marks(fixture), now: fixture.now).copy?.requests == 1)
            try ledger.close()
        }
    }

    @Test func `a copy on a machine without marks is held, because nobody can tell`() async throws {
        let (fixture, path) = try await copied()
        for mark in marks(fixture) { try FileManager.default.removeItem(atPath: mark) }
        let ledger = try SQLiteLedger(path: path)
        let copy = try await ledger.checkAge(marks: marks(fixture), now: fixture.now).copy
        #expect(copy != nil && copy?.requests == nil)
        try ledger.close()
    }

    @Test func `promptctl's backup knows that it is one, even if nothing is missing`() async throws {
        let (fixture, _) = try await copied()
        let path = fixture.directory + "/backup.sqlite"
        let file = try QueueFile(path: fixture.path)
        try file.copy(to: path)
        try file.close()
        #expect(try fixture.rows("SELECT is_copy FROM daemon") == ["0"])
        let ledger = try SQLiteLedger(path: path)
        let copy = try await ledger.checkAge(marks: marks(fixture), now: fixture.now).copy
        #expect(copy != nil && copy?.requests == nil, "nobody can tell")
        try ledger.close()
    }

    @Test func `a database that was never away is not held, whatever happened to it`() async throws {
        let (fixture, _) = try await copied()
        // One mark is lost; the other one is enough, and it comes back.
        try FileManager.default.removeItem(atPath: marks(fixture)[1])
        for _ in 0..<2 {
            let age = try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now)
            #expect(age == AgeCheck(copy: nil, problems: []))
            #expect(FileManager.default.fileExists(atPath: marks(fixture)[1]))
        }
        try fixture.insert("(prompt) VALUES ('3')")
        #expect(try await fixture.claim(1).jobs.count == 1)
        // Another database's marks say nothing.
        let other = try SQLiteLedger(path: fixture.directory + "/other.sqlite")
        #expect(try await other.checkAge(marks: marks(fixture), now: fixture.now).copy == nil)
        try other.close()
    }

    @Test func `where nothing can be noted it is said, and only what was noted before is missed`() async throws {
        let fixture = try LedgerFixture()
        let nowhere = try await fixture.ledger.checkAge(marks: ["/none/mark"], now: fixture.now)
        #expect(nowhere.copy == nil && nowhere.problems.count == 1)
        #expect(try await fixture.ledger.checkAge(marks: ["/none/mark"], now: fixture.now).copy == nil)
        #expect(try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now).copy == nil)
        // From now on marks are expected; links are not followed.
        for mark in marks(fixture) {
            try FileManager.default.removeItem(atPath: mark)
            try FileManager.default.createSymbolicLink(atPath: mark, withDestinationPath: "/none")
        }
        let blind = try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now)
        #expect(blind.copy != nil && blind.problems.count == 4, "neither read nor written: \(blind.problems)")
    }

    @Test func `marks that were copied along with the database say nothing`() async throws {
        let (fixture, path) = try await copied()
        let elsewhere = fixture.directory + "/restored-mark"
        try FileManager.default.copyItem(atPath: marks(fixture)[0], toPath: elsewhere)
        let ledger = try SQLiteLedger(path: path)
        let copy = try await ledger.checkAge(marks: [elsewhere], now: fixture.now).copy
        #expect(copy != nil && copy?.requests == nil)
        try ledger.close()
    }

    @Test func `the original that comes back after its copy has gone on elsewhere is held`() async throws {
        let (fixture, path) = try await copied()
        let mark = fixture.directory + "/other-machine"
        let copy = try SQLiteLedger(path: path)
        #expect(try await copy.checkAge(marks: [mark], now: fixture.now).copy != nil)
        let file = try QueueFile(path: path)
        try file.release()
        try file.close()
        #expect(try await claim(copy, fixture) == [2])
        try copy.close()
        // It knows as many requests as were noted there, but others.
        #expect(try fixture.rows("SELECT max(id) FROM attempts") == ["2"])
        #expect(try await fixture.ledger.checkAge(marks: [mark], now: fixture.now).copy != nil)
    }

    @Test func `numbers of lost jobs are not given again`() async throws {
        let (fixture, path) = try await copied()
        try fixture.insert("(prompt) VALUES ('3')")
        #expect(try await fixture.claim(1).jobs.map(\.job.rawValue) == [3])
        let ledger = try SQLiteLedger(path: path)
        _ = try await ledger.checkAge(marks: marks(fixture), now: fixture.now)
        let shell = try openShell(path)
        try await shell.write { try $0.execute(sql: "INSERT INTO jobs (prompt) VALUES ('new')") }
        #expect(try await shell.read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM jobs") } == 4)
        try ledger.close()
    }

    @Test func `a task of the copy that fails is not paid for again by itself`() async throws {
        let (fixture, path) = try await copied()
        let ledger = try SQLiteLedger(path: path)
        _ = try await ledger.recover(now: fixture.now, rate: RateLimit(count: 20, window: .seconds(10)))
        _ = try await ledger.checkAge(marks: marks(fixture), now: fixture.now)
        let shell = try openShell(path)
        #expect(try await shell.read { try Int.fetchOne($0, sql: "SELECT max_attempts FROM jobs WHERE id = 1") } == 1)
        try ledger.close()
    }

    @Test func `a backup of an older schema is brought up to date and held, without marks too`() async throws {
        let fixture = try LedgerFixture()
        let old = fixture.directory + "/old.sqlite"
        let shell = try openShell(old)
        try await shell.write { db in
            for migration in Migrations.all.prefix(2) {
                try db.execute(sql: String(decoding: migration, as: UTF8.self))
            }
            try db.execute(sql: "INSERT INTO jobs (prompt) VALUES ('waits')")
        }
        try shell.close()
        let path = fixture.directory + "/new.sqlite"
        _ = try DatabaseReplacement(path: path).replace(with: old, at: fixture.now)
        let ledger = try SQLiteLedger(path: path)
        #expect(try await ledger.checkAge(marks: [path + "-requests"], now: fixture.now).copy != nil)
        #expect(try await claim(ledger, fixture) == [])
        try ledger.close()
    }

    @Test func `a log without its database is not thrown away`() async throws {
        let path = ScratchDirectory.make() + "/q.sqlite"
        try Data(repeating: 1, count: 100).write(to: URL(filePath: path + "-wal"))
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: path) }
        #expect(error?.code == .unusable && error?.message.contains("its write-ahead log") == true)
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
    }

    @Test func `a backup takes the database's place, which is moved aside with its log`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('1')")
        let backup = fixture.directory + "/backup.sqlite"
        let file = try QueueFile(path: fixture.path)
        try file.copy(to: backup)
        try file.close()
        try fixture.insert("(prompt) VALUES ('2')")
        let replacement = try DatabaseReplacement(path: fixture.path)
        let lock = try OwnerLock(database: fixture.path)
        #expect(throws: LedgerHeld.self) { try replacement.replace(with: backup, at: fixture.now) }
        withExtendedLifetime(lock) {}
        _ = consume lock
        try fixture.ledger.close()
        let aside = try #require(try replacement.replace(with: backup, at: fixture.now))
        #expect(FileManager.default.fileExists(atPath: aside))
        #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
        let restored = try QueueFile(path: fixture.path)
        var prompts: [String?] = []
        try restored.forEachJob(matching: JobFilter(), limit: 9) { prompts.append($0.prompt) }
        #expect(prompts == ["1"])
        try restored.close()
        let old = try QueueFile(path: aside)
        #expect(try old.status().queues.first?.counts[.queued] == 2)
        try old.close()
    }

    @Test func `what is no backup leaves the database as it is`() async throws {
        let fixture = try LedgerFixture()
        let bad = fixture.directory + "/letter"
        try Data("dear aunt, this is a long letter and no database".utf8).write(to: URL(filePath: bad))
        let replacement = try DatabaseReplacement(path: fixture.path)
        for backup in [bad, fixture.directory + "/none"] {
            #expect(throws: LedgerError.self) { try replacement.replace(with: backup, at: fixture.now) }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!names.contains { $0.contains("restoring") || $0.contains("replaced") })
        try fixture.insert("(prompt) VALUES ('1')")
    }

    @Test func `a kill in the last step of a restore is undone, unless the restore is still at work`() async throws {
        let fixture = try LedgerFixture()
        try fixture.ledger.close()
        try fixture.shell.close()
        let aside = fixture.path + ".replaced-1"
        let files = FileManager.default
        #expect(files.createFile(atPath: aside + "-outcomes", contents: Data("kept".utf8)))
        try files.linkItem(atPath: fixture.path, toPath: aside)
        // A restore holds the file itself.
        let holder = unsafe open(fixture.path, O_RDONLY)
        #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
        #expect(throws: LedgerError.self) { _ = try OwnerLock(database: fixture.path) }
        #expect(files.fileExists(atPath: aside))
        close(holder)
        let lock = try OwnerLock(database: fixture.path)
        #expect(!files.fileExists(atPath: aside))
        #expect(files.contents(atPath: fixture.path + "-outcomes") == Data("kept".utf8))
        withExtendedLifetime(lock) {}
        // Another second name is none of promptd's business.
        try files.linkItem(atPath: fixture.path, toPath: fixture.path + ".mine")
        #expect(throws: LedgerError.self) { _ = try OwnerLock(database: fixture.path) }
        #expect(files.fileExists(atPath: fixture.path + ".mine"))
    }

    @Test func `a transaction that a power cut left half done is undone at the next start`() async throws {
        let fixture = try LedgerFixture()
        try fixture.ledger.close()
        try fixture.shell.close()
        let cut = fixture.directory + "/cut.sqlite"
        let shell = try openShell(fixture.path)
        try await shell.writeWithoutTransaction { db in
            // As before a new or restored file is turned to WAL mode.
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE")
            for number in 0..<200 {
                try db.execute(
                    sql: "INSERT INTO jobs (prompt) VALUES (?)",
                    arguments: [String(repeating: "fox \(number) ", count: 100)]
                )
            }
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: cut + suffix)
            }
            try db.execute(sql: "ROLLBACK")
        }
        try shell.close()
        let ledger = try SQLiteLedger(path: cut)
        try ledger.close()
        let left = try openShell(cut)
        #expect(try await left.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM jobs") } == 0)
        #expect(try await left.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
    }
}
