import Dispatch
import FoundationEssentials
package import PromptQueue

/// Where the runner gets the present from.
package protocol TimeSource: Sendable {
    var now: Moment { get }
    /// Returns at `uptime`, or throws when cancelled.
    func sleep(until uptime: Duration) async throws
}

/// The machine's clocks.
package struct SystemTime: TimeSource {
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    package init() { start = clock.now }

    package var now: Moment {
        let milliseconds = Int64((Date.now.timeIntervalSince1970 * 1_000).rounded(.down))
        return Moment(instant: Instant(milliseconds: milliseconds), uptime: clock.now - start)
    }

    package func sleep(until uptime: Duration) async throws {
        try await clock.sleep(until: start + uptime, tolerance: .zero)
    }

    /// As systemd wants it with `RELOADING=1` (sd_notify(3)).
    package static func monotonicMicroseconds() -> UInt64 {
        DispatchTime.now().uptimeNanoseconds / 1_000
    }
}
