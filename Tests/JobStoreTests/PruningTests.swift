import FoundationEssentials
import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// Finished jobs go, what they cost stays.
@Suite struct PruningTests {
    /// One job that has succeeded and was paid for, with a file.
    private func succeeded(_ values: String = "(prompt) VALUES ('a fox')") async throws -> LedgerFixture {
        let fixture = try LedgerFixture()
        try fixture.insert(values)
        for job in try await fixture.claim(1).jobs {
            try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
            try await fixture.record(
                .taskSucceeded(job.attempt, [.file(url: "u")], charged: Credits(millicredits: 12_000), fetch: true)
            )
            let file = SavedFile(
                path: "default/\(job.job)-0.png",
                contentType: "image/png",
                bytes: 9,
                sha256: String(repeating: "a", count: 64)
            )
            try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        }
        return fixture
    }

    private func prune(
        _ fixture: LedgerFixture,
        before age: Duration = .zero,
        removesFiles: Bool = false,
        limit: Int = 10
    ) async throws -> Pruned {
        var filter = JobFilter()
        filter.finishedBefore = fixture.now + .seconds(1) - age
        return try await fixture.ledger.prune(
            PruneRequest(filter, limit: limit, removesFiles: removesFiles),
            now: fixture.now
        )
    }

    @Test func `the job goes with its prompt, and every sum stays`() async throws {
        let fixture = try await succeeded()
        let sums = """
            SELECT (SELECT group_concat(charged_credits) FROM spend_daily),
                (SELECT charged_millicredits FROM accounts),
                (SELECT charged_millicredits FROM spending WHERE period = 'total'),
                (SELECT count(*) FROM attempts WHERE charged_millicredits = 12000)
            """
        let before = try fixture.rows(sums)
        #expect(try await prune(fixture, before: .seconds(60)) == Pruned(), "it is not old enough")
        #expect(try await prune(fixture) == Pruned(jobs: 1, files: 1))
        #expect(try await prune(fixture) == Pruned())
        #expect(try fixture.rows("SELECT count(*) FROM jobs UNION ALL SELECT count(*) FROM results") == ["0", "0"])
        #expect(try fixture.rows(sums) == before)
        #expect(try fixture.rows("SELECT count(*) FROM attempts WHERE input IS NOT NULL") == ["0"])
        let file = try QueueFile(path: fixture.path)
        #expect(try file.sumFaults().isEmpty)
        try file.close()
    }

