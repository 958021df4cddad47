/// Requests for tasks: how many may go now, and which are under way.
struct Submissions: Sendable {
    private(set) var window: RateWindow
    private var ramp: SubmissionRamp
    private var underWay: [AttemptID: ClaimedJob] = [:]
    /// Since when the window is shut, or smaller than it should be, because the provider refused a request.
    private var refusedAt: Moment?

    init(rate: RateLimit, first: Int) {
        window = RateWindow(limit: rate)
        ramp = SubmissionRamp(first: first)
    }

    var isEmpty: Bool { underWay.isEmpty }
    var count: Int { underWay.count }

    func contains(_ attempt: AttemptID) -> Bool { underWay[attempt] != nil }

    /// The last attempt before those under way, if there are any: all up to it are answered, or their answers lost.
    var lastBeforeThese: AttemptID? { underWay.keys.min().map { AttemptID($0.rawValue - 1) } }

    // MARK: - One request

    /// How many more may be sent now.
    mutating func available(at uptime: Duration) -> Int {
        min(window.available(at: uptime), ramp.available(underWay: underWay.count, at: uptime))
    }

    /// Whether the provider wants to be left alone.
    func isShut(at uptime: Duration) -> Bool { uptime < window.shutUntil }

    mutating func begin(_ job: ClaimedJob) {
        underWay[job.attempt] = job
        window.send()
    }

    /// The request has ended, however it did.
    mutating func end(_ attempt: AttemptID, _ outcome: SubmissionOutcome, at uptime: Duration) -> ClaimedJob? {
        guard let job = underWay.removeValue(forKey: attempt) else { return nil }
        window.answer(at: uptime)
        switch outcome {
        case .accepted, .rejected: ramp.answered(at: uptime)
        case .unknown: ramp.lost()
        case .notSent: break
        }
        return job
    }

    // MARK: - The rate

    /// A slot that the ledger counts as busy, though no request of this process holds it.
    mutating func occupy(until uptime: Duration) { window.occupy(until: uptime) }

    mutating func change(to rate: RateLimit) { window.change(to: rate) }

    /// The provider said that there were too many requests.
    ///
    /// - Returns: the limits before and after, if fewer are sent from now on.
    mutating func refused(retryAfter: Duration?, now: Moment) -> (from: RateLimit, to: RateLimit)? {
        let before = window.refuse(at: now.uptime)
        if let retryAfter { window.shut(until: now.uptime + min(retryAfter, RateLimit.longestRetryAfter)) }
        if refusedAt == nil { refusedAt = now }
        return before.map { ($0, window.current) }
    }

    /// Goes on as carefully as an earlier process would have after such refusals.
    ///
    /// - Returns: whether there is anything to recover from.
    mutating func takeOver(refusals: [Instant], shutUntil: Instant?, now: Moment) -> Bool {
        for refused in refusals { _ = window.refuse(at: now.uptime - max(.zero, now.instant - refused)) }
        if let shutUntil {
            window.shut(until: now.uptime + min(max(.zero, shutUntil - now.instant), RateLimit.longestRetryAfter))
        }
        guard let last = refusals.last ?? (window.shutUntil > now.uptime ? now.instant : nil) else { return false }
        refusedAt = Moment(instant: last, uptime: now.uptime - max(.zero, now.instant - last))
        return true
    }

    var isRecovering: Bool { refusedAt != nil }

    /// Lets the allowance grow again after a refusal.
    ///
    /// - Returns: whether that is worth a word; and the limit, if it is whole again.
    mutating func recover(at uptime: Duration) -> (isNews: Bool, whole: RateLimit?) {
        let hasGrown = window.recover(at: uptime)
        guard refusedAt != nil, hasGrown || (window.isWhole && uptime >= window.shutUntil) else { return (false, nil) }
        guard window.isWhole else { return (true, nil) }
        refusedAt = nil
        return (true, hasGrown ? window.limit : nil)
    }

    /// When a slot is free by the passing of time; nil if one is now.
    mutating func nextSlot(at uptime: Duration) -> Duration? { window.nextAvailable(at: uptime) }

    /// When to look how far the recovery is.
    func nextRecovery(at uptime: Duration) -> Duration? {
        isRecovering ? window.nextGrowth ?? max(window.shutUntil, uptime) : nil
    }

    var note: GateNote? {
        guard let since = refusedAt else { return nil }
        let end = max(window.shutUntil, window.wholeAt ?? .zero)
        let change = window.isWhole ? "\(window.limit)" : "\(window.limit.count) → \(window.current)"
        return GateNote(
            name: BlockReason.rate.rawValue,
            closedAt: since.instant,
            reopensAt: since.instant + (end - since.uptime),
            message: "the provider said that there were too many requests: \(change), recovering by itself; if it "
                + "happens often, something else uses the account, or limits.submissions is too high"
        )
    }
}
