import PromptConfiguration
import PromptQueue

extension ListCommand {
    private static let jobsAtOnce = 500

    /// The files of the jobs that match, the oldest job first.
    func showFiles(_ file: any QueueClient, _ filter: JobFilter, _ console: Console) throws {
        var table = Table([
            .init(title: "ID", alignment: .right), .init(title: "NO", alignment: .right), .init(title: "TYPE"),
            .init(title: "SIZE", alignment: .right), .init(title: "PATH"),
        ])
        if csv { console.writeOutput(CSVWriter.record(ResultFile.columns) + "\r\n") }
        let files = try eachFile(file, filter, console.settings.media) { result in
            if print0 {
                console.writeOutput(result.path + "\0")
            } else if csv {
                let object = result.object
                console.writeOutput(
                    CSVWriter.record(ResultFile.columns.map { JobColumn.text(object[$0]) }) + "\r\n"
                )
            } else if format.json {
                console.print(JSONValue.object(result.object).json)
            } else if console.isOutputTerminal {
                table.add([
                    .init(text: "\(result.job)"), .init(text: "\(result.ordinal)"),
                    .init(text: oneLine(result.contentType)), .init(text: size(result.bytes)),
                    .init(text: oneLine(result.path)),
                ])
            } else {
                console.print(result.path)
            }
        }
        guard files > 0 else {
            if let unknown = try KnownNames.problem(queue: filters.queue, batch: filters.batch, file) {
                console.say(unknown)
            } else if !format.json, !csv, !print0 {
                console.say("no job that matches has a file")
            }
            return
        }
        // No path is cut: it is there to be copied.
        guard console.isOutputTerminal, !csv, !format.json, !print0 else { return }
        for line in table.lines(width: nil, hasColour: console.hasColour) { console.print(line) }
    }

    /// - Returns: how many there were.
    private func eachFile(
        _ file: any QueueClient,
        _ filter: JobFilter,
        _ media: String,
        _ body: (ResultFile) -> Void
    ) throws -> Int {
        var after: JobID?
        var count = 0
        while true {
            let page = try file.jobs(matching: filter, after: after, limit: Self.jobsAtOnce)
            for result in page.lazy.flatMap({ ResultFile.all(of: $0, in: media) }) {
                if let limit, count == limit { return count }
                body(result)
                count += 1
            }
            guard page.count == Self.jobsAtOnce, let last = page.last else { return count }
            after = last.job.id
        }
    }
}
