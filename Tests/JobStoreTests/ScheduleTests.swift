import FoundationEssentials
import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// Jobs that recur, in the database.
@Suite struct ScheduleTests {
    private let due = Instant(milliseconds: 1_799_999_940_000)

    private func schedule(_ fixture: LedgerFixture) async throws -> ScheduleRecord {
        try #require(try await fixture.ledger.enabledSchedules().first)
    }

    private func added(_ columns: String = "", _ values: String = "") throws -> LedgerFixture {
        let fixture = try LedgerFixture()
        try fixture.run(
            "INSERT INTO schedules (name, cron, prompt, next_run_at\(columns)) VALUES ('hero', '* * * * *', 'a fox', \(due.milliseconds)\(values))"
        )
        return fixture
    }

    private func take(
        _ fixture: LedgerFixture,
        _ schedule: ScheduleRecord,
        at run: Instant,
        next: Instant? = nil,
        waitsForLast: Bool = true
    ) async throws -> ScheduleOutcome {
        var step = ScheduleStep(schedule, next: next ?? run + .seconds(60), lastRun: run)
        step.jobs = [schedule.job(at: run, in: UTCClock())]
        step.waitsForLast = waitsForLast
        return try await fixture.ledger.take(step, now: fixture.now)
    }

    static let refused: [(String, String)] = [
        ("(name, cron) VALUES ('', '@daily')", "CHECK constraint failed: schedules.name: 1 to 100 characters"),
        (
            "(name, cron) VALUES ('a', 'daily')",
            "CHECK constraint failed: schedules.cron: five fields, like 0 9 * * MON, or @daily"
        ),
        (
            "(name, cron, time_zone) VALUES ('a', '@daily', '../etc')",
            "CHECK constraint failed: schedules.time_zone: an IANA name, like Europe/Berlin"
        ),
        ("(name, cron, input) VALUES ('a', '@daily', '[]')", "schedules.input: must be a JSON object"),
        ("(name, cron, labels) VALUES ('a', '@daily', 'x')", "schedules.labels: NULL or a JSON object"),
        (
            "(name, cron, catch_up) VALUES ('a', '@daily', 'twice')",
            "CHECK constraint failed: schedules.catch_up: skip, one or all"
        ),
        (
            "(name, cron, next_run_at) VALUES ('a', '@daily', 1800000000)",
            "schedules.next_run_at: Unix time in milliseconds (seconds times 1000)"
        ),
        ("(name, cron, max_attempts) VALUES ('a', '@daily', 0)", "schedules.max_attempts: 1 to 20"),
        (
            "(name, cron, limit_millicredits) VALUES ('a', '@daily', -1)",
            "schedules.limit_millicredits: NULL or at least 0"
        ),
        (
            "(name, cron, last_job_id) VALUES ('a', '@daily', 1)",
            "last_job_id or last_error are given, which promptd writes"
        ),
        ("(name, cron, prompt) VALUES ('a', '@daily', 'x' || char(0))", "schedules: a text holds a NUL character"),
    ]

    @Test(arguments: refused)
    func `a schedule that is none is refused, from any client`(values: String, reason: String) throws {
        let fixture = try LedgerFixture()
        let refusal = fixture.refusal("INSERT INTO schedules " + values)
        #expect(refusal?.contains(reason) == true, "\(refusal ?? "not refused")")
    }

