import Glibc

/// Work of the loop's thread that the calling thread waits for.
///
/// It takes no thread of the cooperative pool, so that it ends even if all of them wait.
///
/// `result` is written by the loop's thread before the semaphore is raised, and read by the caller after it was: never by both at once. The
/// same holds for everything that the body has captured, because the caller does nothing meanwhile.
@safe final class BlockingCall<Value>: @unchecked Sendable {
    private let body: () async throws -> Value
    private var result: Result<Value, any Error>?
    private let isOver: UnsafeMutablePointer<sem_t>

    private init(_ body: @escaping () async throws -> Value) {
        self.body = body
        unsafe isOver = .allocate(capacity: 1)
        unsafe sem_init(isOver, 0, 0)
    }

    deinit {
        unsafe sem_destroy(isOver)
        unsafe isOver.deallocate()
    }

    /// - Throws: what `body` throws; `PostgresError` with `misuse` on the loop's own thread, which would wait for itself.
    static func run(on loop: SocketLoop, _ body: @escaping () async throws -> Value) throws -> Value {
        guard !loop.isCurrentThread else {
            throw PostgresError(.misuse, "a blocking call was made by the thread that it would wait for")
        }
        let call = BlockingCall(body)
        Task.detached(executorPreference: loop) { await call.carryOut() }
        return try call.wait()
    }

    private func carryOut() async {
        do { result = .success(try await body()) } catch { result = .failure(error) }
        unsafe sem_post(isOver)
    }

    private func wait() throws -> Value {
        // A signal that was handled meanwhile ends it early.
        while unsafe sem_wait(isOver) != 0 {}
        guard let result else { throw PostgresError(.misuse, "a blocking call ended without a result") }
        return try result.get()
    }
}
