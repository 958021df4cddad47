import FoundationEssentials
import JobStore
import PromptQueue
import StateFiles
import Synchronization
import Testing

@testable import PromptDaemon

/// Suspects are under way one at a time, so that the next end tells which it was.
@Suite(.timeLimit(.minutes(5))) struct StepWatchTests {
    private static let steps = (1...3).map { RiskyStep.poll(AttemptID($0)) }

    private func watch(_ suspects: Set<RiskyStep>) throws -> (StepWatch, FakeSuspectStore, path: String) {
        let folder = FileManager.default.temporaryDirectory.path + "/promptd-steps-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/queue.sqlite"
        let marks = try StepMarks(database: path)
        marks.reset()
        let store = FakeSuspectStore()
        return (StepWatch(marks: marks, suspects: suspects, store: store), store, path)
    }

    private func underWay(_ path: String) throws -> Set<RiskyStep> {
        Set(try StepMarks(database: path).leftovers?.steps ?? [])
    }

    @Test func `one suspect waits for another, and what is not suspected for nobody`() async throws {
        let (watch, store, path) = try watch([Self.steps[0], Self.steps[1]])
        await watch.begin(Self.steps[0])
        let second = Task { await watch.begin(Self.steps[1]) }
        await watch.begin(Self.steps[2])
        for _ in 0..<1_000 { await Task.yield() }
        #expect(try underWay(path) == [Self.steps[0], Self.steps[2]])
        watch.end(Self.steps[0])
        await second.value
        #expect(try underWay(path) == [Self.steps[1], Self.steps[2]])
        watch.end(Self.steps[1])
        watch.end(Self.steps[2])
        #expect(try underWay(path).isEmpty)
        #expect(store.acquitted.withLock { $0 } == [Self.steps[0], Self.steps[1]])
        // Suspected no longer: nobody waits.
        await watch.begin(Self.steps[0])
        await watch.begin(Self.steps[1])
    }

    @Test func `an answer that did not come clears nobody, and lets the next one go`() async throws {
        let (watch, store, path) = try watch([Self.steps[0], Self.steps[1]])
        await watch.begin(Self.steps[0])
        let second = Task { await watch.begin(Self.steps[1]) }
        for _ in 0..<1_000 { await Task.yield() }
        watch.end(Self.steps[0], isDone: false)
        await second.value
        #expect(store.acquitted.withLock { $0 }.isEmpty)
        let again = Task { await watch.begin(Self.steps[0]) }
        for _ in 0..<1_000 { await Task.yield() }
        #expect(try underWay(path) == [Self.steps[1]], "it is suspected still")
        watch.end(Self.steps[1])
        await again.value
    }

    @Test func `who is cut off does not wait for ever`() async throws {
        let (watch, _, _) = try watch(Set(Self.steps))
        await watch.begin(Self.steps[0])
        let second = Task { await watch.begin(Self.steps[1]) }
        second.cancel()
        await second.value
    }
}
