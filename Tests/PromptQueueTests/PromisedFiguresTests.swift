import Testing

@testable import PromptQueue

/// Figures that the documents promise: whoever changes one changes docs/guarantees.md with it.
@Suite struct PromisedFiguresTests {
    @Test func `a lost request keeps its slot for an hour`() {
        #expect(LateArrival.longest == .seconds(3_600))
    }

    @Test func `a success without a result is asked about for ten minutes`() {
        #expect(Tasks.resultPatience == .seconds(600))
    }

    @Test func `a task that is unknown is given up after 60 days, and a day of asking`() {
        #expect(Tasks.recordLifetime == .seconds(60 * 86_400))
        #expect(Tasks.missingPatience == .seconds(86_400))
    }

    @Test func `a download is tried for a day, one that is gone eight times`() {
        #expect(DownloadQueue.lifetime == .seconds(86_400))
        #expect(DownloadQueue.maximumAttempts == 8)
    }

    @Test func `48 questions may hang`() {
        #expect(PollSchedule.concurrency == 48)
    }

    @Test func `a balance tells what a lost request cost after a minute`() {
        #expect(BalanceReading.settlingTime == .seconds(60))
    }

    @Test func `eight names are noted`() {
        #expect(HintTarget.maximumChanges == 8)
    }
}
