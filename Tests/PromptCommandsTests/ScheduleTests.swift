import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// `schedule`: jobs that recur.
@Suite(.bothStores) struct ScheduleTests {
    private static let weekly = [
        "schedule", "add", "hero", "a tin of tea", "--cron", "0 9 * * MON", "--time-zone", "Europe/Berlin",
    ]

    private func fixture(_ more: String...) async throws -> CommandFixture {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run(Self.weekly + more)
        #expect(outcome.code == 0, "\(outcome.talk)")
        return fixture
    }

    @Test func `what it will cost and when it comes is said before anything is paid for`() async throws {
        // It is Wednesday, 2026-11-18, 12:26 in Berlin.
        let fixture = try CommandFixture()
        let outcome = try await fixture.run(Self.weekly + ["-q", "ads", "-b", "hero-{date}"])
        #expect(outcome.code == 0)
        #expect(
            outcome.talk == [
                "added the schedule hero: flux-2/flex-text-to-image, about 14 credits a run",
                "4 runs in 30 days: about 56 credits", "in Europe/Berlin it comes at",
            ]
        )
        #expect(
            outcome.output == [
                "2026-11-23 09:00 +01:00   2026-11-23 08:00 UTC", "2026-11-30 09:00 +01:00   2026-11-30 08:00 UTC",
                "2026-12-07 09:00 +01:00   2026-12-07 08:00 UTC",
            ]
        )
        #expect(try fixture.jobs().isEmpty)
        let shown = try await fixture.run("schedule", "show", "hero")
        #expect(shown.output.contains("next         2026-11-23 09:00 +01:00"))
        #expect(shown.output.contains("batch        hero-{date}"))
        let listed = try await fixture.run("schedule", "list", "--json")
        let object = try #require(JSONValue.object(in: listed.output.first ?? ""))
        #expect(object["next_run_at"] == "2026-11-23T08:00:00.000Z" && object["catch_up"] == "one")
    }

    @Test func `nothing is added that cannot work`() async throws {
        let fixture = try CommandFixture()
        for (change, code, message) in [
            (["--cron", "0 25 * * *"], Int32(64), "the hour \"25\": 0 to 23 is allowed"),
            (["--cron", "@daily", "--time-zone", "Europe/Berlni"], 64, "this machine knows no zone \"Europe/Berlni\""),
            (["--cron", "@daily", "-i", "aspect_ratio=17:4"], 65, "nothing was added"),
            (["--cron", "@daily", "-i", "apsect_ratio=1:1"], 65, "nothing was added"),
            (["--cron", "@daily", "-m", "flux-9"], 65, "nothing was added"),
            (["--cron", "@daily", "--limit", "1"], 65, "a run would cost about 14 credits, more than its limit of 1"),
            (["--cron", "@daily", "--at", "18:00"], 64, "a schedule has --cron"),
            ([], 64, "--cron"),
        ] {
            let outcome = try await fixture.run(
                ["schedule", "add", "hero", "a fox"] + change,
                environment: ["TZ": "UTC"]
            )
            #expect(outcome.code == code, "\(change)")
            #expect(outcome.talk.joined(separator: "\n").contains(message), "\(change): \(outcome.talk)")
        }
        let dry = try await fixture.run(Self.weekly + ["--dry-run"])
        #expect(dry.code == 0 && dry.talk.first?.hasPrefix("would add the schedule hero") == true)
        let none = try await fixture.run("schedule", "list")
        #expect(none.output.isEmpty && none.talk.first?.hasPrefix("no schedules;") == true)
    }

    @Test func `a name is taken once, unless the other is to make way`() async throws {
        let fixture = try await fixture()
        let again = try await fixture.run(Self.weekly)
        #expect(again.code == 65)
        #expect(
            again.talk.last == "promptctl: there is a schedule \"hero\" already; --replace puts this one in its place"
        )
        #expect(try await fixture.run(Self.weekly + ["--replace", "--paused"]).code == 0)
        #expect(try await fixture.run("schedule", "show", "hero").output.first == "schedule     hero  (paused)")
    }

    @Test func `next prints the coming instants, by the zone's clocks and in UTC`() async throws {
        let fixture = try await fixture()
        let own = try await fixture.run("schedule", "next", "hero", "--count", "2")
        #expect(own.output.count == 2 && own.output.first == "2026-11-23 09:00 +01:00   2026-11-23 08:00 UTC")
        let tried = try await fixture.run("schedule", "next", "--cron", "30 2 28 3 *", "--time-zone", "Europe/Berlin")
        #expect(tried.output.count == 10)
        #expect(tried.output.first == "2027-03-28 03:00 +02:00   2027-03-28 01:00 UTC", "02:30 is left out that night")
        #expect(try await fixture.run("schedule", "next").code == 64)
        #expect(try await fixture.run("schedule", "next", "--cron", "@reboot").code == 64)
        let local = try await fixture.run(
            ["schedule", "next", "--cron", "@daily", "--json"],
            environment: ["TZ": "America/New_York"]
        )
        #expect(local.output.first == #"{"at":"2026-11-19T05:00:00.000Z","local":"2026-11-19 00:00 -05:00"}"#)
    }

    @Test func `run-now adds the job at once, with the schedule's label and a key of its own`() async throws {
        let fixture = try await fixture("-b", "hero-{date}", "--label", "sku=A-1")
        let dry = try await fixture.run("schedule", "run-now", "hero", "--dry-run")
        #expect(dry.output == ["would queue 1 job, flux-2/flex-text-to-image, about 14 credits"])
        let outcome = try await fixture.run("schedule", "run-now", "hero")
        #expect(outcome.output == ["1"])
        let job = try #require(try fixture.jobs().first)
        #expect(job.batch == "hero-2026-11-18" && job.labels == #"{"schedule":"hero","sku":"A-1"}"#)
        #expect(job.uniqueKey?.hasPrefix("schedule:hero:2026-11-18T") == true)
        #expect(job.estimated == Credits(millicredits: 14_000))
        #expect(try await fixture.run("list", "--label", "schedule=hero").output.count == 2)
        #expect(try await fixture.run("schedule", "show", "hero").output.contains("last job     1"))
    }

    @Test func `pause, resume and remove`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("schedule", "pause", "hero").code == 0)
        #expect(try await fixture.run("schedule", "list").output.last?.contains("paused") == true)
        let resumed = try await fixture.run("schedule", "resume", "hero")
        #expect(resumed.talk == ["schedule hero goes on; it comes next at 2026-11-23 09:00 +01:00"])
        #expect(try await fixture.run("schedule", "remove", "hero").code == 0)
        for command in ["show", "pause", "resume", "remove", "run-now", "next"] {
            let outcome = try await fixture.run("schedule", command, "hero")
            #expect(outcome.code == 65)
            #expect(outcome.talk == ["promptctl: schedule hero: there is none of that name; there are none"])
        }
    }

    @Test func `status says what comes next, and doctor what is wrong`() async throws {
        let fixture = try await fixture()
        let status = try await fixture.run("status")
        #expect(status.output.contains { $0.hasPrefix("schedules hero at 2026-11-23 08:00 UTC (in ") })
        #expect(
            try await fixture.run("doctor").output.contains { $0.contains("schedules") && $0.contains("1 schedule") }
        )
        try fixture.sql("UPDATE schedules SET last_error = 'cron: it never comes again'")
        #expect(
            try await fixture.run("status").output.contains { $0.hasSuffix("1 in trouble: promptctl schedule list") }
        )
        let doctor = try await fixture.run("doctor")
        #expect(doctor.output.contains { $0.contains("hero has added no job: cron: it never comes again") })
        let json = try #require(JSONValue.object(in: try await fixture.run("status", "--json").output.joined()))
        #expect(json["schedules"]?.arrayValue?.count == 1)
    }
}
