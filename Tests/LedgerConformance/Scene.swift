import PromptQueue

/// A place with its ledger open, and the words that the checks are told in.
struct Scene<Place: LedgerPlace> {
    let place: Place
    var ledger: any CoreLedger
    let start = Instant(milliseconds: 1_800_000_000_000)

    static var price: Credits { Credits(millicredits: 14_000) }

    func expect(_ condition: Bool, _ text: String) throws {
        if !condition { throw LedgerConformance.Failure(description: text) }
    }

    func expect<T: Equatable>(_ found: T, is expected: T, _ text: String) throws {
        try expect(found == expected, "\(text): \(found) instead of \(expected)")
    }

    /// - Parameter second: since the start.
    func claim(
        _ limit: Int,
        at second: Int64 = 0,
        running: Int = 100,
        of account: AccountName = .standard,
        _ look: @escaping @Sendable (QueuedJob) -> Void = { _ in }
    ) async throws -> Claim {
        try await ledger.ledger(of: account).claim(
            ClaimRequest(
                limit: limit,
                rate: RateLimit(count: 20, window: .seconds(10)),
                runningLimit: running,
                now: start + .seconds(second)
            )
        ) { job in
            look(job)
            if job.prompt == "bad" {
                let problem = InputProblem(field: "prompt", kind: .tooShort, message: "too short")
                return .refused(Refusal(code: .invalidInput, problems: [problem]))
            }
            return .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Self.price, basis: .listed("conformance"))
                )
            )
        }
    }

    func claimOne(at second: Int64 = 0) async throws -> ClaimedJob {
        guard let job = try await claim(1, at: second).jobs.first else {
            throw LedgerConformance.Failure(description: "nothing was claimed")
        }
        return job
    }

    func runOne(_ task: String = "task-1") async throws -> ClaimedJob {
        _ = try await place.add("a red fox")
        let job = try await claimOne()
        try await record(.accepted(job.attempt, task: TaskID(task), httpStatus: 200))
        return job
    }

    @discardableResult
    func record(_ change: LedgerChange, at second: Int64 = 0) async throws -> CommitResult {
        try await ledger.record(change, now: start + .seconds(second))
    }

    func expect(_ job: JobID, is state: JobState) async throws {
        try expect(try await place.state(of: job), is: state, "the state of job \(job)")
    }

    func expectFirst(_ jobs: [ClaimedJob]) throws -> ClaimedJob {
        guard let first = jobs.first, jobs.count == 20 else {
            throw LedgerConformance.Failure(description: "\(jobs.count) jobs were claimed instead of 20")
        }
        return first
    }

    // MARK: - Attempts

    func attemptsAreLimited() async throws {
        let failure = Failure(.providerFault, "no")
        for (isCounted, attempts, expected) in [(true, 1, JobState.failed), (true, 2, .queued), (false, 1, .queued)] {
            let job = try await place.add("a red fox", maxAttempts: attempts)
            let claimed = try await claimOne()
            let then = FailureDisposition.retry(at: start + .seconds(3_600), counted: isCounted)
            let result = try await record(.rejected(claimed.attempt, failure, then: then))
            try await expect(job, is: expected)
            try expect(result.job?.state, is: expected, "what the change left")
        }
    }

    // MARK: - Care

    func eventsTellTheWay() async throws {
        let job = try await runOne()
        let (before, outputs) = (try await ledger.eventRange(), [TaskOutput.file(url: "https://x/1")])
        try await record(.taskSucceeded(job.attempt, outputs, charged: Self.price, fetch: true))
        try await record(.resultFailed(ResultID(job: job.job, ordinal: 0), message: "gone"))
        try await place.retry(job.job)
        let other = try await place.add("a red hen")
        try await place.cancel(other)
        var query = EventQuery(after: .start, limit: 100)
        query.job = job.job
        let events = try await ledger.events(query)
        try expect(
            events.map(\.state),
            is: [.queued, .submitting, .running, .failed, .queued, .running],
            "the states that the job went through"
        )
        try expect(events.map(\.previous), is: [nil] + events.dropLast().map(\.state), "the states before them")
        try expect(events.map(\.sequence), is: events.map(\.sequence).sorted(), "the order of the events")
        try expect(before.latest < (try await ledger.eventRange()).latest, "later events have greater numbers")
        query.job = nil
        query.after = events.last?.sequence
        try expect(try await ledger.events(query).map(\.job), is: [other, other], "what came after that")
    }

    func prunedKeepsItsMoney() async throws {
        let done = try await runOne()
        try await record(.taskSucceeded(done.attempt, [.file(url: "u")], charged: Self.price, fetch: false))
        _ = try await place.add("a red fox")
        let running = try await claimOne()
        try await record(.accepted(running.attempt, task: TaskID("task-2"), httpStatus: 200))
        let before = (charged: try await place.charged(), reserved: try await place.reserved())
        var filter = JobFilter()
        filter.finishedBefore = start + .seconds(60)
        let pruned = try await ledger.prune(PruneRequest(filter, limit: 10, removesFiles: false), now: start)
        try expect(pruned.jobs, is: 1, "what was pruned")
        try expect(try await place.state(of: done.job), is: nil, "the pruned job")
        try await expect(running.job, is: .running)
        try expect(try await place.charged(), is: before.charged, "what was charged in all")
        try expect(try await place.reserved(), is: before.reserved, "what is held back")
    }

    func olderCopySubmitsNothing() async throws {
        guard let ledger = ledger as? any CoreLedger & LedgerUpkeep else {
            throw LedgerConformance.Failure(description: "the ledger cannot tell whether it is an older copy")
        }
        let mark = place.mark
        try expect(try await ledger.checkAge(marks: [mark], now: start).copy, is: nil, "a ledger that was never away")
        _ = try await place.add("a red fox")
        _ = try await claimOne()
        _ = try await place.add("a red hen")
        let noted = try await place.makeOlder(mark)
        guard try await ledger.checkAge(marks: [noted], now: start).copy != nil else {
            throw LedgerConformance.Failure(description: "a ledger that does not know what was noted is not held")
        }
        try expect(try await claim(1).jobs.count, is: 0, "what is claimed of it")
        try await place.release()
        try expect(try await claim(1).jobs.count, is: 1, "what is claimed once it is released")
    }

    // MARK: - Accounts

    func accountsAreApart() async throws {
        let other = AccountName(stored: "other")
        let rate = RateLimit(count: 20, window: .seconds(10))
        let accounts = [AccountName.standard, other].map {
            AccountLimits(name: $0, rate: rate, runningLimit: 100, rules: AccountRules())
        }
        try await ledger.begin(DaemonIdentity(processID: 1, version: "v", accounts: accounts), now: start)
        for number in 0..<22 { for queue in ["a", "b"] { _ = try await place.add("\(number)", queue: queue) } }
        try await place.setAccount(other, queue: "b")
        let ours = try await claim(30).jobs
        let theirs = try await claim(30, of: other).jobs
        try expect([ours.count, theirs.count], is: [20, 20], "slots of each")
        try expect(Set(ours.map(\.queue)), is: ["a"], "whose jobs the one claims")
        try expect(Set(theirs.map(\.queue)), is: ["b"], "whose jobs the other claims")
        let (ledgerOfOther, first) = (ledger.ledger(of: other), try expectFirst(theirs))
        _ = try await ledgerOfOther.record(.accepted(first.attempt, task: TaskID("t"), httpStatus: 200), now: start)
        try expect(try await claim(30, at: 11, running: 20).jobs.isEmpty, "places are counted by account")
        // What was sent stays where it was sent. The process ends without a word.
        try await place.setAccount(.standard, queue: "b")
        try await ledger.close()
        let next = try await place.open()
        let recovery = try await next.ledger(of: other).recover(now: start, rate: rate)
        try expect(recovery.lost.count, is: 19, "requests of the other whose answer is lost")
        try expect(recovery.tasks.map(\.attempt), is: [first.attempt], "tasks of the other")
        try await expect(ours[0].job, is: .submitting)
        try expect(try await next.recover(now: start, rate: rate).lost.count, is: 20, "requests of ours")
        try expect(try await next.accountsUnderWay(), is: [.standard: 20, other: 20], "what is under way")
        try await next.close()
        _ = try await place.open()
    }

    // MARK: - Claims

    func higherPriorityGoesFirst() async throws {
        let first = try await place.add("1", queue: "a")
        let second = try await place.add("2", queue: "a")
        let third = try await place.add("3", queue: "b")
        let urgent = try await place.add("4", queue: "b", priority: 9)
        let paused = try await place.add("5", queue: "c", priority: 9)
        try await place.pause("c")
        // The first claim finds them; one that had to prepare them is repeated by the store itself.
        let claimed = try await claim(10).jobs.map(\.job)
        try expect(claimed, is: [urgent, first, third, second], "the order")
        try await expect(paused, is: .queued)
    }

    func claimedOnce() async throws {
        for number in 0..<12 { _ = try await place.add("\(number)") }
        let claimed = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for _ in 0..<6 { group.addTask { try await claim(4).jobs.map(\.job) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try expect(Set(claimed).count, is: claimed.count, "jobs claimed")
        try expect(claimed.count <= 12, "more were claimed than there are")
    }

    func limitsHold() async throws {
        for number in 0..<30 { _ = try await place.add("\(number)") }
        try expect(try await claim(30, running: 5).jobs.count, is: 5, "places")
        try expect(try await claim(30).jobs.count, is: 15, "slots, with five requests under way")
        try await place.setBudget("all", limit: Credits(millicredits: 14_000 * 22))
        let held = try await claim(30, at: 0)
        try expect(held.jobs.isEmpty, "no slot was free")
    }

    func refusedByTheRules() async throws {
        let bad = try await place.add("bad")
        let good = try await place.add("good")
        let claim = try await claim(1)
        try expect(claim.jobs.map(\.job), is: [good], "what was claimed")
        try expect(claim.refused.map(\.job), is: [bad], "what was refused")
        try await expect(bad, is: .failed)
    }
}
