import Concurrency
import JobStore
import Logging
import PromptConfiguration
import PromptQueue
import RecordedLog
import Synchronization
import Testing

@testable import PromptDaemon

/// When the jobs of schedules are added, and when not.
@Suite struct ScheduleKeeperTests {
    private final class Time: TimeSource {
        private let state: Mutex<Moment>

        init(_ instant: Instant) { state = Mutex(Moment(instant: instant, uptime: .zero)) }

        var now: Moment { state.withLock { $0 } }

        func pass(_ duration: Duration) { state.withLock { $0 = $0 + duration } }

        /// Sets the clock, as an operator does.
        func set(_ instant: Instant) { state.withLock { $0.instant = instant } }

        func sleep(until uptime: Duration) async throws { state.withLock { $0 = $0 + max(.zero, uptime - $0.uptime) } }
    }

    private static let start = Instant(milliseconds: 1_800_000_000_000)

    private final class Told: Sendable {
        let count = Mutex(0)
    }

    private struct Stage {
        let run: EngineRun
        let time: Time
        let log = RecordedLog()
        /// How often the runner was told.
        let told = Told()
        let keeper: ScheduleKeeper

        /// - Parameter provider: what its clock shows; nil: it does not answer.
        init(_ schedule: ScheduleRecord, provider: @escaping @Sendable (Instant) -> Instant? = { $0 }) throws {
            let run = try EngineRun()
            try run.read { try $0.add(schedule, replaces: false) }
            let time = Time(ScheduleKeeperTests.start)
            (self.run, self.time) = (run, time)
            keeper = ScheduleKeeper(
                ledger: run.ledger,
                zones: { TimeZoneFiles.clock($0) },
                unknownModels: { .refuse },
                clock: ClockCheck(time: time, logger: log.logger, waits: .schedules) { provider(time.now.instant) },
                onAdded: { [told] in told.count.withLock { $0 += 1 } },
                time: time,
                logger: log.logger
            )
        }

        var keys: [String] {
            get throws {
                try run.read { file in
                    var keys: [String] = []
                    try file.forEachJob(matching: JobFilter(), limit: .max) { keys.append($0.uniqueKey ?? "") }
                    return keys.reversed().map { String($0.dropFirst("schedule:hero:".count)) }
                }
            }
        }

        var schedule: ScheduleRecord {
            get throws { try #require(try run.read { try $0.schedules().first }) }
        }

        /// Looks as often as it wants to.
        func pass(_ duration: Duration) async throws {
            let end = time.now.uptime + duration
            while time.now.uptime < end {
                let wait = try await keeper.look()
                time.pass(min(wait, end - time.now.uptime))
            }
        }
    }

    private func schedule(_ cron: String, _ catchUp: CatchUp = .all, zone: String = "UTC") -> ScheduleRecord {
        let job = NewJob(prompt: "a fox", model: "flux-2/flex-text-to-image", input: "{}", queue: "default")
        var schedule = ScheduleRecord(name: "hero", cron: cron, timeZone: zone, job: job, createdAt: Self.start)
        schedule.catchUp = catchUp
        return schedule
    }

    @Test func `each run is added at its time, and none before`() async throws {
        // The clock shows 08:00.
        let stage = try Stage(schedule("*/20 * * * *"))
        try await stage.pass(.seconds(3_599))
        #expect(try stage.keys == ["2027-01-15T08:20Z", "2027-01-15T08:40Z"])
        try await stage.pass(.seconds(2))
        #expect(try stage.keys.last == "2027-01-15T09:00Z")
        #expect(try stage.schedule.nextRunAt == Instant(iso8601: "2027-01-15T09:20Z"))
        #expect(stage.told.count.withLock { $0 } == 3)
        let jobs = try stage.run.read { file in
            var jobs: [JobRecord] = []
            try file.forEachJob(matching: JobFilter(), limit: .max) { jobs.append($0) }
            return jobs
        }
        #expect(jobs.allSatisfy { ($0.estimated?.millicredits ?? 0) > 0 })
    }

