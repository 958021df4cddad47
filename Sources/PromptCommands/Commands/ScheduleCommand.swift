import ArgumentParser
import PromptConfiguration
import PromptQueue

struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Jobs that recur: list, add, pause, run and remove schedules.",
        discussion: """
            The daemon adds the job of each run when its time has come. The same rules hold for it as for any job: budgets, \
            gates, the catalogue. docs/schedules.md says more.

            promptctl schedule add hero "a tin of tea, seasonal light" --cron "0 9 * * MON" --time-zone Europe/Berlin -q ads
            promptctl schedule next --cron "0 9 1 * *"
            promptctl schedule list
            promptctl schedule run-now hero
            """,
        subcommands: [
            ScheduleAddCommand.self, List.self, Show.self, Next.self, RunNow.self, Pause.self, Resume.self, Remove.self,
        ]
    )

    /// - Throws: `CommandError` that names those that there are.
    static func find(_ name: String, _ file: any QueueClient) throws -> ScheduleRecord {
        let all = try file.schedules()
        if let found = all.first(where: { $0.name == name }) { return found }
        throw missing(name, all)
    }

    static func missing(_ name: String, _ all: [ScheduleRecord]) -> CommandError {
        let names = all.map { oneLine($0.name) }
        let known = names.isEmpty ? "there are none" : "there are \(names.prefix(20).joined(separator: ", "))"
        return CommandError(.badData, "schedule \(oneLine(name)): there is none of that name; \(known)")
    }

    struct List: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "List the schedules.")

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption

        func run() throws {
            let console = Console.current
            let schedules = try database.open { try $0.schedules() }
            if format.json { return schedules.forEach { console.print(JSONValue.object($0.object).json) } }
            guard !schedules.isEmpty else {
                return console.say("no schedules; promptctl schedule add NAME PROMPT --cron \"0 9 * * MON\" makes one")
            }
            var table = Table([
                .init(title: "NAME", isFlexible: true), .init(title: "CRON"), .init(title: "ZONE"),
                .init(title: "NEXT"), .init(title: "LAST JOB", alignment: .right),
                .init(title: "ERROR", isFlexible: true),
            ])
            for schedule in schedules { table.add(schedule.cells(console)) }
            let width = console.isOutputTerminal ? console.columns : nil
            for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        }
    }

    struct Show: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Show a schedule, what it adds, and when.")

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption
        @Argument(help: "The schedule.") var name: String

        func run() throws {
            let console = Console.current
            try database.open { file in
                let schedule = try ScheduleCommand.find(name, file)
                guard !format.json else { return console.print(JSONValue.object(schedule.object).json) }
                for line in SchedulePage(schedule: schedule, console: console).lines { console.print(line) }
            }
        }
    }

    struct Next: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print when a schedule comes next, before anything is paid for.",
            discussion: "Of a schedule, or of --cron without one. Each line has the zone's own time and UTC."
        )

        @OptionGroup var database: DatabaseOption
        @OptionGroup var format: JSONOption
        @Option(help: ArgumentHelp("An expression to try.", valueName: "expression")) var cron: String?
        @Option(help: ArgumentHelp("Its time zone. (default: this machine's)", valueName: "zone")) var timeZone: String?
        @Option(help: "How many.") var count = 10
        @Argument(help: "The schedule.") var name: String?

        func validate() throws {
            guard (name == nil) != (cron == nil) else {
                throw ValidationError("Give a schedule or --cron, one of them.")
            }
            guard name == nil || timeZone == nil else { throw ValidationError("--time-zone goes with --cron.") }
            guard (1...1_000).contains(count) else {
                throw ValidationError("--count: \(count) is not within 1 to 1000.")
            }
        }

        func run() throws {
            let console = Console.current
            let timing: ScheduleTiming
            if let name {
                let schedule = try database.open { try ScheduleCommand.find(name, $0) }
                timing = try ScheduleTiming(cron: schedule.cron, zone: schedule.timeZone)
                if !schedule.isEnabled { console.say("schedule \(oneLine(name)) is paused: none of these comes") }
            } else {
                timing = try ScheduleTiming(cron: cron ?? "", zone: timeZone ?? ScheduleTiming.localZone(console))
            }
            for instant in timing.instants(after: console.now()).prefix(count) {
                guard !format.json else {
                    console.print(
                        JSONValue.object(["at": JSONValue(instant), "local": .string(timing.local(instant))]).json
                    )
                    continue
                }
                console.print("\(timing.local(instant))   \(instant.utcDayAndMinutes)")
            }
        }
    }

    struct RunNow: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            commandName: "run-now",
            abstract: "Add the job of a schedule now, beside those that it adds by itself."
        )

        @OptionGroup var database: DatabaseOption
        @Flag(help: "Only say what it would cost.") var dryRun = false
        @Argument(help: "The schedule.") var name: String

        func run() throws {
            let console = Console.current
            try database.open { file in
                let schedule = try ScheduleCommand.find(name, file)
                let timing = try ScheduleTiming(cron: schedule.cron, zone: schedule.timeZone)
                let estimate = try ScheduleEstimate(schedule, file, console)
                if let problem = estimate.limitProblem { throw CommandError(.badData, "\(problem); nothing was added") }
                guard !dryRun else { return console.print("would queue 1 job, \(estimate.price)") }
                var job = schedule.job(at: console.now(), in: timing.zone)
                job.estimate = estimate.estimate
                let id = try file.runNow(schedule, job, now: console.now())
                console.print("\(id)")
                console.say("queued job \(id) of schedule \(oneLine(name)): \(estimate.price)")
            }
        }
    }

    struct Pause: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Let a schedule add nothing until it is resumed.")

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The schedule.") var name: String

        func run() throws {
            try database.open { file in
                guard try file.setEnabled(false, schedule: name) else {
                    throw ScheduleCommand.missing(name, try file.schedules())
                }
            }
            Console.current.say("schedule \(oneLine(name)) is paused; jobs that it has added go on")
        }
    }

    struct Resume: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a paused schedule go on. What it would have added meanwhile is not made up for."
        )

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The schedule.") var name: String

        func run() throws {
            let console = Console.current
            let schedule = try database.open { file in
                guard try file.setEnabled(true, schedule: name) else {
                    throw ScheduleCommand.missing(name, try file.schedules())
                }
                return try ScheduleCommand.find(name, file)
            }
            let timing = try ScheduleTiming(cron: schedule.cron, zone: schedule.timeZone)
            let next =
                timing.next(after: console.now()).map { "; it comes next at \(timing.local($0))" } ?? ""
            console.say("schedule \(oneLine(name)) goes on\(next)")
        }
    }

    struct Remove: ParsableCommand, SettingsCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a schedule. Its jobs stay.")

        @OptionGroup var database: DatabaseOption
        @Argument(help: "The schedule.") var name: String

        func run() throws {
            try database.open { file in
                guard try file.removeSchedule(name) else { throw ScheduleCommand.missing(name, try file.schedules()) }
            }
            Console.current.say("removed the schedule \(oneLine(name)); its jobs stay")
        }
    }
}

extension CatchUp: ExpressibleByArgument {}

extension ScheduleRecord {
    /// A line of the list.
    func cells(_ console: Console) -> [Table.Cell] {
        let zone = TimeZoneFiles.clock(timeZone)
        let next: String =
            if !isEnabled { "paused" } else if let nextRunAt {
                zone.map { ZonedTime.text(nextRunAt, $0) } ?? nextRunAt.iso8601
            } else { "–" }
        return [
            .init(text: oneLine(name)), .init(text: oneLine(cron)), .init(text: oneLine(timeZone)), .init(text: next),
            .init(text: lastJob.map { "\($0)" } ?? "–"),
            .init(text: lastError.map(oneLine) ?? "–", style: lastError == nil ? nil : .warning),
        ]
    }
}
