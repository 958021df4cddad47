extension GateKind {
    func concerns(model: String) -> Bool {
        if case .model(let name) = self { name == model } else { true }
    }
}

extension Engine {
    /// What an answer says about the provider, the key, the account and the model.
    mutating func judge(
        _ job: ClaimedJob,
        _ outcome: SubmissionOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let trouble: (kind: GateKind, failure: Failure)?
        switch outcome {
        case .accepted:
            trouble = nil
            reach.failing = nil
        case .notSent(let failure), .unknown(let failure):
            trouble = (.provider, failure)
        case .rejected(let failure):
            trouble = failure.code.consequence.closes.map { ($0.gate(model: job.model), failure) }
            if failure.code == .rateLimited {
                if let before = window.refuse(at: now.uptime) {
                    effects.append(.notify(.rateShrunk(from: before, to: window.current)))
                }
                if let wait = failure.retryAfter {
                    window.shut(until: now.uptime + min(wait, RateLimit.longestRetryAfter))
                }
                if rateRefusedAt == nil { rateRefusedAt = now }
                recordGates(now: now, &effects)
            }
        }
        if let trouble {
            fail(trouble.kind, job, trouble.failure, now: now, &effects)
        }
        for kind in Array(gates.keys) where kind != trouble?.kind && kind.concerns(model: job.model) {
            let isProbe = gates[kind]?.probe == job.attempt
            if proves(outcome, against: kind, isProbe: isProbe) {
                open(kind, &effects)
            } else if isProbe {
                gates[kind]?.probe = nil
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

    private mutating func fail(
        _ kind: GateKind,
        _ job: ClaimedJob,
        _ failure: Failure,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        if let probe = gates[kind]?.probe {
            if kind == .credits, probe == job.attempt { noteShortage(price: job.reserved, now: now) }
            gates[kind]?.fail(attempt: job.attempt, message: failure.message, at: now, using: &random)
        }
        if gates[kind] != nil {
            recordGates(now: now, &effects)
            return
        }
        gates[kind] = Gate(kind.backoff, message: failure.message, at: now, using: &random)
        if kind == .credits { noteShortage(price: job.reserved, now: now) }
        effects.append(.notify(.gateClosed(kind, message: failure.message)))
        record(.trouble("\(kind.name): \(failure.message)"), &effects)
        recordGates(now: now, &effects)
    }

    mutating func close(_ kind: GateKind, message: String, now: Moment, _ effects: inout [EngineEffect]) {
        if gates[kind] != nil {
            gates[kind]?.fail(attempt: nil, message: message, at: now, using: &random)
            return
        }
        gates[kind] = Gate(kind.backoff, message: message, at: now, using: &random)
        effects.append(.notify(.gateClosed(kind, message: message)))
        // While the database cannot be written there is no use in noting that.
        if kind != .disk { recordGates(now: now, &effects) }
    }

    mutating func open(_ kind: GateKind, _ effects: inout [EngineEffect]) {
        guard gates.removeValue(forKey: kind) != nil else { return }
        if reach.closed == kind { reach.closed = nil }
        if kind == .credits { endShortage() }
        if kind == .key || kind == .provider { isReachedAgain = true }
        noteDue()
        effects.append(.notify(.gateOpened(kind)))
        recordGates(now: nil, &effects)
    }

    /// Notes which queues wait for a budget.
    mutating func hold(_ claim: Claim, now: Moment, _ effects: inout [EngineEffect]) {
        var isNews = false
        for hold in claim.budgetHolds where budgetHolds[hold] == nil {
            guard let job = claim.budgetSkips[hold] else { continue }
            budgetHolds[hold] = (now, job)
            effects.append(.notify(.budgetHeld(hold, job)))
            isNews = true
        }
        // A claim that stopped for want of a slot has not looked at every queue; and what lets cheaper jobs pass still
        // holds the others.
        let claimed = Set(claim.jobs.map(\.queue))
        for (hold, held) in budgetHolds {
            if let job = claim.budgetSkips[hold] {
                isNews = isNews || job != held.job
                budgetHolds[hold]?.job = job
            } else if !claim.hasMore || claimed.contains(hold.queue) {
                budgetHolds[hold] = nil
                effects.append(.notify(.budgetReleased(hold)))
                isNews = true
            }
        }
        if isNews { recordGates(now: now, &effects) }
    }

    /// Goes on as carefully as an earlier process would have after the provider said that there were too many requests.
    mutating func takeOver(refusals: [Instant], shutUntil: Instant?, now: Moment, _ effects: inout [EngineEffect]) {
        for refused in refusals { _ = window.refuse(at: now.uptime - max(.zero, now.instant - refused)) }
        if let shutUntil {
            window.shut(until: now.uptime + min(max(.zero, shutUntil - now.instant), RateLimit.longestRetryAfter))
        }
        guard let last = refusals.last ?? (window.shutUntil > now.uptime ? now.instant : nil) else { return }
        rateRefusedAt = Moment(instant: last, uptime: now.uptime - max(.zero, now.instant - last))
        // Those from which it has recovered need no word.
        recoverRate(now: now, &effects)
        if rateRefusedAt != nil { recordGates(now: now, &effects) }
    }

    /// Lets the rate window's allowance grow again after the provider said that there were too many requests.
    mutating func recoverRate(now: Moment, _ effects: inout [EngineEffect]) {
        let hasGrown = window.recover(at: now.uptime)
        guard rateRefusedAt != nil, hasGrown || (window.isWhole && now.uptime >= window.shutUntil) else { return }
        if window.isWhole {
            rateRefusedAt = nil
            if hasGrown { effects.append(.notify(.rateWhole(window.limit))) }
        }
        recordGates(now: now, &effects)
    }

    private func rateNotes() -> [GateNote] {
        guard let since = rateRefusedAt else { return [] }
        let end = max(window.shutUntil, window.wholeAt ?? .zero)
        let change = window.isWhole ? "\(window.limit)" : "\(window.limit.count) → \(window.current)"
        return [
            GateNote(
                name: BlockReason.rate.rawValue,
                closedAt: since.instant,
                reopensAt: since.instant + (end - since.uptime),
                message: "the provider said that there were too many requests: \(change), recovering by itself; if it "
                    + "happens often, something else uses the account, or limits.submissions is too high"
            )
        ]
    }

    mutating func recordGates(now: Moment?, _ effects: inout [EngineEffect]) {
        let notes = gates.map { kind, gate in
            // With credits used up, the next look at the balance.
            let again = nextProbe(kind, gate) ?? (kind == .credits ? account.pressure?.nextAt : nil) ?? gate.probeAt
            return GateNote(
                name: kind.name,
                closedAt: gate.closedAt.instant,
                reopensAt: gate.closedAt.instant + (again - gate.closedAt.uptime),
                message: "\(gate.message): \(kind.advice)"
            )
        }
        let held = budgetHolds.map { hold, held in
            GateNote(
                name: hold.reason.rawValue,
                queue: hold.queue,
                closedAt: held.since.instant,
                reopensAt: held.job.exceedsLimit ? nil : held.job.resetsAt,
                message: held.job.description
            )
        }
        let all = notes + held + rateNotes() + accountNotes()
        record(.gates(all.sorted { ($0.name, $0.queue) < ($1.name, $1.queue) }), &effects)
    }
}
