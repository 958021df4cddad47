import Concurrency
import Logging
import PromptQueue
import Synchronization

/// Asks the provider for its time before this machine's is believed: a clock that was set far ahead by mistake, or that a
/// start finds so, would make everything look old.
final class ClockCheck: Sendable {
    private enum Doubt { case isUnconfirmed, isAhead }

    /// What waits for a clock that may be believed.
    enum Waiting {
        case pruning, schedules

        fileprivate var unconfirmed: Logger.Message {
            switch self {
            case .pruning: "finished jobs are not removed before the provider has confirmed this machine's time"
            case .schedules: "late runs of schedules wait until the provider has confirmed this machine's time"
            }
        }

        fileprivate var ahead: Logger.Message {
            switch self {
            case .pruning: "finished jobs are not removed: this machine's clock is ahead of the provider's"
            case .schedules: "late runs of schedules wait: this machine's clock is ahead of the provider's"
            }
        }
    }

    private struct State {
        var trust = ClockTrust()
        /// What the log was told last, since the clock was believed.
        var told: Doubt?
    }

    private let state = Mutex(State())
    private let providerTime: @Sendable () async -> Instant?
    private let time: any TimeSource
    private let logger: Logger
    private let waits: Waiting

    /// - Parameter providerTime: what the provider's clock shows, asked for now; nil if there is no answer.
    init(
        time: any TimeSource,
        logger: Logger,
        waits: Waiting = .pruning,
        providerTime: @escaping @Sendable () async -> Instant?
    ) {
        self.time = time
        self.waits = waits
        self.logger = logger
        self.providerTime = providerTime
    }

    /// The present, if it may be believed.
    func believedInstant() async -> Instant? {
        let now = time.now
        if state.withLock({ $0.trust.believes(now) }) { return now.instant }
        guard let theirs = await providerTime() else {
            if shouldTell(.isUnconfirmed) {
                logger.notice(waits.unconfirmed)
            }
            return nil
        }
        let heard = time.now
        let ahead = state.withLock { state in
            state.trust.heard(theirs, at: heard.uptime)
            guard !state.trust.believes(heard) else {
                state.told = nil
                return nil as Duration?
            }
            return state.trust.ahead(heard)
        }
        guard let ahead else { return heard.instant }
        if shouldTell(.isAhead) {
            logger.warning(
                waits.ahead,
                metadata: ["hours": "\(ahead.milliseconds / 3_600_000)", "remedy": "set the clock right"]
            )
        }
        return nil
    }

    private func shouldTell(_ doubt: Doubt) -> Bool {
        state.withLock { state in
            defer { state.told = doubt }
            return state.told != doubt
        }
    }
}
