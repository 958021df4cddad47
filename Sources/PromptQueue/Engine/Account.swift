/// What is known of the account, when its balance is asked for, and what waits for that.
struct Account: Sendable {
    /// How long a regular question waits for a moment without requests under way.
    private static let patience: Duration = .seconds(30)
    /// Readings that are taken because nothing is going on come at most this often.
    private static let idlePause: Duration = .seconds(60)
    /// A difference between account and ledger is told at most this often.
    private static let reportPause: Duration = .seconds(3_600)

    /// A question for the balance on its way.
    private struct Question {
        var askedAt: Moment
        /// Whether nothing was between sending and answer so far.
        var isQuiet: Bool
    }

    /// Submissions wait for the account: it is asked often.
    private struct Pressure {
        static let initial: Duration = .seconds(15)
        static let maximum: Duration = .seconds(60)

        var nextAt: Duration
        var delay = Self.initial

        init(at uptime: Duration) { nextAt = uptime }

        mutating func asked(at uptime: Duration) {
            nextAt = uptime + delay
            delay = min(delay * 2, Self.maximum)
        }
    }

    /// What a refusal for lack of credits (402) waits for.
    private struct Shortage {
        /// The price of the job that was refused.
        var price: Credits
        /// When the last request was refused.
        var refusedAt: Duration
        /// The lowest balance read since.
        var lowest: Credits?
        /// Whether the balance has given hope since.
        var hasCover = false
        /// Whether somebody has written to the ledger since: the job that is next may be a cheaper one.
        var hasNews = false
    }

    /// Queues that wait for `credits.reserve`.
    private struct Hold {
        var reason: ReserveHold
        var since: Moment
        /// Whether the balance was asked for since.
        var isAsked = false
        /// Whether the log and the ledger say so: a hold that the next reading ends is not worth a word.
        var isAnnounced = false
    }

    private var question: Question?
    private var lastAskedAt: Duration?
    /// Whether the last question brought no answer.
    private var isUnreadable = false
    /// Whether anything was answered or settled since the last reading that can be compared.
    private var hasActivity = false
    private var pressure: Pressure?
    private var shortage: Shortage?
    private var hold: Hold?
    /// The difference that was last told, and when.
    private var reported: (unexplained: Credits, at: Duration)?

    // MARK: - Asking

    /// What else is going on, as far as it decides when the balance is asked for.
    struct Surroundings {
        /// Whether the queue may hold jobs that are due.
        var hasDue: Bool
        /// Whether tasks or requests are under way.
        var hasRunning: Bool
        /// Whether no request for a task is on its way, or about to be.
        var isQuiet: Bool
        /// When the last answer was lost of those that no reading has examined, in uptime.
        var lastLostAt: Duration?
        /// How often to ask while there is work.
        var interval: Duration
    }

    /// Whether the answer to a question is awaited.
    var isBeingAsked: Bool { question != nil }

    /// When the balance is to be asked for; nil while it is being asked for, or if nothing asks for it.
    func nextQuestion(_ around: Surroundings) -> Duration? {
        guard !isBeingAsked else { return nil }
        guard let last = lastAskedAt else { return .zero }
        var times: [Duration] = []
        if let pressure { times.append(pressure.nextAt) }
        if around.hasDue || around.hasRunning {
            times.append(last + around.interval + (around.isQuiet ? .zero : Self.patience))
        }
        if around.isQuiet {
            if let lost = around.lastLostAt {
                times.append(max(lost + LostAnswers.settlingTime, last + Self.idlePause))
            } else if hasActivity, !around.hasDue {
                times.append(last + Self.idlePause)
            }
        }
        return times.min()
    }

    /// When it is asked for because submissions wait for it.
    var nextUrgentQuestion: Duration? { pressure?.nextAt }

    mutating func ask(at now: Moment, isQuiet: Bool) {
        question = Question(askedAt: now, isQuiet: isQuiet)
        lastAskedAt = now.uptime
        hold?.isAsked = true
        pressure?.asked(at: now.uptime)
    }

    /// A request is being sent: a reading under way cannot be compared.
    mutating func disturb() {
        question?.isQuiet = false
        hasActivity = true
    }

    /// Something was answered or settled.
    mutating func noteActivity() { hasActivity = true }

    // MARK: - Answers

