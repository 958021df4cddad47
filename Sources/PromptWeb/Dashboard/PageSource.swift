import Concurrency
package import PromptQueue
import Synchronization

/// Where pages get what they show: a few connections of their own, on threads kept for what blocks.
package final class PageSource: Sendable {
    private let free: Mutex<[any PageReader]>
    private let places: AsyncSemaphore
    private let executor = BlockingExecutor()

    /// - Parameter readers: as many pages are read at a time.
    package init(_ readers: [any PageReader]) {
        free = Mutex(readers)
        places = AsyncSemaphore(places: readers.count)
    }

    /// Runs `body` with a connection of which nobody else makes use meanwhile.
    func read<Value: Sendable>(
        _ body: @Sendable (any PageReader) throws -> Value
    ) async throws -> Value {
        try await places.pass {
            guard let reader = free.withLock({ $0.popLast() }) else {
                throw LedgerError(.busy, "the pages' connections are closed")
            }
            defer { free.withLock { $0.append(reader) } }
            return try await withTaskExecutorPreference(executor) { try await Self.run(body, reader) }
        }
    }

    /// On the caller's executor.
    private static nonisolated func run<Value>(
        _ body: @Sendable (any PageReader) throws -> Value,
        _ reader: any PageReader
    ) async throws -> Value {
        try body(reader)
    }

    /// When no page is read any more.
    package func close() throws {
        for reader in free.withLock({ readers in
            defer { readers = [] }
            return readers
        }) {
            try reader.close()
        }
    }
}
