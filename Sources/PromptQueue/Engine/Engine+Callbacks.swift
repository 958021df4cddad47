/// What a callback asked for and has not brought yet.
///
/// A callback's body is not signed, so it settles nothing: it makes promptd ask. While a hint stands, further callbacks
/// for the same attempt add nothing to it.
struct Hint: Sendable {
    /// The attempt with the task that the callback named, as it is adopted if the provider knows it.
    var tentative: OpenTask?
    /// Questions since the callback came.
    var asked = 0
    /// Whether the question under way is about `tentative`.
    var isAskingTentatively = false
    /// What the provider said of `tentative`, while its adoption is being recorded.
    var answer: PollOutcome?

    /// How often to ask about a task that is tracked, until the usual schedule will do: the record may lag behind the
    /// callback a little.
    static let questions = 4
    /// How often to ask about a task that is not known to be the attempt's. With the delays that is two minutes; new
    /// tasks were seen to stay invisible for up to 90 s.
    static let tentativeQuestions = 8
    /// After a question that taught nothing about the task.
    static let pause: Duration = .seconds(10)

    /// From the last answer to the next question: 1 s, doubling; none if the callback overtook the answer.
    var delay: Duration { asked == 0 ? .zero : .seconds(1) * (1 << min(asked - 1, 6)) }
}

extension Engine {
    mutating func hinted(_ attempt: AttemptID, _ tentative: OpenTask?, now: Moment) {
        guard hints[attempt] == nil else {
            if submissions[attempt] != nil, hints[attempt]?.tentative == nil { hints[attempt]?.tentative = tentative }
            return
        }
        if tasks[attempt] != nil {
            hints[attempt] = Hint()
            polls.hurry(attempt, at: now.uptime)
        } else if submissions[attempt] != nil {
            // The callback overtook the answer to createTask.
            hints[attempt] = Hint(tentative: tentative)
        } else if let tentative {
            hints[attempt] = Hint(tentative: tentative)
            ask(tentative, now: now)
        }
    }

    /// Keeps what a callback said during `createTask`, or acts on it now that the answer is lost.
    mutating func keepHint(of attempt: AttemptID, after outcome: SubmissionOutcome, now: Moment) {
        guard hints[attempt] != nil else { return }
        switch outcome {
        case .accepted:
            hints[attempt]?.tentative = nil
        case .rejected, .notSent:
            hints[attempt] = nil
        case .unknown:
            guard let tentative = hints[attempt]?.tentative else {
                hints[attempt] = nil
                return
            }
            ask(tentative, now: now)
        }
    }

    private mutating func ask(_ tentative: OpenTask, now: Moment) {
        polls.add(tentative.attempt, key: tentative.key, age: age(of: tentative, now: now), at: now.uptime)
        polls.hurry(tentative.attempt, at: now.uptime)
    }

    /// A question brought nothing that the schedule should know; ask again after `delay`, or, with nil, not at all.
    private mutating func wasAsked(_ attempt: AttemptID, againIn delay: Duration?, now: Moment) {
        polls.wasUnknown(attempt, at: now.uptime)
        if let delay { polls.askAgain(attempt, at: now.uptime + delay) } else { polls.remove(attempt) }
    }

    /// The task to ask about for an attempt whose turn has come.
    mutating func taskToAskAbout(_ attempt: AttemptID) -> OpenTask? {
        let task = tasks[attempt]
        hints[attempt]?.asked += 1
        hints[attempt]?.isAskingTentatively = task == nil
        return task ?? hints[attempt]?.tentative
    }

    /// The answer to a question about an attempt with a hint.
    mutating func polledOnHint(
        _ attempt: AttemptID,
        _ outcome: PollOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        if let hint = hints[attempt], hint.isAskingTentatively, let tentative = hint.tentative {
            hints[attempt]?.isAskingTentatively = false
            guard let task = tasks[attempt] else {
                adopt(tentative, hint, outcome, now: now, &effects)
                return
            }
            guard task.task == tentative.task else {
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
            if hint.asked < Hint.questions {
                polls.askAgain(attempt, at: now.uptime + hint.delay)
            } else {
                hints[attempt] = nil
            }
        case .unavailable(let failure):
            hints[attempt]?.asked -= min(hint.asked, 1)
            if failure.code != .keyRefused { polls.askAgain(attempt, at: now.uptime + Hint.pause) }
        case .succeeded, .failed:
            hints[attempt] = nil
        }
    }

    /// Takes a task for the attempt's if the provider knows it: a callback named it for a request whose answer was lost.
    private mutating func adopt(
        _ tentative: OpenTask,
        _ hint: Hint,
        _ outcome: PollOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let attempt = tentative.attempt
        switch outcome {
        case .pending, .succeeded, .failed:
            // The poll counts as under way until the adoption is recorded, so that nothing asks meanwhile.
            tasks[attempt] = tentative
            hints[attempt]?.answer = outcome
            record(.accepted(attempt, task: tentative.task, httpStatus: 200), &effects)
        case .notFound:
            guard hint.asked >= Hint.tentativeQuestions else {
                wasAsked(attempt, againIn: hint.delay, now: now)
                return
            }
            wasAsked(attempt, againIn: nil, now: now)
            hints[attempt] = nil
            effects.append(.notify(.hintDropped(attempt, tentative.job, reason: "the provider does not know it")))
        case .unavailable(let failure):
            hints[attempt]?.asked -= min(hint.asked, 1)
            if failure.code == .rateLimited { polls.pause(at: now.uptime) }
            wasAsked(attempt, againIn: failure.code == .keyRefused ? .seconds(60) : Hint.pause, now: now)
        }
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
