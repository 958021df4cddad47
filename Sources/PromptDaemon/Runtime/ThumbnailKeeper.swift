import Concurrency
import Logging
import PromptQueue
import PromptWeb
import ServiceLifecycle

/// Removes small pictures of results that are gone, and the oldest if they are too many.
struct ThumbnailKeeper: Service {
    let dashboard: Dashboard
    let time: any TimeSource
    let logger: Logger

    private static let interval: Duration = .seconds(3_600)

    func run() async throws {
        try await untilShutdown {
            // Not while a start has more important things to do.
            try await time.sleep(until: time.now.uptime + .seconds(60))
            while !Task.isCancelled {
                do {
                    let removed = try await dashboard.sweepThumbnails()
                    if removed > 0 {
                        logger.debug("small pictures have been removed", metadata: ["files": "\(removed)"])
                    }
                } catch {
                    guard !Task.isCancelled else { throw error }
                    // They can wait; that never ends the work.
                    logger.warning("small pictures could not be looked through", metadata: ["reason": "\(error)"])
                }
                try await time.sleep(until: time.now.uptime + Self.interval)
            }
        }
    }
}
