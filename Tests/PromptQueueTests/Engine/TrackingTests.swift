import Testing

@testable import PromptQueue

/// From an accepted task to its files.
@Suite struct TrackingTests {
    @Test func `a running task is asked about until it ends`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        for _ in 0..<5 {
            try fixture.untilPoll()
            _ = fixture.send(.polled(task.attempt, .pending(providerState: "waiting")))
        }
        try fixture.untilPoll()
        let effects = fixture.send(
            .polled(task.attempt, .succeeded([.file(url: "https://x/1.png")], charged: Credits(millicredits: 14_000)))
        )
        guard
            case .taskSucceeded(task.attempt, let outputs, let charged, fetch: true, took: _, unread: _)? = effects
                .records.first
        else {
            Issue.record("not recorded: \(effects)")
            return
        }
        #expect(outputs == [.file(url: "https://x/1.png")])
        #expect(charged == Credits(millicredits: 14_000))
        let next = fixture.passUntilPoll()
        #expect(next == nil, "it has ended")
    }

    @Test func `no clock ever turns a paid task into a failure`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        let start = fixture.now.uptime
        while fixture.now.uptime - start < .seconds(30 * 86_400) {
            try fixture.untilPoll(limit: .seconds(7_200))
            let effects = fixture.send(.polled(task.attempt, .pending(providerState: "waiting")))
            #expect(effects.records.isEmpty)
        }
    }

    @Test func `a task that is not visible yet is asked about again`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        #expect(fixture.send(.polled(task.attempt, .notFound)).records.isEmpty)
        try fixture.untilPoll()
    }

    @Test func `a poll that fails teaches nothing about the task`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        let failure = Failure(.providerUnavailable, "…")
        #expect(fixture.send(.polled(task.attempt, .unavailable(failure))).records.isEmpty)
        try fixture.untilPoll()
    }

    @Test func `what was learnt before a restart is known after it`() throws {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.history = (0..<20).map { number in
            CompletedTask(key: CompletionKey(model: "m", profile: ""), took: .seconds(60 + number))
        }
        _ = fixture.send(.started(recovery))
        _ = fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
        let (jobs, _) = fixture.claim(1, hasMore: false)
        _ = fixture.send(.submitted(jobs[0].attempt, .accepted(TaskID("t"), httpStatus: 200)))
        _ = fixture.send(.recorded(.accepted(jobs[0].attempt, task: TaskID("t"), httpStatus: 200), CommitResult()))
        let poll = fixture.passUntilPoll()
        let first = try #require(poll)
        #expect(first >= .seconds(60))
        #expect(first < .seconds(90))
    }

    @Test func `how long a task took is recorded with its end`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        let effects = fixture.send(
            .polled(task.attempt, .failed(Failure(.taskFailed, "…"), charged: nil, took: .seconds(1)))
        )
        guard case .taskFailed(_, _, _, _, let took)? = effects.records.first else {
            Issue.record("not recorded: \(effects)")
            return
        }
        #expect(took == .seconds(1))
    }

    @Test func `with callbacks the first poll is left to them, and the net is there`() throws {
        var plain = EngineFixture()
        var called = EngineFixture { $0.callbacksEnabled = true }
        _ = plain.runOne()
        let task = called.runOne()
        let usual = plain.passUntilPoll() ?? .zero
        let late = called.passUntilPoll() ?? .zero
        #expect(late > usual * 3)
        #expect(late < .seconds(120))
        _ = called.send(.polled(task.attempt, .pending(providerState: "waiting")))
        let hinted = called.send(.hinted(task.attempt)).polls
        #expect(hinted == [task.attempt])
    }

    @Test func `a fault of the provider is worth another attempt while attempts remain`() throws {
        #expect(try end(.providerFault, attempts: 3).isRetry)
        #expect(try end(.providerFault, attempts: 1) == .fail)
        #expect(try end(.contentRefused, attempts: 3) == .fail)
    }

    private func end(_ code: FailureCode, attempts: Int) throws -> FailureDisposition {
        var fixture = EngineFixture()
        let task = fixture.runOne(maxAttempts: attempts)
        try fixture.untilPoll()
        let effects = fixture.send(.polled(task.attempt, .failed(Failure(code, "…"), charged: .zero)))
        return try #require(effects.disposition)
    }

    @Test func `results are fetched a bounded number at a time, the oldest first`() {
        var fixture = EngineFixture { $0.concurrentDownloads = 2 }
        var recovery = Recovery()
        recovery.downloads = (1...4).map { id in download(id, createdAt: fixture.now.instant - .seconds(id)) }
        #expect(fixture.send(.started(recovery)).downloads.map(\.job.rawValue) == [4, 3])
        let saved = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "00")
        let result = ResultID(job: JobID(4), ordinal: 0)
        let effects = fixture.send(.downloaded(result, .saved(saved)))
        #expect(effects.downloads.isEmpty, "its place is free once it is recorded")
        #expect(
            fixture.send(.recorded(.resultSaved(result, saved), CommitResult())).downloads.map(\.job.rawValue) == [2]
        )
    }

    @Test func `a download is tried again with backoff, and at last given up with its URL kept`() throws {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.downloads = [download(1, createdAt: fixture.now.instant)]
        var effects = fixture.send(.started(recovery))
        let result = ResultID(job: JobID(1), ordinal: 0)
        for _ in 1..<DownloadQueue.maximumAttempts {
            #expect(effects.downloads == [result])
            effects = fixture.send(.downloaded(result, .failed(.gone, message: "HTTP 404")))
            #expect(!effects.records.contains { if case .resultFailed = $0 { true } else { false } })
            fixture.pass(.seconds(600))
            effects = fixture.send(.tick)
        }
        effects = fixture.send(.downloaded(result, .failed(.gone, message: "HTTP 404")))
        #expect(effects.records.contains { if case .resultFailed(result, "HTTP 404") = $0 { true } else { false } })
    }

    @Test func `trouble that may pass is waited out for as long as the URL may live`() {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.downloads = [download(1, createdAt: fixture.now.instant)]
        var effects = fixture.send(.started(recovery))
        let result = ResultID(job: JobID(1), ordinal: 0)
        let start = fixture.now.uptime
        var isGivenUp = false
        while !isGivenUp, fixture.now.uptime - start < .seconds(2 * 86_400) {
            effects = fixture.send(.downloaded(result, .failed(.passing, message: "HTTP 503")))
            isGivenUp = effects.records.contains { if case .resultFailed = $0 { true } else { false } }
            repeat {
                fixture.pass(.seconds(10))
                effects = fixture.send(.tick)
            } while !isGivenUp && effects.downloads.isEmpty
        }
        #expect(isGivenUp)
        #expect(fixture.now.uptime - start >= .seconds(86_400))
    }

    @Test func `a full media disk stops submitting, uses up no try, and passes`() {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.downloads = [download(1, createdAt: fixture.now.instant)]
        _ = fixture.send(.started(recovery))
        _ = fixture.send(.claimed(Claim()))
        let result = ResultID(job: JobID(1), ordinal: 0)
        for _ in 0..<20 {
            let effects = fixture.send(.downloaded(result, .failed(.local, message: "the media disk is full")))
            #expect(!effects.records.contains { if case .resultFailed = $0 { true } else { false } })
            fixture.pass(.seconds(60))
            #expect(fixture.send(.tick).downloads == [result])
        }
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
        let saved = SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "00")
        let effects = fixture.send(.downloaded(result, .saved(saved)))
        #expect(effects.gates == [])
        #expect(effects.claims.count == 1)
    }

    @Test func `draining waits for what is under way and then stops`() throws {
        var fixture = EngineFixture()
        let task = fixture.runOne()
        try fixture.untilPoll()
        let balance = fixture.send(.balance(.zero)).records
        for change in balance { _ = fixture.send(.recorded(change, CommitResult())) }
        _ = fixture.send(.claimed(Claim()))
        #expect(!fixture.send(.drain).stops)
        let effects = fixture.send(.polled(task.attempt, .pending(providerState: "waiting")))
        #expect(effects.stops)
    }

    private func download(_ id: Int64, createdAt: Instant) -> PendingDownload {
        PendingDownload(
            result: ResultID(job: JobID(id), ordinal: 0),
            output: .file(url: "https://x/\(id)"),
            origin: JobOrigin(queue: "default"),
            createdAt: createdAt
        )
    }
}

extension FailureDisposition {
    fileprivate var isRetry: Bool { if case .retry = self { true } else { false } }
}
