package import Logging
import Synchronization

/// Counts what came of callbacks, and says in the log what an operator should know, without letting anybody flood it: the
/// first of each kind, then at most one line a minute for each. No path, token or body is ever named.
package final class CallbackCounter: Sendable {
    private struct Kind {
        var count = 0
        var unsaid = 0
        var saidAt: Duration?
    }

    static let interval: Duration = .seconds(60)

    private let kinds = Mutex<[CallbackOutcome: Kind]>([:])
    private let logger: Logger
    private let uptime: @Sendable () -> Duration

    /// - Parameter uptime: a clock that only moves forward.
    package init(logger: Logger, uptime: @escaping @Sendable () -> Duration) {
        self.logger = logger
        self.uptime = uptime
    }

    package func count(of outcome: CallbackOutcome) -> Int {
        kinds.withLock { $0[outcome]?.count ?? 0 }
    }

    package func note(_ outcome: CallbackOutcome) {
        let now = uptime()
        let toSay = kinds.withLock { kinds -> Int? in
            var kind = kinds[outcome] ?? Kind()
            kind.count += 1
            kind.unsaid += 1
            defer { kinds[outcome] = kind }
            if let saidAt = kind.saidAt, now - saidAt < Self.interval { return nil }
            defer {
                kind.unsaid = 0
                kind.saidAt = now
            }
            return kind.unsaid
        }
        guard let toSay, let complaint = outcome.complaint else { return }
        logger.warning(
            "callback refused",
            metadata: ["outcome": "\(outcome.rawValue)", "count": "\(toSay)", "reason": "\(complaint)"]
        )
    }

    /// In Prometheus' text format. Every outcome is there from the start, so that rates are right from the first one on.
    package var prometheusText: String {
        let samples = kinds.withLock { kinds in
            CallbackOutcome.allCases.map { ($0.rawValue, kinds[$0]?.count ?? 0) }
        }
        return """
            # HELP promptd_callbacks_total Requests to the callback listener, by what became of them.
            # TYPE promptd_callbacks_total counter

            """ + samples.map { "promptd_callbacks_total{outcome=\"\($0.0)\"} \($0.1)\n" }.joined()
    }
}
