import PromptQueue

/// What the list of schedules shows.
struct SchedulesView {
    struct Schedule {
        let name: String
        let cron: String
        let timeZone: String
        let isPaused: Bool
        let next: TimeView?
        let last: TimeView?
        let lastHref: String?
        let lastJob: String?
        let lastError: String?
        let adds: String
        let scheduleModel: String
        let scheduleQueue: String
        let limit: String

        init(_ schedule: ScheduleRecord, now: Instant) {
            name = schedule.name
            cron = schedule.cron
            timeZone = schedule.timeZone
            isPaused = !schedule.isEnabled
            next = schedule.isEnabled ? schedule.nextRunAt.map { TimeView($0, now: now) } : nil
            last = schedule.lastRunAt.map { TimeView($0, now: now) }
            lastHref = schedule.lastJob.map { "/jobs/\($0)" }
            lastJob = schedule.lastJob.map { "job \($0)" }
            lastError = schedule.lastError
            adds = schedule.job.prompt.map { PlainText.oneLine(String($0.prefix(200))) } ?? "(no prompt)"
            scheduleModel = schedule.job.model
            scheduleQueue = schedule.job.queue
            limit = schedule.limit?.grouped ?? "–"
        }
    }

    let frame: Frame
    let schedules: [Schedule]
}

extension Dashboard {
    func schedules() async throws -> PageContent {
        let now = now()
        let schedules = try await source.read { try $0.schedules() }
        return PageContent(
            "schedules",
            SchedulesView(
                frame: Frame("Schedules", at: "/schedules"),
                schedules: schedules.map { SchedulesView.Schedule($0, now: now) }
            )
        )
    }
}
