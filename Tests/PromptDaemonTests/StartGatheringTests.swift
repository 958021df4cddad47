import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

/// Where the runners of several accounts meet before one of them acts.
@Suite(.timeLimit(.minutes(5)))
struct StartGatheringTests {
    @Test func `all go on when the last has come, and what they have found is told once`() async {
        let found = Mutex<[Int]>([])
        let gathering = StartGathering(of: 3) { recoveries in found.withLock { $0.append(recoveries.count) } }
        await withTaskGroup { group in
            for _ in 0..<3 { group.addTask { await gathering.arrive(Recovery()) } }
        }
        #expect(found.withLock(\.self) == [3])
    }

    @Test func `nobody waits once one has failed, not even who comes afterwards`() async {
        let gathering = StartGathering(of: 3) { _ in Issue.record("not all have come") }
        await withTaskGroup { group in
            group.addTask { await gathering.arrive(Recovery()) }
            gathering.abandon()
            group.addTask { await gathering.arrive(Recovery()) }
        }
    }
}
