import KieAPI
import PromptQueue
import Testing

@testable import Simulation

/// The simulated provider bills as the real one does.
struct ProviderTests {
    private static let request = SimulatedProvider.Request(
        attempt: AttemptID(1),
        job: JobID(1),
        model: "usual"
    )

    private func provider(_ faults: Plan.Faults = .init(), credits: Int64 = 20_000) -> SimulatedProvider {
        var plan = Plan(seed: 1)
        plan.faults = faults
        plan.startingBalance = credits
        return SimulatedProvider(plan)
    }

    private func faults(_ change: (inout Plan.Faults) -> Void) -> Plan.Faults {
        var faults = Plan.Faults()
        change(&faults)
        return faults
    }

    private let calm = Weather([])

    /// As promptd reads it.
    private func code(_ reply: WireAnswer) -> FailureCode? {
        switch CreateTaskAnswer.outcome(httpStatus: reply.status, body: reply.bytes) {
        case .accepted: nil
        case .rejected(let failure), .unknown(let failure), .notSent(let failure): failure.code
        }
    }

    private func outcome(_ reply: WireAnswer) -> PollOutcome {
        RecordInfoAnswer.answer(httpStatus: reply.status, body: reply.bytes).outcome
    }

    @Test func `a task is billed when it is made, and not without the credits for it`() throws {
        var provider = provider()
        let answer1 = code(provider.create(Self.request, calm, at: .zero))
        #expect(answer1 == nil)
        #expect(provider.balance == 6_000)
        var second = Self.request
        second.attempt = AttemptID(2)
        let answer2 = code(provider.create(second, calm, at: .zero))
        #expect(answer2 == .creditsExhausted)
        #expect(provider.tasks.count == 1)
        #expect(provider.isBalanced)
    }

    @Test func `a failure is given back, or not`() throws {
        for keeps in [0.0, 1.0] {
            var provider = provider(
                faults {
                    $0.taskFails = 1
                    $0.noRefund = keeps
                }
            )
            _ = provider.create(Self.request, calm, at: .zero)
            let task = try #require(provider.task(of: AttemptID(1)))
            provider.end(task.id)
            provider.end(task.id)
            #expect(provider.balance == (keeps == 0 ? 20_000 : 6_000))
            #expect(provider.isBalanced)
            guard case .failed(_, let charged, _) = outcome(provider.poll(task.id, calm, at: task.endsAt)) else {
                Issue.record("the task has not failed")
                return
            }
            #expect(charged == Credits(millicredits: keeps == 0 ? 0 : 14_000))
        }
    }

    @Test func `a task is unknown before it is visible, waits, and ends`() throws {
        var provider = provider(faults { $0.hidden = 1 })
        _ = provider.create(Self.request, calm, at: .zero)
        let task = try #require(provider.task(of: AttemptID(1)))
        let early = outcome(provider.poll(task.id, calm, at: .zero))
        if case .notFound = early {} else { Issue.record("visible at once") }
        if case .succeeded(let outputs, let charged, _, _) = outcome(provider.poll(task.id, calm, at: .seconds(200))) {
            #expect(outputs == task.outputs)
            #expect(charged == Credits(millicredits: 14_000))
        } else {
            Issue.record("has not succeeded")
        }
    }

    @Test(arguments: [
        (Spell.Kind.maintenance, FailureCode.providerMaintenance), (.serverError, .providerUnavailable),
        (.keyRefused, .keyRefused), (.capReached, .keyCapReached), (.modelOff("usual"), .modelDisabled),
    ])
    func `no task is made in bad weather`(kind: Spell.Kind, expected: FailureCode) {
        var provider = provider()
        let weather = Weather([Spell(kind: kind, from: .zero, to: .seconds(10))])
        let answer3 = code(provider.create(Self.request, weather, at: .seconds(5)))
        #expect(answer3 == expected)
        #expect(provider.tasks.isEmpty)
        let answer4 = code(provider.create(Self.request, weather, at: .seconds(10)))
        #expect(answer4 == nil)
    }

    @Test func `behind a gateway that fails some tasks are made`() {
        var provider = provider(credits: 1_000_000)
        let weather = Weather([Spell(kind: .gatewayError, from: .zero, to: .seconds(10))])
        for number in 1...20 {
            var request = Self.request
            request.attempt = AttemptID(Int64(number))
            let answer5 = code(provider.create(request, weather, at: .zero))
            #expect(answer5 == .answerLost)
        }
        #expect((1...19).contains(provider.tasks.count))
    }
}
