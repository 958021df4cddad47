import JobStore
import PromptQueue
import Testing

/// What becomes of requests whose answer was lost: given up, or settled by the account's balance.
@Suite struct UnknownOutcomeTests {
    private static let attempt =
        "SELECT state, reserved_millicredits, charged_millicredits, finished_at IS NOT NULL FROM attempts WHERE id = "

    /// A fixture whose first reading is 1,000 credits at 0 s, and whose request was lost at 11 s.
    private func lost(maxAttempts: Int = 3) async throws -> (fixture: LedgerFixture, job: ClaimedJob) {
        let fixture = try LedgerFixture()
        try await fixture.read(1_000, at: 0)
        let job = try await lose(fixture, maxAttempts: maxAttempts)
        return (fixture, job)
    }

    private func lose(_ fixture: LedgerFixture, maxAttempts: Int = 3) async throws -> ClaimedJob {
        let job = try await send(fixture, maxAttempts: maxAttempts)
        try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")), at: fixture.now + .seconds(11))
        return job
    }

    private func send(_ fixture: LedgerFixture, maxAttempts: Int = 3) async throws -> ClaimedJob {
        try fixture.insert("(prompt, max_attempts) VALUES ('x', \(maxAttempts))")
        return try #require(try await fixture.claim(1, at: fixture.now + .seconds(10)).jobs.first)
    }

    // MARK: - Giving up

    @Test func `giving up counts the reservation as spent and puts the job back, counted, once`() async throws {
        let (fixture, job) = try await lost()
        let later = fixture.now + .seconds(1_900)
        let recorded = try await fixture.record(.gaveUp(job.attempt), at: later)
        #expect(recorded.settled.map(\.attempt) == [job.attempt])
        #expect(recorded.settled.first?.job?.state == .queued)
        let money = Self.attempt + "\(job.attempt)"
        #expect(try fixture.rows(money) == ["unknown|0|14000|1"])
        let jobs = "SELECT state, attempt_count, charged_millicredits, error_code FROM jobs"
        #expect(try fixture.rows(jobs) == ["queued|1|14000|answer_lost"])
        let again = try await fixture.record(.gaveUp(job.attempt), at: later)
        #expect(again.settled.isEmpty)
        #expect(try fixture.rows(jobs) == ["queued|1|14000|answer_lost"])
        let next = try #require(try await fixture.claim(1, at: later).jobs.first)
        #expect(next.attemptCount == 2)
        // It comes late, while the job is under way again: nothing moves.
        _ = try await fixture.record(.gaveUp(job.attempt), at: later)
        #expect(try fixture.state(job.job) == "submitting")
    }

    @Test func `a job whose attempts are used up fails instead`() async throws {
        let (fixture, job) = try await lost(maxAttempts: 1)
        let recorded = try await fixture.record(.gaveUp(job.attempt))
        #expect(recorded.settled.first?.job?.state == .failed)
        #expect(try fixture.rows("SELECT state, error_code FROM jobs") == ["failed|answer_lost"])
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|0|14000|1"])
    }

    @Test func `a job that was cancelled or resolved meanwhile is left alone`() async throws {
        let (fixture, job) = try await lost()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let cancelled = try await fixture.record(.gaveUp(job.attempt))
        #expect(cancelled.settled.isEmpty)
        #expect(cancelled.job?.state == .cancelled)
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|14000||0"])

        let (other, adopted) = try await lost()
        try await other.accept(adopted, at: 20)
        #expect(try await other.record(.gaveUp(adopted.attempt)).settled.isEmpty)
        #expect(try other.state(adopted.job) == "running")
    }

    @Test func `a start lists what is unknown, that of the last daemon included`() async throws {
        let (fixture, job) = try await lost()
        let sending = try await send(fixture)
        let start = fixture.now + .seconds(50)
        let recovery = try await fixture.ledger.recover(now: start, rate: fixture.request(1).rate)
        #expect(recovery.unknown.map(\.attempt) == [job.attempt, sending.attempt])
        #expect(recovery.unknown.map(\.lostAt) == [fixture.now + .seconds(11), start])
    }

    // MARK: - Evidence

