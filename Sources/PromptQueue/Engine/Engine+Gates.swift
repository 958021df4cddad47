extension GateKind {
    func concerns(model: String) -> Bool {
        if case .model(let name) = self { name == model } else { true }
    }
}

// What closes and opens gates.
extension Engine {
    /// What an answer says about the provider, the key, the account and the model.
    mutating func judge(_ job: ClaimedJob, _ outcome: SubmissionOutcome, now: Moment) {
        let trouble: (kind: GateKind, failure: Failure)?
        switch outcome {
        case .accepted:
            trouble = nil
            gates.requestAccepted()
        case .notSent where isDraining:
            // It was given back, and says nothing of the provider.
            trouble = nil
        case .notSent(let failure), .unknown(let failure):
            trouble = (.provider, failure)
        case .rejected(let failure):
            trouble = failure.code.consequence.closes.map { ($0.gate(model: job.model), failure) }
            if failure.code == .rateLimited {
                if let (before, after) = submissions.refused(retryAfter: failure.retryAfter, now: now) {
                    outbox.notify(.rateShrunk(from: before, to: after))
                }
                outbox.noteGates()
            }
        }
        if let trouble { fail(trouble.kind, job, trouble.failure, now: now) }
        for kind in gates.concerned(model: job.model) where kind != trouble?.kind {
            let isProbe = gates.isProbe(job.attempt, of: kind)
            if proves(outcome, against: kind, isProbe: isProbe) {
                open(kind)
            } else if isProbe {
                gates.endProbe(of: kind)
            }
        }
    }

    /// Whether an outcome shows that a gate need not be closed any longer.
    private func proves(_ outcome: SubmissionOutcome, against kind: GateKind, isProbe: Bool) -> Bool {
        switch outcome {
        case .accepted:
            switch kind {
            case .key, .provider, .model: true
            // A request that was out when the credits ended may have had the last of them.
            case .credits, .keyCap: isProbe
            case .disk, .media: false
            }
        case .rejected(let failure):
            switch kind {
            case .provider: failure.code.consequence.closes != .provider
            case .key: failure.code.consequence.closes != .key && failure.code.consequence.closes != .provider
            case .credits, .keyCap, .model, .disk, .media: false
            }
        case .notSent, .unknown: false
        }
    }

    private mutating func fail(_ kind: GateKind, _ job: ClaimedJob, _ failure: Failure, now: Moment) {
        let failing = gates.fail(kind, job.attempt, message: failure.message, at: now, using: &random)
        if kind == .credits, failing != .otherRequest { account.noteShortage(price: job.reserved, now: now) }
        if failing == .hasClosed {
            outbox.notify(.gateClosed(kind, message: failure.message))
            outbox.record(.trouble("\(kind.name): \(failure.message)"))
        }
        outbox.noteGates()
    }

    mutating func close(_ kind: GateKind, message: String, now: Moment) {
        guard gates.close(kind, message: message, at: now, using: &random) else { return }
        outbox.notify(.gateClosed(kind, message: message))
        // While the database cannot be written noting that is useless.
        if kind != .disk { outbox.noteGates() }
    }

    mutating func open(_ kind: GateKind) {
        guard gates.open(kind) else { return }
        if kind == .credits { account.endShortage() }
        if kind == .key || kind == .provider { polls.reachedAgain() }
        claiming.noteDue()
        outbox.notify(.gateOpened(kind))
        outbox.noteGates()
    }

    // MARK: - Questions

    mutating func noteReach(_ outcome: PollOutcome, now: Moment) {
        if case .unavailable(let failure) = outcome {
            noteUnreached(failure, now: now)
        } else {
            noteReached()
        }
    }

    mutating func noteReached() {
        if let kind = gates.questionAnswered() { open(kind) }
    }

    mutating func noteUnreached(_ failure: Failure, now: Moment) {
        guard let kind = gates.questionFailed(failure, at: now.uptime) else { return }
        outbox.record(.trouble("\(kind.name): \(failure.message)"))
        close(kind, message: failure.message, now: now)
    }

    // MARK: - Budgets and the rate

    mutating func noteBudgets(_ news: Gates.BudgetNews) {
        for (hold, job) in news.held { outbox.notify(.budgetHeld(hold, job)) }
        for hold in news.released { outbox.notify(.budgetReleased(hold)) }
        for budget in news.nearlyUsed { outbox.notify(.budgetNearlyUsed(budget)) }
        if !news.isEmpty { outbox.noteGates() }
    }

    /// Lets the rate window's allowance grow again after the provider said that there were too many requests.
    mutating func recoverRate(at uptime: Duration) {
        let (isNews, whole) = submissions.recover(at: uptime)
        if let whole { outbox.notify(.rateWhole(whole)) }
        if isNews { outbox.noteGates() }
    }

    /// What is closed or held now, as the ledger keeps it.
    func gateNotes() -> [GateNote] {
        var notes = gates.notes(account)
        if let note = submissions.note { notes.append(note) }
        // A gate tells more than the reserve.
        if !gates.isClosed(.credits), !gates.isClosed(.keyCap),
            let note = account.note(reserve: settings.account.creditReserve)
        {
            notes.append(note)
        }
        return notes.sorted { ($0.name, $0.queue) < ($1.name, $1.queue) }
    }
}