    @Test func `the least that makes one is a name and a time`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run("INSERT INTO schedules (name, cron, prompt) VALUES ('hero', '0 9 * * MON', 'a fox')")
        let schedule = try await schedule(fixture)
        #expect(schedule.timeZone == "UTC" && schedule.catchUp == .one && schedule.nextRunAt == nil)
        #expect(
            fixture.refusal("INSERT OR REPLACE INTO schedules (name, cron) VALUES ('hero', '@daily')")?.hasPrefix(
                "schedules.name: there is"
            ) == true
        )
        #expect(
            fixture.refusal("UPDATE schedules SET name = 'other'")?.hasPrefix("schedules.name: cannot be changed")
                == true
        )
    }

    @Test func `a run is a job with all of the template, and the next instant, in one`() async throws {
        let fixture = try added(
            ", queue, model, input, priority, batch, labels, max_attempts",
            ", 'ads', 'm', '{\"seed\":7}', 5, 'b-{date}', '{\"sku\":1}', 2"
        )
        let outcome = try await take(fixture, try await schedule(fixture), at: due)
        #expect(outcome == .done([JobID(1)]))
        #expect(
            try fixture.rows(
                "SELECT prompt, queue, model, input, priority, batch, labels, max_attempts, unique_key, state FROM jobs"
            )
                == [
                    #"a fox|ads|m|{"seed":7}|5|b-2027-01-15|{"schedule":"hero","sku":1}|2|schedule:hero:2027-01-15T07:59Z|queued"#
                ]
        )
        #expect(
            try fixture.rows("SELECT next_run_at, last_run_at, last_job_id, last_error IS NULL FROM schedules")
                == ["\(due.milliseconds + 60_000)|\(due.milliseconds)|1|1"]
        )
    }

    @Test func `the same run is never made twice, not after a crash and not by a clock that was set back`() async throws
    {
        let fixture = try added()
        let before = try await schedule(fixture)
        #expect(try await take(fixture, before, at: due, waitsForLast: false) == .done([JobID(1)]))
        #expect(try await take(fixture, before, at: due, waitsForLast: false) == .changed, "somebody else was quicker")
        try fixture.run("UPDATE schedules SET next_run_at = \(due.milliseconds)")
        #expect(try await take(fixture, try await schedule(fixture), at: due, waitsForLast: false) == .done([]))
        #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["1"])
    }

    @Test func `whoever changes a schedule meanwhile wins`() async throws {
        for change in [
            "prompt = 'a hen'", "cron = '@daily'", "enabled = 0", "queue = 'other'", "limit_millicredits = 1",
        ] {
            let fixture = try added()
            let before = try await schedule(fixture)
            try fixture.run("UPDATE schedules SET \(change)")
            #expect(try await take(fixture, before, at: due) == .changed, "\(change)")
            #expect(try fixture.rows("SELECT count(*) FROM jobs") == ["0"])
        }
        let fixture = try added()
        let before = try await schedule(fixture)
        try fixture.run("DELETE FROM schedules")
        #expect(try await take(fixture, before, at: due) == .changed)
    }

    @Test func `other times, and the end of a pause, are planned anew`() throws {
        let fixture = try added()
        for change in ["cron = '@daily'", "time_zone = 'Europe/Berlin'"] {
            try fixture.run("UPDATE schedules SET next_run_at = \(due.milliseconds)")
            try fixture.run("UPDATE schedules SET \(change)")
            #expect(try fixture.rows("SELECT next_run_at IS NULL FROM schedules") == ["1"], "\(change)")
        }
        try fixture.run("UPDATE schedules SET next_run_at = \(due.milliseconds), enabled = 0")
        #expect(try fixture.rows("SELECT next_run_at FROM schedules") == ["\(due.milliseconds)"])
        try fixture.run("UPDATE schedules SET enabled = 1")
        #expect(try fixture.rows("SELECT next_run_at IS NULL FROM schedules") == ["1"], "the pause is not made up for")
    }

    @Test func `while the last job waits no other is added, unless all are wanted`() async throws {
        let fixture = try added()
        #expect(try await take(fixture, try await schedule(fixture), at: due) == .done([JobID(1)]))
        let second = due + .seconds(60)
        #expect(try await take(fixture, try await schedule(fixture), at: second) == .waits(JobID(1)))
        #expect(
            try fixture.rows("SELECT last_error, next_run_at FROM schedules") == [
                "its last job, 1, still waits to be sent|\((second + .seconds(60)).milliseconds)"
            ]
        )
        let third = second + .seconds(60)
        #expect(
            try await take(fixture, try await schedule(fixture), at: third, waitsForLast: false) == .done([JobID(2)])
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        let fourth = third + .seconds(60)
        #expect(try await take(fixture, try await schedule(fixture), at: fourth) == .done([JobID(3)]))
        #expect(try fixture.rows("SELECT last_error IS NULL FROM schedules") == ["1"])
    }

    @Test func `a copy that is held adds nothing, and makes up for nothing later`() async throws {
        let fixture = try added()
        try fixture.run("UPDATE daemon SET restored_at = 1")
        #expect(try await take(fixture, try await schedule(fixture), at: due) == .held)
        #expect(
            try fixture.rows("SELECT (SELECT count(*) FROM jobs), next_run_at FROM schedules") == [
                "0|\(due.milliseconds + 60_000)"
            ]
        )
    }

    @Test func `a job that a rule of somebody's own refuses undoes the whole step`() async throws {
        let fixture = try added()
        try fixture.run("CREATE TRIGGER mine BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'no foxes'); END")
        let error = await #expect(throws: LedgerError.self) {
            _ = try await take(fixture, try await schedule(fixture), at: due)
        }
        #expect(error?.code == .constraint)
        #expect(try fixture.rows("SELECT next_run_at, last_run_at IS NULL FROM schedules") == ["\(due.milliseconds)|1"])
    }
}