    /// - Parameters:
    ///   - reserve: what is to be left.
    ///   - isSettled: whether the provider had settled, when it was asked at an uptime, whatever answers were lost.
    mutating func read(
        _ balance: Credits,
        reserve: Credits,
        now: Moment,
        isSettled: (_ askedAt: Duration) -> Bool
    ) -> BalanceReading {
        let question = question ?? Question(askedAt: now, isQuiet: false)
        self.question = nil
        isUnreadable = false
        let reading = BalanceReading(
            balance: balance,
            askedAt: question.askedAt.instant,
            isQuiet: question.isQuiet && isSettled(question.askedAt.uptime)
        )
        if reading.isQuiet { hasActivity = false }
        if var shortage, question.askedAt.uptime >= shortage.refusedAt {
            let hasRisen = shortage.lowest.map { balance > $0 } ?? false
            shortage.hasCover = hasRisen || balance >= shortage.price + reserve
            shortage.lowest = min(shortage.lowest ?? balance, balance)
            self.shortage = shortage
        }
        return reading
    }

    mutating func couldNotBeRead() {
        question = nil
        isUnreadable = true
    }

    /// - Returns: whether a difference between account and ledger is to be told: another one than before. A start tells
    ///   again what is still so, since nobody may have read it.
    mutating func isNews(_ standing: AccountStanding, at uptime: Duration) -> Bool {
        let change = standing.unexplained - (reported?.unexplained ?? .zero)
        guard change > standing.uncertainty || .zero - change > standing.uncertainty else { return false }
        if let reported, uptime < reported.at + Self.reportPause { return false }
        reported = (standing.unexplained, uptime)
        return true
    }

    // MARK: - No credits (402)

    /// The provider refused a job for lack of credits: the balance tells when one may be tried again.
    mutating func noteShortage(price: Credits, now: Moment) {
        shortage = Shortage(price: price, refusedAt: now.uptime)
        pressure = Pressure(at: now.uptime)
    }

    mutating func endShortage() {
        shortage = nil
        if hold == nil { pressure = nil }
    }

    /// Somebody has written to the ledger.
    mutating func noteLedgerNews() { shortage?.hasNews = true }

    /// When the gate `credits` may be probed; nil if only news can tell.
    func nextProbe(of gate: Gate) -> Duration? {
        guard let shortage else { return gate.probeAt }
        if shortage.hasCover || shortage.hasNews { return gate.probeAt }
        // Without a balance a request that is refused, and costs nothing, has to tell.
        return isUnreadable ? max(gate.probeAt, shortage.refusedAt + gate.backoff.maximum) : nil
    }

    // MARK: - credits.reserve

    /// What a claim tells of the reserve.
    enum HoldNews { case none, announced(ReserveHold), changed, released }

    /// - Parameter isShort: whether the gate `credits` is closed, so that the account is asked often all the same.
    mutating func take(_ claim: Claim, isShort: Bool, now: Moment) -> HoldNews {
        guard let reason = claim.reserveHold else {
            // A claim that found no slot has not looked.
            return claim.jobs.isEmpty && claim.hasMore ? .none : release(isShort: isShort)
        }
        if hold == nil {
            hold = Hold(reason: reason, since: now)
            pressure = Pressure(at: now.uptime)
        }
        let isNews = hold?.reason != reason
        hold?.reason = reason
        // The balance may have been old, and what was reserved since too much: the next reading tells.
        guard case .short = reason, hold?.isAsked == true, question == nil else { return .none }
        if hold?.isAnnounced == true { return isNews ? .changed : .none }
        return announceHold()
    }

    /// Says why queues wait, unless that was said.
    mutating func announceHold() -> HoldNews {
        guard let hold, !hold.isAnnounced else { return .none }
        self.hold?.isAnnounced = true
        return .announced(hold.reason)
    }

    private mutating func release(isShort: Bool) -> HoldNews {
        guard let hold else { return .none }
        self.hold = nil
        if !isShort { pressure = nil }
        return hold.isAnnounced ? .released : .none
    }

    var isHolding: Bool { hold != nil }

    /// - Parameter reserve: what is to be left.
    func note(reserve: Credits) -> GateNote? {
        guard let hold, hold.isAnnounced else { return nil }
        return GateNote(
            name: GateKind.credits.name,
            closedAt: hold.since.instant,
            reopensAt: pressure.map { hold.since.instant + ($0.nextAt - hold.since.uptime) },
            message: hold.reason.message(reserve: reserve)
        )
    }
}

extension ReserveHold {
    /// Why queues wait, and what to do about it.
    func message(reserve: Credits) -> String {
        switch self {
        case .balanceUnknown:
            "the account's balance cannot be read, and credits.reserve is to be kept: nothing to do, it is asked for again"
        case .short(let left, let price):
            "the next job costs \(price), and \(max(left, .zero)) is left above credits.reserve "
                + "(\(reserve)): top up the account or lower the reserve; it goes on by itself within a minute"
        }
    }
}
