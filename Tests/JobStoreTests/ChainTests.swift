import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// Jobs that take the results of others, as the schema keeps them for every client.
@Suite struct ChainTests {
    private func chain(_ fixture: LedgerFixture) throws {
        try fixture.insert(
            "(prompt, unique_key) VALUES ('a red fox', 'shots/7')",
            #"(prompt, input) VALUES ('it runs', '{"image_url":"job:1/0"}')"#,
            #"(prompt, input) VALUES ('and jumps', '{"input_urls":["https://x/1.png","job:2"]}')"#
        )
    }

    private func succeed(
        _ fixture: LedgerFixture,
        _ job: ClaimedJob,
        at instant: Instant? = nil,
        isSaved: Bool = true
    )
        async throws
    {
        try await fixture.record(.accepted(job.attempt, task: TaskID("task-\(job.job)"), httpStatus: 200), at: instant)
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/\(job.job).png")], charged: nil, fetch: isSaved),
            at: instant
        )
        guard isSaved else { return }
        let file = SavedFile(path: "f/\(job.job)-0.png", contentType: "image/png", bytes: 1, sha256: "x")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 0), file), at: instant)
    }

    @Test(arguments: [
        #"{"image_url":"job:1"}"#, #"{"image_url":"job:1/2"}"#, #"{"a":{"b":[{"c":"key:shots/7/0"}]}}"#,
        #"{"image_url":"key:shots\/7/0"}"#, #"{"image_url":"\u006aob:1"}"#,
    ])
    func `an input takes another job's result wherever it is, by id or by key`(input: String) throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, unique_key) VALUES ('a red fox', 'shots/7')")
        try fixture.insert("(prompt, input) VALUES ('it runs', '\(input)')")
        #expect(try fixture.rows("SELECT waits, turn, state FROM jobs WHERE id = 2") == ["1||queued"])
        #expect(try fixture.rows("SELECT source_id FROM job_inputs WHERE job_id = 2") == ["1"])
        // As promptctl reads it.
        let read = JSONValue.object(in: input).map { InputReference.all(in: .object($0)) }
        let kept = try fixture.rows("SELECT reference, ordinal FROM job_inputs")
        #expect(read?.map { "\($0.text)|\($0.ordinal)" } == kept)
    }

    @Test func `the schema and promptctl read any text alike`() throws {
        let fixture = try LedgerFixture()
        var chance = SeededGenerator(seed: 2_026)
        let parts = [
            "job:", "key:", "1", "07", "/", "//", "x", "é", "e\u{301}", "\u{301}", " ", "\t", "#", "-", "999999", "0",
        ]
        let texts = (0..<3_000).map { _ in
            (0..<Int.random(in: 1...6, using: &chance)).map { _ in parts.randomElement(using: &chance) ?? "" }.joined()
        }
        // Whoever exists is what decides on names; here everything does not.
        let input = JSONValue.object(["texts": .array(texts.map { .string($0) })])
        let read = InputReference.all(in: input).map { "\($0.text)|\($0.ordinal)" }
        let rows = try fixture.shell.write { db in
            try db.execute(sql: "DROP TRIGGER jobs_inputs_inserted")
            try db.execute(sql: "INSERT INTO jobs (prompt, input) VALUES ('x', ?)", arguments: [input.json])
            return try Row.fetchAll(db, sql: "SELECT reference, ordinal FROM input_references")
                .map { "\($0["reference"] as String)|\($0["ordinal"] as Int)" }
        }
        #expect(read.count > 100)
        #expect(
            read.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
                == rows.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        )
    }

    @Test(arguments: [
        #"{"image_url":"https://x/job:1"}"#, #"{"style":"key: C minor"}"#, #"{"style":"key://x"}"#, #"{"a":"job:"}"#,
        #"{"a":"job: 1"}"#, #"{"job:1":"a"}"#, #"{"a":"caf\u00e9"}"#, #"{"a":"a job:1"}"#,
    ])
    func `other texts are no references, and their jobs wait for nothing`(input: String) throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a red fox')", "(prompt, input) VALUES ('it runs', '\(input)')")
        #expect(try fixture.rows("SELECT waits, turn FROM jobs WHERE id = 2") == ["|1"])
        #expect(JSONValue.object(in: input).map { InputReference.all(in: .object($0)).isEmpty } == true)
    }

    @Test(arguments: [
        (#"{"image_url":"job:9"}"#, "that does not exist"), (#"{"image_url":"job:1x"}"#, "that does not exist"),
        (#"{"image_url":"job:99999999999999999999"}"#, "that does not exist"),
        (#"{"image_url":"key:shots"}"#, "that does not exist"),
        (#"{"image_url":"key:shots/7"}"#, "that does not exist"),
        (#"{"image_url":"job:4"}"#, "cannot take its own result"),
        (#"{"image_url":"job:3"}"#, "has failed or was cancelled"),
    ])
    func `what cannot be taken is refused at the insertion`(input: String, message: String) throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt, unique_key) VALUES ('a red fox', 'shots/7')",
            "(prompt) VALUES ('2')",
            "(prompt) VALUES ('3')"
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 3")
        let refusal = fixture.refusal("INSERT INTO jobs (prompt, input) VALUES ('it runs', '\(input)')")
        #expect(refusal?.contains(message) == true, "\(refusal ?? "it was inserted")")
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["3"])
        #expect(try fixture.rows("SELECT count(*) FROM job_inputs") == ["0"])
    }

    @Test func `a circle is refused when an input is changed into one`() throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        let refusal = fixture.refusal(#"UPDATE jobs SET input = '{"image_url":"job:3"}' WHERE id = 1"#)
        #expect(refusal?.contains("a circle") == true)
        #expect(fixture.refusal(#"UPDATE jobs SET input = '{"image_url":"job:2"}' WHERE id = 3"#) == nil)
    }

    @Test func `an input that is changed changes what its job waits for`() async throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try fixture.run("UPDATE jobs SET input = '{}' WHERE id = 2")
        #expect(try fixture.rows("SELECT waits FROM jobs WHERE id = 2") == [""])
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [1, 2])
        try fixture.insert("(prompt) VALUES ('another')")
        try fixture.run(#"UPDATE jobs SET input = '{"image_url":"job:1"}' WHERE id = 4"#)
        #expect(try fixture.rows("SELECT waits, turn FROM jobs WHERE id = 4") == ["1|"])
        #expect(try await fixture.claim(5, at: fixture.now + .seconds(20)).jobs.isEmpty)
    }

    @Test func `each waits for its source, and becomes claimable with its end`() async throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        for expected in [1, 2, 3] as [Int64] {
            let claim = try await fixture.claim(5, at: fixture.now + .seconds(expected))
            #expect(claim.jobs.map(\.job.rawValue) == [expected])
            #expect(claim.setAside.isEmpty && claim.refused.isEmpty)
            #expect(try await fixture.claim(5, at: fixture.now + .seconds(expected)).jobs.isEmpty)
            let job = try #require(claim.jobs.first)
            try await succeed(fixture, job, at: fixture.now + .seconds(expected))
        }
        #expect(try fixture.rows("SELECT state, waits FROM jobs") == ["succeeded|", "succeeded|0", "succeeded|0"])
    }

    @Test func `a job of two sources waits for both, and one for whose instant has not come waits for that, too`()
        async throws
    {
        let fixture = try LedgerFixture()
        let later = (fixture.now + .seconds(3_600)).milliseconds
        try fixture.insert(
            "(prompt) VALUES ('1')",
            "(prompt) VALUES ('2')",
            #"(prompt, input) VALUES ('3', '{"input_urls":["job:1","job:2","job:1/1"]}')"#,
            #"(prompt, input, run_at) VALUES ('4', '{"image_url":"job:1"}', \#(later))"#
        )
        #expect(try fixture.rows("SELECT waits FROM jobs WHERE id = 3") == ["2"])
        let jobs = try await fixture.claim(5).jobs
        try await succeed(fixture, jobs[0])
        #expect(try fixture.rows("SELECT waits FROM jobs WHERE id > 2") == ["1", "0"])
        let claim = try await fixture.claim(5, at: fixture.now + .seconds(20))
        #expect(claim.jobs.isEmpty)
        #expect(claim.nextRunAt?.milliseconds == later)
    }

    @Test func `what is sent has the result's URL, the input keeps the reference`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt) VALUES ('a red fox')",
            #"(prompt, model, input) VALUES ('it runs', 'flux-2/flex-image-to-image', '{"input_urls":["job:1/0"]}')"#
        )
        try await succeed(fixture, try await fixture.claimOne())
        let claim = try await fixture.ledger.claim(fixture.request(1, at: fixture.now + .seconds(20))) { job in
            job.prepared(by: .builtIn, unknownModels: .refuse)
        }
        #expect(claim.jobs.first?.input["input_urls"] == .array(["https://x/1.png"]))
        #expect(try fixture.rows("SELECT input FROM jobs WHERE id = 2") == [#"{"input_urls":["job:1/0"]}"#])
        let sent = try fixture.rows("SELECT json_extract(input, '$.input_urls[0]') FROM attempts WHERE job_id = 2")
        #expect(sent == ["https://x/1.png"])
    }

    @Test(arguments: [
        ("job:1/1", Duration.seconds(60), "has no file with the number 1"),
        ("job:1", .seconds(86_400), "may have deleted it"),
    ])
    func `a result that is not there, or is too old, is not sent for, and who waits for that fails`(
        reference: String,
        age: Duration,
        message: String
    ) async throws {
        let fixture = try LedgerFixture()
        try fixture.insert(
            "(prompt) VALUES ('a red fox')",
            #"(prompt, model, input) VALUES ('2', 'flux-2/flex-image-to-image', '{"input_urls":["\#(reference)"]}')"#,
            #"(prompt, input) VALUES ('3', '{"image_url":"job:2"}')"#
        )
        try await succeed(fixture, try await fixture.claimOne(), isSaved: age < .seconds(3_600))
        let claim = try await fixture.ledger.claim(fixture.request(1, at: fixture.now + age)) { job in
            job.prepared(by: .builtIn, unknownModels: .refuse)
        }
        #expect(claim.refused.map(\.code) == [.inputMissing])
        #expect(claim.refused.first?.message.contains(message) == true)
        #expect(try fixture.rows("SELECT count(*) FROM attempts WHERE job_id > 1") == ["0"])
        #expect(try fixture.rows("SELECT state, error_code FROM jobs WHERE id = 3") == ["failed|input_failed"])
    }

    @Test(arguments: [
        "UPDATE jobs SET state = 'cancelled' WHERE id = 1", "DELETE FROM jobs WHERE id = 1",
        "UPDATE jobs SET state = 'failed', finished_at = 1, error_code = 'content_refused' WHERE id = 1",
    ])
    func `a chain fails as a whole, whoever ends its first job`(sql: String) throws {
        for recursive in ["OFF", "ON"] {
            let fixture = try LedgerFixture()
            try chain(fixture)
            try fixture.run("PRAGMA recursive_triggers = \(recursive)")
            try fixture.run(sql)
            let rows = try fixture.rows(
                "SELECT state, error_code, error_message LIKE 'job 1, whose%' FROM jobs WHERE id > 1"
            )
            #expect(rows == ["failed|input_failed|1", "failed|input_failed|1"])
            #expect(try fixture.rows("SELECT sum(waiting) FROM turns") == ["0"])
        }
    }

    @Test func `whoever tries a chain again begins with its first job; then each waits again`() async throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 1")
        let retry = "UPDATE jobs SET state = 'queued' WHERE id ="
        #expect(fixture.refusal("\(retry) 2")?.contains("retry that one first") == true)
        // Changed together with it, it has to fit as well.
        let kept = #"UPDATE jobs SET state = 'queued', input = '{"image_url":"job:1/0","seed":1}' WHERE id = 2"#
        #expect(fixture.refusal(kept)?.contains("retry that one first") == true)
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE state IN ('failed', 'cancelled')")
        #expect(try fixture.rows("SELECT state, waits FROM jobs") == ["queued|", "queued|1", "queued|1"])
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [1])
        #expect(try await fixture.claim(5, at: fixture.now + .seconds(20)).setAside.isEmpty)
    }

    @Test func `a job that is tried again does not wait for one that is gone`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a red fox')")
        try await succeed(fixture, try #require(try await fixture.claim(1).jobs.first))
        try fixture.insert(#"(prompt, input) VALUES ('it runs', '{"image_url":"job:1"}')"#)
        // Sent, its answer lost, and given up.
        for statement in [
            "UPDATE jobs SET turn = -1 WHERE id = 2",
            """
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
            VALUES (2, printf('%032d', 2), 'default', 'm', 1, 10)
            """,
            "UPDATE jobs SET state = 'submitting' WHERE id = 2",
            """
            UPDATE attempts SET state = 'unknown', answered_at = 2, error_code = 'answer_lost', arrives_until = 3
            WHERE job_id = 2
            """,
            "UPDATE jobs SET state = 'unconfirmed' WHERE id = 2",
            "UPDATE attempts SET finished_at = 4, charged_millicredits = 10, reserved_millicredits = 0 WHERE job_id = 2",
            "UPDATE jobs SET state = 'failed', finished_at = 4, error_code = 'settled_by_operator' WHERE id = 2",
            "DELETE FROM jobs WHERE id = 1",
        ] { try fixture.run(statement) }
        #expect(fixture.refusal("UPDATE jobs SET state = 'queued' WHERE id = 2")?.contains("is gone") == true)
    }

    @Test func `one statement cancels a whole chain`() throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
        #expect(try fixture.rows("SELECT DISTINCT state FROM jobs") == ["cancelled"])
        #expect(try fixture.rows("SELECT state, jobs FROM queue_counts WHERE jobs <> 0") == ["cancelled|3"])
    }

    @Test(arguments: [
        "UPDATE jobs SET waits = 0 WHERE id = 2", "UPDATE jobs SET waits = NULL WHERE id = 2",
        "UPDATE jobs SET turn = -1 WHERE id = 2", "UPDATE jobs SET turn = 0 WHERE id = 2",
        "DELETE FROM job_inputs", "UPDATE job_inputs SET source_id = 3", "UPDATE OR REPLACE job_inputs SET job_id = 1",
        "INSERT INTO job_inputs VALUES (1, 'job:2', 2, 0)", "INSERT INTO jobs (prompt, waits) VALUES ('x', 0)",
    ])
    func `what a job waits for is nobody's to write`(sql: String) throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        #expect(fixture.refusal(sql) != nil)
    }

    @Test func `moving a waiting job gives it no turn`() async throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try fixture.run("UPDATE jobs SET priority = 5, queue = 'ads', run_at = 0 WHERE id = 2")
        #expect(try fixture.rows("SELECT turn, waits FROM jobs WHERE id = 2") == ["|1"])
        #expect(try await fixture.claim(5).jobs.map(\.job.rawValue) == [1])
    }

    @Test func `views say what is waited for`() throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try fixture.run("UPDATE jobs SET queue = 'films' WHERE id > 1")
        #expect(try fixture.rows("SELECT waits_for FROM job_status") == ["", "1", "2"])
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status WHERE queue = 'films'") == ["inputs"])
    }

    @Test func `the claim finds what is due without looking at what waits`() throws {
        let fixture = try LedgerFixture()
        let plan = try fixture.rows(
            """
            EXPLAIN QUERY PLAN SELECT id FROM jobs
            WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0 AND run_at <= 5 ORDER BY run_at, id LIMIT 500
            """
        )
        #expect(plan.contains { $0.contains("USING INDEX jobs_scheduled") })
        #expect(!plan.contains { $0.contains("TEMP B-TREE") })
    }

    @Test func `pruning leaves what a waiting job still takes`() async throws {
        let fixture = try LedgerFixture()
        try chain(fixture)
        try await succeed(fixture, try await fixture.claimOne())
        let request = PruneRequest(JobFilter(), limit: 10, removesFiles: false)
        #expect(try await fixture.ledger.prune(request, now: fixture.now).jobs == 0)
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 2")
        #expect(try await fixture.ledger.prune(request, now: fixture.now).jobs == 3)
    }
}