    @Test func `a balance that has not moved proves that nothing was charged, and the job goes back uncounted`()
        async throws
    {
        let (fixture, job) = try await lost()
        let recorded = try await fixture.read(1_000, at: 71)
        #expect(recorded.settled.map(\.attempt) == [job.attempt])
        #expect(recorded.settled.first?.job?.state == .queued)
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["rejected|0||1"])
        #expect(try fixture.rows("SELECT state, attempt_count, charged_millicredits FROM jobs") == ["queued|0|"])
        let evidence = try #require(try fixture.rows("SELECT evidence FROM attempts").first)
        #expect(
            evidence == """
                balance 1000 at 2027-01-15T08:00:00Z, 1000 at 2027-01-15T08:01:11Z: it fell by 0, and the 0 other tasks of \
                that time were charged 0, so this request had cost nothing by then
                """
        )
        #expect(try await fixture.read(1_000, at: 71).settled.isEmpty)
        #expect(try fixture.rows("SELECT count(*) FROM attempts") == ["1"])
        #expect(try await fixture.claim(1, at: fixture.now + .seconds(80)).jobs.map(\.attemptCount) == [1])
    }

    @Test func `under the policy hold a balance that has not moved is noted, and settles nothing`() async throws {
        let (fixture, job) = try await lost()
        #expect(try await fixture.read(1_000, at: 71, settles: false).settled.isEmpty)
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|14000||0"])
        #expect(try fixture.state(job.job) == "unconfirmed")
        #expect(
            try fixture.rows("SELECT evidence_charged, evidence LIKE '%cost nothing by then' FROM attempts") == ["0|1"]
        )
        let file = try QueueFile(path: fixture.path)
        var filter = JobFilter()
        filter.isUncharged = true
        #expect(try file.unconfirmed(matching: filter) == [job.job])
        // It was charged later than anybody looked: the account has lost what the ledger does not know of.
        _ = try await fixture.read(986, at: 200, settles: false)
        #expect(try file.unconfirmed(matching: filter) == [])
    }

    @Test
    func `a task that a callback named and that was not refuted settles nothing by a balance, a window or a person`()
        async throws
    {
        let (fixture, job) = try await lost()
        let named = TaskID("named")
        try await fixture.ledger.noteHint(job.attempt, task: named)
        #expect(try await fixture.read(1_000, at: 71).settled.isEmpty)
        let given = try await fixture.record(.gaveUp(job.attempt), at: fixture.now + .seconds(9_000))
        #expect(given.settled.isEmpty)
        #expect(given.job?.state == .unconfirmed)
        let file = try QueueFile(path: fixture.path)
        let refusal = #expect(throws: LedgerError.self) { try file.resolve(job.job, .resubmit, now: fixture.now) }
        #expect(refusal?.message.contains("a callback named task named") == true)
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|14000||0"])

        try await fixture.record(.hintRefuted(job.attempt, TaskID("another")))
        #expect(try fixture.rows("SELECT hinted_task_id FROM attempts") == ["named"])
        try await fixture.record(.hintRefuted(job.attempt, named))
        #expect(try fixture.rows("SELECT hinted_task_id FROM attempts") == [""])
        try file.resolve(job.job, .resubmit, now: fixture.now)
        #expect(try fixture.state(job.job) == "queued")
    }

    @Test func `a request whose answer was lost keeps its slot for as long as it may arrive`() async throws {
        let (fixture, job) = try await lost()
        let lostAt = fixture.now + .seconds(11)
        try fixture.insert("(prompt) VALUES ('x')")
        func free(at instant: Instant) async throws -> Bool {
            var request = fixture.request(1, at: instant)
            request.rate = RateLimit(count: 1, window: .seconds(10))
            let claim = try await fixture.claim(request)
            for job in claim.jobs {
                let then = FailureDisposition.retry(at: instant, counted: false)
                // Not a request that has left: nothing is kept busy by it.
                try await fixture.record(.rejected(job.attempt, Failure(.notSent, "x"), then: then), at: instant)
            }
            return !claim.jobs.isEmpty
        }
        #expect(try await !free(at: lostAt + .seconds(60)))
        #expect(try await !free(at: lostAt + LateArrival.longest + .seconds(9)))
        try fixture.run("UPDATE accounts SET rate_window_ms = 10000")
        #expect(try fixture.rows("SELECT rate_used FROM daemon_load") == ["1"])
        // Found by a callback after half an hour: it may have arrived a moment before.
        let found = lostAt + .seconds(1_800)
        try await fixture.record(.accepted(job.attempt, task: TaskID("late"), httpStatus: 200), at: found)
        #expect(try await !free(at: found + .seconds(9)))
        #expect(try await free(at: found + .seconds(11)))
    }

    @Test func `what other tasks were charged is told apart`() async throws {
        let (fixture, job) = try await lost()
        let other = try await send(fixture)
        try await fixture.accept(other, at: 12)
        try await fixture.end(other, charged: 9.5, at: 20)
        #expect(try await fixture.read(990.5, at: 80).settled.map(\.attempt) == [job.attempt])
    }

    @Test func `requests that were lost together are proved together`() async throws {
        let (fixture, _) = try await lost()
        _ = try await lose(fixture)
        #expect(try await fixture.read(1_000, at: 80).settled.count == 2)
        #expect(try fixture.rows("SELECT DISTINCT state FROM jobs") == ["queued"])
    }

    @Test func `a cancelled job's request is settled, and the job stays cancelled`() async throws {
        let (fixture, job) = try await lost()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try await fixture.read(1_000, at: 80).settled.first?.job?.state == .cancelled)
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["rejected|0||1"])
        #expect(try fixture.state(job.job) == "cancelled")
    }

    @Test func `a job that was cancelled and taken up again is settled like any other`() async throws {
        let (fixture, job) = try await lost()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(try fixture.rows("SELECT state, attempt_count FROM jobs") == ["unconfirmed|0"])
        #expect(try await fixture.read(1_000, at: 80).settled.map(\.attempt) == [job.attempt])
        #expect(try fixture.rows("SELECT state, attempt_count FROM jobs") == ["queued|0"])
    }

    @Test func `a balance that fell by the price shows that it was charged, and the job goes on waiting`() async throws
    {
        let (fixture, job) = try await lost()
        #expect(try await fixture.read(986, at: 80).settled.isEmpty)
        #expect(try fixture.state(job.job) == "unconfirmed")
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|14000||0"])
        let evidence = try #require(try fixture.rows("SELECT evidence FROM attempts").first)
        #expect(evidence.hasSuffix("so this request cost 14"))
    }

    /// What keeps a reading from proving anything. Each would be a proof without the thing that it names.
    enum Doubt: String, CaseIterable, CustomStringConvertible {
        case tooEarly, notQuiet, requestUnderWay, taskRunning, chargeNotReported, otherGivenUp, otherAmount
        case noReadingBefore, readingBeforeNotQuiet, taskRunningBefore, refundToCome, sharedAccount, clockSetBack

        var description: String { rawValue }
    }

    @Test(arguments: Doubt.allCases)
    func `whatever is not certain proves nothing`(doubt: Doubt) async throws {
        let fixture = try LedgerFixture()
        let balance = doubt == .refundToCome || doubt == .taskRunningBefore ? 986.0 : 1_000
        switch doubt {
        case .noReadingBefore:
            break
        case .readingBeforeNotQuiet:
            try await fixture.read(1_000, at: 0, isQuiet: false)
        case .refundToCome:
            // It was charged and has failed; what the account gets back for it must not hide another charge.
            try await fixture.read(1_000, at: -20)
            let failing = try await send(fixture)
            try await fixture.accept(failing, at: -12)
            try await fixture.end(failing, charged: 0, at: -11, failing: true)
            try await fixture.read(986, at: 0)
        case .taskRunningBefore:
            let running = try await send(fixture)
            try await fixture.accept(running, at: -5)
            try await fixture.read(986, at: 0)
            try await fixture.end(running, charged: 0, at: 5, failing: true)
        case .sharedAccount:
            try await fixture.read(1_500, at: -60)
            let own = try await send(fixture)
            try await fixture.accept(own, at: -50)
            try await fixture.end(own, charged: 14, at: -40)
            try await fixture.read(1_000, at: 0)
        default:
            try await fixture.read(1_000, at: 0)
        }
        let job = try await lose(fixture)
        switch doubt {
        case .requestUnderWay:
            _ = try await send(fixture)
        case .taskRunning:
            try await fixture.accept(try await send(fixture), at: 20)
        case .chargeNotReported:
            let other = try await send(fixture)
            try await fixture.accept(other, at: 12)
            try await fixture.end(other, charged: nil, at: 20)
        case .otherGivenUp:
            try await fixture.record(.gaveUp(try await lose(fixture).attempt), at: fixture.now + .seconds(30))
        case .clockSetBack:
            // Read after the request was lost, though its instant is before.
            try await fixture.read(986, at: 5)
        default:
            break
        }
        let last: Double =
            switch doubt {
            case .chargeNotReported, .clockSetBack: 986
            case .otherAmount: 990
            default: balance
            }
        let seconds: Int64 = doubt == .tooEarly ? 70 : 80
        let recorded = try await fixture.read(last, at: seconds, isQuiet: doubt != .notQuiet)
        #expect(recorded.settled.isEmpty)
        #expect(try fixture.state(job.job) == "unconfirmed")
        #expect(try fixture.rows(Self.attempt + "\(job.attempt)") == ["unknown|14000||0"])
    }

    @Test func `in doubt the next reading may do`() async throws {
        let (fixture, job) = try await lost()
        let other = try await send(fixture)
        try await fixture.accept(other, at: 12)
        #expect(try await fixture.read(986, at: 80).settled.isEmpty)
        try await fixture.end(other, charged: 14, at: 90)
        #expect(try await fixture.read(986, at: 100).settled.map(\.attempt) == [job.attempt])
    }
}
