import Concurrency
package import PromptQueue

/// What the pages may change, and by what: the queue as `promptctl` opens it, for a short while.
package struct WebChanges: Sendable {
    package let access: WebAccess
    let plans = ChangePlans()
    let unknownModels: @Sendable () -> UnknownModelPolicy
    let checkTask: @Sendable (TaskID) async -> PollOutcome
    private let creditPrice: @Sendable () -> CreditPrice?
    private let open: @Sendable () throws -> any QueueClient
    private let turn = AsyncSemaphore(places: 1)
    private let executor = BlockingExecutor()

    /// - Parameters:
    ///   - unknownModels: what becomes of a job whose model is not known.
    ///   - creditPrice: what a credit costs; nil: nobody has said.
    ///   - checkTask: asks the provider about a task that somebody names.
    ///   - open: opens the queue to write to it.
    package init(
        access: WebAccess,
        unknownModels: @escaping @Sendable () -> UnknownModelPolicy = { .refuse },
        creditPrice: @escaping @Sendable () -> CreditPrice? = { nil },
        checkTask: @escaping @Sendable (TaskID) async -> PollOutcome,
        open: @escaping @Sendable () throws -> any QueueClient
    ) {
        self.access = access
        self.unknownModels = unknownModels
        self.creditPrice = creditPrice
        self.checkTask = checkTask
        self.open = open
    }

    /// Runs `body` with the queue, one at a time, on threads kept for what blocks.
    func change<Value: Sendable>(_ body: @Sendable (any QueueClient) throws -> Value) async throws -> Value {
        try await turn.pass {
            try await withTaskExecutorPreference(executor) { try await Self.run(body, open) }
        }
    }

    /// On the caller's executor.
    private static nonisolated func run<Value>(
        _ body: @Sendable (any QueueClient) throws -> Value,
        _ open: @Sendable () throws -> any QueueClient
    ) async throws -> Value {
        let file = try open()
        // Whatever was done is committed.
        defer { try? file.close() }
        return try body(file)
    }

    /// ` (3.60 USD)`, or nothing.
    func money(_ credits: Credits) -> String { creditPrice().map { " (\($0.amount(of: credits)))" } ?? "" }
}
