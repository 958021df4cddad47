import PromptQueue
import Synchronization

// What becomes of requests and tasks, and what waits for their results.
extension Scene {
    // MARK: - Outcomes

    func outcomesAreIdempotent() async throws {
        let job = try await runOne()
        try await record(.accepted(job.attempt, task: TaskID("task-1"), httpStatus: 200))
        try await expect(job.job, is: .running)
        let charged = Credits(millicredits: 12_000)
        let success = LedgerChange.taskSucceeded(
            job.attempt,
            [.file(url: "https://x/1")],
            charged: charged,
            fetch: true
        )
        let downloads = try await record(success).downloads
        try expect(downloads.count, is: 1, "results to be fetched")
        try await record(success)
        try await record(.taskFailed(job.attempt, Failure(.taskFailed, "late"), charged: .zero, then: .fail))
        try expect(try await place.charged(job.job), is: charged, "what is booked")
        let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 3, sha256: "ab")
        for _ in 0..<2 { try await record(.resultSaved(ResultID(job: job.job, ordinal: 0), file)) }
        try await expect(job.job, is: .succeeded)
        try expect(try await claim(5).jobs.isEmpty, "a job that has succeeded was claimed")
    }

    func lostAnswerKeepsItsMoney() async throws {
        for number in 0..<21 { _ = try await place.add("\(number)") }
        let jobs = try await claim(20).jobs
        for job in jobs { try await record(.unknown(job.attempt, Failure(.answerLost, "cut"))) }
        let first = try expectFirst(jobs)
        try await expect(first.job, is: .unconfirmed)
        try expect(try await place.reserved(first.job), is: Self.price, "what is held back")
        // They may arrive long after a window.
        try expect(try await claim(1, at: 60).jobs.isEmpty, "a slot of a request that may still arrive was given away")
        try await record(.gaveUp(first.attempt), at: 4_000)
        try expect(try await place.charged(first.job), is: Self.price, "what may have been spent counts as spent")
        try expect(try await place.reserved(first.job), is: .zero, "what is held back")
    }

    func startFindsWhatWasOpen() async throws {
        let running = try await runOne()
        let lost = try await place.add("lost")
        let sending = try await claimOne()
        try expect(sending.job, is: lost, "what was claimed")
        // The process ends without a word.
        try await ledger.close()
        var next = self
        next.ledger = try await place.open()
        let recovery = try await next.ledger.recover(now: start, rate: RateLimit(count: 20, window: .seconds(10)))
        try expect(recovery.lost, is: [lost], "jobs whose request was under way")
        try expect(recovery.tasks.map(\.attempt), is: [running.attempt], "tasks to be asked about")
        try expect(recovery.unknown.map(\.attempt), is: [sending.attempt], "requests without an answer")
        try await expect(lost, is: .unconfirmed)
        try expect(try await place.reserved(lost), is: Self.price, "what is held back")
        try expect(try await next.claim(5).jobs.isEmpty, "what may have been sent was claimed again")
        try await next.ledger.close()
        // Whoever checks closes what it opened.
        _ = try await place.open()
    }

    func chargesAreBooked() async throws {
        for (task, charged, expected) in [("a", Credits(millicredits: 9_000), 9_000), ("b", nil, 14_000)]
            as [(String, Credits?, Int64)]
        {
            let job = try await runOne(task)
            try expect(try await place.reserved(job.job), is: Self.price, "what is held back")
            try await record(.taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: charged, then: .fail))
            try expect(try await place.charged(job.job), is: Credits(millicredits: expected), "what is booked")
            try expect(try await place.reserved(job.job), is: .zero, "what is held back")
            try await expect(job.job, is: .failed)
        }
    }

    func refusedIsReleased() async throws {
        let id = try await place.add("a red fox", maxAttempts: 1)
        let job = try await claimOne()
        let refusal = Failure(.keyRefused, "no", httpStatus: 200, apiCode: 401)
        try await record(.rejected(job.attempt, refusal, then: .retry(at: start, counted: false)))
        try expect(try await place.reserved(id), is: .zero, "what is held back")
        try await expect(id, is: .queued)
        let again = try await claimOne(at: 60)
        try expect(again.attemptCount, is: 1, "what has counted")
        try expect(again.attempt != job.attempt, "each request has an attempt of its own")
    }

    func cancelledIsBooked() async throws {
        let job = try await runOne()
        try await place.cancel(job.job)
        let recorded = try await record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: Self.price, fetch: true)
        )
        try expect(recorded.downloads.isEmpty, "results of a cancelled job were to be fetched")
        try expect(try await place.charged(job.job), is: Self.price, "what is booked")
        try await expect(job.job, is: .cancelled)
    }

    func retryTakesUp() async throws {
        let job = try await runOne()
        try await record(.taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: Self.price, fetch: true))
        try await record(.resultFailed(ResultID(job: job.job, ordinal: 0), message: "gone"))
        try await expect(job.job, is: .failed)
        try await place.retry(job.job)
        let resumed = try await ledger.takeResumed(now: start)
        try expect(resumed.downloads.map(\.result), is: [ResultID(job: job.job, ordinal: 0)], "results to be fetched")
        try expect(try await ledger.takeResumed(now: start).downloads.isEmpty, "they were handed over twice")
        try expect(try await claim(5, at: 60).jobs.isEmpty, "what is paid for was claimed")
        try expect(try await place.charged(job.job), is: Self.price, "what is booked")
    }

    // MARK: - Chains

    func waitsForItsSource() async throws {
        let first = try await place.add("a red fox")
        let second = try await place.add("it runs", input: "{\"image_url\":\"job:\(first)/0\"}")
        let claimed = try await claim(5)
        try expect(claimed.jobs.map(\.job), is: [first], "what was claimed")
        try expect(!claimed.hasMore && claimed.nextRunAt == nil, "nothing is due before its source has ended")
        try await record(.accepted(claimed.jobs[0].attempt, task: TaskID("a"), httpStatus: 200))
        let outputs = [TaskOutput.file(url: "https://x/1")]
        try await record(.taskSucceeded(claimed.jobs[0].attempt, outputs, charged: Self.price, fetch: true))
        try expect(try await claim(5, at: 1).jobs.isEmpty, "it was claimed before the result was saved")
        let file = SavedFile(path: "f/1-0.png", contentType: "image/png", bytes: 1, sha256: "x")
        let saved = try await record(.resultSaved(ResultID(job: first, ordinal: 0), file))
        try expect(saved.feedsOthers, "the ledger does not say that somebody waits for it")
        let sources = Mutex<[JobID: [ResultSource]]>([:])
        let next = try await claim(5, at: 2) { job in sources.withLock { $0[job.id] = job.sources } }
        try expect(next.jobs.map(\.job), is: [second], "what was claimed then")
        try expect(
            sources.withLock { $0[second]?.map(\.standing) },
            is: [.at(url: "https://x/1")],
            "what is to be sent"
        )
    }

    func failsWithItsSource() async throws {
        let first = try await place.add("bad")
        let second = try await place.add("it runs", input: "{\"image_url\":\"job:\(first)\"}")
        let third = try await place.add("and runs", input: "{\"image_url\":\"job:\(second)\"}")
        try expect(try await claim(5).refused.map(\.job), is: [first], "what was refused")
        for job in [second, third] { try await expect(job, is: .failed) }
        try await place.retry(second)
        try await expect(second, is: .failed)
        for job in [first, second, third] { try await place.retry(job) }
        for job in [first, second, third] { try await expect(job, is: .queued) }
        try await place.cancel(first)
        for job in [second, third] { try await expect(job, is: .failed) }
        try expect(try await claim(5, at: 60).jobs.isEmpty, "something was claimed")
    }
}
