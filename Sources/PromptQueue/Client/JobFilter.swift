/// Which jobs a command is about.
package struct JobFilter: Sendable {
    /// Empty: any.
    package var states: Set<JobState> = []
    package var queue: String?
    package var batch: String?
    package var model: String?
    /// All of them must be there, with these values.
    package var labels: [String: String] = [:]
    /// Of a failed job.
    package var errorCode: String?
    /// Only unconfirmed jobs of whose lost request the account's balance shows no charge, and no callback has named a task.
    package var isUncharged = false
    package var uniqueKey: String?
    /// What the prompt must have, as `PromptWords` finds it.
    package var words: [String] = []
    /// Only what was added since then.
    package var createdSince: Instant?
    /// Only what had ended by then.
    package var finishedBefore: Instant?

    package init() {}

    package var isEmpty: Bool {
        states.isEmpty && queue == nil && batch == nil && model == nil && labels.isEmpty && errorCode == nil
            && !isUncharged && finishedBefore == nil && uniqueKey == nil && words.isEmpty && createdSince == nil
    }
}

/// In which order jobs are shown.
package struct JobOrder: Sendable, Equatable {
    package enum Key: String, Sendable, CaseIterable {
        case id, priority, submitted, finished, charged
    }

    package var key: Key
    /// Whether the least comes first, instead of the greatest. Jobs that do not have what they are sorted by come last.
    package var isAscending: Bool

    package init(_ key: Key, isAscending: Bool = false) {
        self.key = key
        self.isAscending = isAscending
    }

    /// The newest first.
    package static let newest = JobOrder(.id)
}
