extension Engine {
    mutating func polled(_ attempt: AttemptID, _ outcome: PollOutcome, now: Moment, _ effects: inout [EngineEffect]) {
        guard let task = tasks[attempt] else {
            polls.wasUnknown(attempt, at: now.uptime)
            return
        }
        switch outcome {
        case .pending(let state):
            missingSince[attempt] = nil
            polls.wasRunning(attempt, at: now.uptime)
            let last = providerStates.updateValue(state, forKey: attempt)
            // The first word is nearly always the same and says nothing; it is not worth a commit.
            if state != last, state != "waiting" || last == Self.missing {
                record(.progressed(attempt, providerState: state), &effects)
            }
        case .notFound:
            polls.wasUnknown(attempt, at: now.uptime)
            let since = missingSince[attempt] ?? now.uptime
            missingSince[attempt] = since
            if now.uptime - since >= Self.notFoundGrace,
                providerStates.updateValue(Self.missing, forKey: attempt) != Self.missing
            {
                effects.append(.notify(.taskMissing(task)))
                record(.progressed(attempt, providerState: Self.missing), &effects)
            }
            if task.endedAs != nil { return denied(task, since: since, now: now, &effects) }
            // The provider keeps records for two months. Before that an unknown id may still turn up. Age is by the wall
            // clock, which may have been set: only a day of asking in vain is believed.
            guard age(of: task, now: now) > Self.recordLifetime, now.uptime - since >= Self.missingPatience else {
                return
            }
            end(task, Failure(.taskLost, "the provider no longer knows the task"), charged: nil, now: now, &effects)
        case .unavailable(let failure):
            if failure.code == .rateLimited { polls.pause(at: now.uptime) }
            polls.failed(
                attempt,
                at: now.uptime,
                notBefore: failure.code == .keyRefused ? .seconds(60) : .zero,
                isAwaited: hints[attempt] != nil
            )
        case .succeeded(let outputs, let charged, let provider, let unread):
            guard !outputs.isEmpty else {
                var failure = Failure(.emptyResult, "the provider reported success without a result")
                failure.unread = unread
                return awaitResult(task, failure, charged: charged, took: provider, now: now, &effects)
            }
            let took = polls.ended(attempt, took: provider, at: now.uptime)
            effects.append(.notify(.taskSucceeded(task, charged: charged)))
            let fetch = settings.downloadsEnabled
            record(
                .taskSucceeded(attempt, outputs, charged: charged, fetch: fetch, took: took, unread: unread),
                &effects
            )
        case .failed(let failure, let charged, let provider) where failure.code == .emptyResult:
            awaitResult(task, failure, charged: charged, took: provider, now: now, &effects)
        case .failed(let failure, let charged, let provider):
            let took = polls.ended(attempt, took: provider, at: now.uptime)
            end(task, failure, charged: charged, took: took, now: now, &effects)
        }
    }

    /// What `jobs.provider_state` says of a task that the provider does not know: promptd's word, not the provider's.
    static var missing: String { "not_found" }
    /// A new task may stay unknown for a moment; after this it is worth a word.
    static var notFoundGrace: Duration { .seconds(120) }
    /// How long the provider keeps a task's record.
    static var recordLifetime: Duration { .seconds(60 * 86_400) }
    /// How long the provider has to deny a task before it is given up.
    static var missingPatience: Duration { .seconds(86_400) }

    mutating func recorded(_ change: LedgerChange, _ recorded: CommitResult, now: Moment) {
        switch change {
        case .accepted(let attempt, _, _):
            guard let task = tasks[attempt] else { return }
            polls.add(attempt, key: task.key, age: age(of: task, now: now), at: now.uptime)
        case .rejected(_, _, let then):
            if case .retry(let at, _) = then { comeBack(at: at, now: now) }
            noteRoom()
        case .unknown:
            noteRoom()
        case .taskSucceeded(let attempt, _, _, _, _, _):
            forget(attempt)
            for download in recorded.downloads { downloads.add(download, at: now.uptime) }
        case .taskFailed(let attempt, _, _, let then, _):
            forget(attempt)
            if case .retry(let at, _) = then { comeBack(at: at, now: now) }
        case .progressed, .resultDelayed, .resultSaved, .resultFailed, .gates, .balance, .gaveUp, .hintRefuted, .limits,
            .rules, .setAside, .trouble:
            return
        }
    }

    private mutating func forget(_ attempt: AttemptID) {
        tasks[attempt] = nil
        providerStates[attempt] = nil
        hints[attempt] = nil
        followedHints[attempt] = nil
        missingSince[attempt] = nil
        resultMissingSince[attempt] = nil
        noteRoom()
    }

    /// What was settled may have made room in a budget or a queue.
    private mutating func noteRoom() {
        if waitsForBudget || waitsForPlace { noteDue() }
    }

    private mutating func comeBack(at instant: Instant, now: Moment) {
        if instant <= now.instant {
            noteDue()
        } else {
            nextRunAt = min(nextRunAt ?? instant, instant)
            if isClaiming { runAtWhileClaiming = min(runAtWhileClaiming ?? instant, instant) }
        }
    }
}
