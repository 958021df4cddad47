/// Which finished jobs are removed in one step.
package struct PruneRequest: Sendable {
    /// Jobs that have not ended, or whose attempts are not settled, stay whatever it says.
    package var filter: JobFilter
    /// At most so many.
    package var limit: Int
    /// Whether their files go, too; else they stay where they are.
    package var removesFiles: Bool
    /// Jobs that could not be removed before.
    package var excluded: Set<JobID> = []

    package init(_ filter: JobFilter, limit: Int, removesFiles: Bool) {
        self.filter = filter
        self.limit = limit
        self.removesFiles = removesFiles
    }
}

/// What was removed in one step.
package struct Pruned: Sendable, Hashable {
    package var jobs = 0
    /// How many saved files the jobs had.
    package var files = 0
    /// Jobs that a rule of the database keeps, such as somebody's own foreign key, with the reason.
    package var kept: [JobID: String] = [:]

    package init(jobs: Int = 0, files: Int = 0) {
        self.jobs = jobs
        self.files = files
    }

    /// Whether there may be more to remove, of a step of so many.
    package func isFull(_ limit: Int) -> Bool { jobs + kept.count >= limit }

    package static func += (sum: inout Pruned, more: Pruned) {
        sum.jobs += more.jobs
        sum.files += more.files
        sum.kept.merge(more.kept) { $1 }
    }
}

/// A file of a pruned job that is still to be removed.
package struct Removal: Sendable, Hashable {
    package let job: JobID
    /// Relative to the media directory.
    package let path: String

    package init(job: JobID, path: String) {
        self.job = job
        self.path = path
    }
}

/// Removes what ended long ago. The ledger of requests and charges, and with it all sums, stay; the keys of jobs that were
/// paid for stay taken.
package protocol PruneStore: Sendable {
    /// Whether `prune` would remove anything.
    func hasPrunable(_ filter: JobFilter) async throws(LedgerError) -> Bool

    /// Removes the oldest that match, in one short transaction, so that nobody waits for it.
    ///
    /// - Returns: nothing, once no more match.
    func prune(_ request: PruneRequest, now: Instant) async throws(LedgerError) -> Pruned

    /// Files that are still to be removed, at most `limit`, in the order of their paths.
    func removals(after path: String, limit: Int) async throws(LedgerError) -> [Removal]

    /// Notes that these are gone.
    func removed(_ removals: [Removal]) async throws(LedgerError)

    /// Gives up to `pages` unused pages of the file back to the file system.
    ///
    /// - Returns: how many were; 0 where that is not possible.
    func shrink(pages: Int) async throws(LedgerError) -> Int
}

/// The same, as a command does it.
package protocol QueuePruner: Sendable {
    func prune(_ request: PruneRequest, now: Instant) throws(LedgerError) -> Pruned
    func removals(after path: String, limit: Int) throws(LedgerError) -> [Removal]
    func removed(_ removals: [Removal]) throws(LedgerError)

    /// What `prune` would remove in all.
    func prunable(_ filter: JobFilter) throws(LedgerError) -> Pruned
}
