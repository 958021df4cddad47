// How tasks end, and what is asked once more before one is held for ended.
extension Engine {
    /// A result may be there later than the word `success`: so long it is asked for again before it counts as missing.
    static var resultPatience: Duration { .seconds(600) }
    /// From an answer without the result to the next question: half of what has passed, within these bounds.
    private static var resultPauses: ClosedRange<Duration> { .seconds(2) ... .seconds(60) }
    /// For how long the provider has to deny a task that had failed before its job is sent again.
    private static var deniedPatience: Duration { .seconds(10) }

    /// The provider says that the task has succeeded, and shows no result.
    mutating func awaitResult(
        _ task: OpenTask,
        _ failure: Failure,
        charged: Credits?,
        took: Duration?,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let attempt = task.attempt
        let since = resultMissingSince[attempt] ?? now.uptime
        resultMissingSince[attempt] = since
        let waited = now.uptime - since
        guard waited < Self.resultPatience else {
            let took = polls.ended(attempt, took: took, at: now.uptime)
            guard failure.elsewhere.isEmpty else {
                // It is paid for, and says where something is.
                effects.append(.notify(.taskSucceeded(task, charged: charged)))
                record(
                    .taskSucceeded(
                        attempt,
                        failure.elsewhere,
                        charged: charged,
                        fetch: settings.downloadsEnabled,
                        took: took,
                        unread: failure.unread
                    ),
                    &effects
                )
                return
            }
            end(task, failure, charged: charged, took: took, now: now, &effects)
            return
        }
        polls.wasUnknown(attempt, at: now.uptime)
        let pause = min(max(waited / 2, Self.resultPauses.lowerBound), Self.resultPauses.upperBound)
        polls.askAgain(attempt, at: now.uptime + pause)
        if providerStates.updateValue(Self.withoutResult, forKey: attempt) != Self.withoutResult {
            effects.append(.notify(.resultAwaited(task)))
            record(.progressed(attempt, providerState: Self.withoutResult), &effects)
        }
    }

    /// What `jobs.provider_state` says meanwhile: promptd's word, not the provider's.
    static var withoutResult: String { "success_without_result" }

    mutating func end(
        _ task: OpenTask,
        _ failure: Failure,
        charged: Credits?,
        took: Duration? = nil,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        polls.remove(task.attempt)
        let then = disposition(of: failure, task, now: now)
        effects.append(.notify(.taskFailed(task, failure, then: then)))
        record(.taskFailed(task.attempt, failure, charged: charged, then: then, took: took), &effects)
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

    /// A task that had failed, and whose job is tried again, is not known any more.
    mutating func denied(_ task: OpenTask, since: Duration, now: Moment, _ effects: inout [EngineEffect]) {
        guard now.uptime - since >= Self.deniedPatience else {
            polls.askAgain(task.attempt, at: now.uptime + .seconds(2))
            return
        }
        let failure =
            task.endedAs == .emptyResult
            ? Failure(.emptyResult, "success without a result, and the provider no longer knows the task")
            : Failure(.taskLost, "the provider no longer knows the task")
        end(task, failure, charged: nil, now: now, &effects)
    }
}
