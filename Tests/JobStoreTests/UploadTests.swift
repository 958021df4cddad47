import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// Jobs that take files of this machine, as the schema and the claim keep them.
@Suite struct UploadTests {
    private static let digits = String(repeating: "ab", count: 32)
    private let photo = "upload:\(digits).png"

    private func file(
        _ fixture: LedgerFixture,
        at instant: Instant? = nil,
        url: String = "https://u/1.png"
    ) -> UploadedFile {
        UploadedFile(
            sha256: Self.digits,
            bytes: 10,
            contentType: "image/png",
            url: url,
            uploadedAt: instant ?? fixture.now
        )
    }

    private func wanted(_ reference: String, asked: Int64 = 0) -> WantedUpload {
        WantedUpload(reference: reference, asked: asked)
    }

    private func insert(_ fixture: LedgerFixture, _ reference: String) throws {
        try fixture.insert(
            "(prompt, model, input) VALUES ('it runs', 'flux-2/flex-image-to-image', '{\"input_urls\":[\"\(reference)\"]}')"
        )
    }

    private func claim(_ fixture: LedgerFixture, at instant: Instant? = nil) async throws -> Claim {
        try await fixture.ledger.claim(fixture.request(5, at: instant)) { job in
            job.prepared(by: .builtIn, unknownModels: .refuse)
        }
    }

