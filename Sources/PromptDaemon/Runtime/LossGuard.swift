import Concurrency
import PromptQueue
import ServiceLifecycle

/// Ends the daemon when it can go on no longer with its ledger. When the files are not there any more, nobody would find what it records
/// after that, and whoever starts it again on another file would pay for the same jobs again.
struct LossGuard: Service {
    static let interval: Duration = .seconds(2)

    let ledger: any LedgerUpkeep
    let time: any TimeSource

    func run() async throws {
        try await untilShutdown {
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + Self.interval)
                guard let loss = ledger.loss else { continue }
                switch loss {
                case .files(let loss):
                    throw LedgerError(
                        .unusable,
                        "\(loss) while promptd ran; submitting has stopped. Put the right file back, with its -wal, before the "
                            + "next start: a new or an older one does not know what was sent, and pays for it again. "
                            + "The tasks that were under way are in the log"
                    )
                case .fenced:
                    throw LedgerError(
                        .fenced,
                        "the database could not be told for too long that this promptd is alive; others may have taken over"
                    )
                }
            }
        }
    }
}
