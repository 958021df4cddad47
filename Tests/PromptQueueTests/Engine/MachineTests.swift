import Testing

@testable import PromptQueue

/// The machines that the engine is made of, each by itself.
@Suite struct MachineTests {
    private let now = Moment(instant: Instant(milliseconds: 1_800_000_000_000), uptime: .seconds(1_000))

    // MARK: - Claiming

    @Test func `what becomes due while a claim is out is not forgotten with its outcome`() {
        var claiming = Claiming()
        let isDueAtFirst = claiming.isDue(now: now)
        #expect(isDueAtFirst)
        claiming.begin()
        let isDueMeanwhile = claiming.isDue(now: now)
        #expect(!isDueMeanwhile)
        claiming.comeBack(at: now.instant + .seconds(30), now: now)
        claiming.end()
        claiming.take(Claim(), window: .seconds(10), now: now)
        let isDueAfterwards = claiming.isDue(now: now)
        #expect(!isDueAfterwards)
        #expect(claiming.wakes(slot: nil, now: now) == [now.uptime + .seconds(30)])
        let isDueThen = claiming.isDue(now: now + .seconds(30))
        #expect(isDueThen)
    }

    @Test func `slots that lost requests keep are waited for a minute, or until one has arrived`() {
        var claim = Claim()
        claim.hasMore = true
        claim.nextSlotAt = now.instant + .seconds(3_000)
        var claiming = Claiming()
        claiming.take(claim, window: .seconds(10), now: now)
        let isDueEarly = claiming.isDue(now: now + .seconds(59))
        #expect(!isDueEarly)
        let isDueInTime = claiming.isDue(now: now + .seconds(60))
        #expect(isDueInTime)
        var noticed = Claiming()
        noticed.take(claim, window: .seconds(10), now: now)
        noticed.noteArrival(at: now.uptime, window: .seconds(10))
        let isDueTooSoon = noticed.isDue(now: now + .seconds(9))
        #expect(!isDueTooSoon)
        let isDueAWindowLater = noticed.isDue(now: now + .seconds(10))
        #expect(isDueAWindowLater)
    }

    // MARK: - Lost answers

    @Test func `a lost answer that the ledger keeps is given up later, by why it was kept`() {
        let (lost, window) = (AttemptID(1), Duration.seconds(1_800))
        var answers = LostAnswers()
        answers.add(lost, at: .zero)
        let early = answers.takeDue(after: window, at: .seconds(1_799)) { _ in false }
        #expect(early.isEmpty)
        let named = answers.takeDue(after: window, at: .seconds(1_800)) { _ in true }
        #expect(named.isEmpty, "a task is named")
        let due = answers.takeDue(after: window, at: .seconds(1_800)) { _ in false }
        #expect(due == [lost])
        let again = answers.takeDue(after: window, at: .seconds(1_801)) { _ in false }
        #expect(again.isEmpty, "it is being given up")
        answers.wasKept(lost, state: .unconfirmed, window: window, at: .seconds(1_801))
        #expect(answers.nextDue(after: window) { _ in false } == .seconds(1_861))
        answers.wasKept(lost, state: .cancelled, window: window, at: .seconds(1_900))
        #expect(answers.nextDue(after: window) { _ in false } == .seconds(3_700))
        answers.wasKept(lost, state: .queued, window: window, at: .seconds(1_900))
        #expect(answers.isEmpty)
    }

    @Test func `answers are settled a while after the last was lost`() {
        var answers = LostAnswers()
        #expect(answers.areSettled(at: .zero))
        answers.add(AttemptID(1), at: .zero)
        answers.add(AttemptID(2), at: .seconds(10))
        #expect(answers.lastUnexamined == .seconds(10))
        #expect(!answers.areSettled(at: LostAnswers.settlingTime))
        #expect(answers.areSettled(at: LostAnswers.settlingTime + .seconds(10)))
        answers.examine()
        #expect(answers.lastUnexamined == nil)
    }

    // MARK: - Gates

    @Test func `a model's gate holds its model alone, and lets one of its jobs probe`() throws {
        var gates = Gates()
        var random = SeededGenerator(seed: 1)
        let hasClosed = gates.close(.model("a"), message: "505", at: now, using: &random)
        #expect(hasClosed)
        let hasClosedAgain = gates.close(.model("a"), message: "505", at: now, using: &random)
        #expect(!hasClosedAgain, "it is closed already")
        let closed = try #require(gates.admission(at: now.uptime, Account()))
        #expect(closed.closedModels == ["a"] && !closed.isProbe)
        let later = gates.nextProbes(after: now.uptime, Account())[0]
        #expect(gates.admission(at: later, Account())?.probedModels == ["a"])
        #expect(gates.hasModelToProbe(at: later))
        gates.probe(AttemptID(7), model: "a")
        #expect(gates.isProbe(AttemptID(7), of: .model("a")))
        #expect(gates.holds(model: "a", at: later, Account()) && !gates.holds(model: "b", at: later, Account()))
    }

    @Test func `only trouble of a minute, or a key refused three times, closes a gate by questions`() {
        var gates = Gates()
        let down = Failure(.providerUnavailable, "502")
        let first = gates.questionFailed(down, at: .zero)
        #expect(first == nil)
        let second = gates.questionFailed(down, at: .seconds(59))
        #expect(second == nil)
        let third = gates.questionFailed(down, at: .seconds(60))
        #expect(third == .provider)
        let opened = gates.questionAnswered()
        #expect(opened == .provider, "the next answer opens it")
        let openedAgain = gates.questionAnswered()
        #expect(openedAgain == nil)
        let refused = Failure(.keyRefused, "401")
        let refusals = (0..<3).map { _ in gates.questionFailed(refused, at: .zero) }
        #expect(refusals == [nil, nil, .key])
    }

    // MARK: - Tasks

    @Test func `a task is lost only when the provider has denied it for a day, past the life of its records`() {
        var tasks = Tasks()
        var fixture = EngineFixture()
        fixture.now = now
        tasks.add(fixture.openTask(AttemptID(1), "t"))
        let atOnce = tasks.isMissing(AttemptID(1), now: now).meaning
        #expect(atOnce == .mayTurnUp)
        let news = tasks.isMissing(AttemptID(1), now: now + .seconds(120))
        #expect(news.isNews && news.meaning == .mayTurnUp)
        let later = tasks.isMissing(AttemptID(1), now: now + .seconds(180))
        #expect(!later.isNews, "said once")
        // The wall clock alone proves nothing.
        let jumped = Moment(instant: now.instant + .seconds(100 * 86_400), uptime: now.uptime + .seconds(200))
        let afterAJump = tasks.isMissing(AttemptID(1), now: jumped).meaning
        #expect(afterAJump == .mayTurnUp)
        let atLast = tasks.isMissing(AttemptID(1), now: now + .seconds(61 * 86_400)).meaning
        #expect(atLast == .isLost)
    }
}
