import FoundationEssentials
import PromptQueue
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
        #expect(try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now) == nil)
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
        let copy = try await ledger.checkAge(marks: marks(fixture), now: fixture.now)
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
        #expect(try await ledger.checkAge(marks: marks(fixture), now: fixture.now + .seconds(9)) == copy)
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
            #expect(try await ledger.checkAge(marks: marks(fixture), now: fixture.now)?.requests == 1)
            try ledger.close()
        }
    }

    @Test func `a copy on a machine without marks is held, because nobody can tell`() async throws {
        let (fixture, path) = try await copied()
        for mark in marks(fixture) { try FileManager.default.removeItem(atPath: mark) }
        let ledger = try SQLiteLedger(path: path)
        let copy = try await ledger.checkAge(marks: marks(fixture), now: fixture.now)
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
        #expect(try await ledger.checkAge(marks: marks(fixture), now: fixture.now)?.requests == 0)
        try ledger.close()
    }

    @Test func `a database that was never away is not held, whatever happened to it`() async throws {
        let (fixture, _) = try await copied()
        // The marks are behind, as after a power failure.
        try Data("promptd requests 1\n\(fixture.ledger.databaseID)\n1\n".utf8)
            .write(to: URL(filePath: marks(fixture)[0]))
        try FileManager.default.removeItem(atPath: marks(fixture)[1])
        #expect(try await fixture.ledger.checkAge(marks: marks(fixture), now: fixture.now) == nil)
        try fixture.insert("(prompt) VALUES ('3')")
        #expect(try await fixture.claim(1).jobs.count == 1)
        // Another database's marks, or none at all, say nothing.
        let other = try SQLiteLedger(path: fixture.directory + "/other.sqlite")
        #expect(try await other.checkAge(marks: marks(fixture), now: fixture.now) == nil)
        try other.close()
        let nowhere = try LedgerFixture()
        #expect(try await nowhere.ledger.checkAge(marks: ["/none/mark"], now: fixture.now) == nil)
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
}
