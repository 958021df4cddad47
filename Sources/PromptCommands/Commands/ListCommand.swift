import ArgumentParser
import PromptConfiguration
import PromptQueue

struct ListCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, the newest first.",
        discussion: """
            For people at most 50, unless --limit says otherwise; as JSON and CSV all of them.

            promptctl list --state failed --since 24h
            promptctl list -b spring-sale --error content_refused --json
            promptctl list --search 'red fox' --columns id,state,prompt,files
            promptctl list -b tea --csv --columns id,unique_key,files >tea.csv
            promptctl list -b tea --files -0 | xargs -0 cp -t /srv/shop
            promptctl list --sort charged --limit 10
            """,
        aliases: ["ls"]
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions
    @OptionGroup var format: JSONOption

    @Option(help: ArgumentHelp("Only prompts with all these words, or with words that begin so.", valueName: "words"))
    var search: String?

    @Option(
        help: ArgumentHelp(
            "Only what was added since: 2h for the last two hours, or 2026-12-24T18:00Z.",
            valueName: "time"
        )
    )
    var since: String?

    @Option(help: ArgumentHelp("Only the job with this unique key.", valueName: "key"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "By \(JobOrder.Key.allCases.map(\.rawValue).joined(separator: ", ")): the greatest, or latest, first.",
            valueName: "key"
        )
    )
    var sort: JobOrder.Key = .id

    @Flag(help: "The least, or earliest, first.")
    var reverse = false

    @Option(
        help: ArgumentHelp(
            "These columns, with commas between them, by the names that --json shows.",
            valueName: "names"
        ),
        completion: .list(JobColumn.names)
    )
    var columns: String?

    @Flag(help: "Print CSV, with the names of the columns first.")
    var csv = false

    @Flag(
        help: """
            The files of the jobs, the oldest job first, with their whole paths: on a terminal a table, elsewhere a path a \
            line; with --json and --csv job, ordinal, path, type and bytes.
            """
    )
    var files = false

    @Flag(
        name: [.customShort("0"), .customLong("print0")],
        help: "With --files: only paths, each ended by a NUL, as xargs -0 takes them."
    )
    var print0 = false

    @Option(help: "At most so many.")
    var limit: Int?

    func validate() throws {
        if let limit, limit <= 0 { throw ValidationError("--limit: \(limit) is not at least 1.") }
        if csv, format.json { throw ValidationError("Give --csv or --json, not both.") }
        if format.json, columns != nil {
            throw ValidationError("--columns: goes with a table or with --csv; --json has them all.")
        }
        if files, columns != nil || sort != .id || reverse {
            throw ValidationError("--files: goes without --columns, --sort and --reverse.")
        }
        if print0, !files || csv || format.json { throw ValidationError("--print0: goes with --files alone.") }
        _ = try chosenColumns()
    }

    private func chosenColumns() throws -> [String]? {
        try columns.map { text in
            try text.split(separator: ",").map { name in
                let name = String(name).trimmingSpaces()
                guard !JobColumn.names.contains(name) else { return name }
                let near = Suggestion.nearest(to: name, among: JobColumn.names).map { "; did you mean \($0)?" } ?? ""
                throw ValidationError(
                    "--columns: there is no \(name)\(near) There are \(JobColumn.names.joined(separator: ", "))."
                )
            }
        }
    }

    private func filter(_ console: Console) throws(CommandError) -> JobFilter {
        var filter = filters.filter
        filter.uniqueKey = key
        filter.words = search?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        if let since {
            let now = console.now()
            guard let instant = Duration(text: since).map({ now - $0 }) ?? Instant(iso8601: since) else {
                throw CommandError(
                    .usage,
                    "--since: \"\(since)\" is no time; write it like 2h, 7d or 2026-12-24T18:00Z"
                )
            }
            filter.createdSince = instant
        }
        return filter
    }

    func run() throws {
        let console = Console.current
        let filter = try filter(console)
        let columns = try chosenColumns()
        try database.open { file in
            guard !files else { return try showFiles(file, filter, console) }
            var isEmpty = true
            if format.json || csv {
                let names = columns ?? JobColumn.names
                if csv { console.writeOutput(CSVWriter.record(names) + "\r\n") }
                try each(file, filter, .max) { job in
                    isEmpty = false
                    if csv {
                        let object = job.object
                        console.writeOutput(CSVWriter.record(names.map { JobColumn.text(object[$0]) }) + "\r\n")
                    } else {
                        console.print(JSONValue.object(job.object).json)
                    }
                }
            } else {
                var jobs: [JobRecord] = []
                try each(file, filter, 50) { jobs.append($0) }
                isEmpty = jobs.isEmpty
                if !isEmpty { show(columns.map { table($0, jobs) } ?? table(jobs, console), jobs.count, console) }
            }
            guard isEmpty else { return }
            let unknown = try KnownNames.problem(queue: filters.queue, batch: filters.batch, file)
            if let unknown {
                console.say(unknown)
            } else if !format.json, !csv {
                console.say(filter.isEmpty ? "no jobs yet; promptctl add makes one" : "no job matches")
            }
        }
    }

    private func each(
        _ file: any QueueClient,
        _ filter: JobFilter,
        _ usual: Int,
        _ body: (JobRecord) throws -> Void
    ) throws {
        let order = JobOrder(sort, isAscending: reverse)
        try file.forEachJob(matching: filter, order: order, limit: limit ?? usual, body)
    }

    private func show(_ table: Table, _ jobs: Int, _ console: Console) {
        let width = console.isOutputTerminal ? console.columns : nil
        for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
        let most = limit ?? 50
        if jobs == most {
            let which = sort == .id && !reverse ? "the newest" : "the first"
            console.say("\(which) \(grouped(most)); --limit shows more")
        }
    }

    private func table(_ names: [String], _ jobs: [JobRecord]) -> Table {
        var table = Table(
            names.map { name in
                Table.Column(
                    title: name.uppercased(),
                    alignment: JobColumn.isNumber(name) ? .right : .left,
                    isFlexible: JobColumn.isLong(name)
                )
            }
        )
        for job in jobs {
            let object = job.object
            table.add(
                names.map { name in
                    let text = oneLine(JobColumn.text(object[name]))
                    return Table.Cell(text: text.isEmpty ? "–" : text, style: name == "state" ? job.state.style : nil)
                }
            )
        }
        return table
    }

    private func table(_ jobs: [JobRecord], _ console: Console) -> Table {
        let hasFiles = jobs.contains { !$0.files.isEmpty }
        let hasErrors = jobs.contains { $0.errorCode != nil }
        let hasKeys = jobs.contains { $0.uniqueKey != nil }
        let hasWaits = jobs.contains { $0.waits != nil }
        var columns = [
            Table.Column(title: "ID", alignment: .right), .init(title: "STATE"),
            .init(title: "CREDITS", alignment: .right), .init(title: "TIME", alignment: .right),
        ]
        if hasErrors { columns.append(.init(title: "ERROR")) }
        if hasWaits { columns.append(.init(title: "WAITS")) }
        if hasKeys { columns.append(.init(title: "KEY", isFlexible: true)) }
        columns.append(.init(title: "PROMPT", isFlexible: true))
        if hasFiles { columns.append(.init(title: "FILE", isFlexible: true)) }
        var table = Table(columns)
        for job in jobs {
            var cells = [
                Table.Cell(text: "\(job.id)"), .init(text: job.state.rawValue, style: job.state.style),
                .init(text: credits(job)), .init(text: time(job, console)),
            ]
            if hasErrors { cells.append(.init(text: oneLine(job.errorCode ?? "–"))) }
            if hasWaits { cells.append(.init(text: job.waits ?? "–")) }
            if hasKeys { cells.append(.init(text: oneLine(job.uniqueKey ?? "–"))) }
            cells.append(.init(text: job.prunedAt == nil ? oneLine(job.prompt ?? job.input) : "(pruned)"))
            if hasFiles {
                let more = job.files.count > 1 ? " +\(job.files.count - 1)" : ""
                cells.append(.init(text: oneLine(job.files.first ?? "–") + more))
            }
            table.add(cells)
        }
        return table
    }

    /// What was charged, else the estimate with a tilde.
    private func credits(_ job: JobRecord) -> String {
        if let charged = job.charged { return charged.grouped }
        return job.estimated.map { "~\($0.grouped)" } ?? "–"
    }

    /// From the first request to the end, or until now.
    private func time(_ job: JobRecord, _ console: Console) -> String {
        guard let submitted = job.submittedAt, job.state != .queued else { return "–" }
        let end = job.finishedAt ?? console.now()
        return max(.zero, end - submitted).inWords
    }
}

