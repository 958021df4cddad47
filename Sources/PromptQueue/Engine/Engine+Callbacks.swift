extension Engine {
    mutating func hinted(_ attempt: AttemptID, _ candidate: OpenTask?, now: Moment) {
        if hints[attempt] != nil {
            hintedAgain(attempt, candidate, now: now)
        } else if tasks[attempt] != nil {
            follow(attempt, nil, now: now)
        } else if submissions[attempt] != nil {
            // The callback overtook the answer to createTask.
            hints[attempt] = Hint(candidate: candidate)
        } else if let candidate {
            follow(attempt, candidate, now: now)
        }
    }

    /// Another callback while a hint stands. The name that came last is the one that the ledger keeps.
    private mutating func hintedAgain(_ attempt: AttemptID, _ candidate: OpenTask?, now: Moment) {
        guard let hint = hints[attempt], hint.answer == nil else { return }
        hints[attempt]?.hasCompany = true
        guard let candidate, candidate.task != hint.candidate?.task, tasks[attempt] == nil else { return }
        if submissions[attempt] != nil {
            hints[attempt]?.candidate = candidate
        } else if let followed = followedHints[attempt], followed.names < Hint.maximumNames {
            followedHints[attempt]?.task = candidate.task
            followedHints[attempt]?.names += 1
            hints[attempt] = Hint(candidate: candidate, asking: hint.asking)
            polls.askAgain(attempt, at: now.uptime)
        }
    }

    /// Asks because of a callback: now, or, if this attempt was asked about for that reason before, after a pause.
    private mutating func follow(_ attempt: AttemptID, _ candidate: OpenTask?, now: Moment) {
        var hint = Hint(candidate: candidate)
        if let before = followedHints[attempt] {
            if let task = candidate?.task, task != before.task, before.names < Hint.maximumNames {
                followedHints[attempt]?.task = task
                followedHints[attempt]?.names += 1
            } else {
                hint.isRepeat = true
                hint.notBefore = before.askedAt + Hint.repeatPause
            }
        } else {
            noteFollowed(attempt, candidate?.task, now: now)
        }
        hints[attempt] = hint
        if let candidate {
            polls.add(attempt, key: candidate.key, age: age(of: candidate, now: now), at: now.uptime)
            polls.askAgain(attempt, at: max(hint.notBefore, now.uptime))
        } else if hint.notBefore > now.uptime {
            polls.ask(attempt, by: hint.notBefore)
        } else {
            polls.hurry(attempt, at: now.uptime)
        }
    }

    private mutating func noteFollowed(_ attempt: AttemptID, _ task: TaskID?, now: Moment) {
        // What was settled behind the engine's back would stay for ever.
        if followedHints.count >= 10_000 {
            followedHints = followedHints.filter { now.uptime - $0.value.askedAt < Hint.repeatPause }
        }
        followedHints[attempt] = FollowedHint(askedAt: now.uptime, task: task)
    }

    /// What an answer means if a callback has named a task for its request: a refusal that is contradicted proves nothing.
    func outcome(_ outcome: SubmissionOutcome, of attempt: AttemptID) -> SubmissionOutcome {
        guard let named = hints[attempt]?.candidate?.task else { return outcome }
        switch outcome {
        case .rejected(let failure), .notSent(let failure): return .unknown(failure.contradicted(by: named))
        case .accepted, .unknown: return outcome
        }
    }

    /// Keeps what a callback said during `createTask`, or acts on it now that the answer is lost.
    mutating func keepHint(of attempt: AttemptID, after outcome: SubmissionOutcome, now: Moment) {
        guard let hint = hints[attempt] else { return }
        switch outcome {
        case .accepted:
            hints[attempt]?.candidate = nil
        case .rejected, .notSent:
            hints[attempt] = nil
        case .unknown:
            hints[attempt] = nil
            if let candidate = hint.candidate { follow(attempt, candidate, now: now) }
        }
    }

    /// A question brought nothing that the schedule should know; ask again after `delay`, or, with nil, not at all.
    private mutating func wasAsked(_ attempt: AttemptID, againIn delay: Duration?, now: Moment) {
        polls.wasUnknown(attempt, at: now.uptime)
        if let delay { polls.askAgain(attempt, at: now.uptime + delay) } else { polls.remove(attempt) }
    }

    /// The task to ask about for an attempt whose turn has come.
    mutating func taskToAskAbout(_ attempt: AttemptID, now: Moment) -> OpenTask? {
        let task = tasks[attempt]
        guard let hint = hints[attempt] else { return task }
        hints[attempt]?.asked += 1
        hints[attempt]?.hasCompany = false
        hints[attempt]?.asking = task == nil ? hint.candidate : nil
        if followedHints[attempt] == nil { noteFollowed(attempt, nil, now: now) }
        followedHints[attempt]?.askedAt = now.uptime
        return task ?? hint.candidate
    }

    /// The answer to a question about an attempt with a hint.
    mutating func polledOnHint(
        _ attempt: AttemptID,
        _ outcome: PollOutcome,
        _ origin: TaskEcho?,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        if let hint = hints[attempt], let candidate = hint.asking {
            hints[attempt]?.asking = nil
            guard let task = tasks[attempt] else {
                adopt(candidate, hint, outcome, origin, now: now, &effects)
                return
            }
            guard task.task == candidate.task else {
                // Somebody has named another task meanwhile; this answer is not about it.
                hints[attempt] = nil
                wasAsked(attempt, againIn: .zero, now: now)
                return
            }
        }
        polled(attempt, outcome, now: now, &effects)
        guard let hint = hints[attempt] else { return }
        switch outcome {
        case .pending, .notFound:
            if hint.asked >= hint.questions {
                hints[attempt] = nil
                if hint.hasCompany, tasks[attempt] != nil { follow(attempt, nil, now: now) }
            } else if hint.isRepeat {
                polls.ask(attempt, by: max(hint.notBefore, now.uptime))
            } else {
                polls.askAgain(attempt, at: now.uptime + hint.delay)
            }
        case .unavailable:
            // An outage uses up no question.
            hints[attempt]?.asked -= min(hint.asked, 1)
        case .succeeded, .failed:
            hints[attempt] = nil
        }
    }

    /// Takes a task for the attempt's if the provider knows it, and says nothing that speaks against it: a callback named
    /// it for a request whose answer was lost.
    private mutating func adopt(
        _ candidate: OpenTask,
        _ hint: Hint,
        _ outcome: PollOutcome,
        _ origin: TaskEcho?,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let attempt = candidate.attempt
        switch outcome {
        case .pending, .succeeded, .failed:
            if let difference = origin.flatMap(candidate.difference(from:)) {
                drop(candidate, hint, difference, now: now, &effects)
                return
            }
            // The poll counts as under way until the adoption is recorded, so that nothing asks meanwhile.
            tasks[attempt] = candidate
            hints[attempt]?.answer = outcome
            record(.accepted(attempt, task: candidate.task, httpStatus: 200), &effects)
        case .notFound where hint.asked < hint.questions:
            wasAsked(attempt, againIn: hint.delay, now: now)
        case .notFound:
            drop(candidate, hint, "the provider does not know it", now: now, &effects)
        case .unavailable(let failure):
            hints[attempt]?.asked -= min(hint.asked, 1)
            if failure.code == .rateLimited { polls.pause(at: now.uptime) }
            let pause: Duration = failure.code == .keyRefused ? .seconds(60) : .zero
            polls.failed(attempt, at: now.uptime, notBefore: pause, isAwaited: true)
        }
    }

    /// Forgets a task that was named; another name, or the same once more, may have come meanwhile.
    private mutating func drop(
        _ candidate: OpenTask,
        _ hint: Hint,
        _ reason: String,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let attempt = candidate.attempt
        record(.hintRefuted(attempt, candidate.task), &effects)
        if !hint.isRepeat { effects.append(.notify(.hintDropped(attempt, candidate.job, reason: reason))) }
        if let named = hint.candidate, named.task != candidate.task {
            wasAsked(attempt, againIn: .zero, now: now)
            return
        }
        wasAsked(attempt, againIn: nil, now: now)
        hints[attempt] = nil
        if hint.hasCompany { follow(attempt, candidate, now: now) }
    }

    /// An acceptance is in the ledger, or was refused by it: what a callback said can be followed now.
    mutating func acceptanceRecorded(
        _ attempt: AttemptID,
        _ refusal: AcceptanceRefusal?,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        guard let hint = hints[attempt] else { return }
        guard let answer = hint.answer, let task = tasks[attempt] else {
            polls.hurry(attempt, at: now.uptime)
            return
        }
        hints[attempt] = nil
        guard let refusal else {
            noteArrival(now: now)
            effects.append(.notify(.jobConfirmed(attempt, task.job)))
            polled(attempt, answer, now: now, &effects)
            return
        }
        wasAsked(attempt, againIn: nil, now: now)
        tasks[attempt] = refusal.instead
        if let instead = refusal.instead {
            polls.add(attempt, key: instead.key, age: age(of: instead, now: now), at: now.uptime)
        } else {
            let reason = "the job was settled meanwhile, or the task is another job's"
            effects.append(.notify(.hintDropped(attempt, task.job, reason: reason)))
        }
    }
}
