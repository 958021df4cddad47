import ArgumentParser
import PromptConfiguration
import PromptQueue

struct ImportCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Queue the jobs of a file: all of them, or none.",
        discussion: """
            .jsonl  one object a line, with the columns of the table jobs; input may be an object
            .csv    the first line names the columns; input.NAME is a field of the input; spaces around a cell count in \
            prompts and fields of the input only
            .txt    one prompt a line
            -       standard input, with --format; it is copied to a temporary file first

            Options for jobs hold for the lines that do not say otherwise. Every wrong line is reported with its number. \
            With --matrix each line makes a job for every combination of the values; a unique_key is then extended by \
            them. The file is read twice: the first pass checks, the second inserts in one transaction, so the queue is \
            locked for the second only.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var options: JobOptions

    @Option(help: "What the file is: jsonl, csv or txt. (default: by its name)")
    var format: ImportFile.Format?

    @Option(
        help: ArgumentHelp(
            "How the characters are written: \(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")). "
                + "(default: found out)",
            valueName: "name"
        ),
        completion: .list(TextEncoding.allCases.map(\.rawValue))
    )
    var encoding: TextEncoding?

    @Option(help: ArgumentHelp("Values that every line is combined with. Repeatable.", valueName: "key=v1,v2"))
    var matrix: [KeyValue] = []

    @Flag(help: "Only check, and print the number of jobs and their cost.")
    var dryRun = false

    @Flag(help: "Skip lines whose unique_key exists already, instead of refusing them.")
    var skipDuplicates = false

    @Flag(help: "Print the outcome as JSON.")
    var json = false

    @Argument(help: "The file, or -.", completion: .file(extensions: ["jsonl", "json", "csv", "tsv", "txt"]))
    var file: String

    func run() throws {
        let console = Console.current
        let source = try ImportFile(path: file, format: format, encoding: encoding, console)
        if let sample = source.encodingSample {
            console.say(
                "warning: \(source.name): is not UTF-8, and is read as \(source.encoding.name): "
                    + "\"\(oneLine(sample))\"; if that is wrong, give --encoding"
            )
        }
        try database.open { queue in
            let before = try queue.status()
            let context = try context(before, console)
            let run = ImportRun(source, into: queue, context, skipsDuplicates: skipDuplicates, console)
            let checked = try run.check()
            for warning in run.unknownFields { console.say("warning: \(warning); it is sent as it is") }
            guard !dryRun else { return report(checked, before, console) }
            report(try run.insert(), before, console)
        }
    }

    private func context(_ before: StatusRecord, _ console: Console) throws -> ImportContext {
        var defaults = NewJobDefaults()
        defaults.model = options.model ?? defaults.model
        defaults.queue = options.queue ?? defaults.queue
        defaults.priority = options.priority ?? defaults.priority
        defaults.runAt = try options.runAt(now: console.now())
        defaults.batch = options.batch
        defaults.labels = options.labels
        defaults.maxAttempts = options.maxAttempts ?? defaults.maxAttempts
        return ImportContext(
            catalogue: before.catalogue,
            prices: before.prices,
            unknownModels: console.settings.unknownModels,
            allowsUnknownFields: options.allowUnknown,
            defaults: defaults,
            input: options.input.map { ($0.key, $0.value) },
            matrix: try Matrix(matrix)
        )
    }

    private func report(_ summary: ImportRun.Summary, _ before: StatusRecord, _ console: Console) {
        let outlook = Outlook(before, adding: summary.creditsByQueue, now: console.now())
        if json {
            console.print(
                JSONValue
                    .object(
                        [
                            "dry_run": .bool(dryRun),
                            "lines": .integer(Int64(summary.lines)),
                            "jobs": .integer(Int64(summary.jobs)),
                            "skipped": .integer(Int64(summary.skipped)),
                            "estimated_credits": JSONValue(summary.price.total),
                            "estimated_credits_by_basis": .object(summary.price.object),
                            "jobs_of_unknown_price": .integer(Int64(summary.price.count(of: .default))),
                        ].merging(outlook.object) { $1 }
                    )
                    .json
            )
        }
        let place = summary.queues.count > 1 ? "several queues" : summary.queues.first ?? options.queue ?? "default"
        let skipped = summary.skipped > 0 ? " \(count(summary.skipped, "duplicate")) skipped." : ""
        let price = "\(summary.price.asEstimate).\(skipped)"
        let rest = outlook.sentences.map { " " + $0 }.joined()
        if dryRun {
            if !json { console.print("\(count(summary.jobs, "job")) for \(place): \(price)\(rest)") }
        } else {
            console.say("imported \(count(summary.jobs, "job")) into \(place): \(price)\(rest)")
        }
    }
}

extension ImportFile.Format: ExpressibleByArgument {}
