/// Tasks at the provider, those included whose acceptance or end is still being recorded, and what it last said of each.
struct Tasks: Sendable {
    /// A new task may stay unknown for a moment; after this it is worth a word.
    private static let notFoundGrace: Duration = .seconds(120)
    /// How long the provider keeps a task's record.
    static let recordLifetime: Duration = .seconds(60 * 86_400)
    /// How long the provider has to deny a task before it is given up.
    static let missingPatience: Duration = .seconds(86_400)
    /// For how long the provider has to deny a task that had failed before its job is sent again.
    private static let deniedPatience: Duration = .seconds(10)
    /// A result may be there later than the word `success`: so long it is asked for again before it counts as missing.
    static let resultPatience: Duration = .seconds(600)
    /// From an answer without the result to the next question: half of what has passed, within these bounds.
    private static let resultPauses: ClosedRange<Duration> = .seconds(2) ... .seconds(60)
    /// What `jobs.provider_state` says of a task that the provider does not know: promptd's word, not the provider's.
    static let missing = "not_found"
    /// What it says of one that has succeeded and shows no result: promptd's word, too.
    static let withoutResult = "success_without_result"

    private struct Entry {
        var task: OpenTask
        /// The last word of the provider.
        var providerState: String?
        /// Since when, in uptime, the provider has not known it.
        var missingSince: Duration?
        /// Since when, in uptime, the provider says that it has succeeded and shows no result.
        var resultMissingSince: Duration?
    }

    private var entries: [AttemptID: Entry] = [:]
    /// Questions about tasks that have not come back.
    private(set) var questions = 0

    subscript(attempt: AttemptID) -> OpenTask? { entries[attempt]?.task }

    /// How many the provider is working on, or may be. One that has ended, and is asked about once more because its job is
    /// retried, does not count.
    private(set) var runningCount = 0

    mutating func add(_ task: OpenTask) { replace(task.attempt, by: Entry(task: task)) }

    mutating func remove(_ attempt: AttemptID) { replace(attempt, by: nil) }

    /// Keeps the count, which is asked for with every event.
    private mutating func replace(_ attempt: AttemptID, by entry: Entry?) {
        if let old = entries[attempt], old.task.endedAs == nil { runningCount -= 1 }
        if let entry, entry.task.endedAs == nil { runningCount += 1 }
        entries[attempt] = entry
    }

    mutating func questionAsked() { questions += 1 }

    mutating func questionEnded() { questions -= 1 }

    // MARK: - What the provider says

    /// - Returns: whether the word is news that is worth a commit. The first one is nearly always the same and says nothing.
    mutating func isRunning(_ attempt: AttemptID, _ state: String) -> Bool {
        entries[attempt]?.missingSince = nil
        let last = entries[attempt]?.providerState
        entries[attempt]?.providerState = state
        return state != last && (state != "waiting" || last == Self.missing)
    }

    /// What an answer that the provider does not know a task means.
    struct Missing {
        /// Whether it is worth a word, and a commit.
        var isNews = false
        var meaning = Meaning.mayTurnUp

        enum Meaning {
            /// A new task may be seen later than its id.
            case mayTurnUp
            case isLost
            /// It had failed before, and its job is tried again: ask once more, or hold it for gone.
            case askAgain, isGone
        }
    }

    mutating func isMissing(_ attempt: AttemptID, now: Moment) -> Missing {
        guard var entry = entries[attempt] else { return Missing() }
        let since = entry.missingSince ?? now.uptime
        entry.missingSince = since
        let missingFor = now.uptime - since
        var missing = Missing()
        if missingFor >= Self.notFoundGrace, entry.providerState != Self.missing {
            entry.providerState = Self.missing
            missing.isNews = true
        }
        entries[attempt] = entry
        if entry.task.endedAs != nil {
            missing.meaning = missingFor >= Self.deniedPatience ? .isGone : .askAgain
        } else if entry.task.age(at: now) > Self.recordLifetime, missingFor >= Self.missingPatience {
            // The provider keeps records for two months. Before that an unknown id may still turn up. Age is by the wall
            // clock, which may have been set: only a day of denials is believed.
            missing.meaning = .isLost
        }
        return missing
    }

    /// What an answer without the result of a success means.
    enum ResultWait {
        /// Ask again after a pause. `isNews`: it is worth a word, and a commit.
        case askAgain(in: Duration, isNews: Bool)
        case isOver
    }

    mutating func awaitResult(_ attempt: AttemptID, at uptime: Duration) -> ResultWait {
        let since = entries[attempt]?.resultMissingSince ?? uptime
        entries[attempt]?.resultMissingSince = since
        let waited = uptime - since
        guard waited < Self.resultPatience else { return .isOver }
        let isNews = entries[attempt]?.providerState != Self.withoutResult
        entries[attempt]?.providerState = Self.withoutResult
        let pause = min(max(waited / 2, Self.resultPauses.lowerBound), Self.resultPauses.upperBound)
        return .askAgain(in: pause, isNews: isNews)
    }
}

extension OpenTask {
    /// By the wall clock.
    func age(at now: Moment) -> Duration { max(.zero, now.instant - acceptedAt) }
}
