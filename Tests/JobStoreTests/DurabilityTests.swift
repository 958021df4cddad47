import FoundationEssentials
import GRDB
import Glibc
import PromptQueue
import StateFiles
import Synchronization
import Testing

@testable import JobStore

/// That a commit is on disk when it says so, and how many share one.
@Suite struct DurabilityTests {
    @Test func `the writer syncs every commit, and nobody checkpoints by himself`() async throws {
        let fixture = try LedgerFixture()
        let (synchronous, checkpoint) = try await fixture.ledger.pool.writeWithoutTransaction { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try Int.fetchOne(db, sql: "PRAGMA wal_autocheckpoint"))
        }
        #expect(synchronous == 2)
        #expect(checkpoint == 0)
        #expect(try fixture.rows("PRAGMA journal_mode") == ["wal"])
    }

    @Test func `changes that are ready together share a transaction, and one that fails spoils no other`() async throws
    {
        let fixture = try LedgerFixture()
        for _ in 0..<20 { try fixture.insert("(prompt) VALUES ('x')") }
        let jobs = try await fixture.claim(20).jobs
        let before = fixture.ledger.commits.transactions
        let failures = await withTaskGroup(of: Bool.self) { group in
            for job in jobs {
                group.addTask {
                    let change = LedgerChange.accepted(job.attempt, task: TaskID("t"), httpStatus: 200)
                    return (try? await fixture.record(change)) == nil
                }
            }
            group.addTask {
                (try? await fixture.ledger.commits.commit { try $0.execute(sql: "DELETE FROM attempts") }) == nil
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(failures == 1)
        #expect(try fixture.rows("SELECT count(*) FROM jobs WHERE state = 'running'") == ["20"])
        #expect(fixture.ledger.commits.transactions - before < 20)
    }

    @Test func `a caller that is cancelled loses no outcome`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        }
        try await task.value
        #expect(try fixture.state(job.job) == "running")
    }

    @Test func `foreign commits are noticed, our own are not`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.ledger.hasForeignChanges()
        #expect(try await fixture.ledger.hasForeignChanges() == false)
        try fixture.insert("(prompt) VALUES ('x')")
        #expect(try await fixture.ledger.hasForeignChanges())
        _ = try await fixture.claim(1)
        #expect(try await fixture.ledger.hasForeignChanges() == false)
    }

    @Test func `the log is cut short when it has grown`() async throws {
        var options = SQLiteLedger.Options()
        options.walBytes = 50_000
        let fixture = try LedgerFixture(options)
        for number in 0..<200 {
            try await fixture.record(.trouble("number \(number)"))
        }
        #expect(fixture.ledger.walBytes < 60_000)
        try await fixture.ledger.maintain()
        #expect(fixture.ledger.walBytes == 0)
    }

    @Test func `a second daemon is kept out and told who is in`() throws {
        let directory = ScratchDirectory.make()
        let first = try OwnerLock(database: directory + "/l.sqlite")
        let held = #expect(throws: LedgerHeld.self) { try OwnerLock(database: directory + "/l.sqlite") }
        #expect(held?.processID != nil)
        #expect(held?.description.contains("works on this database") == true)
        #expect(OwnerLock.holder(database: directory + "/l.sqlite") == held?.processID)
        withExtendedLifetime(first) {}
    }

    @Test func `the lock goes with its holder`() throws {
        let directory = ScratchDirectory.make()
        do { _ = try OwnerLock(database: directory + "/l.sqlite") }
        #expect(OwnerLock.holder(database: directory + "/l.sqlite") == nil)
        _ = try OwnerLock(database: directory + "/l.sqlite")
    }

    @Test func `a holder is found among many locks of others, although its file beside the database was deleted`()
        throws
    {
        let directory = ScratchDirectory.make()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let lock = try OwnerLock(database: directory + "/l.sqlite")
        try FileManager.default.removeItem(atPath: directory + "/l.sqlite.lock")
        // Later locks stand before it: about 50 bytes each.
        let others = (0..<300).map { unsafe open(directory + "/\($0)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        defer { for other in others { close(other) } }
        for other in others { #expect(flock(other, LOCK_EX | LOCK_NB) == 0) }
        #expect(OwnerLock.holder(database: directory + "/l.sqlite") == getpid())
        withExtendedLifetime(lock) {}
    }

    @Test func `a look at the ledger that is cut off is no trouble of the ledger's`() async throws {
        let fixture = try LedgerFixture()
        let code = await withTaskGroup(of: LedgerError.Code?.self) { group in
            group.cancelAll()
            group.addTask { [ledger = fixture.ledger] in
                do throws(LedgerError) {
                    _ = try await ledger.hasForeignChanges()
                    return nil
                } catch {
                    return error.code
                }
            }
            return await group.next() ?? nil
        }
        #expect(code == .cancelled)
    }

    @Test func `a reader that never ends stops what is new before the log takes the disk, and nothing else`()
        async throws
    {
        var options = SQLiteLedger.Options()
        options.walBytes = 50_000
        options.walLimit = 200_000
        let fixture = try LedgerFixture(options)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: fixture.path, configuration: configuration)
        try reader.inDatabase { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM jobs")
        }
        try fixture.insert("(prompt) VALUES ('1')", "(prompt) VALUES ('2')")
        let first = try await fixture.claim(1).jobs
        for _ in 0..<40 {
            try fixture.insert("(prompt) VALUES (hex(zeroblob(3000)))")
            try await fixture.ledger.beat(now: fixture.now)
        }
        #expect(fixture.ledger.walBytes > 200_000)
        let error = await #expect(throws: LedgerError.self) { try await fixture.claim(1) }
        #expect(error?.code == .busy && error?.message.hasPrefix("the write-ahead log has grown to") == true)
        // What is paid for is recorded all the same.
        try await fixture.record(.accepted(first[0].attempt, task: TaskID("t"), httpStatus: 200))
        try reader.inDatabase { try $0.execute(sql: "COMMIT") }
        try await fixture.ledger.maintain()
        // The checkpoint leaves the log alone for a while after a reader stood in its way.
        try await fixture.shell.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        #expect(try await fixture.claim(1).jobs.count == 1)
    }
}
