import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle

/// Says in the log, once for each model, that what it is charged is no longer what it is estimated to cost.
struct PriceWatch: Service {
    let prices: any PriceStore
    let time: any TimeSource
    let logger: Logger

    func run() async throws {
        try await untilShutdown {
            var drift = PriceDrift()
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + .seconds(300))
                let charges: [String: [ObservedCharge]]
                do {
                    charges = try await prices.charges()
                } catch let error as LedgerError where error.isTransient {
                    // The heartbeat says so, too; the next look is soon enough.
                    logger.debug("what tasks were charged could not be read", metadata: ["reason": "\(error)"])
                    continue
                }
                for (model, comparison) in drift.notice(in: charges) {
                    logger.warning(
                        "charges differ from the estimates by more than a fifth",
                        metadata: [
                            "model": "\(model)", "tasks": "\(comparison.tasks)",
                            "estimated": "\(comparison.estimated ?? .zero)", "charged": "\(comparison.observed)",
                            "remedy": "\(Advice.setPrice)",
                        ]
                    )
                }
            }
        }
    }
}
