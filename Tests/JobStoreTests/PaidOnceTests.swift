import GRDB
import JobStore
import PromptQueue
import Testing

/// That no row, whatever stands in it, makes a job be paid for twice.
@Suite struct PaidOnceTests {
    @Test(arguments: ["prompt", "model", "queue", "input", "batch", "unique_key", "labels"])
    func `a NUL character is refused in every text`(column: String) throws {
        let fixture = try LedgerFixture()
        let value = ["input", "labels"].contains(column) ? "'{\"a\":\"' || char(0) || '\"}'" : "'a' || char(0) || 'b'"
        let columns = column == "prompt" ? "prompt" : "prompt, \(column)"
        let values = column == "prompt" ? value : "'x', \(value)"
        #expect(fixture.refusal("INSERT INTO jobs (\(columns)) VALUES (\(values))") != nil)
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["0"])
    }

    @Test func `texts and numbers have bounds`() throws {
        let fixture = try LedgerFixture()
        for (columns, values) in [
            ("prompt", "printf('%.*c', 131073, 'x')"),
            ("prompt, input", "'x', '{\"a\":\"' || printf('%.*c', 262144, 'x') || '\"}'"),
            ("prompt, labels", "'x', '{\"a\":\"' || printf('%.*c', 65536, 'x') || '\"}'"),
            ("prompt, unique_key", "'x', printf('%.*c', 1001, 'x')"), ("prompt, model", "'x', 'modèle'"),
            ("prompt, batch", "'x', 'caf' || CAST(x'e9' AS TEXT)"), ("prompt, unique_key", "'x', CAST(x'e9' AS TEXT)"),
            ("prompt, labels", "'x', '{\"a\":\"' || CAST(x'e9' AS TEXT) || '\"}'"),
            ("prompt, queue", "'x', CAST(x'ff41' AS TEXT)"), ("prompt, priority", "'x', 9223372036854775807"),
            ("prompt, run_at", "'x', 9223372036854775807"), ("prompt, created_at", "'x', -9223372036854775807"),
            ("prompt, created_at", "'x', 9223372036854775807"), ("id, prompt", "9223372036854775807, 'x'"),
            ("id, prompt", "-5, 'x'"), ("prompt, estimated_millicredits", "'x', 9223372036854775807"),
            ("prompt, turn", "'x', 9223372036854775807"),
        ] {
            #expect(fixture.refusal("INSERT INTO jobs (\(columns)) VALUES (\(values))") != nil, "\(columns)")
        }
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["0"])
        try fixture.insert("(prompt, queue) VALUES ('x', 'café ☕ 日本')")
    }

    @Test func `a second open attempt of a job is refused, whoever makes it`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let columns = "job_id, token, queue, model, sent_at, reserved_millicredits"
        for verb in ["INSERT", "INSERT OR REPLACE", "REPLACE"] {
            let refusal = fixture.refusal(
                "\(verb) INTO attempts (\(columns)) VALUES (\(job.job), '\(String(repeating: "a", count: 32))', 'default', 'm', 1, 0)"
            )
            #expect(refusal?.contains("might pay for it twice") == true, "\(verb)")
        }
        // And without the trigger by the index.
        try fixture.run("DROP TRIGGER attempts_not_replaced")
        let refusal = fixture.refusal(
            "INSERT INTO attempts (\(columns)) VALUES (\(job.job), '\(String(repeating: "b", count: 32))', 'default', 'm', 1, 0)"
        )
        #expect(refusal?.contains("UNIQUE constraint failed: attempts.job_id") == true)
    }

    @Test func `names that differ in their bytes are different queues`() async throws {
        let fixture = try LedgerFixture()
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        for (name, places) in [(composed, 1), (decomposed, 8)] {
            try fixture.run("INSERT INTO queues (name, max_running) VALUES ('\(name)', \(places))")
            for _ in 0..<10 { try fixture.insert("(prompt, queue) VALUES ('x', '\(name)')") }
        }
        let jobs = try await fixture.claim(20).jobs
        #expect(jobs.count(where: { $0.queue.utf8.elementsEqual(composed.utf8) }) == 1)
        #expect(jobs.count(where: { $0.queue.utf8.elementsEqual(decomposed.utf8) }) == 8)
        #expect(Set(jobs.map(\.job)).count == 9)
    }

    @Test func `a job whose results are being fetched cannot be queued again`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "u")], charged: Credits(millicredits: 14_000), fetch: true)
        )
        #expect(fixture.refusal("UPDATE jobs SET state = 'queued'")?.contains("is paid for") == true)
        #expect(fixture.refusal("DELETE FROM results")?.contains("are paid for") == true)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running")
        #expect(try await fixture.claim(5).jobs.isEmpty)
    }

    @Test func `a job with an empty success is taken up again, never paid for again`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let charge = Credits(millicredits: 14_000)
        var empty = Failure(.emptyResult, "nothing")
        empty.unread = #"{"result":"https://x"}"#
        try await fixture.record(.taskFailed(job.attempt, empty, charged: charge, then: .fail))
        #expect(try fixture.rows("SELECT result_json FROM attempts") == [#"{"result":"https://x"}"#])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running")
        let task = try #require(try await fixture.ledger.takeResumed(now: fixture.now).tasks.first)
        #expect(task.attempt == job.attempt)
        #expect(task.endedAs == .emptyResult)
        // Whatever the engine thought: not even it gets the job back into the queue.
        await #expect(throws: LedgerError.self) {
            try await fixture.record(
                .taskFailed(job.attempt, empty, charged: nil, then: .retry(at: fixture.now, counted: false))
            )
        }
        try await fixture.record(.taskFailed(job.attempt, empty, charged: nil, then: .fail))
        #expect(try fixture.state(job.job) == "failed")
        #expect(try fixture.rows("SELECT charged_millicredits FROM jobs") == ["14000"])

        try fixture.run("UPDATE jobs SET state = 'queued'")
        let outputs: [TaskOutput] = [.file(url: "late")]
        let found = try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: charge, fetch: true))
        #expect(found.downloads.map(\.output) == outputs)
        #expect(try fixture.rows("SELECT error_code, charged_millicredits FROM attempts") == ["|14000"])
        #expect(try fixture.rows("SELECT charged_millicredits FROM jobs") == ["14000"])
        let file = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "s")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
        #expect(try fixture.state(job.job) == "succeeded")
    }

    @Test func `a failed job that is tried again asks its old task first, and is sent again if that has failed`()
        async throws
    {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let failure = Failure(.taskFailed, "x")
        try await fixture.record(.taskFailed(job.attempt, failure, charged: .zero, then: .fail))
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.state(job.job) == "running")
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.tasks.map(\.endedAs) == [.taskFailed])
        let then = FailureDisposition.retry(at: fixture.now, counted: false)
        try await fixture.record(.taskFailed(job.attempt, failure, charged: .zero, then: then))
        #expect(try fixture.state(job.job) == "queued")
        #expect(try await fixture.claim(5).jobs.map(\.job) == [job.job])
    }

    @Test func `a job that the database refuses to have claimed is set aside, and the others go on`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('one')", "(prompt) VALUES ('two')", "(prompt) VALUES ('three')")
        // A rule that nobody foresaw.
        try fixture.run(
            """
            CREATE TRIGGER unforeseen BEFORE INSERT ON attempts WHEN NEW.job_id = 2
            BEGIN SELECT RAISE(ABORT, 'not this one'); END
            """
        )
        let claim = try await fixture.claim(5)
        #expect(claim.jobs.map(\.job.rawValue) == [1, 3])
        #expect(
            claim.setAside == [SetAside(job: JobID(2), origin: JobOrigin(queue: "default"), reason: "not this one")]
        )
        #expect(try fixture.rows("SELECT error_message FROM job_status WHERE id = 2") == ["set aside: not this one"])
        #expect(try await fixture.claim(5).setAside.isEmpty)
        #expect(try fixture.rows("SELECT count(*) FROM attempts") == ["2"])
        // The next start tries it again.
        try fixture.run("DROP TRIGGER unforeseen")
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [2])
    }

    @Test func `a text that is no UTF-8 fails before anything is sent`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('caf' || CAST(x'e9' AS TEXT))", "(prompt) VALUES ('fine')")
        let claim = try await fixture.claim(5)
        #expect(claim.jobs.map(\.job.rawValue) == [2])
        #expect(claim.refused.map(\.code) == [.invalidInput])
    }

    @Test func `a job that is changed between preparation and claim is prepared again`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('before')")
        let claim = try await fixture.ledger.claim(fixture.request(1)) { job in
            if job.prompt == "before" {
                do { try fixture.run("UPDATE jobs SET prompt = 'after'") } catch { Issue.record(error) }
            }
            return .ready(PreparedInput(input: ["prompt": .string(job.prompt ?? "")], estimate: nil))
        }
        #expect(claim.jobs.first?.input == ["prompt": "after"])
    }

    // MARK: - Taken up again, and over before anybody noticed

    @Test(arguments: ["its task has failed", "its last file came", "it was never sent"])
    func `what has ended before it was taken up stops neither promptd nor its start`(how: String) async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        switch how {
        case "its task has failed":
            try fixture.run("UPDATE jobs SET state = 'cancelled'")
            try fixture.run("UPDATE jobs SET state = 'queued'")
            #expect(try fixture.rows("SELECT state, attempt_count, is_resumed FROM jobs") == ["running|0|1"])
            try await fixture.record(
                .taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: .zero, then: .fail)
            )
            #expect(try fixture.state(job.job) == "failed")
        case "its last file came":
            try await fixture.record(.taskSucceeded(job.attempt, [.file(url: "u")], charged: .zero, fetch: true))
            try fixture.run("UPDATE jobs SET state = 'cancelled'")
            try fixture.run("UPDATE jobs SET state = 'queued'")
            let file = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "s")
            try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file))
            #expect(try fixture.state(job.job) == "succeeded")
        default:
            try fixture.insert("(prompt) VALUES ('bad')")
            _ = try await fixture.claim(1)
            // Whoever writes the column himself does no harm by it.
            try fixture.run("UPDATE jobs SET is_resumed = 1 WHERE state = 'failed'")
        }
        for _ in 0..<2 { _ = try await fixture.ledger.takeResumed(now: fixture.now) }
        try fixture.run("UPDATE jobs SET is_resumed = 1 WHERE state = 'failed'")
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(try fixture.rows("SELECT count(*) FROM jobs WHERE is_resumed = 1") == ["0"])
        #expect(try fixture.rows("SELECT count(*) FROM set_aside") == ["0"])
    }

    @Test func `a job whose attempts are used up is not tried again, whatever is asked of the ledger`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, max_attempts) VALUES ('x', 1)")
        let job = try await fixture.claimOne()
        try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        let retry = FailureDisposition.retry(at: fixture.now, counted: true)
        try await fixture.record(.taskFailed(job.attempt, Failure(.providerFault, "x"), charged: .zero, then: retry))
        #expect(
            try fixture.rows("SELECT state, attempt_count, error_code FROM jobs") == ["failed|1|provider_fault"]
        )
    }

    @Test func `a job that somebody puts back into its queue has attempts again`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, max_attempts) VALUES ('x', 1)")
        let job = try await fixture.claimOne()
        try await fixture.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200))
        try await fixture.record(.taskFailed(job.attempt, Failure(.providerFault, "x"), charged: .zero, then: .fail))
        // Tried again; and once more before its old task has been asked about.
        try fixture.run("UPDATE jobs SET state = 'queued'")
        _ = try await fixture.ledger.takeResumed(now: fixture.now)
        #expect(try fixture.rows("SELECT state, attempt_count FROM jobs") == ["running|1"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        let again = try await fixture.claim(1, at: fixture.now + .seconds(60)).jobs
        #expect(again.map(\.attemptCount) == [1])
    }
}
