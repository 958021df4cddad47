import FoundationEssentials
import JobStore
import PromptQueue
import StateFiles
import Testing

/// What was under way when promptd died.
@Suite struct SuspectTests {
    private static let crash = SuddenEnd.crash(signal: 4)

    private func die(
        _ fixture: LedgerFixture,
        of steps: [RiskyStep],
        _ end: SuddenEnd = crash,
        version: String = "1"
    ) async throws -> [RiskyStep] {
        try await fixture.ledger.noteDeaths(steps, end, version: version, now: fixture.now).map(\.step)
    }

    @Test func `two crashes set a step aside, one makes it go alone, and going well clears it`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let step = RiskyStep.poll(job.attempt)
        #expect(try await die(fixture, of: [step]).isEmpty)
        #expect(try await fixture.ledger.suspects() == [step])
        fixture.ledger.acquit(step)
        try await fixture.ledger.beat(now: fixture.now)
        #expect(try await fixture.ledger.suspects().isEmpty)
        #expect(try await die(fixture, of: [step]).isEmpty)
        #expect(try await die(fixture, of: [step]) == [step])
        #expect(try await fixture.ledger.suspects().isEmpty)
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.tasks.isEmpty)
        #expect(
            try fixture.rows("SELECT error_message FROM job_status").first?.hasPrefix("set aside: promptd crashed")
                == true
        )
        #expect(try fixture.rows("SELECT reserved_millicredits > 0, finished_at IS NULL FROM attempts") == ["1|1"])
    }

    @Test func `a kill says little: six in a row of the same step are one too many`() async throws {
        let fixture = try LedgerFixture()
        let first = try await fixture.runOne("a")
        let second = try await fixture.runOne("b")
        let steps = [first, second].map { RiskyStep.poll($0.attempt) }
        for _ in 1...5 { #expect(try await die(fixture, of: steps, .unexplained).isEmpty) }
        // This time the first was not under way.
        #expect(try await die(fixture, of: [steps[1]], .unexplained) == [steps[1]])
        #expect(try await fixture.ledger.suspects() == [steps[0]])
    }

    @Test func `what is set aside takes no place of those that run`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('y')")
        try fixture.run("UPDATE queues SET max_running = 1; UPDATE accounts SET running_limit = 1")
        let seen = "SELECT blocked_by, (SELECT running FROM daemon_load) FROM queue_status"
        #expect(try await fixture.claim(fixture.request(1, running: 1)).jobs.isEmpty)
        #expect(try fixture.rows(seen) == ["running|1"])
        for _ in 1...2 { _ = try await die(fixture, of: [.poll(job.attempt)]) }
        #expect(try fixture.rows(seen) == ["|0"], "people see what the claim sees")
        #expect(try await fixture.claim(fixture.request(1, running: 1)).jobs.count == 1)
    }

    @Test func `another version tries again`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        for _ in 1...2 { _ = try await die(fixture, of: [.poll(job.attempt)]) }
        #expect(try await die(fixture, of: [], version: "2").isEmpty)
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.tasks.map(\.attempt) == [job.attempt])
        #expect(try fixture.rows("SELECT error_code IS NULL FROM jobs") == ["1"])
    }

    @Test func `of several results one is set aside, and the others are fetched`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        let outputs: [TaskOutput] = [.file(url: "a"), .file(url: "b")]
        try await fixture.record(.taskSucceeded(job.attempt, outputs, charged: .zero, fetch: true))
        let poison = RiskyStep.download(ResultID(job: job.job, ordinal: 0))
        for _ in 1...2 { _ = try await die(fixture, of: [poison]) }
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.downloads.map(\.result.ordinal) == [1])
        #expect(try fixture.state(job.job) == "running")
        let file = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "s")
        try await fixture.record(.resultSaved(ResultID(job: job.job, ordinal: 1), file))
        #expect(try fixture.rows("SELECT state, error_code FROM jobs") == ["failed|download_failed"])
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT count(*) FROM suspects") == ["0"])
        let resumed = try await fixture.ledger.takeResumed(now: fixture.now)
        #expect(resumed.downloads.map(\.result.ordinal) == [0])
    }

    @Test func `a step that is no more is no suspect`() async throws {
        let fixture = try LedgerFixture()
        #expect(try await die(fixture, of: [.claim(JobID(9)), .poll(AttemptID(9))]).isEmpty)
        #expect(try await fixture.ledger.suspects().isEmpty)
    }

    @Test func `who prepared a job when it ended has ended of that, and what was beside it goes free`() async throws {
        let fixture = try LedgerFixture()
        let running = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('poison')")
        let poison = RiskyStep.claim(JobID(2))
        #expect(try await die(fixture, of: [.poll(running.attempt), poison]).isEmpty)
        #expect(try await fixture.ledger.suspects() == [poison])
        #expect(try await die(fixture, of: [.poll(running.attempt), poison]) == [poison])
        #expect(try fixture.rows("SELECT state, error_code FROM jobs WHERE id = 2") == ["failed|set_aside"])
    }

    @Test func `a task that a callback named is set aside, and asked about no more, until somebody settles it`()
        async throws
    {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        let job = try await fixture.claimOne()
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        try await fixture.ledger.noteHint(job.attempt, task: TaskID("named"))
        for _ in 1...2 { _ = try await die(fixture, of: [.poll(job.attempt)]) }
        let recovery = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(recovery.unknown.map(\.attempt) == [job.attempt])
        #expect(recovery.unknown.first?.hinted == nil)
        #expect(try await fixture.ledger.hintTarget(token: job.token)?.isOpen == false)
        let file = try QueueFile(path: fixture.path)
        defer { try? file.close() }
        try file.resolve(job.job, .task(TaskID("named")), now: fixture.now)
        let resumed = try await fixture.ledger.takeResumed(now: fixture.now)
        #expect(resumed.tasks.map(\.task) == [TaskID("named")])
    }

    @Test func `a job that is tried again is claimed again, and another version counts no attempt again`() async throws
    {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try fixture.run("UPDATE jobs SET attempt_count = 3")
        for _ in 1...2 { _ = try await die(fixture, of: [.poll(job.attempt)]) }
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        _ = try await die(fixture, of: [], version: "2")
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        #expect(try fixture.rows("SELECT attempt_count FROM jobs") == ["3"])

        for _ in 1...2 { _ = try await die(fixture, of: [.poll(job.attempt)], version: "2") }
        _ = try await fixture.ledger.recover(now: fixture.now, rate: fixture.request(1).rate)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(
            try fixture.rows("SELECT count(*) FROM suspects UNION ALL SELECT count(*) FROM set_aside") == ["0", "0"]
        )
        let again = FailureDisposition.retry(at: fixture.now, counted: true)
        try await fixture.record(.taskFailed(job.attempt, Failure(.providerFault, "no"), charged: .zero, then: again))
        #expect(try await fixture.claim(1).jobs.count == 1)
    }

    @Test func `a start that could not take in the marks leaves them for the next`() throws {
        let path = file()
        do {
            let marks = try StepMarks(database: path)
            marks.reset()
            marks.begin(.claim(JobID(1)))
        }
        do { try StepMarks(database: path).remove() }
        #expect(try StepMarks(database: path).leftovers?.steps == [.claim(JobID(1))])
    }

    // MARK: - Marks

    private func file() -> String { ScratchDirectory.make() + "/queue.sqlite" }

    @Test func `what is under way when a process ends is known to the next`() throws {
        let path = file()
        let steps: [RiskyStep] = [
            .claim(JobID(7)), .poll(AttemptID(Int64.max)), .download(ResultID(job: JobID(3), ordinal: 255)),
        ]
        do {
            let marks = try StepMarks(database: path)
            #expect(marks.leftovers == nil)
            marks.reset()
            for step in steps + [.claim(JobID(8))] { marks.begin(step) }
            marks.end(.claim(JobID(8)))
        }
        do {
            let marks = try StepMarks(database: path)
            #expect(Set(marks.leftovers?.steps ?? []) == Set(steps))
            #expect(marks.leftovers?.end == .unexplained)
            marks.reset()
        }
        let marks = try StepMarks(database: path)
        #expect(marks.leftovers?.steps.isEmpty == true)
        marks.reset()
        marks.remove()
        #expect(try StepMarks(database: path).leftovers == nil)
    }

    @Test func `more marks than there are places do no harm, and places are used again`() throws {
        let path = file()
        do {
            let marks = try StepMarks(database: path)
            marks.reset()
            for number in 1...2_000 { marks.begin(.claim(JobID(Int64(number)))) }
            for number in 1...2_000 { marks.end(.claim(JobID(Int64(number)))) }
            for number in 1...3 { marks.begin(.claim(JobID(Int64(number)))) }
        }
        #expect(try StepMarks(database: path).leftovers?.steps.count == 3)
    }
}