extension JobRecord {
    /// `for job 12`, `for jobs 12, 13`; nil if it waits for none.
    var waits: String? {
        guard !waitsFor.isEmpty else { return waitsForUpload ? "for an upload" : nil }
        let shown = waitsFor.prefix(3).map { "\($0)" }.joined(separator: ", ")
        let more = waitsFor.count > 3 ? " and \(waitsFor.count - 3) more" : ""
        return (waitsFor.count == 1 ? "for job " : "for jobs ") + shown + more
    }
}

extension JobOrder.Key: ExpressibleByArgument {}

/// `--state --queue --batch --model --label`.
struct FilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("\(JobState.names). Repeatable, or with commas.", valueName: "state"),
        completion: .list(JobState.allCases.map(\.rawValue)),
        transform: JobState.list
    )
    var state: [Set<JobState>] = []

    @Option(name: .shortAndLong, help: "Only of this queue.", completion: .queues)
    var queue: String?

    @Option(name: .shortAndLong, help: "Only of this batch.", completion: .batches)
    var batch: String?

    @Option(name: .shortAndLong, help: "Only for this model.", completion: .models)
    var model: String?

    @Option(help: ArgumentHelp("Only with this label. Repeatable.", valueName: "key=value"))
    var label: [KeyValue] = []

    @Option(
        help: ArgumentHelp("Only with this error, like content_refused.", valueName: "code"),
        completion: .list(FailureCode.names),
        transform: FailureCode.checkedName
    )
    var error: String?

    var filter: JobFilter {
        var filter = JobFilter()
        filter.states = state.reduce(into: []) { $0.formUnion($1) }
        filter.queue = queue
        filter.batch = batch
        filter.model = model
        filter.errorCode = error
        filter.labels = Dictionary(label.map { ($0.key, $0.value) }) { $1 }
        return filter
    }
}

extension JobState {
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads `failed,cancelled`.
    static func list(_ text: String) throws -> Set<JobState> {
        try text.split(separator: ",").reduce(into: []) { states, name in
            guard let state = JobState(rawValue: String(name)) else {
                throw ValidationError(Misspelling.sentence(String(name), "state", allCases.map(\.rawValue)))
            }
            states.insert(state)
        }
    }
}

extension JobID: ExpressibleByArgument {
    package init?(argument: String) {
        guard let id = Int64(argument), id > 0 else { return nil }
        self.init(id)
    }
}
