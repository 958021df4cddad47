import Concurrency
import Logging
import PromptConfiguration
import PromptQueue
import ServiceLifecycle

/// Asks the provider from time to time what models it has, and says in the log what has changed.
struct CatalogueKeeper: Service {
    let ledger: any CatalogueStore
    let source: any ModelSource
    /// Asked each time, because a reload may change it.
    let interval: @Sendable () -> RefreshInterval
    let time: any TimeSource
    let logger: Logger

    /// Not while a start has more important things to do, and not for a daemon that is only tried out.
    private static let firstLook: Duration = .seconds(600)
    private static let look: Duration = .seconds(600)
    /// After a refresh that failed.
    private static let rest: Duration = .seconds(6 * 3_600)
    /// Between two questions. There is no hurry, and a job's polls go first.
    private static let pause: Duration = .milliseconds(500)

    func run() async throws {
        try await untilShutdown {
            try await time.sleep(until: time.now.uptime + Self.firstLook)
            var notBefore = time.now.uptime
            while !Task.isCancelled {
                do {
                    if try await isDue(), time.now.uptime >= notBefore { try await refresh() }
                } catch let error as FailureError {
                    notBefore = time.now.uptime + Self.rest
                    logger.warning(
                        "the provider's models could not be read; what is known of them stays as it is",
                        metadata: ["reason": "\(error.failure.message)"]
                    )
                } catch let error as LedgerError where error.code != .cancelled {
                    notBefore = time.now.uptime + Self.rest
                    logger.warning(
                        "the provider's models could not be kept; what is known of them stays as it is",
                        metadata: ["reason": "\(error)"]
                    )
                }
                try await time.sleep(until: time.now.uptime + Self.look)
            }
        }
    }

    private func isDue() async throws -> Bool {
        guard case .every(let interval) = interval() else { return false }
        guard let last = try await ledger.catalogueReadAt() else { return true }
        let now = time.now.instant
        // A time to come is of a clock that was wrong.
        return last > now || now - last >= interval
    }

    /// Once.
    func refresh() async throws {
        let read = try await ProviderCatalogue.read(
            from: source,
            now: time.now.instant,
            pause: { try await time.sleep(until: time.now.uptime + Self.pause) }
        )
        let kept = try await ledger.providerModels()
        let (models, isShort) = read.merged(into: kept, builtIn: .builtIn)
        let before = Catalogue.builtIn.with(kept)
        try await ledger.keep(models)
        let difference = CatalogueDifference(from: before, to: ledger.catalogue)
        for model in difference.models {
            logger.log(
                level: model.isNarrower || model.kind == .gone ? .warning : .notice,
                "the provider has changed a model",
                metadata: [
                    "model": "\(model.name)", "change": "\(model.kind.rawValue)",
                    "details": "\(model.changes.joined(separator: "; "))", "remedy": "\(Advice.seeModel)",
                ]
            )
        }
        if isShort {
            logger.warning("the provider's list lacks more than a third of the models known; none is taken for gone")
        }
        if !read.unread.isEmpty {
            logger.warning(
                "the fields of some models were not to be had, and stay as they are",
                metadata: ["models": "\(read.unread.keys.sorted().joined(separator: ", "))"]
            )
        }
        logger.info(
            "the provider's models have been read",
            metadata: ["models": "\(read.models.count)", "changed": "\(difference.models.count)"]
        )
    }
}
