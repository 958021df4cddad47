// When the account's balance is asked for, and what its answers open.
extension Engine {
    /// How long a regular question waits for a moment without requests under way.
    private static var balancePatience: Duration { .seconds(30) }
    /// Readings that are taken because nothing is going on come at most this often.
    private static var idlePause: Duration { .seconds(60) }
    /// How long the first claim of a new ledger waits for the balance.
    static var firstReadingPatience: Duration { .seconds(5) }
    /// A second more than the ledger asks for: it measures by the wall's clock.
    private static var lostPause: Duration { BalanceReading.settlingTime + .seconds(1) }
    /// A difference between account and ledger is logged at most this often.
    private static var reportPause: Duration { .seconds(3_600) }

    /// Whether no request for a task is on its way, or about to be.
    private var isQuiet: Bool { submissions.isEmpty && !isClaiming }

    // MARK: - Asking

    mutating func askForBalance(now: Moment, _ effects: inout [EngineEffect]) {
        guard let due = nextBalanceQuestion, due <= now.uptime else { return }
        account.ask(at: now, isQuiet: isQuiet)
        effects.append(.checkBalance)
    }

    /// When the balance is to be asked for; nil while it is being asked for, or if nothing asks for it.
    var nextBalanceQuestion: Duration? {
        guard account.question == nil else { return nil }
        guard let last = account.lastAskedAt else { return .zero }
        var times: [Duration] = []
        if let pressure = account.pressure { times.append(pressure.nextAt) }
        if mayHaveDue || runningCount > 0 {
            times.append(last + settings.balanceInterval + (isQuiet ? .zero : Self.balancePatience))
        }
        if isQuiet {
            if let youngest = lostAnswers.values.filter({ !$0.isExamined }).map(\.lostAt).max() {
                times.append(max(youngest + Self.lostPause, last + Self.idlePause))
            } else if account.hasActivity, !mayHaveDue {
                times.append(last + Self.idlePause)
            }
        }
        return times.min()
    }

    /// A request is being sent: a reading under way cannot be compared.
    mutating func disturbBalance() {
        account.question?.isQuiet = false
        account.hasActivity = true
    }

    // MARK: - Answers

    mutating func balanceRead(_ balance: Credits, now: Moment, _ effects: inout [EngineEffect]) {
        let question = account.question ?? AccountWatch.Question(askedAt: now, isQuiet: false)
        account.question = nil
        account.balance = balance
        account.isUnreadable = false
        let isSettled = lostAnswers.values.allSatisfy {
            question.askedAt.uptime >= $0.lostAt + Self.lostPause
        }
        let reading = BalanceReading(
            balance: balance,
            askedAt: question.askedAt.instant,
            isQuiet: question.isQuiet && isSettled
        )
        if reading.isQuiet {
            account.hasActivity = false
            for attempt in lostAnswers.keys { lostAnswers[attempt]?.isExamined = true }
        }
        record(.balance(reading, settles: settings.account.unconfirmedPolicy == .evidence), &effects)
        if var shortage = account.shortage, question.askedAt.uptime >= shortage.refusedAt {
            let hasRisen = shortage.lowest.map { balance > $0 } ?? false
            shortage.hasCover = hasRisen || balance >= shortage.price + settings.account.creditReserve
            shortage.lowest = min(shortage.lowest ?? balance, balance)
            account.shortage = shortage
        }
        if gates[.credits] != nil { recordGates(now: now, &effects) }
    }

    mutating func balanceUnreadable(now: Moment, _ effects: inout [EngineEffect]) {
        account.question = nil
        account.isUnreadable = true
        firstReadingBy = nil
        announceHold(now: now, &effects)
        if gates[.credits] != nil { recordGates(now: now, &effects) }
    }

    // MARK: - No credits (402)

    /// The provider refused a job for want of credits: the balance tells when one may be tried again.
    mutating func noteShortage(price: Credits, now: Moment) {
        account.shortage = AccountWatch.Shortage(price: price, refusedAt: now.uptime)
        account.pressure = AccountWatch.Pressure(at: now.uptime)
    }

    mutating func endShortage() {
        account.shortage = nil
        if account.hold == nil { account.pressure = nil }
    }

