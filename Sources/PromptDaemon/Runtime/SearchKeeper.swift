import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle

/// Keeps the index of prompts up to date, a little at a time.
struct SearchKeeper: Service {
    let store: any SearchStore
    let time: any TimeSource
    let logger: Logger

    private static let interval: Duration = .seconds(5)
    /// Between two steps, so that whatever waits for the database comes in between.
    private static let pause: Duration = .milliseconds(20)
    /// After one that failed.
    private static let rest: Duration = .seconds(60)

    func run() async throws {
        try await untilShutdown {
            // Not while a start has more important things to do.
            try await time.sleep(until: time.now.uptime + Self.interval)
            while !Task.isCancelled {
                var wait = Self.interval
                do {
                    if try await store.indexPrompts() { wait = Self.pause }
                } catch let error as LedgerError where error.code != .cancelled {
                    // Searches look through the jobs themselves meanwhile.
                    wait = Self.rest
                    logger.warning(
                        "the index of prompts could not be brought up to date",
                        metadata: ["reason": "\(error)"]
                    )
                }
                try await time.sleep(until: time.now.uptime + wait)
            }
        }
    }
}
