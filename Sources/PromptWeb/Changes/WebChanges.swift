import Concurrency
package import PromptQueue

/// What the pages may change, and by what: the queue as `promptctl` opens it, for a short while.
package struct WebChanges: Sendable {
    package let access: WebAccess
    let plans = ChangePlans()
    let unknownModels: @Sendable () -> UnknownModelPolicy
    private let askTask: @Sendable (TaskID, AccountName) async -> PollOutcome
    private let creditPrice: @Sendable () -> CreditPrice?
    private let open: @Sendable () throws -> any QueueClient
    private let turn = AsyncSemaphore(places: 1)
    private let executor = BlockingExecutor()

    /// - Parameters:
    ///   - unknownModels: what becomes of a job whose model is not known.
    ///   - creditPrice: what a credit costs; nil: nobody has said.
    ///   - askTask: asks the provider about a task that somebody names, with an account's key.
    ///   - open: opens the queue to write to it.
    package init(
        access: WebAccess,
        unknownModels: @escaping @Sendable () -> UnknownModelPolicy = { .refuse },
        creditPrice: @escaping @Sendable () -> CreditPrice? = { nil },
        askTask: @escaping @Sendable (TaskID, AccountName) async -> PollOutcome,
        open: @escaping @Sendable () throws -> any QueueClient
    ) {
        self.access = access
        self.unknownModels = unknownModels
        self.creditPrice = creditPrice
        self.askTask = askTask
        self.open = open
    }

    /// Runs `body` with the queue in one transaction, which whatever it throws undoes.
    ///
    /// - Parameter dryRun: whether all that `body` did is undone in any case.
    func change<Value: Sendable>(
        dryRun: Bool = false,
        _ body: @Sendable (any QueueClient) throws -> Value
    ) async throws -> Value {
        try await look { file in try file.transaction(dryRun: dryRun) { try body(file) } }
    }

    /// Runs `body` with the queue, one at a time, on threads kept for what blocks.
    func look<Value: Sendable>(_ body: @Sendable (any QueueClient) throws -> Value) async throws -> Value {
        try await turn.pass {
            try await withTaskExecutorPreference(executor) { try await Self.run(body, open) }
        }
    }

    /// How a task stands that somebody names for a job: the key of another account does not know it.
    func check(_ task: TaskID, for job: JobID?) async throws -> PollOutcome {
        let account = try await look { file in
            try job.flatMap { try file.details(of: $0) }?.attempts.last?.account ?? .standard
        }
        return await askTask(task, account)
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
