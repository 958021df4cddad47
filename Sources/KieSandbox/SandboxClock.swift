import FoundationEssentials
package import PromptQueue

/// Wall-clock time that never jumps: the instant the process started plus what has passed since.
package enum SandboxClock {
    private static let start = (
        wall: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)), steady: ContinuousClock.now
    )

    /// The present, in whole milliseconds.
    package static let now: @Sendable () -> Instant = {
        let (wall, steady) = start
        return Instant(milliseconds: wall) + (ContinuousClock.now - steady)
    }
}
