/// Opens once.
package struct Latch: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    package func open() {
        continuation.yield()
        continuation.finish()
    }

    /// Lets `wait` return false: it will not open.
    package func abandon() {
        continuation.finish()
    }

    /// Waits, alone, until it is open; false when it is abandoned, or the task cancelled, first.
    package func wait() async -> Bool {
        for await _ in stream { return true }
        return false
    }
}