    @Test func `while promptd did not run the latest run is made up for, once`() async throws {
        let stage = try Stage(schedule("0 * * * *", .one))
        _ = try await stage.keeper.look()
        stage.time.pass(.seconds(86_400 + 600))
        _ = try await stage.keeper.look()
        _ = try await stage.keeper.look()
        #expect(try stage.keys == ["2027-01-16T08:00Z"])
        #expect(stage.log.lines.contains { $0.contains("runs of a schedule were missed") && $0.contains("missed=23") })
    }

    @Test func `late runs wait for a clock that the provider confirms`() async throws {
        let right = Mutex(false)
        let stage = try Stage(schedule("0 * * * *")) { now in
            right.withLock { $0 } ? now : now - .seconds(30 * 86_400)
        }
        _ = try await stage.keeper.look()
        // Set ahead by a month.
        stage.time.set(Self.start + .seconds(30 * 86_400))
        _ = try await stage.keeper.look()
        #expect(try stage.keys.isEmpty)
        #expect(stage.log.lines.contains { $0.contains("late runs of schedules wait: this machine's clock is ahead") })
        right.withLock { $0 = true }
        _ = try await stage.keeper.look()
        #expect(try stage.keys.count == SchedulePlan.mostRuns)
    }

    @Test func `a clock that is set back makes no run twice, and no long pause`() async throws {
        let stage = try Stage(schedule("*/20 * * * *"))
        try await stage.pass(.seconds(3_601))
        #expect(try stage.keys.count == 3)
        stage.time.set(Self.start + .seconds(60))
        try await stage.pass(.seconds(3_600))
        #expect(try stage.keys == ["2027-01-15T08:20Z", "2027-01-15T08:40Z", "2027-01-15T09:00Z"])
        try await stage.pass(.seconds(1_200))
        #expect(try stage.keys.last == "2027-01-15T09:20Z")
    }

    @Test(arguments: [
        ("0 25 * * *", "UTC", "cron: the hour \"25\": 0 to 23 is allowed"),
        ("0 9 * * *", "Europe/Nowhere", "time_zone: this machine knows no zone Europe/Nowhere"),
    ])
    func `what cannot be understood is said, once, and adds nothing`(
        cron: String,
        zone: String,
        reason: String
    ) async throws {
        let stage = try Stage(schedule(cron, zone: zone))
        for _ in 0..<3 { _ = try await stage.keeper.look() }
        #expect(try stage.schedule.lastError == reason)
        #expect(try stage.schedule.nextRunAt == nil)
        #expect(stage.log.lines.count == 1)
    }

    @Test func `a job that the catalogue refuses is not added, and the schedule goes on`() async throws {
        var refused = schedule("*/20 * * * *")
        refused.job.input = #"{"aspect_ratio":"17:4"}"#
        let stage = try Stage(refused)
        try await stage.pass(.seconds(2_500))
        #expect(try stage.keys.isEmpty)
        #expect(try stage.schedule.lastError?.contains("aspect_ratio") == true)
        #expect(
            stage.log.lines.filter { $0.contains("a schedule has added no job") }.count == 1,
            "once, not at each run"
        )
        #expect(try stage.schedule.nextRunAt == Instant(iso8601: "2027-01-15T09:00Z"))
    }

    @Test func `a run that would cost more than its limit is not added`() async throws {
        var dear = schedule("*/20 * * * *")
        dear.limit = Credits(millicredits: 1_000)
        let stage = try Stage(dear)
        try await stage.pass(.seconds(1_300))
        #expect(try stage.keys.isEmpty)
        #expect(try stage.schedule.lastError == "a run would cost about 14 credits, more than its limit of 1")
    }

    @Test func `a rule of somebody's own that refuses the job leaves the schedule at work`() async throws {
        let stage = try Stage(schedule("*/20 * * * *"))
        var template = schedule("*/20 * * * *")
        template.job.queue = String(repeating: "q", count: 90)
        template.job.batch = String(repeating: "{date}", count: 30)
        try stage.run.read { try $0.add(template, replaces: true) }
        try await stage.pass(.seconds(1_300))
        #expect(try stage.keys.isEmpty)
        #expect(try stage.schedule.lastError?.contains("jobs.batch") == true)
        #expect(try stage.schedule.nextRunAt == Instant(iso8601: "2027-01-15T08:40Z"))
    }
}
