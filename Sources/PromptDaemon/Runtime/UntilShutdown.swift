import PromptQueue
import ServiceLifecycle

/// Runs `body` until a graceful shutdown begins, which is its ordinary end.
func untilShutdown(_ body: @Sendable @escaping @concurrent () async throws -> Void) async throws {
    do {
        try await cancelWhenGracefulShutdown(body)
    } catch is CancellationError {
        return
    } catch let error as LedgerError where error.code == .cancelled {
        // A look at the ledger that was under way.
        return
    }
}
