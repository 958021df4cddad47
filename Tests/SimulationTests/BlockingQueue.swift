import Dispatch
import Testing

/// Runs what computes for seconds without a pause on threads of its own: the few threads that all other tests share would
/// have them wait for it.
final class BlockingQueue: TaskExecutor {
    static let shared = BlockingQueue()

    private let queue = DispatchQueue(label: "simulations")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

extension BlockingQueue: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(self) { try await function() }
    }
}

extension Trait where Self == BlockingQueue {
    /// The suite has threads of its own.
    static var blocking: Self { .shared }
}
