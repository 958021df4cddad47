import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct ImportCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Queue the jobs of a file: all of them, or none.",
        discussion: """
            .jsonl, .json  one object a line, or a list of objects; input may be an object, its fields may stand beside it
            .csv, .tsv     the first line names the columns; input.NAME is a field of the input, label.NAME a label; \
            commas, semicolons or tabs between columns are found out
            .txt           one prompt a line
            -              standard input, with --format; it is copied to a temporary file first

            In the names of columns case and spaces do not count, and input. may be left out before a field of the model. \
            Where a model takes a URL, a cell may name a file: @photo.png, or a path, from the table's directory on. \
            Spaces around a cell count in prompts and fields of the input only. What was understood goes to standard \
            error, with --dry-run and whenever something was guessed. Workbooks (.xlsx, .ods) are to be saved as CSV first.

            Options for jobs hold for the lines that do not say otherwise. Every wrong line is reported with its number. \
            With --template each line's prompt is made of its columns: "a {colour} {product} on white"; {{ and }} are \
            braces. With --matrix each line makes a job for every combination of the values, of fields, model, label.NAME \
            or names that the template has; a unique_key is then extended by them. The file is read twice: the first pass \
            checks, the second inserts in one transaction, so the queue is locked for the second only. --dry-run needs no \
            database: without one it goes by the built-in catalogue, and knows no budgets.
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

    @Option(help: ArgumentHelp("What stands between columns: , ; or tab. (default: found out)", valueName: "character"))
    var separator: Separator?

    @Option(
        help: ArgumentHelp(
            "What becomes of columns that are none: refuse, labels, which keeps them as labels, or ignore. "
                + "(default: refuse)",
            valueName: "what"
        )
    )
    var extra: ColumnRules.Extra?

    @Option(help: ArgumentHelp("The columns that count; the others are left out.", valueName: "A,B,…"))
    var columns: String?

    @Option(help: ArgumentHelp("What prompts are made of: text with {COLUMN} in it.", valueName: "text"))
    var template: String?

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
        guard !dryRun || database.exists else {
            console.say(
                "\(database.path): is not there; checked against the built-in catalogue, without budgets and keys of jobs"
            )
            let context = try context(.builtIn, PriceBook(), [], console)
            return report(try check(source, nil, context, console).summary, context.files, nil, console)
        }
        try database.open { queue in
            let before = try queue.status()
            let context = try context(before.catalogue, before.prices, before.budgets, console)
            let (run, checked) = try check(source, queue, context, console)
            guard !dryRun else { return report(checked, context.files, before, console) }
            try context.files.copy(to: self.database.spool)
            report(try run.insert(), context.files, before, console)
        }
    }

    private func check(
        _ source: ImportFile,
        _ queue: (any QueueClient)?,
        _ context: ImportContext,
        _ console: Console
    ) throws -> (run: ImportRun, summary: ImportRun.Summary) {
        let run = ImportRun(
            source,
            into: queue,
            context,
            skipsDuplicates: skipDuplicates,
            alwaysSays: dryRun || template != nil,
            console
        )
        let checked = try run.check()
        for warning in run.unknownFields { console.say("warning: \(warning); it is sent as it is") }
        return (run, checked)
    }

    private func context(
        _ catalogue: Catalogue,
        _ prices: PriceBook,
        _ budgets: [BudgetRecord],
        _ console: Console
    ) throws -> ImportContext {
        var defaults = NewJobDefaults()
        defaults.model = options.model ?? defaults.model
        defaults.queue = options.queue ?? defaults.queue
        defaults.priority = options.priority ?? defaults.priority
        defaults.runAt = try options.runAt(now: console.now())
        defaults.batch = options.batch
        defaults.labels = options.labels
        defaults.maxAttempts = options.maxAttempts ?? defaults.maxAttempts
        let matrix = try Matrix(matrix)
        if options.model != nil, matrix.hasModel {
            throw CommandError(.usage, "--model: is given by --matrix, too; leave one out")
        }
        var rules = ColumnRules(catalogue, model: matrix.hasModel ? nil : defaults.model)
        rules.extra = extra ?? .refuse
        rules.only = columns.map { $0.split(separator: ",").map { String($0).trimmingSpaces() } } ?? []
        rules.template = try template.map { text throws(CommandError) in try PromptTemplate(text) }
        rules.given = Set(rules.template?.keys.filter { matrix.axis($0) != nil } ?? [])
        rules.separator = separator?.byte
        return ImportContext(
            catalogue: catalogue,
            prices: prices,
            budgets: budgets,
            unknownModels: console.settings.unknownModels,
            allowsUnknownFields: options.allowUnknown,
            defaults: defaults,
            input: options.input.map { ($0.key, $0.value) },
            matrix: matrix,
            columns: rules,
            secondsFromUTC: console.secondsFromUTC,
            files: LocalFiles(),
            directory: directory(console),
            ownDirectory: console.directory
        )
    }

    /// Paths in a file begin where it is.
    private func directory(_ console: Console) -> String {
        guard file != "-" else { return console.directory }
        let folder = FilePathParts.split(file).directory
        return folder.hasPrefix("/") ? folder : "\(console.directory)/\(folder)"
    }

    private func report(_ summary: ImportRun.Summary, _ files: LocalFiles, _ before: StatusRecord?, _ console: Console)
    {
        let outlook = before.map { Outlook($0, adding: summary.credits, now: console.now()) }
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
                        ].merging(outlook?.object ?? [:]) { $1 }.merging(files.object) { $1 }
                    )
                    .json
            )
        }
        let place = summary.queues.count > 1 ? "several queues" : summary.queues.first ?? options.queue ?? "default"
        let skipped = summary.skipped > 0 ? " \(count(summary.skipped, "duplicate")) skipped." : ""
        let price = summary.price.asEstimate + console.money(summary.price.total) + ".\(skipped)"
        let rest = files.sentence + (outlook?.sentences ?? []).map { " " + $0 }.joined()
        if dryRun {
            if !json { console.print("\(count(summary.jobs, "job")) for \(place): \(price)\(rest)") }
        } else {
            console.say("imported \(count(summary.jobs, "job")) into \(place): \(price)\(rest)")
        }
    }
}

extension ImportFile.Format: ExpressibleByArgument {}

/// What stands between the columns of a table.
struct Separator: ExpressibleByArgument, Sendable {
    let byte: UInt8

    init?(argument: String) {
        switch argument {
        case ",", "comma": byte = UInt8(ascii: ",")
        case ";", "semicolon": byte = UInt8(ascii: ";")
        case "\t", "tab", "\\t": byte = UInt8(ascii: "\t")
        default: return nil
        }
    }
}
