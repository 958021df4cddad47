/// What callbacks asked for and have not brought yet, and what earlier ones led to.
///
/// Each news is answered with what it asks of the poll schedule.
struct Hints: Sendable {
    /// What the poll schedule is to do.
    enum Asking {
        case nothing
        /// Ask as soon as may be.
        case hurry
        /// Ask at an uptime, if the plan does not before.
        case ask(by: Duration)
        /// Ask at an uptime, whatever the plan says.
        case askAgain(at: Duration)
        /// Begin to ask about a task that a callback named, at an uptime.
        case begin(OpenTask, at: Duration)
    }

    /// What an attempt is to the engine.
    enum Subject {
        /// Its task is known.
        case task
        /// Its request is under way.
        case request
        /// Anything else: its answer may be lost.
        case other
    }

    private var standing: [AttemptID: Hint] = [:]
    /// So that the same callbacks again lead to less.
    private var followed: [AttemptID: FollowedHint] = [:]

    var isEmpty: Bool { standing.isEmpty }

    subscript(attempt: AttemptID) -> Hint? { standing[attempt] }

    // MARK: - A callback

    /// - Parameter candidate: the attempt with the task that the callback named.
    mutating func heard(
        of attempt: AttemptID,
        _ candidate: OpenTask?,
        _ subject: Subject,
        at uptime: Duration
    ) -> Asking {
        if let hint = standing[attempt] { return heardAgain(of: attempt, candidate, hint, subject, at: uptime) }
        switch subject {
        case .task:
            return follow(attempt, nil, at: uptime)
        case .request:
            // The callback overtook the answer to createTask.
            standing[attempt] = Hint(candidate: candidate)
            return .nothing
        case .other:
            return candidate.map { follow(attempt, $0, at: uptime) } ?? .nothing
        }
    }

    /// Another callback while a hint stands. The name that came last is the one that the ledger keeps.
    private mutating func heardAgain(
        of attempt: AttemptID,
        _ candidate: OpenTask?,
        _ hint: Hint,
        _ subject: Subject,
        at uptime: Duration
    ) -> Asking {
        guard hint.answer == nil else { return .nothing }
        standing[attempt]?.hasCompany = true
        guard let candidate, candidate.task != hint.candidate?.task else { return .nothing }
        switch subject {
        case .task:
            return .nothing
        case .request:
            standing[attempt]?.candidate = candidate
            return .nothing
        case .other:
            guard let before = followed[attempt], before.names < Hint.maximumNames else { return .nothing }
            followed[attempt]?.task = candidate.task
            followed[attempt]?.names += 1
            standing[attempt] = Hint(candidate: candidate, asking: hint.asking)
            return .askAgain(at: uptime)
        }
    }

    /// Asks because of a callback: now, or, if this attempt was asked about for that reason before, after a pause.
    private mutating func follow(_ attempt: AttemptID, _ candidate: OpenTask?, at uptime: Duration) -> Asking {
        var hint = Hint(candidate: candidate)
        if let before = followed[attempt] {
            if let task = candidate?.task, task != before.task, before.names < Hint.maximumNames {
                followed[attempt]?.task = task
                followed[attempt]?.names += 1
            } else {
                hint.isRepeat = true
                hint.notBefore = before.askedAt + Hint.repeatPause
            }
        } else {
            noteFollowed(attempt, candidate?.task, at: uptime)
        }
        standing[attempt] = hint
        if let candidate { return .begin(candidate, at: max(hint.notBefore, uptime)) }
        return hint.notBefore > uptime ? .ask(by: hint.notBefore) : .hurry
    }

    private mutating func noteFollowed(_ attempt: AttemptID, _ task: TaskID?, at uptime: Duration) {
        // What was settled behind the engine's back would stay for ever.
        if followed.count >= 10_000 { followed = followed.filter { uptime - $0.value.askedAt < Hint.repeatPause } }
        followed[attempt] = FollowedHint(askedAt: uptime, task: task)
    }

    // MARK: - The answer to createTask

    /// Keeps what a callback said meanwhile, or acts on it now that the answer is lost.
    mutating func requestEnded(_ attempt: AttemptID, _ outcome: SubmissionOutcome, at uptime: Duration) -> Asking {
        guard let hint = standing[attempt] else { return .nothing }
        switch outcome {
        case .accepted:
            standing[attempt]?.candidate = nil
        case .rejected, .notSent:
            standing[attempt] = nil
        case .unknown:
            standing[attempt] = nil
            if let candidate = hint.candidate { return follow(attempt, candidate, at: uptime) }
        }
        return .nothing
    }

    // MARK: - Questions

    /// A question is being asked because of a hint.
    ///
    /// - Parameter isTracked: whether the attempt's task is known; if not, the question is about the one that was named.
    mutating func asked(_ attempt: AttemptID, isTracked: Bool, at uptime: Duration) {
        guard let hint = standing[attempt] else { return }
        standing[attempt]?.asked += 1
        standing[attempt]?.hasCompany = false
        standing[attempt]?.asking = isTracked ? nil : hint.candidate
        if followed[attempt] == nil { noteFollowed(attempt, nil, at: uptime) }
        followed[attempt]?.askedAt = uptime
    }

    /// The task that the question was about, if it was one that a callback had named.
    mutating func takeNamed(_ attempt: AttemptID) -> OpenTask? {
        defer { standing[attempt]?.asking = nil }
        return standing[attempt]?.asking
    }

    /// The answer to a question about the attempt's task.
    ///
    /// - Parameter isTracked: whether it is still one of the open tasks.
    mutating func answered(
        _ attempt: AttemptID,
        _ outcome: PollOutcome,
        isTracked: Bool,
        at uptime: Duration
    ) -> Asking {
        guard let hint = standing[attempt] else { return .nothing }
        switch outcome {
        case .pending, .notFound:
            if hint.asked >= hint.questions {
                standing[attempt] = nil
                return hint.hasCompany && isTracked ? follow(attempt, nil, at: uptime) : .nothing
            }
            return hint.isRepeat ? .ask(by: max(hint.notBefore, uptime)) : .askAgain(at: uptime + hint.delay)
        case .unavailable:
            wasNotAnswered(attempt)
            return .nothing
        case .succeeded, .failed:
            standing[attempt] = nil
            return .nothing
        }
    }

    /// An outage uses up no question.
    mutating func wasNotAnswered(_ attempt: AttemptID) {
        guard let asked = standing[attempt]?.asked else { return }
        standing[attempt]?.asked -= min(asked, 1)
    }

    /// What the provider said of a task that was named, while its adoption is being recorded.
    mutating func keep(_ answer: PollOutcome, about attempt: AttemptID) { standing[attempt]?.answer = answer }

    /// Forgets a task that was named; another name, or the same once more, may have come meanwhile.
    ///
    /// - Returns: nil if that other name stands, and is to be asked about.
    mutating func drop(_ candidate: OpenTask, at uptime: Duration) -> Asking? {
        guard let hint = standing[candidate.attempt] else { return .nothing }
        if let named = hint.candidate, named.task != candidate.task { return nil }
        standing[candidate.attempt] = nil
        return hint.hasCompany ? follow(candidate.attempt, candidate, at: uptime) : .nothing
    }

    /// The hint has led to what it could.
    mutating func end(_ attempt: AttemptID) { standing[attempt] = nil }

    /// The attempt's task has ended.
    mutating func forget(_ attempt: AttemptID) {
        standing[attempt] = nil
        followed[attempt] = nil
    }
}
