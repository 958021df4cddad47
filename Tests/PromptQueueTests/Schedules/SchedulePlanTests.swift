import Testing

@testable import PromptQueue

/// What is made up for after runs were missed.
@Suite struct SchedulePlanTests {
    private let hourly: CronExpression

    init() throws { hourly = try CronExpression("@hourly") }

    private func at(_ text: String) -> Instant { CronTests.instant(text) }

    private func plan(_ due: String?, _ now: String, _ catchUp: CatchUp = .one) -> SchedulePlan {
        SchedulePlan(hourly, in: UTCClock(), due: due.map(at), now: at(now), catchUp: catchUp)
    }

    @Test func `what is not due does not run, and what is new is planned first`() {
        #expect(plan("2026-11-30T10:00Z", "2026-11-30T09:59Z").runs.isEmpty)
        #expect(plan("2026-11-30T10:00Z", "2026-11-30T09:59Z").next == at("2026-11-30T10:00Z"))
        #expect(plan(nil, "2026-11-30T09:59Z", .all).runs.isEmpty)
        #expect(plan(nil, "2026-11-30T09:59Z").next == at("2026-11-30T10:00Z"))
    }

    @Test func `what is due runs once, at its own instant`() {
        for policy in CatchUp.allCases {
            let plan = plan("2026-11-30T10:00Z", "2026-11-30T10:00:03Z", policy)
            #expect(plan.runs == [at("2026-11-30T10:00Z")] && plan.missed == 0 && plan.next == at("2026-11-30T11:00Z"))
        }
        // An instant that somebody has set.
        #expect(plan("2026-11-30T10:07Z", "2026-11-30T10:08Z").runs == [at("2026-11-30T10:07Z")])
    }

    @Test func `of missed runs the latest is made up for, or none, or all up to a bound`() {
        let (due, now) = ("2026-11-30T10:00Z", "2026-12-01T12:30Z")
        #expect(plan(due, now).runs == [at("2026-12-01T12:00Z")])
        #expect(plan(due, now).missed == 26)
        #expect(plan(due, now, .skip).runs.isEmpty)
        #expect(plan(due, now, .skip).missed == 27)
        #expect(plan(due, "2026-12-01T12:09Z", .skip).runs == [at("2026-12-01T12:00Z")])
        let all = plan(due, now, .all)
        #expect(all.runs.count == SchedulePlan.mostRuns && all.missed == 3)
        #expect(all.runs.first == at("2026-11-30T13:00Z") && all.runs.last == at("2026-12-01T12:00Z"))
        for policy in CatchUp.allCases { #expect(plan(due, now, policy).next == at("2026-12-01T13:00Z")) }
    }

    @Test func `years of missed runs take no time`() throws {
        let minutely = try CronExpression("* * * * *")
        let now = at("2036-11-30T10:00:30Z")
        let plan = SchedulePlan(minutely, in: UTCClock(), due: at("2026-11-30T10:00Z"), now: now, catchUp: .one)
        #expect(plan.runs == [at("2036-11-30T10:00Z")])
        #expect(plan.next == at("2036-11-30T10:01Z"))
    }

    @Test func `a run's job has its key, its batch and its label`() throws {
        var job = NewJob(prompt: "a fox", model: "m", input: "{}", queue: "ads")
        job.batch = "hero-{date}-{time}"
        job.labels = #"{"sku":"A"}"#
        let schedule = ScheduleRecord(
            name: "hero",
            cron: "@hourly",
            timeZone: "Europe/Berlin",
            job: job,
            createdAt: at("2026-01-01T00:00Z")
        )
        let made = schedule.job(at: at("2026-11-30T23:30Z"), in: try CronTests.zone("Europe/Berlin"))
        #expect(made.uniqueKey == "schedule:hero:2026-11-30T23:30Z")
        #expect(made.batch == "hero-2026-12-01-0030")
        #expect(made.labels == #"{"schedule":"hero","sku":"A"}"#)
        let odd = Instant(milliseconds: at("2026-11-30T23:30Z").milliseconds + 1_234)
        #expect(schedule.key(odd) == "schedule:hero:2026-11-30T23:30:01.234Z")
    }
}
