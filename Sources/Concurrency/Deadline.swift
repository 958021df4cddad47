/// No end within the time that was given.
package struct DeadlineExceeded: Error {}

/// Runs `body`, and cancels it when it takes longer than `limit`.
/// - Throws: `DeadlineExceeded`, or what `body` throws.
package func withDeadline<T: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration>,
    _ body: @escaping @concurrent @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await clock.sleep(for: limit)
            throw DeadlineExceeded()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw DeadlineExceeded() }
        return first
    }
}
