/// What pages show of a queue: a bounded number of rows each, found by an index, however many jobs there are.
///
/// All calls block the caller until the store answers.
package protocol PageReader: QueueReader {
    /// Jobs with their results, the newest first. Prompts and inputs are cut short.
    func page(_ request: PageRequest) throws(LedgerError) -> JobSlice

    /// Batches in the order of their names, at most `limit` that come after a name.
    func batchPage(after name: String?, limit: Int) throws(LedgerError) -> [BatchRecord]

    /// Batches of the jobs that were added last, the newest first, at most `limit`.
    func latestBatches(limit: Int) throws(LedgerError) -> [BatchRecord]

    /// Nil if there is no job of it.
    func batch(_ name: String) throws(LedgerError) -> BatchRecord?

    /// What was charged and is reserved since an instant, for each period in which something was.
    func spending(per period: SpendingPeriod, since: Instant) throws(LedgerError) -> [SpendingRecord]

    /// How long each model's tasks take on average, the latest ones.
    func durations() throws(LedgerError) -> [String: Duration]

    /// All, by name.
    func schedules() throws(LedgerError) -> [ScheduleRecord]

    /// Nil if there is no such result.
    func result(_ id: ResultID) throws(LedgerError) -> ResultRecord?

    /// A number that changes when somebody else commits.
    func dataVersion() throws(LedgerError) -> Int64

    func close() throws(LedgerError)
}

/// Which page of which jobs.
package struct PageRequest: Sendable {
    package enum Position: Sendable, Equatable {
        case newest
        /// Jobs that were added before this one.
        case before(JobID)
        /// Jobs that were added after this one, from it on.
        case after(JobID)
    }

    package var filter: JobFilter
    package var position: Position
    package var limit: Int
    /// No more jobs than this are looked at: what a filter asks for and no index has may be rare.
    package var looks: Int

    package init(_ filter: JobFilter, at position: Position = .newest, limit: Int, looks: Int = 20_000) {
        self.filter = filter
        self.position = position
        self.limit = limit
        self.looks = looks
    }
}

/// A page of jobs.
package struct JobSlice: Sendable {
    /// The newest first.
    package let jobs: [ExportedJob]
    /// What to ask `before`, for the next older page; nil if there is none.
    package let older: JobID?
    /// What to ask `after`, for the next newer page; nil if this is the newest.
    package let newer: JobID?
    /// Whether there may be more between these and the next page, because enough jobs were looked at.
    package let isCutShort: Bool

    package init(jobs: [ExportedJob], older: JobID?, newer: JobID?, isCutShort: Bool) {
        self.jobs = jobs
        self.older = older
        self.newer = newer
        self.isCutShort = isCutShort
    }
}

extension JobSlice {
    /// - Parameters:
    ///   - found: the newest first, as many as the page shows at most.
    ///   - hasMore: whether one more was found.
    ///   - gaveUp: whether there are more to look at, and enough were looked at.
    ///   - last: the last that was looked at.
    package init(_ request: PageRequest, _ found: [ExportedJob], hasMore: Bool, gaveUp: Bool, last: JobID?) {
        let goesOn = hasMore || gaveUp
        let last = hasMore ? nil : last
        let (newest, oldest) = (found.first?.job.id, found.last?.job.id)
        let ends: (older: JobID?, newer: JobID?)
        switch request.position {
        case .newest: ends = (goesOn ? last ?? oldest : nil, nil)
        case .before(let id): ends = (goesOn ? last ?? oldest : nil, newest ?? JobID(max(id.rawValue, 1) - 1))
        case .after(let id):
            ends = (oldest ?? JobID(min(id.rawValue, .max - 1) + 1), goesOn ? last ?? newest : nil)
        }
        self.init(jobs: found, older: ends.older, newer: ends.newer, isCutShort: gaveUp && !hasMore)
    }

    /// Nothing, and nothing beside it.
    package static let empty = JobSlice(jobs: [], older: nil, newer: nil, isCutShort: false)
}

/// A batch and how its jobs stand.
package struct BatchRecord: Sendable {
    package let name: String
    /// No count goes beyond `countLimit`.
    package let counts: [JobState: Int]
    package let newest: JobID
    /// What its jobs were charged; nil if there are too many to add up for a page.
    package let charged: Credits?

    /// So far each state's jobs are counted.
    package static let countLimit = 5_000

    package var total: Int { counts.values.reduce(0, +) }
    package var ended: Int { counts.reduce(0) { $0 + ($1.key.isFinal ? $1.value : 0) } }
    /// Whether there are more jobs than were counted.
    package var isCountCut: Bool { counts.values.contains { $0 >= Self.countLimit } }

    package init(name: String, counts: [JobState: Int], newest: JobID, charged: Credits?) {
        self.name = name
        self.counts = counts
        self.newest = newest
        self.charged = charged
    }
}

package enum SpendingPeriod: String, Sendable, CaseIterable {
    case hour, day
}

/// What was spent in one hour or day, in UTC.
package struct SpendingRecord: Sendable, Equatable {
    package let startsAt: Instant
    package let charged: Credits
    package let reserved: Credits

    package init(startsAt: Instant, charged: Credits, reserved: Credits) {
        self.startsAt = startsAt
        self.charged = charged
        self.reserved = reserved
    }
}
