import PromptQueue

/// What the runner's loop waits for.
enum RunnerEvent: Sendable {
    case engine(EngineEvent)
    /// Somebody wants to know whether events are still being handled.
    case asked(@Sendable () -> Void)
    /// A change could not be committed yet.
    case unrecorded(LedgerChange, at: Instant, LedgerError)
    /// A rule of the ledger refuses a change.
    case refused(LedgerChange, LedgerError)
    /// The time for an orderly end is over: what is still under way is cut off.
    case graceOver
    /// A change can never be committed; nil for a claim.
    case failed(LedgerError, LedgerChange?)
}

/// The events on their way to the engine, in order.
struct EventQueue: Sendable {
    let stream: AsyncStream<RunnerEvent>
    private let continuation: AsyncStream<RunnerEvent>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func send(_ event: EngineEvent) {
        continuation.yield(.engine(event))
    }

    func send(_ event: RunnerEvent) {
        continuation.yield(event)
    }
}
