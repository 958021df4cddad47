/// The tests' patience ended.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until `answer` is not nil. Nothing else in these tests waits.
///
/// - Parameters:
///   - what: what is waited for, for people.
///   - limit: far more than it ever takes; machines that test are slow at times.
/// - Throws: `NeverHappened` when the limit is over; it tells what `explain` says.
func eventually<Value: Sendable>(
    _ what: String,
    within limit: Duration = .seconds(45),
    every interval: Duration = .milliseconds(50),
    explain: () async -> String = { "" },
    _ answer: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        if let value = try await answer() { return value }
        guard clock.now < deadline else {
            throw NeverHappened(description: "\(what): it did not happen within \(limit)\n\(await explain())")
        }
        try await clock.sleep(for: interval)
    }
}
