import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import Simulation

/// Random SQL, legal and illegal, against a ledger at work. What a shell may do to a job is much; what it may not do is
/// make another request of a job that has one open or paid for, or change what is settled.
@Suite(.serialized, .blocking)
struct ForeignSQLTests {
    /// `PROMPTD_TEST_STATEMENTS` asks for more of them.
    private static let steps =
        ProcessInfo.processInfo.environment["PROMPTD_TEST_STATEMENTS"].flatMap { Int($0) } ?? 250

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `no statement makes a job be paid for twice, or rewrites what is settled`(seed: UInt64) async throws {
        let shell = try StrangersShell(seed: seed)
        for _ in 0..<Self.steps { try await shell.step() }
        #expect(shell.taken > 20, "statements that the schema takes, so that there is something to see")
        #expect(shell.refused > 20)
        #expect(shell.claimed > 5)
        try await shell.remove()
    }
}

/// A stranger's shell beside a daemon that claims and records, and what both remember of each other.
private final class StrangersShell {
    private enum Fate { case open, nothingMade, failed, paid }

    private let place: any SimulatedPlace
    private var chance: Chance
    private var columns: [String: [String]] = [:]
    private var now = Instant(milliseconds: 1_800_000_000_000)
    private var added = 0
    /// By the job's key, or its id: what became of each request.
    private var sent: [String: [AttemptID: Fate]] = [:]
    private var keys: [AttemptID: String] = [:]
    private var running: [AttemptID] = []
    /// Attempts that somebody has settled by hand: what follows is his own affair.
    private var handled: Set<AttemptID> = []
    /// As the last statement left things, if nothing has happened since.
    private var last: Snapshot?
    private(set) var taken = 0
    private(set) var refused = 0
    private(set) var claimed = 0

    init(seed: UInt64) throws {
        place = try SQLitePlace(seed: seed)
        chance = Chance(seed: seed, purpose: "strangers")
        for _ in 0..<12 { try add() }
    }

    func remove() async throws { try await place.remove() }

    func step() async throws {
        now = now + .milliseconds(chance.whole(0...3_000))
        switch chance.draw([(14.0, 0), (1, 1), (2, 2), (2, 3), (0.3, 4)]) {
        case 0: return try strike()
        case 1: try add()
        case 2: try await claim()
        case 4: try await restart()
        default: try await end()
        }
        last = nil
    }

    // MARK: - The stranger

    private func add() throws {
        added += 1
        let batch = chance.happens(0.3) ? "'b'" : "NULL"
        try place.run(
            "INSERT INTO jobs (prompt, unique_key, batch, priority) VALUES ('x', 'k\(added)', \(batch), \(added % 2))"
        )
    }

    private func strike() throws {
        let statement = try ForeignStatement(&chance, in: place.dialect, reach: .any, jobs: added) { table in
            if let known = columns[table] { return known }
            let found = try place.columns(of: table)
            columns[table] = found
            return found
        }
        let before = try last ?? Snapshot(place)
        // OR FAIL keeps the rows that were changed before the one that was refused.
        if try place.tries(statement.sql) { taken += 1 } else { refused += 1 }
        let after = try Snapshot(place)
        last = after
        check(before, after, statement.sql)
        for (token, row) in before.open where after.open[token] != row { handled.insert(AttemptID(row["id"])) }
    }

