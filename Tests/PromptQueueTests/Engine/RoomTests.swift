import PromptQueue
import Testing

/// A queue with a limit of its own goes on when a place becomes free, however that came about.
struct RoomTests {
    private func isClaimed(after outcome: SubmissionOutcome) -> Bool {
        var fixture = EngineFixture()
        _ = fixture.start()
        var claim = Claim()
        claim.jobs = [fixture.job(attemptCount: 3)]
        claim.waitsForPlace = true
        _ = fixture.send(.claimed(claim))
        var effects = fixture.send(.submitted(claim.jobs[0].attempt, outcome))
        for change in effects.records { effects += fixture.send(.recorded(change, CommitResult())) }
        // A lost answer closes the provider's gate for a second at most.
        fixture.pass(.seconds(2))
        effects += fixture.send(.tick)
        return !effects.claims.isEmpty
    }

    @Test func `a lost answer makes room`() {
        #expect(isClaimed(after: .unknown(Failure(.answerLost, "lost"))))
    }

    @Test func `a job that fails at once makes room`() {
        #expect(isClaimed(after: .rejected(Failure(.invalidInput, "no"))))
    }

    @Test func `a job that waits before its next attempt makes room`() {
        #expect(isClaimed(after: .rejected(Failure(.providerUnavailable, "down"))))
    }
}
