import JobStore
import PromptQueue
import Testing

/// A lost answer, from the request to its end, through engine and ledger.
@Suite struct UnknownOutcomeRunTests {
    private static let lost = SubmissionOutcome.unknown(Failure(.answerLost, "no answer within 30s"))
    private static let accepted = SubmissionOutcome.accepted(TaskID("t"), httpStatus: 200)

    private func lose(_ change: (inout EngineSettings) -> Void = { _ in }) async throws -> (EngineRun, JobID) {
        let run = try EngineRun(change)
        run.balance = Credits(millicredits: 1_000_000)
        try await run.start()
        run.answers = [Self.lost, Self.accepted]
        return (run, try await run.add())
    }

    @Test func `under the policy hold an untouched balance sends nothing again`() async throws {
        let (run, job) = try await lose()
        try await run.pass(.seconds(86_400))
        let details = try #require(try run.details(of: job))
        #expect(details.job.state == .unconfirmed)
        #expect(details.attempts.map(\.state) == [.unknown])
        #expect(details.attempts.first?.wasCharged == false, "but a person is told")
    }

    @Test func `under the policy evidence an untouched balance sends the job again within two minutes, for one price`()
        async throws
    {
        let (run, job) = try await lose { $0.account.unconfirmedPolicy = .evidence }
        #expect(try run.details(of: job)?.job.state == .unconfirmed)
        try await run.pass(.seconds(59))
        #expect(try run.details(of: job)?.job.state == .unconfirmed)
        try await run.pass(.seconds(60))
        let details = try #require(try run.details(of: job))
        #expect(details.job.state == .running)
        #expect(details.job.attemptCount == 1)
        #expect(details.attempts.map(\.state) == [.rejected, .accepted])
        #expect(details.attempts.first?.evidence?.contains("cost nothing") == true)
        #expect(run.notices.contains { if case .jobCleared(job, _, _) = $0 { true } else { false } })
    }

    @Test func `a balance that fell by the price keeps the job waiting for a person`() async throws {
        let (run, job) = try await lose()
        run.balance = Credits(millicredits: 986_000)
        try await run.pass(.seconds(86_400))
        let details = try #require(try run.details(of: job))
        #expect(details.job.state == .unconfirmed)
        #expect(details.attempts.map(\.state) == [.unknown])
        #expect(details.attempts.first?.evidence?.contains("cost 14") == true)
    }

    @Test func `a restart in between changes nothing about the proof`() async throws {
        let (run, job) = try await lose { $0.account.unconfirmedPolicy = .evidence }
        run.engine = Engine(settings: run.engine.settings, seed: 3)
        try await run.start()
        #expect(try run.details(of: job)?.job.state == .unconfirmed)
        try await run.pass(.seconds(120))
        #expect(try run.details(of: job)?.job.state == .running)
    }

    @Test func `without a readable balance the policy resubmit sends it again after its window, counted`() async throws
    {
        let (run, job) = try await lose {
            $0.account.unconfirmedPolicy = .resubmit
            $0.account.unconfirmedWindow = .seconds(300)
        }
        run.balance = nil
        try await run.pass(.seconds(299))
        #expect(try run.details(of: job)?.job.state == .unconfirmed)
        try await run.pass(.seconds(10))
        let details = try #require(try run.details(of: job))
        #expect(details.job.state == .running)
        #expect(details.job.attemptCount == 2)
        #expect(details.attempts.map(\.state) == [.unknown, .accepted])
        #expect(details.attempts.first?.charged == Credits(millicredits: 14_000))
    }

    @Test func `a difference between account and ledger reaches the log once`() async throws {
        let run = try EngineRun()
        run.balance = Credits(millicredits: 1_000_000)
        try await run.start()
        for spent in [100_000, 100_000, 100_000] as [Int64] {
            run.poll = .succeeded([.file(url: "https://x")], charged: Credits(millicredits: 14_000))
            run.balance = run.balance.map { $0 - Credits(millicredits: 14_000) }
            if run.balance == Credits(millicredits: 986_000) {
                run.balance = run.balance.map { $0 - Credits(millicredits: spent) }
            }
            _ = try await run.add()
            try await run.pass(.seconds(300))
        }
        let said = run.notices.compactMap { notice -> Credits? in
            if case .accountDiffers(let standing) = notice { standing.unexplained } else { nil }
        }
        #expect(said == [Credits(millicredits: 100_000)])
        let account = try run.read { try $0.account(.standard) }
        #expect(account?.unexplained == Credits(millicredits: 100_000))
        #expect(account?.ledgerSpend == Credits(millicredits: 42_000))
    }
}