    private func check(_ before: Snapshot, _ after: Snapshot, _ sql: String) {
        for (token, row) in before.settled where after.settled[token] != row {
            // While a job that is tried again runs on its failed task, that may have succeeded after all: promptd writes so.
            let isAskedAgain =
                row["error_code"] as String? != nil && (after.settled[token]?["error_code"] as String?) == nil
                && before.asked.contains(row["id"])
            #expect(isAskedAgain, "attempt \(row) was settled, and was changed by: \(sql)")
        }
        for (token, row) in before.open {
            let other = after.open[token] ?? after.settled[token]
            #expect(
                other?["id"] == row["id"] as Int64 && other?["job_id"] == row["job_id"] as Int64,
                "attempt \(row) was open, and is gone or another's after: \(sql)"
            )
        }
        for (id, row) in before.results where row["state"] == "saved" {
            let job: Int64 = row["job_id"]
            #expect(
                after.results[id] == row || (after.results[id] == nil && !after.jobs.values.contains(job)),
                "a saved result was changed by: \(sql)"
            )
        }
        for (key, id) in before.jobs {
            #expect(after.jobs[key] == nil || after.jobs[key] == id, "job \(key) got another id by: \(sql)")
        }
        #expect(after.twice.isEmpty, "jobs with two open attempts after: \(sql)")
        #expect(after.waitingThoughPaid.isEmpty, "jobs that wait though a request is open or paid for, after: \(sql)")
    }

    // MARK: - The daemon

    /// Whatever was written, the next start finds its way, and the engine takes what it finds.
    private func restart() async throws {
        for row in try place.rows("SELECT id FROM attempts WHERE state = 'sending'") {
            handled.insert(AttemptID(row[0]))
        }
        let recovery = try await place.ledger.recover(now: now, rate: RateLimit(count: 20, window: .seconds(10)))
        var engine = Engine(settings: EngineSettings(), seed: 1)
        var moment = Moment(instant: now, uptime: .seconds(1_000))
        _ = engine.handle(.started(recovery), now: moment)
        for _ in 0..<20 {
            moment = moment + .seconds(60)
            _ = engine.handle(.tick, now: moment)
        }
        running = recovery.tasks.map(\.attempt).filter { keys[$0] != nil }
    }

    private func claim() async throws {
        let request = ClaimRequest(
            limit: 3,
            rate: RateLimit(count: 1_000, window: .seconds(1)),
            runningLimit: 1_000,
            now: now
        )
        let claim = try await place.ledger.claim(request) { _ in
            let estimate = Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))
            return .ready(PreparedInput(input: [:], estimate: estimate, unknownFields: []))
        }
        for job in claim.jobs {
            claimed += 1
            let row = try place.rows(
                "SELECT coalesce(unique_key, 'id ' || id) FROM jobs WHERE id = ?",
                [job.job.rawValue]
            )
            let key: String = row[0][0]
            let earlier = sent[key, default: [:]].filter { !handled.contains($0.key) }
            #expect(
                earlier.values.allSatisfy { $0 == .nothingMade || $0 == .failed },
                "job \(key) is sent again although of its requests one is open or paid for: \(earlier)"
            )
            keys[job.attempt] = key
            sent[key, default: [:]][job.attempt] = .open
            switch chance.draw([(6.0, 0), (1, 1), (2, 2), (1, 3)]) {
            case 0:
                try await record(.accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200))
                running.append(job.attempt)
            case 1:
                let failure = Failure(.rateLimited, "later")
                sent[key]?[job.attempt] = .nothingMade
                try await record(.rejected(job.attempt, failure, then: .retry(at: now, counted: false)))
            case 2:
                try await record(.unknown(job.attempt, Failure(.answerLost, "lost")))
            default:
                break
            }
        }
    }

    private func end() async throws {
        guard !running.isEmpty else { return }
        let attempt = running.remove(at: chance.whole(0...running.count - 1))
        guard let key = keys[attempt] else { return }
        if chance.happens(0.5) {
            sent[key]?[attempt] = .paid
            let outputs: [TaskOutput] = [.file(url: "https://media.test/\(attempt)")]
            try await record(
                .taskSucceeded(attempt, outputs, charged: Credits(millicredits: 14_000), fetch: true, took: .seconds(9))
            )
            guard chance.happens(0.5) else { return }
            for row in try place.rows("SELECT job_id, ordinal FROM results WHERE attempt_id = ?", [attempt.rawValue]) {
                let file = SavedFile(path: "p\(attempt)", contentType: "image/png", bytes: 1, sha256: "s")
                try await record(.resultSaved(ResultID(job: JobID(row[0]), ordinal: row[1]), file))
            }
        } else {
            sent[key]?[attempt] = .failed
            let then: FailureDisposition = chance.happens(0.5) ? .fail : .retry(at: now, counted: true)
            try await record(.taskFailed(attempt, Failure(.taskFailed, "no"), charged: .zero, then: then))
        }
    }

    /// What strangers did may make the ledger refuse what happened. Then the job is left alone.
    private func record(_ change: LedgerChange) async throws {
        let ledger = try place.ledger
        do throws(LedgerError) {
            _ = try await ledger.record(change, now: now)
        } catch {
            guard error.code == .constraint else { throw error }
        }
    }
}

/// What must not be changed, and what must not be.
private struct Snapshot {
    var settled: [String: SimulatedRow] = [:]
    var open: [String: SimulatedRow] = [:]
    var results: [String: SimulatedRow] = [:]
    /// Ids by keys.
    var jobs: [String: Int64] = [:]
    var twice: [Int64] = []
    var waitingThoughPaid: [Int64] = []
    /// Attempts that have failed, and on whose tasks their jobs run again.
    var asked: Set<Int64> = []

    init(_ place: any SimulatedPlace) throws {
        for row in try place.rows("SELECT * FROM attempts") {
            let token: String = row["token"]
            if row["finished_at"] as Int64? == nil { open[token] = row } else { settled[token] = row }
        }
        for row in try place.rows("SELECT * FROM results") {
            results["\(row["job_id"] as Int64)-\(row["ordinal"] as Int64)"] = row
        }
        for row in try place.rows("SELECT id, coalesce(unique_key, 'id ' || id) AS key FROM jobs") {
            jobs[row["key"]] = row["id"]
        }
        twice = try place.rows(
            "SELECT job_id FROM attempts WHERE finished_at IS NULL GROUP BY job_id HAVING count(*) > 1"
        )
        .map { $0[0] }
        asked = Set(
            try place.rows(
                """
                SELECT a.id FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id AND j.task_id = a.task_id
                WHERE j.state = 'running' AND a.finished_at IS NOT NULL AND a.error_code IS NOT NULL
                """
            )
            .map { $0[0] }
        )
        waitingThoughPaid = try place.rows(
            """
            SELECT id FROM jobs WHERE state = 'queued' AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id
                AND (a.finished_at IS NULL OR (a.state = 'accepted' AND a.error_code IS NULL)))
            """
        )
        .map { $0[0] }
    }
}
