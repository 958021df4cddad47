import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct ScheduleAddCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a schedule.",
        discussion: """
            --cron takes five fields: minute, hour, day of the month, month, day of the week, each *, a number, a range, a \
            list or steps (*/15), with names like MON and JAN; or @hourly, @daily, @weekly, @monthly, @yearly. {date} and \
            {time} in --batch are those of the run.

            promptctl schedule add hero "a tin of tea, seasonal light" --cron "0 9 * * MON" -b "hero-{date}" -q ads
            promptctl schedule add banner "a wide banner" --cron @daily --time-zone UTC --limit 30 -i aspect_ratio=16:9
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var options: JobOptions

    @Option(help: ArgumentHelp("When: five fields, or a word like @daily.", valueName: "expression"))
    var cron: String

    @Option(help: ArgumentHelp("By whose clocks, like Europe/Berlin. (default: this machine's)", valueName: "zone"))
    var timeZone: String?

    @Option(help: ArgumentHelp("A run that is estimated to cost more adds nothing.", valueName: "credits"))
    var limit: Credits?

    @Option(help: "Of runs that were missed: skip them, make up for the latest (one), or for all of the last 24.")
    var catchUp: CatchUp = .one

    @Flag(help: "Add it paused.")
    var paused = false

    @Flag(help: "In place of a schedule of the same name.")
    var replace = false

    @Flag(help: "Only check, and say when it would come and what it would cost.")
    var dryRun = false

    @Argument(help: "Its name.")
    var name: String

    @Argument(help: "What to make.")
    var prompt: String?

    func validate() throws {
        if options.at != nil { throw ValidationError("--at: goes with add; a schedule has --cron.") }
        guard (1...100).contains(name.unicodeScalars.count) else {
            throw ValidationError("The name takes 1 to 100 characters.")
        }
        if let batch = options.batch, batch.unicodeScalars.count > 190 {
            throw ValidationError("--batch: takes 1 to 190 characters.")
        }
    }

    func run() throws {
        let console = Console.current
        let zone = try timeZone ?? ScheduleTiming.localZone(console)
        let timing = try ScheduleTiming(cron: cron, zone: zone)
        guard let first = timing.next(after: console.now()) else {
            throw CommandError(.usage, "--cron: \"\(oneLine(cron))\" never comes")
        }
        try database.open { file in
            let model = options.model ?? JobOptions.defaultModel
            let catalogue = try file.catalogue()
            let files = LocalFiles()
            let input = try files.replacing(
                try catalogue.input(options.input.map { ($0.key, $0.value) }, model: model),
                catalogue.model(named: model),
                from: console.directory
            )
            var job = NewJob(
                prompt: prompt,
                model: model,
                input: JSONValue.object(input).json,
                queue: options.queue ?? "default"
            )
            job.priority = options.priority ?? 0
            job.batch = options.batch
            job.labels = options.labels
            job.maxAttempts = options.maxAttempts ?? 3
            job.allowsUnknownFields = options.allowUnknown
            var schedule = ScheduleRecord(name: name, cron: cron, timeZone: zone, job: job, createdAt: console.now())
            schedule.limit = limit
            schedule.catchUp = catchUp
            schedule.isEnabled = !paused
            schedule.nextRunAt = paused ? nil : first
            let estimate = try ScheduleEstimate(schedule, file, console)
            if let problem = estimate.limitProblem { throw CommandError(.badData, "\(problem); nothing was added") }
            if !dryRun {
                try files.copy(to: database.spool)
                do { try file.add(schedule, replaces: replace) } catch let error as LedgerError
                    where error.code == .constraint
                {
                    throw CommandError(.badData, "\(error.message); --replace puts this one in its place")
                }
            }
            console.say(
                "\(dryRun ? "would add" : "added") the schedule \(oneLine(name))\(paused ? ", paused" : ""): \(estimate.price) a run\(files.sentence)"
            )
            console.say(estimate.month(timing, now: console.now()))
            console.say("in \(zone) it comes at")
            for instant in timing.instants(after: console.now()).prefix(3) {
                console.print("\(timing.local(instant))   \(instant.utcDayAndMinutes)")
            }
        }
    }
}
