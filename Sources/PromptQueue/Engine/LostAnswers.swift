/// Requests whose answer was lost, as long as they are not settled.
struct LostAnswers: Sendable {
    /// From the loss of an answer until a reading of the balance can be compared: a second more than the ledger asks for,
    /// which measures by the wall's clock.
    static let settlingTime: Duration = BalanceReading.settlingTime + .seconds(1)
    /// How long to wait before giving up is tried again while the ledger holds a task that a callback named.
    private static let namedPause: Duration = .seconds(60)

    private struct Entry {
        /// On the monotonic clock: a clock that is set must not make the wait longer or shorter.
        var lostAt: Duration
        /// Whether a reading of the balance that can be compared has come since.
        var isExamined = false
        /// Whether it is being given up.
        var isClosing = false
        /// It is not given up before this: the ledger did not let it go when that was last tried.
        var notBefore: Duration = .zero
    }

    private var entries: [AttemptID: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }

    func contains(_ attempt: AttemptID) -> Bool { entries[attempt] != nil }

    mutating func add(_ attempt: AttemptID, at uptime: Duration) { entries[attempt] = Entry(lostAt: uptime) }

    mutating func settle(_ attempt: AttemptID) { entries[attempt] = nil }

    // MARK: - What the balance tells

    /// Whether the provider had settled all of them at an uptime.
    func areSettled(at uptime: Duration) -> Bool {
        entries.values.allSatisfy { uptime >= $0.lostAt + Self.settlingTime }
    }

    /// When the last was lost of those that no reading has examined.
    var lastUnexamined: Duration? { entries.values.filter { !$0.isExamined }.map(\.lostAt).max() }

    mutating func examine() {
        for attempt in entries.keys { entries[attempt]?.isExamined = true }
    }

    // MARK: - Giving up

    /// Those of which there was no news for a time, in order; they count as being given up.
    ///
    /// - Parameter isNamed: whether a callback has named a task for an attempt: that may be the one, the provider has to
    ///   say.
    mutating func takeDue(
        after window: Duration,
        at uptime: Duration,
        isNamed: (AttemptID) -> Bool
    ) -> [AttemptID] {
        let due = entries.filter { !$0.value.isClosing && Self.end($0.value, window) <= uptime && !isNamed($0.key) }
            .keys
        for attempt in due { entries[attempt]?.isClosing = true }
        return due.sorted()
    }

    func nextDue(after window: Duration, isNamed: (AttemptID) -> Bool) -> Duration? {
        entries.filter { !$0.value.isClosing && !isNamed($0.key) }.values.map { Self.end($0, window) }.min()
    }

    /// The ledger did not give it up: its job is in a state in which that waits.
    ///
    /// - Parameter state: of its job; nil if that is gone.
    mutating func wasKept(_ attempt: AttemptID, state: JobState?, window: Duration, at uptime: Duration) {
        switch state {
        // Its reservation stays until somebody settles it; the job may also be taken up again.
        case .cancelled: keep(attempt, until: uptime + window)
        // A callback has named a task meanwhile.
        case .unconfirmed: keep(attempt, until: uptime + Self.namedPause)
        // Settled otherwise meanwhile; or this is the second time that it is recorded.
        case .queued, .submitting, .running, .succeeded, .failed, nil: entries[attempt] = nil
        }
    }

    private mutating func keep(_ attempt: AttemptID, until uptime: Duration) {
        entries[attempt]?.isClosing = false
        entries[attempt]?.notBefore = uptime
    }

    private static func end(_ entry: Entry, _ window: Duration) -> Duration {
        max(entry.lostAt + window, entry.notBefore)
    }
}
