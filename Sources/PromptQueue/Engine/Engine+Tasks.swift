// From a task at the provider to its end.
extension Engine {
    mutating func askAboutTasks(at uptime: Duration) {
        for attempt in polls.takeDue(at: uptime) {
            guard let task = tasks[attempt] ?? hints[attempt]?.candidate else {
                polls.wasNotAsked(attempt)
                continue
            }
            hints.asked(attempt, isTracked: tasks[attempt] != nil, at: uptime)
            tasks.questionAsked()
            outbox.send(.poll(task))
        }
    }

    mutating func polled(_ attempt: AttemptID, _ outcome: PollOutcome, now: Moment) {
        guard let task = tasks[attempt] else {
            polls.wasUnknown(attempt, at: now.uptime)
            return
        }
        switch outcome {
        case .pending(let state):
            polls.wasRunning(attempt, at: now.uptime)
            if tasks.isRunning(attempt, state) { outbox.record(.progressed(attempt, providerState: state)) }
        case .notFound:
            polls.wasUnknown(attempt, at: now.uptime)
            missing(task, now: now)
        case .unavailable(let failure):
            pollFailed(attempt, failure, isAwaited: hints[attempt] != nil, at: now.uptime)
        case .succeeded(let outputs, let charged, let provider, let unread):
            guard !outputs.isEmpty else {
                var failure = Failure(.emptyResult, "the provider reported success without a result")
                failure.unread = unread
                return awaitResult(task, failure, charged: charged, took: provider, now: now)
            }
            let took = polls.ended(attempt, took: provider, at: now.uptime)
            succeed(task, outputs, charged: charged, took: took, unread: unread)
        case .failed(let failure, let charged, let provider) where failure.code == .emptyResult:
            awaitResult(task, failure, charged: charged, took: provider, now: now)
        case .failed(let failure, let charged, let provider):
            let took = polls.ended(attempt, took: provider, at: now.uptime)
            fail(task, failure, charged: charged, took: took, now: now)
        }
    }

    mutating func pollFailed(_ attempt: AttemptID, _ failure: Failure, isAwaited: Bool, at uptime: Duration) {
        if failure.code == .rateLimited { polls.pause(at: uptime) }
        let pause: Duration = failure.code == .keyRefused ? .seconds(60) : .zero
        polls.failed(attempt, at: uptime, notBefore: pause, isAwaited: isAwaited)
    }

    /// The provider does not know a task.
    private mutating func missing(_ task: OpenTask, now: Moment) {
        let missing = tasks.isMissing(task.attempt, now: now)
        if missing.isNews {
            outbox.notify(.taskMissing(task))
            outbox.record(.progressed(task.attempt, providerState: Tasks.missing))
        }
        switch missing.meaning {
        case .mayTurnUp:
            break
        case .askAgain:
            polls.askAgain(task.attempt, at: now.uptime + .seconds(2))
        case .isGone where task.endedAs == .emptyResult:
            let failure = Failure(.emptyResult, "success without a result, and the provider no longer knows the task")
            fail(task, failure, charged: nil, now: now)
        case .isGone, .isLost:
            fail(task, Failure(.taskLost, "the provider no longer knows the task"), charged: nil, now: now)
        }
    }

    /// The provider says that the task has succeeded, and shows no result.
    private mutating func awaitResult(
        _ task: OpenTask,
        _ failure: Failure,
        charged: Credits?,
        took: Duration?,
        now: Moment
    ) {
        let attempt = task.attempt
        switch tasks.awaitResult(attempt, at: now.uptime) {
        case .askAgain(let pause, let isNews):
            polls.wasUnknown(attempt, at: now.uptime)
            polls.askAgain(attempt, at: now.uptime + pause)
            if isNews {
                outbox.notify(.resultAwaited(task))
                outbox.record(.progressed(attempt, providerState: Tasks.withoutResult))
            }
        case .isOver:
            let took = polls.ended(attempt, took: took, at: now.uptime)
            if failure.elsewhere.isEmpty {
                fail(task, failure, charged: charged, took: took, now: now)
            } else {
                // It is paid for, and says where something is.
                succeed(task, failure.elsewhere, charged: charged, took: took, unread: failure.unread)
            }
        }
    }

    private mutating func succeed(
        _ task: OpenTask,
        _ outputs: [TaskOutput],
        charged: Credits?,
        took: Duration?,
        unread: String?
    ) {
        let fetch = settings.downloadsEnabled
        outbox.notify(.taskSucceeded(task, charged: charged))
        outbox.record(
            .taskSucceeded(task.attempt, outputs, charged: charged, fetch: fetch, took: took, unread: unread)
        )
    }

    private mutating func fail(
        _ task: OpenTask,
        _ failure: Failure,
        charged: Credits?,
        took: Duration? = nil,
        now: Moment
    ) {
        polls.remove(task.attempt)
        let then = disposition(of: failure, task, now: now)
        outbox.notify(.taskFailed(task, failure, then: then))
        outbox.record(.taskFailed(task.attempt, failure, charged: charged, then: then, took: took))
    }

    private mutating func disposition(of failure: Failure, _ task: OpenTask, now: Moment) -> FailureDisposition {
        guard let before = task.endedAs else {
            return disposition(of: failure, attempts: task.attemptCount, of: task.maxAttempts, now: now)
        }
        // Somebody wants another one, and the old one is over. But what was said to have succeeded is paid for, and is
        // not paid for again.
        let hasSucceeded = before == .emptyResult || failure.code == .emptyResult
        return hasSucceeded ? .fail : .retry(at: now.instant, counted: false)
    }
}
