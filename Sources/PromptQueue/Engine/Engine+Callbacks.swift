// What callbacks say: it settles nothing, and makes promptd ask.
extension Engine {
    mutating func hinted(_ attempt: AttemptID, _ candidate: OpenTask?, now: Moment) {
        let subject: Hints.Subject =
            if tasks[attempt] != nil { .task } else if submissions.contains(attempt) { .request } else { .other }
        ask(attempt, hints.heard(of: attempt, candidate, subject, at: now.uptime), now: now)
    }

    /// Does what a hint asks of the poll schedule.
    mutating func ask(_ attempt: AttemptID, _ asking: Hints.Asking, now: Moment) {
        switch asking {
        case .nothing: break
        case .hurry: polls.hurry(attempt, at: now.uptime)
        case .ask(let uptime): polls.ask(attempt, by: uptime)
        case .askAgain(let uptime): polls.askAgain(attempt, at: uptime)
        case .begin(let candidate, let uptime):
            polls.add(attempt, key: candidate.key, age: candidate.age(at: now), at: now.uptime)
            polls.askAgain(attempt, at: uptime)
        }
    }

    /// A question brought nothing that the schedule should know; ask again after `delay`, or, with nil, not at all.
    private mutating func wasAsked(_ attempt: AttemptID, againIn delay: Duration?, at uptime: Duration) {
        polls.wasUnknown(attempt, at: uptime)
        if let delay { polls.askAgain(attempt, at: uptime + delay) } else { polls.remove(attempt) }
    }

    /// The answer to a question about an attempt with a hint.
    mutating func polledOnHint(_ attempt: AttemptID, _ outcome: PollOutcome, _ origin: TaskEcho?, now: Moment) {
        if let candidate = hints.takeNamed(attempt) {
            guard let task = tasks[attempt] else {
                adopt(candidate, outcome, origin, now: now)
                return
            }
            guard task.task == candidate.task else {
                // Somebody has named another task meanwhile; this answer is not about it.
                hints.end(attempt)
                wasAsked(attempt, againIn: .zero, at: now.uptime)
                return
            }
        }
        polled(attempt, outcome, now: now)
        ask(attempt, hints.answered(attempt, outcome, isTracked: tasks[attempt] != nil, at: now.uptime), now: now)
    }

    /// Takes a task for the attempt's if the provider knows it, and says nothing that speaks against it: a callback named
    /// it for a request whose answer was lost.
    private mutating func adopt(_ candidate: OpenTask, _ outcome: PollOutcome, _ origin: TaskEcho?, now: Moment) {
        let attempt = candidate.attempt
        switch outcome {
        case .pending, .succeeded, .failed:
            if let difference = origin.flatMap(candidate.difference(from:)) {
                drop(candidate, difference, now: now)
                return
            }
            // The poll counts as under way until the adoption is recorded, so that nothing asks meanwhile.
            tasks.add(candidate)
            hints.keep(outcome, about: attempt)
            outbox.record(.accepted(attempt, task: candidate.task, httpStatus: 200))
        case .notFound:
            if let hint = hints[attempt], hint.asked < hint.questions {
                wasAsked(attempt, againIn: hint.delay, at: now.uptime)
            } else {
                drop(candidate, "the provider does not know it", now: now)
            }
        case .unavailable(let failure):
            hints.wasNotAnswered(attempt)
            pollFailed(attempt, failure, isAwaited: true, at: now.uptime)
        }
    }

    /// A task that a callback named is not the attempt's.
    private mutating func drop(_ candidate: OpenTask, _ reason: String, now: Moment) {
        let attempt = candidate.attempt
        outbox.record(.hintRefuted(attempt, candidate.task))
        if hints[attempt]?.isRepeat == false { outbox.notify(.hintDropped(candidate, reason: reason)) }
        if let asking = hints.drop(candidate, at: now.uptime) {
            wasAsked(attempt, againIn: nil, at: now.uptime)
            ask(attempt, asking, now: now)
        } else {
            wasAsked(attempt, againIn: .zero, at: now.uptime)
        }
    }

    /// An acceptance is in the ledger, or was refused by it: what a callback said can be followed now.
    mutating func acceptanceRecorded(_ attempt: AttemptID, _ refusal: AcceptanceRefusal?, now: Moment) {
        guard let hint = hints[attempt] else { return }
        guard let answer = hint.answer, let task = tasks[attempt] else {
            polls.hurry(attempt, at: now.uptime)
            return
        }
        hints.end(attempt)
        guard let refusal else {
            claiming.noteArrival(at: now.uptime, window: settings.rate.window)
            outbox.notify(.jobConfirmed(task))
            polled(attempt, answer, now: now)
            return
        }
        wasAsked(attempt, againIn: nil, at: now.uptime)
        tasks.remove(attempt)
        if let instead = refusal.instead {
            tasks.add(instead)
            polls.add(attempt, key: instead.key, age: instead.age(at: now), at: now.uptime)
        } else {
            let reason = "the job was settled meanwhile, or the task is another job's"
            outbox.notify(.hintDropped(task, reason: reason))
        }
    }
}