    @Test func `a key that was paid for stays taken, whoever inserts it and how`() async throws {
        let fixture = try await succeeded("(prompt, unique_key, labels) VALUES ('a fox', 'k1', '{\"sku\":1}')")
        #expect(try await prune(fixture) == Pruned(jobs: 1, files: 1))
        #expect(try await prune(fixture) == Pruned(), "it is not pruned again")
        #expect(
            try fixture.rows("SELECT state, prompt, input, labels, pruned_at > 0, charged_millicredits FROM jobs")
                == ["succeeded||{}||1|12000"]
        )
        #expect(try fixture.rows("SELECT count(*) FROM results") == ["0"])
        #expect(
            fixture.refusal("INSERT INTO jobs (prompt, unique_key) VALUES ('again', 'k1')")
                == "UNIQUE constraint failed: jobs.unique_key"
        )
        for statement in [
            "INSERT OR IGNORE INTO jobs (prompt, unique_key) VALUES ('again', 'k1')",
            "INSERT INTO jobs (prompt, unique_key) VALUES ('again', 'k1') ON CONFLICT (unique_key) DO NOTHING",
        ] { try fixture.run(statement) }
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["1"])
        #expect(fixture.refusal("INSERT OR REPLACE INTO jobs (prompt, unique_key) VALUES ('again', 'k1')") != nil)
        for change in ["prompt = 'x'", "state = 'queued'", "labels = '{}'", "pruned_at = NULL", "pruned_at = 5"] {
            #expect(fixture.refusal("UPDATE jobs SET \(change)") != nil, "\(change)")
        }
        // Who wants another one says so.
        try fixture.run("DELETE FROM jobs WHERE unique_key = 'k1'")
        try fixture.insert("(prompt, unique_key) VALUES ('on purpose', 'k1')")
    }

    @Test func `what has not ended is pruned by nobody`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a fox')")
        #expect(
            fixture.refusal("UPDATE jobs SET pruned_at = 5, prompt = NULL")?.hasPrefix(
                "jobs.pruned_at: is written by promptd"
            )
                == true
        )
        #expect(fixture.refusal("INSERT INTO jobs (prompt, pruned_at) VALUES ('x', 5)") != nil)
    }

    @Test func `a key of a job that cost nothing is free again`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('a fox', 'k1')")
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await prune(fixture, before: .seconds(-1_000_000_000)) == Pruned(jobs: 1))
        try fixture.insert("(prompt, unique_key) VALUES ('a fox', 'k1')")
    }

    @Test func `what may still be charged stays`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('runs')", "(prompt) VALUES ('lost')", "(prompt) VALUES ('waits')")
        let jobs = try await fixture.claim(2).jobs
        try await fixture.record(.accepted(jobs[0].attempt, task: TaskID("t"), httpStatus: 200))
        try await fixture.record(.unknown(jobs[1].attempt, Failure(.answerLost, "lost")))
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id < 3")
        #expect(try await prune(fixture, before: .seconds(-1_000_000_000)) == Pruned())
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["3"])
    }

    @Test func `files are named for removal until they are gone, and none of a job that is there`() async throws {
        let fixture = try await succeeded()
        let removal = Removal(job: JobID(1), path: "default/1-0.png")
        try fixture.run("INSERT INTO removals VALUES ('default/1-0.png', 1)")
        #expect(try await fixture.ledger.removals(after: "", limit: 9).isEmpty, "the job is there")
        #expect(try await prune(fixture, removesFiles: true) == Pruned(jobs: 1, files: 1))
        #expect(try await fixture.ledger.removals(after: "", limit: 9) == [removal])
        try await fixture.ledger.removed([removal])
        #expect(try await fixture.ledger.removals(after: "", limit: 9).isEmpty)
    }

    @Test(arguments: [
        "../../etc/passwd", "/etc/passwd", "default/2-0.png", "1-0.png", "../1-0.png", ".partial/1-0", "a/b/1-0.png",
    ])
    func `nobody names a foreign file for removal`(path: String) async throws {
        let fixture = try await succeeded()
        _ = try await prune(fixture)
        #expect(
            fixture.refusal("INSERT INTO removals VALUES ('\(path)', 1)")
                == "removals: is written by promptd, for the files of a job that it prunes"
        )
        // Not even with the rule out of the way.
        try fixture.run("DROP TRIGGER removals_of_results")
        guard !["default/2-0.png", "a/b/1-0.png"].contains(path) else { return }
        #expect(
            fixture.refusal("INSERT INTO removals VALUES ('\(path)', 1)")
                == "CHECK constraint failed: removals.path: a file in a folder of the media directory"
        )
    }

    @Test(arguments: ["../x.png", "/etc/passwd", "a//x.png", "a/", ".partial/1-0", "a/../../x.png", "a/.hidden"])
    func `no result's path leads out of the media directory, or to what is hidden`(path: String) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a fox')")
        let job = try #require(try await fixture.claim(1).jobs.first)
        try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: true))
        #expect(
            fixture.refusal("UPDATE results SET path = '\(path)'")
                == "results.path: is relative to the media directory, and stays within it"
        )
        try fixture.run("UPDATE results SET path = 'a/b c/x..y-0.png'")
    }

    @Test func `a name that was free again keeps its new file`() async throws {
        let fixture = try await succeeded()
        #expect(try await prune(fixture, removesFiles: true) == Pruned(jobs: 1, files: 1))
        // The file of the first is gone, and promptd ended before it could say so.
        try fixture.insert("(prompt) VALUES ('another')")
        let job = try #require(try await fixture.claim(1).jobs.first)
        try await fixture.record(.accepted(job.attempt, task: TaskID("t2"), httpStatus: 200))
        try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: true))
        let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 9, sha256: "a")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        #expect(try await fixture.ledger.removals(after: "", limit: 9).isEmpty)
    }

    @Test func `as many as are asked for go at once, the oldest first`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('x')") }
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let later = Duration.seconds(-1_000_000_000)
        #expect(try await prune(fixture, before: later, limit: 2) == Pruned(jobs: 2))
        #expect(try fixture.rows("SELECT id FROM jobs") == ["3", "4", "5"])
        let plan = try fixture.rows(
            """
            EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE jobs.state IN ('succeeded', 'failed', 'cancelled')
                AND jobs.pruned_at IS NULL AND jobs.finished_at < 5 ORDER BY finished_at LIMIT 2
            """
        )
        #expect(plan.contains { $0.contains("USING INDEX jobs_finished") }, "\(plan)")
    }

    @Test func `a rule of somebody's own keeps its job, and no other`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<3 { try fixture.insert("(prompt) VALUES ('x')") }
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("CREATE TABLE notes (job INTEGER REFERENCES jobs (id)); INSERT INTO notes VALUES (2)")
        let pruned = try await prune(fixture, before: .seconds(-1_000_000_000))
        #expect(pruned.jobs == 2)
        #expect(Array(pruned.kept.keys) == [JobID(2)])
        #expect(try fixture.rows("SELECT id FROM jobs") == ["2"])
        var request = PruneRequest(JobFilter(), limit: 9, removesFiles: false)
        request.excluded = [JobID(2)]
        #expect(try await fixture.ledger.prune(request, now: fixture.now) == Pruned())
    }

    @Test func `a key of a success that cost nothing stays taken, too`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('a fox', 'k1')")
        for job in try await fixture.claim(1).jobs {
            try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
            try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: false))
        }
        #expect(try await prune(fixture).jobs == 1)
        #expect(fixture.refusal("INSERT INTO jobs (prompt, unique_key) VALUES ('again', 'k1')") != nil)
    }

    @Test(arguments: ["promptctl", "promptd", "an empty file of systemd-tmpfiles"])
    func `pages that nobody uses are given back`(maker: String) async throws {
        let path = ScratchDirectory.make() + "/new.sqlite"
        if maker == "promptctl" { try QueueFile(path: path, create: true).close() }
        if maker.hasPrefix("an empty file") { try Data().write(to: URL(filePath: path)) }
        let ledger = try SQLiteLedger(path: path)
        let shell = try openShell(path)
        try await shell.write { db in
            for _ in 0..<200 {
                try db.execute(sql: "INSERT INTO jobs (prompt) VALUES (hex(zeroblob(4000)))")
            }
            try db.execute(sql: "UPDATE jobs SET state = 'cancelled'")
            try db.execute(sql: "DELETE FROM jobs")
        }
        let pages = { try shell.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 } }
        let before = try pages()
        #expect(try await ledger.shrink(pages: 100) == 100)
        #expect(try pages() == before - 100)
        while try await ledger.shrink(pages: 100) > 0 {}
        #expect(try pages() < before / 2)
        try ledger.close()
    }
}
