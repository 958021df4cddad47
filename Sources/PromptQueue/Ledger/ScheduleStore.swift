/// One step of a schedule: its next instant and its jobs, in one transaction.
package struct ScheduleStep: Sendable {
    /// As it was read: if somebody has changed it since, nothing is done.
    package var schedule: ScheduleRecord
    package var next: Instant?
    package var jobs: [NewJob]
    /// The last instant that has been dealt with.
    package var lastRun: Instant?
    /// Why there is no job.
    package var error: String?
    /// Whether nothing is added while the job of the last run still waits to be sent.
    package var waitsForLast: Bool

    package init(
        _ schedule: ScheduleRecord,
        next: Instant?,
        jobs: [NewJob] = [],
        lastRun: Instant? = nil,
        error: String? = nil,
        waitsForLast: Bool = false
    ) {
        self.schedule = schedule
        self.next = next
        self.jobs = jobs
        self.lastRun = lastRun
        self.error = error
        self.waitsForLast = waitsForLast
    }
}

/// What became of it.
package enum ScheduleOutcome: Sendable, Equatable {
    /// The jobs that were added; a run that has its job already adds none.
    case done([JobID])
    /// Nothing, because the job of the last run still waits.
    case waits(JobID)
    /// Nothing, because this is an older copy that submits nothing; missed runs may have been made, and paid, elsewhere.
    case held
    /// Nothing, because the schedule is another one now.
    case changed
}

/// The schedules, as the daemon works on them.
package protocol ScheduleStore: Sendable {
    /// Those that are enabled, by name.
    func enabledSchedules() async throws(LedgerError) -> [ScheduleRecord]

    func take(_ step: ScheduleStep, now: Instant) async throws(LedgerError) -> ScheduleOutcome

    /// The prices that hold.
    func currentPrices() async throws(LedgerError) -> PriceBook
}

/// The same, as a command works on them.
package protocol ScheduleClient: Sendable {
    /// All, by name.
    func schedules() throws(LedgerError) -> [ScheduleRecord]

    /// - Parameter replaces: whether one of the same name makes way.
    /// - Throws: `LedgerError` with code `constraint` if there is one of that name and it does not.
    func add(_ schedule: ScheduleRecord, replaces: Bool) throws(LedgerError)

    /// - Returns: false if there is none of that name.
    func setEnabled(_ isEnabled: Bool, schedule: String) throws(LedgerError) -> Bool

    /// - Returns: false if there is none of that name.
    func removeSchedule(_ name: String) throws(LedgerError) -> Bool

    /// Adds the job of a run by hand, beside those that the schedule makes.
    func runNow(_ schedule: ScheduleRecord, _ job: NewJob, now: Instant) throws(LedgerError) -> JobID
}
