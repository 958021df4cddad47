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
    /// Only what had ended by then.
    package var finishedBefore: Instant?

    package init() {}

    package var isEmpty: Bool {
        states.isEmpty && queue == nil && batch == nil && model == nil && labels.isEmpty && errorCode == nil
            && !isUncharged && finishedBefore == nil
    }
}
