extension Engine {
    /// Starts whatever may start now, and says when to look again.
    mutating func advance(now: Moment, _ effects: inout [EngineEffect]) {
        guard isStarted, !hasStopped else { return }
        if isDraining {
            if isIdle {
                hasStopped = true
                effects.append(.stop)
            }
            return
        }
        recoverRate(now: now, &effects)
        giveUpLostAnswers(now: now, &effects)
        // Before the claim: a reading with nothing under way can be compared.
        askForBalance(now: now, &effects)
        claim(now: now, &effects)
        endBackoff(now: now)
        for attempt in polls.takeDue(at: now.uptime) {
            guard let task = taskToAskAbout(attempt, now: now) else {
                polls.wasNotAsked(attempt)
                continue
            }
            pollsUnderWay += 1
            effects.append(.poll(task))
        }
        lookForCancelled(now: now, &effects)
        for download in downloads.takeReady(at: now.uptime) {
            effects.append(.download(download))
        }
        wake(now: now, &effects)
    }

    /// Lets polls that were backed off go when the key or the provider is well again; but once in a while only, since a
    /// provider that is half well closes and opens its gate all the time.
    private mutating func endBackoff(now: Moment) {
        guard isReachedAgain else { return }
        isReachedAgain = false
        guard now.uptime >= backoffEndsNotBefore else { return }
        backoffEndsNotBefore = now.uptime + .seconds(60)
        polls.endBackoff(at: now.uptime)
    }

    private var isIdle: Bool {
        !isClaiming && submissions.isEmpty && recordsUnderWay == 0 && pollsUnderWay == 0 && downloads.activeCount == 0
    }

    private mutating func claim(now: Moment, _ effects: inout [EngineEffect]) {
        if let due = nextRunAt, due <= now.instant {
            nextRunAt = nil
            noteDue()
        }
        guard mayHaveDue, !isClaiming, now.uptime >= max(claimNotBefore, firstReadingBy ?? .zero) else { return }
        var limit = min(window.available(at: now.uptime), settings.running - runningCount, settings.claimLimit)
        limit = min(limit, ramp.available(underWay: submissions.count, at: now.uptime))
        var closedModels: Set<String> = []
        var probedModels: Set<String> = []
        for (kind, gate) in gates {
            if kind == .media { return }
            if case .model(let model) = kind {
                if gate.allowsProbe(at: now.uptime) { probedModels.insert(model) } else { closedModels.insert(model) }
            } else {
                guard let probeAt = nextProbe(kind, gate), probeAt <= now.uptime else { return }
                limit = min(limit, 1)
            }
        }
        guard limit > 0 else { return }
        isClaiming = true
        var request = ClaimRequest(
            limit: limit,
            rate: window.current,
            runningLimit: settings.running,
            closedModels: closedModels,
            probedModels: probedModels,
            creditReserve: settings.account.creditReserve,
            now: now.instant
        )
        request.clockShift = drift.shift(at: now.uptime, window: settings.rate.window)
        effects.append(.claim(request))
    }

    /// Time alone may have made room: a budget's new period, or the turn of a model's probe.
    mutating func lookAgain(now: Moment) {
        let hasProbe = gates.contains { kind, gate in
            if case .model = kind { gate.allowsProbe(at: now.uptime) } else { false }
        }
        if hasProbe { noteDue() }
        if let look = nextBudgetLook, look <= now.uptime {
            // The claim that follows sets it again.
            nextBudgetLook = nil
            noteDue()
        }
    }

    private mutating func wake(now: Moment, _ effects: inout [EngineEffect]) {
        var times: [Duration] = []
        if let due = polls.nextDue(at: now.uptime) { times.append(due) }
        if let ready = downloads.nextReady(after: now.uptime) { times.append(ready) }
        if let look = nextDownloadLook { times.append(look) }
        if mayHaveDue, !isClaiming {
            if let slot = window.nextAvailable(at: now.uptime) { times.append(slot) }
            let earliest = max(claimNotBefore, firstReadingBy ?? .zero)
            if earliest > now.uptime { times.append(earliest) }
        }
        times += gates.compactMap { nextProbe($0.key, $0.value) }.filter { $0 > now.uptime }
        if let nextRunAt {
            // At least once a minute, in case somebody sets the clock.
            times.append(now.uptime + min(max(nextRunAt - now.instant, .zero), .seconds(60)))
        }
        if let nextBudgetLook, !isClaiming { times.append(max(nextBudgetLook, now.uptime)) }
        // A claim that was just asked for may have made the balance overdue.
        times += [nextBalanceQuestion, nextGivenUp].compactMap(\.self).map { max($0, now.uptime) }
        if rateRefusedAt != nil { times.append(window.nextGrowth ?? max(window.shutUntil, now.uptime)) }
        guard let next = times.min() else { return }
        if let lastWake, lastWake <= next, lastWake > now.uptime { return }
        lastWake = next
        effects.append(.wake(at: next))
    }
}
