import ArgumentParser
import PromptQueue

struct ExportCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write jobs with their results as CSV or JSON Lines.",
        discussion: """
            The oldest first, one job a line: prompt, input, state, files with their sums, credits, times. The same filters as \
            list. Without --output to standard output.
            """
    )

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case csv, jsonl
    }

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions

    @Option(help: "csv or jsonl. (default: by the name of --output, else jsonl)")
    var format: Format?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var output = "-"

    private static let jobsAtOnce = 500

    func run() throws {
        let console = Console.current
        let format = format ?? (output.lowercased().hasSuffix(".csv") ? .csv : .jsonl)
        try database.open { file in
            try filters.check(file)
            guard output != "-" else {
                _ = try export(file, format) { console.writeOutput($0) }
                return
            }
            var jobs = 0
            try WholeFile.write(output, isDirect: FileSink.isSpecial(output)) { partial in
                let sink = try FileSink(partial)
                jobs = try export(file, format) { try sink.write($0) }
                try sink.close()
            }
            console.say("wrote \(count(jobs, "job")) to \(output)")
        }
    }

    /// - Returns: how many jobs there were.
    private func export(_ file: any QueueClient, _ format: Format, _ write: (String) throws -> Void) throws -> Int {
        if format == .csv { try write(CSVWriter.record(Self.columns.map(\.name)) + "\r\n") }
        var after: JobID?
        var count = 0
        while true {
            // Page by page: a reader that stays for long keeps the write-ahead log from being cut.
            let page = try file.jobs(matching: filters.filter, after: after, limit: Self.jobsAtOnce)
            var text = ""
            for exported in page {
                switch format {
                case .csv: text += CSVWriter.record(Self.columns.map { $0.value(exported) }) + "\r\n"
                case .jsonl: text += JSONValue.object(exported.object).json + "\n"
                }
            }
            if !text.isEmpty { try write(text) }
            count += page.count
            guard page.count == Self.jobsAtOnce, let last = page.last else { return count }
            after = last.job.id
        }
    }

    private struct Column: Sendable {
        var name: String
        var value: @Sendable (ExportedJob) -> String
    }

    /// Several files, types or sums of a job are separated by line feeds.
    private static let columns: [Column] = [
        Column(name: "id") { "\($0.job.id)" },
        Column(name: "state") { $0.job.state.rawValue },
        Column(name: "queue") { $0.job.queue },
        Column(name: "batch") { $0.job.batch ?? "" },
        Column(name: "model") { $0.job.model },
        Column(name: "prompt") { $0.job.prompt ?? "" },
        Column(name: "input") { $0.job.input },
        Column(name: "labels") { $0.job.labels ?? "" },
        Column(name: "unique_key") { $0.job.uniqueKey ?? "" },
        Column(name: "task_id") { $0.job.taskID?.rawValue ?? "" },
        Column(name: "attempts") { "\($0.job.attemptCount)" },
        Column(name: "estimated_credits") { $0.job.estimated?.description ?? "" },
        Column(name: "charged_credits") { $0.job.charged?.description ?? "" },
        Column(name: "files") { lines($0) { $0.path } },
        Column(name: "content_types") { lines($0) { $0.contentType } },
        Column(name: "bytes") { lines($0) { $0.bytes.map { "\($0)" } } },
        Column(name: "sha256") { lines($0) { $0.sha256 } },
        Column(name: "error_code") { $0.job.errorCode ?? "" },
        Column(name: "error_message") { $0.job.errorMessage ?? "" },
        Column(name: "created_at") { $0.job.createdAt.iso8601 },
        Column(name: "submitted_at") { $0.job.submittedAt?.iso8601 ?? "" },
        Column(name: "finished_at") { $0.job.finishedAt?.iso8601 ?? "" },
        Column(name: "pruned_at") { $0.job.prunedAt?.iso8601 ?? "" },
    ]

    private static func lines(_ exported: ExportedJob, _ value: (ResultRecord) -> String?) -> String {
        exported.results.filter { $0.state == .saved }.map { value($0) ?? "" }.joined(separator: "\n")
    }
}

extension ExportedJob {
    var object: JSONObject {
        var object = job.object
        object["results"] = .array(results.map { .object($0.object) })
        return object
    }
}
