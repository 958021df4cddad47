package import PromptQueue

/// Where a ledger of some store lies, and what producers and operators do there. A store that is to pass the conformance
/// checks brings one; the checks know nothing else of it.
package protocol LedgerPlace: Sendable {
    /// Opens the daemon's ledger; again after it was closed, or left as a process leaves it that is killed.
    func open() async throws -> any CoreLedger

    /// - Parameter input: a JSON object.
    func add(prompt: String, input: String, queue: String, priority: Int64, maxAttempts: Int) async throws -> JobID
    func cancel(_ job: JobID) async throws
    func retry(_ job: JobID) async throws
    func pause(_ queue: String) async throws
    /// Names the account of a queue.
    func setAccount(_ account: AccountName, queue: String) async throws
    func setBudget(_ name: String, limit: Credits) async throws
    func add(_ schedule: ScheduleRecord) async throws

    /// Releases an older copy.
    func release() async throws
    /// A path at which nothing is, outside the store.
    var mark: String { get }
    /// Makes the store one that does not know what a mark says of it.
    ///
    /// - Returns: where that mark is looked for from now on.
    func makeOlder(_ mark: String) async throws -> String

    func state(of job: JobID) async throws -> JobState?
    /// What is booked for a job over all attempts.
    func charged(_ job: JobID) async throws -> Credits?
    /// What is held back for it.
    func reserved(_ job: JobID) async throws -> Credits
    /// What is booked in all, and what is held back.
    func charged() async throws -> Credits
    func reserved() async throws -> Credits
}

extension LedgerPlace {
    /// As where somebody puts a copy on another machine: what was noted is missing.
    package func makeOlder(_ mark: String) async throws -> String { mark + "-elsewhere" }

    package func add(
        _ prompt: String,
        input: String = "{}",
        queue: String = "default",
        priority: Int64 = 0,
        maxAttempts: Int = 3
    ) async throws
        -> JobID
    {
        try await add(prompt: prompt, input: input, queue: queue, priority: priority, maxAttempts: maxAttempts)
    }
}
