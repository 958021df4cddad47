/// How far the provider's callbacks can be relied on, so that polling need only be the net below them.
///
/// A callback that comes spares the poll. If a share `q` of them is lost, only that share of the tasks waits for a poll, a
/// second of delay costs `q` times as much on average, and the best density of polls falls by √q.
struct CallbackTrust: Sendable {
    /// A task that ended so long before the poll that found it should have been called back: the provider waits up to 15 s
    /// for an answer.
    private static let late = 15.0
    /// What is taken for granted at the start: one of twenty is lost.
    private var lost = 1.0
    private var all = 20.0

    /// By how much the sum of polls has to grow until the next one.
    var step: Double { (all / lost).squareRoot() }

    /// A task ended `delay` seconds before the poll that found it.
    mutating func ended(wasHinted: Bool, delay: Double?) {
        // Found by a poll while its callback may still have been on the way: that proves nothing.
        let isLost = !wasHinted && (delay ?? 0) > Self.late
        guard wasHinted || isLost else { return }
        lost = max(lost * CompletionTimes.decay + (isLost ? 1 : 0), all * 0.01)
        all = all * CompletionTimes.decay + 1
    }
}