    /// When a gate may be probed; nil if only news can tell.
    func nextProbe(_ kind: GateKind, _ gate: Gate) -> Duration? {
        guard gate.probe == nil else { return nil }
        guard kind == .credits, let shortage = account.shortage else { return gate.probeAt }
        if shortage.hasCover || shortage.hasNews { return gate.probeAt }
        // Without a balance a request that is refused, and costs nothing, has to tell.
        return account.isUnreadable ? max(gate.probeAt, shortage.refusedAt + kind.backoff.maximum) : nil
    }

    // MARK: - credits.reserve

    /// Notes whether the ledger left jobs for the sake of the reserve.
    mutating func holdForReserve(_ claim: Claim, now: Moment, _ effects: inout [EngineEffect]) {
        guard let reason = claim.reserveHold else {
            // A claim that found no slot has not looked.
            if !claim.jobs.isEmpty || !claim.hasMore { releaseReserve(now: now, &effects) }
            return
        }
        if account.hold == nil {
            account.hold = AccountWatch.Hold(reason: reason, since: now)
            account.pressure = AccountWatch.Pressure(at: now.uptime)
        }
        let isNews = account.hold?.reason != reason
        account.hold?.reason = reason
        // The balance may have been old, and what was reserved since too much: the next reading tells.
        guard case .short = reason, account.hold?.isAsked == true, account.question == nil else { return }
        if account.hold?.isAnnounced == true {
            if isNews { recordGates(now: now, &effects) }
        } else {
            announceHold(now: now, &effects)
        }
    }

    private mutating func announceHold(now: Moment, _ effects: inout [EngineEffect]) {
        guard let hold = account.hold, !hold.isAnnounced else { return }
        account.hold?.isAnnounced = true
        effects.append(.notify(.reserveHeld(message: message(of: hold.reason))))
        recordGates(now: now, &effects)
    }

    private mutating func releaseReserve(now: Moment, _ effects: inout [EngineEffect]) {
        guard let hold = account.hold else { return }
        account.hold = nil
        if gates[.credits] == nil { account.pressure = nil }
        guard hold.isAnnounced else { return }
        effects.append(.notify(.reserveReleased))
        recordGates(now: now, &effects)
    }

    private func message(of reason: ReserveHold) -> String {
        switch reason {
        case .balanceUnknown:
            "the account's balance cannot be read, and credits.reserve is to be kept: nothing to do, it is asked for again"
        case .short(let left, let price):
            "the next job costs \(price), and \(max(left, .zero)) is left above credits.reserve "
                + "(\(settings.account.creditReserve)): top up the account or lower the reserve; it goes on by itself "
                + "within a minute"
        }
    }

    /// The notes about the account for `gates`.
    func accountNotes() -> [GateNote] {
        guard let hold = account.hold, hold.isAnnounced, gates[.credits] == nil, gates[.keyCap] == nil else {
            return []
        }
        return [
            GateNote(
                name: GateKind.credits.name,
                closedAt: hold.since.instant,
                reopensAt: account.pressure.map { hold.since.instant + ($0.nextAt - hold.since.uptime) },
                message: message(of: hold.reason)
            )
        ]
    }

    // MARK: - What the ledger says

    mutating func accountRecorded(
        _ change: LedgerChange,
        _ recorded: CommitResult,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        switch change {
        case .balance:
            firstReadingBy = nil
            // The ledger knows the balance now; before, it would have answered as it did.
            if account.hold != nil { noteDue() }
            if let standing = recorded.account { report(standing, now: now, &effects) }
        case .taskSucceeded, .taskFailed:
            account.hasActivity = true
        default:
            break
        }
        unconfirmedRecorded(change, recorded, now: now, &effects)
    }

    /// Says once that account and ledger differ, or differ otherwise than before.
    private mutating func report(_ standing: AccountStanding, now: Moment, _ effects: inout [EngineEffect]) {
        // A start says again what is still so: nobody may have read it.
        let change = standing.unexplained - (account.reported?.unexplained ?? .zero)
        guard change > standing.uncertainty || .zero - change > standing.uncertainty else { return }
        if let reported = account.reported, now.uptime < reported.at + Self.reportPause { return }
        account.reported = (standing.unexplained, now.uptime)
        effects.append(.notify(.accountDiffers(standing)))
    }

    /// Takes over new rules about the account.
    mutating func apply(_ rules: AccountRules, now: Moment, _ effects: inout [EngineEffect]) {
        guard rules != settings.account else { return }
        settings.account = rules
        noteDue()
        record(.rules(rules), &effects)
    }
}
