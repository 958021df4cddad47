import PromptQueue
import Testing

@testable import PromptDaemon

@Suite struct EventQueueTests {
    private let queue = EventQueue()

    private func attempts(_ events: [RunnerEvent]) -> [Int64] {
        events.compactMap {
            if case .engine(.recordAbandoned(.gaveUp(let attempt))) = $0 { attempt.rawValue } else { nil }
        }
    }

    private func send(_ numbers: ClosedRange<Int64>) {
        for number in numbers { queue.send(.recordAbandoned(.gaveUp(AttemptID(number)))) }
    }

    @Test func `all that wait are taken at once, in order`() async {
        send(1...3)
        #expect(attempts(await queue.next()) == [1, 2, 3])
        send(4...4)
        #expect(attempts(await queue.next()) == [4])
    }

    @Test(.timeLimit(.minutes(1))) func `who waits is told of the next`() async {
        async let taken = queue.next()
        // Whether it waits already or not.
        await Task.yield()
        send(1...1)
        #expect(attempts(await taken) == [1])
    }

    @Test(.timeLimit(.minutes(1))) func `a cancelled task takes what came before, and then none`() async {
        send(1...2)
        let task = Task { [queue] in
            var batches: [[RunnerEvent]] = []
            while true {
                let batch = await queue.next()
                batches.append(batch)
                if batch.isEmpty { return batches }
            }
        }
        task.cancel()
        #expect(await task.value.map(attempts) == [[1, 2], []])
    }
}
