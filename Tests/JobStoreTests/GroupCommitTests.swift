import FoundationEssentials
import GRDB
import Glibc
import PromptQueue
import Synchronization
import Testing

@testable import JobStore

/// That changes which share a transaction do not share their failures.
@Suite struct GroupCommitTests {
    private struct Refused: Error {}

    @Test func `of changes that share a transaction only the one that fails is left out`() async throws {
        let fixture = try LedgerFixture()
        let pool = fixture.ledger.pool
        let commits = GroupCommit(pool, maximum: 100) { _ in }
        try await pool.write { try $0.execute(sql: "CREATE TABLE t (a INTEGER UNIQUE)") }
        let before = commits.transactions
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
            for number in 0..<20 {
                group.addTask {
                    do throws(LedgerError) {
                        try await commits.commit { db in
                            try db.execute(sql: "INSERT INTO t VALUES (?)", arguments: [number % 19])
                        }
                        return (number, true)
                    } catch {
                        return (number, false)
                    }
                }
            }
            var outcomes: [Int: Bool] = [:]
            for await (number, isDone) in group { outcomes[number] = isDone }
            return outcomes
        }
        #expect(outcomes.values.count(where: { !$0 }) == 1)
        #expect(try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 19)
        #expect(commits.transactions - before <= 19)
    }

    @Test func `an error of the disk comes with the system's word for it, if it has one`() throws {
        let error = DatabaseError(resultCode: .SQLITE_IOERR, message: "disk I/O error")
        let text = "reading or writing the database failed: disk I/O error"
        #expect(LedgerError(error, trouble: { EROFS }).message == text + " (Read-only file system)")
        #expect(LedgerError(error, trouble: { EROFS }).isTransient)
        #expect(LedgerError(DatabaseError(resultCode: .SQLITE_FULL), trouble: { EROFS }).message == "the disk is full")
        let fixture = try LedgerFixture()
        #expect(LedgerError(error, at: fixture.path).message == text)
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!files.contains { !$0.hasPrefix("ledger.sqlite") }, "\(files)")
    }

    /// A full disk takes a small write where it has no room for a larger one: readiness must not come and go with it.
    @Test func `after a write that found no room only another real one proves that there is some`() async throws {
        let fixture = try LedgerFixture()
        let commits = GroupCommit(fixture.ledger.pool, maximum: 100) { _ in }
        func write(_ error: ResultCode?, isProbe: Bool = false) async throws {
            await withCheckedContinuation { continuation in
                commits.commit(
                    { db in
                        guard let error else { return }
                        // As SQLite does when the disk is full.
                        try db.rollback()
                        throw DatabaseError(resultCode: error)
                    },
                    isProbe: isProbe
                ) { _ in continuation.resume() }
            }
            // How it ended is noted on the writer, before it is free again.
            try await fixture.ledger.pool.write { _ in }
        }
        let long = Duration.seconds(60)
        try await write(nil)
        #expect(commits.isWriting(within: long) == true)
        try await write(.SQLITE_FULL)
        #expect(commits.isWriting(within: long) == false)
        try await write(nil, isProbe: true)
        #expect(commits.isWriting(within: long) == false)
        #expect(commits.isWriting(within: .zero) == false, "however long ago it was")
        try await write(nil)
        #expect(commits.isWriting(within: long) == true)
        #expect(commits.isWriting(within: .zero) == nil)
    }

    @Test func `a change that fails leaves nothing of itself`() async throws {
        let fixture = try LedgerFixture()
        try await fixture.ledger.pool.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        let commits = GroupCommit(fixture.ledger.pool, maximum: 100) { _ in }
        await #expect(throws: LedgerError.self) {
            try await commits.commit { db in
                try db.execute(sql: "INSERT INTO t VALUES (1)")
                throw Refused()
            }
        }
        #expect(try await fixture.ledger.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 0)
        try await commits.commit { db in try db.execute(sql: "INSERT INTO t VALUES (2)") }
        #expect(try await fixture.ledger.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 1)
    }

    /// The steps follow from each other, so that no time has to pass.
    @Test(.timeLimit(.minutes(1))) func `more is waited for only after there was much of its kind`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<11 { try fixture.insert("(prompt) VALUES ('a fox')") }
        let changes = try await fixture.claim(20).jobs.map {
            GroupedChange(
                change: .accepted($0.attempt, task: TaskID("t\($0.attempt)"), httpStatus: 200),
                now: fixture.now,
                account: .standard
            )
        }
        let waits = Mutex<[Duration]>([])
        let sizes = Mutex<[Int]>([])
        let done = Mutex(0)
        let (ends, end) = AsyncStream<Void>.makeStream()
        let late = Mutex<(@Sendable () -> Void)?>(nil)
        let commits = GroupCommit(
            fixture.ledger.pool,
            maximum: 100,
            wait: { pause in
                waits.withLock { $0.append(pause) }
                late.withLock { $0 }?()
            },
            afterCommit: { _ in
                let count = done.withLock { done in
                    defer { done = 0 }
                    return done
                }
                sizes.withLock { $0.append(count) }
            }
        )
        let add: @Sendable (Range<Int>, @escaping @Sendable (Int) -> Void) -> Void = { [changes] numbers, then in
            for number in numbers {
                commits.commit(changes[number]) { _ in
                    done.withLock { $0 += 1 }
                    then(number)
                }
            }
        }
        late.withLock { $0 = { add(9..<10) { _ in add(10..<11) { _ in end.finish() } } } }
        // While this one has the writer the first eight gather by themselves.
        try await commits.commit { _ in
            add(0..<8) { number in if number == 7 { add(8..<9) { _ in } } }
        }
        for await _ in ends {}
        try await fixture.ledger.pool.write { _ in }
        #expect(sizes.withLock { $0 } == [0, 8, 2, 1])
        #expect(waits.withLock { $0 } == [.milliseconds(8)])
    }
}
