// The account's balance, and requests whose answer was lost.
extension Engine {
    private var accountSurroundings: Account.Surroundings {
        let isQuiet = submissions.isEmpty && !claiming.isUnderWay
        return Account.Surroundings(
            hasDue: claiming.mayHaveDue,
            hasRunning: runningCount > 0,
            isQuiet: isQuiet,
            lastLostAt: isQuiet ? lostAnswers.lastUnexamined : nil,
            interval: settings.balanceInterval
        )
    }

    var nextBalanceQuestion: Duration? {
        account.isBeingAsked ? nil : account.nextQuestion(accountSurroundings)
    }

    mutating func askForBalance(now: Moment) {
        guard let due = nextBalanceQuestion, due <= now.uptime else { return }
        account.ask(at: now, isQuiet: accountSurroundings.isQuiet)
        outbox.send(.checkBalance)
    }

    mutating func balanceRead(_ balance: Credits, now: Moment) {
        let reserve = settings.account.creditReserve
        let reading = account.read(balance, reserve: reserve, now: now, isSettled: lostAnswers.areSettled(at:))
        if reading.isQuiet { lostAnswers.examine() }
        outbox.record(.balance(reading, settles: settings.account.unconfirmedPolicy == .evidence))
        if gates.isClosed(.credits) { outbox.noteGates() }
    }

    mutating func balanceUnreadable() {
        account.couldNotBeRead()
        claiming.readingEnded()
        note(account.announceHold())
        if gates.isClosed(.credits) { outbox.noteGates() }
    }

    /// Says whether queues wait for `credits.reserve`.
    mutating func note(_ news: Account.HoldNews) {
        switch news {
        case .none: return
        case .announced(let reason):
            outbox.notify(.reserveHeld(message: reason.message(reserve: settings.account.creditReserve)))
        case .changed: break
        case .released: outbox.notify(.reserveReleased)
        }
        outbox.noteGates()
    }

    // MARK: - Lost answers

    mutating func takeOver(_ unknown: [UnknownAttempt], now: Moment) {
        for attempt in unknown where !lostAnswers.contains(attempt.attempt) {
            let age = max(.zero, now.instant - attempt.lostAt)
            lostAnswers.add(attempt.attempt, at: now.uptime - age)
            // A callback named its task to the process before this one, and the provider will not call again.
            if let hinted = attempt.hinted { self.hinted(attempt.attempt, hinted, now: now) }
        }
    }

    /// Gives up those of which there was no news for `unconfirmed.window`, if that is the policy.
    mutating func giveUpLostAnswers(at uptime: Duration) {
        guard settings.account.unconfirmedPolicy == .resubmit else { return }
        let hints = hints
        let due = lostAnswers.takeDue(after: settings.account.unconfirmedWindow, at: uptime) { hints[$0] != nil }
        for attempt in due { outbox.record(.gaveUp(attempt)) }
    }

    /// When the next lost answer is given up.
    var nextGivenUp: Duration? {
        guard settings.account.unconfirmedPolicy == .resubmit else { return nil }
        return lostAnswers.nextDue(after: settings.account.unconfirmedWindow) { hints[$0] != nil }
    }
}