    @Test func `a job waits for its upload, and is sent its URL`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        #expect(try await claim(fixture).jobs.isEmpty)
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == photo)
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture))
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now) == nil)
        let jobs = try await claim(fixture).jobs
        #expect(jobs.map { $0.input["input_urls"] } == [.array(["https://u/1.png"])])
        #expect(try fixture.rows("SELECT input FROM jobs") == [#"{"input_urls":["\#(photo)"]}"#])
    }

    @Test(arguments: [
        "upload:\(digits).png", "upload:\(digits).m4a", "upload:\(digits)", "upload:\(digits).", "upload:\(digits).PNG",
        "upload:\(digits).extensio", "upload:\(digits).extension", "upload:\(digits)x.png", "upload:../\(digits).png",
        "file:///", "file:///x", "file:///a b\u{e4}.png", "file://x/y", "profile:///x", " file:///x",
        "Upload:\(digits).png",
    ])
    func `the schema and the commands agree on what a file is`(text: String) throws {
        let fixture = try LedgerFixture()
        let input = JSONValue.object(["image_url": .array([.string(text)])]).json
        try fixture.insert("(prompt, input) VALUES ('x', '\(input)')")
        let found = try fixture.rows("SELECT reference FROM job_uploads")
        #expect(found == (LocalFileReference.isOne(text) ? [text] : []))
        #expect(try fixture.rows("SELECT waits IS NULL, turn IS NULL FROM jobs") == [found.isEmpty ? "1|0" : "0|1"])
    }

    @Test func `what ends is uploaded anew, for whoever waits and whoever comes back`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture))
        let job = try #require(try await claim(fixture).jobs.first)
        let failure = Failure(.keyRefused, "no")
        try await fixture.record(.rejected(job.attempt, failure, then: .retry(at: fixture.now, counted: false)))
        let later = fixture.now + .seconds(24 * 3_600)
        #expect(try await claim(fixture, at: later).jobs.isEmpty)
        #expect(try fixture.rows("SELECT state, waits, turn FROM jobs") == ["queued|1|"])
        #expect(try await fixture.ledger.wantedUpload(now: later)?.reference == photo)
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture, at: later, url: "https://u/2.png"))
        let jobs = try await claim(fixture, at: later).jobs
        #expect(jobs.map { $0.input["input_urls"] } == [.array(["https://u/2.png"])])
    }

    @Test func `what cannot be uploaded fails its jobs and theirs, and is tried again with them`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, "file:///srv/fox.png")
        try fixture.insert(#"(prompt, input) VALUES ('3', '{"image_url":"job:1"}')"#)
        try await fixture.ledger.recordUploadFailure(wanted("file:///srv/fox.png"), message: "it is gone")
        let rows = try fixture.rows("SELECT state, error_code FROM jobs")
        #expect(rows == ["failed|upload_failed", "failed|input_failed"])
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now) == nil)
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE state = 'failed'")
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == "file:///srv/fox.png")
        #expect(try await claim(fixture).jobs.isEmpty)
    }

    @Test func `a result whose URL may have ended is uploaded from its file`() async throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('a red fox')")
        let first = try await fixture.claimOne()
        try await fixture.record(.accepted(first.attempt, task: TaskID("t"), httpStatus: 200))
        let outputs = [TaskOutput.file(url: "https://x/1.png")]
        try await fixture.record(.taskSucceeded(first.attempt, outputs, charged: nil, fetch: true))
        let saved = SavedFile(path: "f/1-0.png", contentType: "image/png", bytes: 1, sha256: Self.digits)
        try await fixture.record(.resultSaved(ResultID(job: first.job, ordinal: 0), saved))
        try insert(fixture, "job:1")
        let later = fixture.now + .seconds(3 * 86_400)
        let claimed = try await claim(fixture, at: later)
        #expect(claimed.jobs.isEmpty && claimed.refused.isEmpty)
        let found = try await fixture.ledger.wantedUpload(now: later)
        #expect(found?.reference == "result:1/0")
        #expect(found?.saved?.path == "f/1-0.png")
        try await fixture.ledger.recordUpload(wanted("result:1/0"), file(fixture, at: later))
        let jobs = try await claim(fixture, at: later).jobs
        #expect(jobs.map { $0.input["input_urls"] } == [.array(["https://u/1.png"])])
    }

    @Test func `a file that another job names again is looked at again, and the same bytes need no second upload`()
        async throws
    {
        let fixture = try LedgerFixture()
        try insert(fixture, "file:///srv/fox.png")
        try await fixture.ledger.recordUpload(wanted("file:///srv/fox.png"), file(fixture))
        try insert(fixture, "file:///srv/fox.png")
        #expect(try fixture.rows("SELECT waits FROM jobs") == ["1", "1"])
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == "file:///srv/fox.png")
        let kept = try await fixture.ledger.keptUpload(sha256: Self.digits, until: fixture.now)
        #expect(kept?.url == "https://u/1.png")
    }

    @Test func `what was read before another job named the file is not recorded`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, "file:///srv/fox.png")
        let before = try #require(try await fixture.ledger.wantedUpload(now: fixture.now))
        try insert(fixture, "file:///srv/fox.png")
        try await fixture.ledger.recordUpload(before, file(fixture))
        #expect(try fixture.rows("SELECT waits FROM jobs") == ["1", "1"])
        let after = try #require(try await fixture.ledger.wantedUpload(now: fixture.now))
        try await fixture.ledger.recordUpload(after, file(fixture))
        #expect(try fixture.rows("SELECT waits FROM jobs") == ["0", "0"])
    }

    @Test func `what could not be uploaded lets others go first`() async throws {
        let fixture = try LedgerFixture()
        for name in ["a", "b"] { try insert(fixture, "file:///srv/\(name).png") }
        var now = fixture.now
        for turn in ["a", "b", "a"] {
            let wanted = try #require(try await fixture.ledger.wantedUpload(now: now))
            #expect(wanted.reference == "file:///srv/\(turn).png")
            now = now + .seconds(1)
            try await fixture.ledger.deferUpload(wanted, message: "502", now: now)
        }
        let failing = try #require(try await fixture.ledger.wantedUpload(now: now)).failingSince
        #expect(failing == now - .seconds(1))
    }

    @Test func `a name that is no text fails its job, and holds up nobody`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO jobs (prompt, input) VALUES ('x', json_object('a', 'file:///' || CAST(x'fffe' AS TEXT)))"
        )
        try insert(fixture, photo)
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == photo)
        #expect(try fixture.rows("SELECT error_code FROM jobs WHERE state = 'failed'") == ["upload_failed"])
    }

    @Test func `a name that is no text lets others go first when a rule refuses that it fails`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO jobs (prompt, input) VALUES ('x', json_object('a', 'file:///' || CAST(x'fffe' AS TEXT)))"
        )
        try insert(fixture, photo)
        try fixture.run(
            """
            CREATE TRIGGER mine BEFORE UPDATE ON uploads WHEN NEW.state = 'failed'
            BEGIN SELECT RAISE(ABORT, 'not here'); END
            """
        )
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == photo)
        #expect(try fixture.rows("SELECT count(*) FROM uploads WHERE message GLOB '*not here*'") == ["1"])
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture))
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now) == nil)
        #expect(try fixture.rows("SELECT state FROM jobs") == ["queued", "queued"])
    }

    @Test func `how often a file was named begins anew at its bound, and what was read before is not recorded`()
        async throws
    {
        let fixture = try LedgerFixture()
        let reference = "file:///srv/fox.png"
        try insert(fixture, reference)
        try fixture.run("UPDATE uploads SET asked = 4000000000000000")
        let before = try #require(try await fixture.ledger.wantedUpload(now: fixture.now))
        try insert(fixture, reference)
        #expect(try fixture.rows("SELECT asked FROM uploads") == ["0"])
        try await fixture.ledger.recordUpload(before, file(fixture))
        #expect(try fixture.rows("SELECT waits FROM jobs") == ["1", "1"])
        // As a database may have it that was written to before there was a bound.
        try fixture.run("DROP TRIGGER uploads_asked_changed")
        try fixture.run("UPDATE uploads SET asked = 9223372036854775807")
        try insert(fixture, reference)
        #expect(try fixture.rows("SELECT asked FROM uploads") == ["0"])
    }

    @Test func `what no queued job needs is not uploaded, and is when one comes back`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        try fixture.run("UPDATE queues SET paused = 1")
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now) == nil)
        try fixture.run("UPDATE queues SET paused = 0")
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now) == nil)
        try await fixture.ledger.restUploads()
        #expect(try fixture.rows("SELECT state FROM uploads") == ["idle"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == photo)
    }

    @Test func `what ends while no job is queued is uploaded anew for the next`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture))
        #expect(try await claim(fixture).jobs.count == 1)
        let later = fixture.now + .seconds(24 * 3_600)
        _ = try await claim(fixture, at: later)
        #expect(try fixture.rows("SELECT state FROM uploads") == ["idle"])
        try insert(fixture, photo)
        #expect(try await claim(fixture, at: later).jobs.isEmpty)
        #expect(try await fixture.ledger.wantedUpload(now: later)?.reference == photo)
        #expect(try await fixture.ledger.keptUpload(sha256: Self.digits, until: later) == nil)
    }

    @Test func `what the provider could not use is uploaded anew when its job is retried`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        try await fixture.ledger.recordUpload(wanted(photo), file(fixture))
        let job = try #require(try await claim(fixture).jobs.first)
        try await fixture.record(.rejected(job.attempt, Failure(.inputUnusable, "it is not there"), then: .fail))
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT state, waits FROM jobs") == ["queued|1"])
        #expect(try await fixture.ledger.keptUpload(sha256: Self.digits, until: fixture.now) == nil)
        #expect(try await fixture.ledger.wantedUpload(now: fixture.now)?.reference == photo)
    }

    @Test func `a schedule keeps its file`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO schedules (name, cron, input) VALUES ('a', '@daily', '{\"image_url\":\"\(photo)\"}')"
        )
        #expect(try await fixture.ledger.usedUploads([photo, "upload:x"]) == [photo])
    }

    @Test func `what nobody takes any more is forgotten`() async throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        #expect(try await fixture.ledger.usedUploads([photo]) == [photo])
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("DELETE FROM jobs")
        #expect(try await fixture.ledger.usedUploads([photo]) == [])
        #expect(try fixture.rows("SELECT count(*) FROM uploads") == ["0"])
    }

    @Test(arguments: [
        "UPDATE jobs SET waits = 0", "UPDATE jobs SET turn = -1", "DELETE FROM job_uploads", "DELETE FROM uploads",
        "UPDATE job_uploads SET reference = 'x'", "INSERT INTO job_uploads VALUES (1, 'file:///etc/passwd')",
        "UPDATE uploads SET reference = 'file:///etc/passwd'", "UPDATE uploads SET state = 'ready'",
        "UPDATE uploads SET asked = 9223372036854775807",
        "INSERT INTO uploads (reference, asked) VALUES ('x', 4000000000000001)",
        """
        INSERT OR REPLACE INTO uploads (reference, state, sha256, url, uploaded_at, expires_at)
        SELECT reference, 'ready', substr(reference, 8, 64), 'https://u/1.png', 1, 253402300799999 FROM uploads
        """,
    ])
    func `what a job waits for is nobody's to write`(sql: String) throws {
        let fixture = try LedgerFixture()
        try insert(fixture, photo)
        #expect(fixture.refusal(sql) != nil)
    }
}
