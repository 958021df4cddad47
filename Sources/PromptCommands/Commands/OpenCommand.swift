import ArgumentParser
import PromptConfiguration
import PromptQueue

struct OpenCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open results in the program that shows them.",
        discussion: """
            With $PROMPTD_OPENER, else with xdg-open. Where there is no desktop it prints the paths.

            promptctl open 41
            promptctl open 41/1 42/0
            PROMPTD_OPENER=gimp promptctl open 41
            """
    )

    @OptionGroup var database: DatabaseOption

    @Argument(help: ArgumentHelp("Jobs, or single results of them, like 41/0.", valueName: "id[/ordinal]"))
    var results: [ResultArgument]

    @Flag(name: [.customShort("p"), .customLong("path")], help: "Only print the paths.")
    var printsPath = false

    /// More windows at once are nobody's wish.
    private static let most = 20

    func run() async throws {
        let console = Console.current
        let files = try database.open { file in
            try results.flatMap { try Self.files($0, file, console.settings.media) }
        }
        guard !printsPath else { return files.forEach { console.print($0.path) } }
        guard let opener = try Self.opener(console) else {
            console.say("there is no desktop to open anything on (DISPLAY and WAYLAND_DISPLAY are not set); the paths:")
            return files.forEach { console.print($0.path) }
        }
        guard files.count <= Self.most else {
            throw CommandError(.usage, "\(count(files.count, "file")) at once; \(Self.most) are opened at most")
        }
        for file in files {
            do { try await opener.run([file.path], within: .seconds(60)) } catch let error as ExternalProgram.Failure {
                throw CommandError(.unavailable, "\(error); the file is \(file.path)")
            }
        }
    }

    private static func files(
        _ asked: ResultArgument,
        _ file: any QueueClient,
        _ media: String
    ) throws -> [ResultFile] {
        guard let details = try file.details(of: asked.job) else {
            throw CommandError(.badData, "job \(asked.job): there is none")
        }
        let all = ResultFile.all(of: ExportedJob(job: details.job, results: details.results), in: media)
        guard !all.isEmpty else {
            throw CommandError(.badData, "job \(asked.job) is \(details.job.state.rawValue) and has no file")
        }
        guard let ordinal = asked.ordinal else { return all }
        let chosen = all.filter { $0.ordinal == ordinal }
        guard chosen.isEmpty else { return chosen }
        let there = all.map { "\(asked.job)/\($0.ordinal)" }.joined(separator: ", ")
        throw CommandError(.badData, "job \(asked.job) has no file \(ordinal); there are \(there)")
    }

    /// Nil where there is no desktop.
    private static func opener(_ console: Console) throws -> ExternalProgram? {
        func has(_ name: String) -> Bool { console.environment[name]?.isEmpty == false }
        if let name = console.environment["PROMPTD_OPENER"], !name.isEmpty {
            guard let program = ExternalProgram(name, environment: console.environment) else {
                throw CommandError(.unavailable, "PROMPTD_OPENER: there is no program \(oneLine(name))")
            }
            return program
        }
        if has("DISPLAY") || has("WAYLAND_DISPLAY") {
            guard let program = ExternalProgram("xdg-open", environment: console.environment) else {
                throw CommandError(
                    .unavailable,
                    "xdg-open is not installed (Debian: apt install xdg-utils); or name a program in PROMPTD_OPENER"
                )
            }
            return program
        }
        return nil
    }
}

/// `41`, or `41/0`.
struct ResultArgument: ExpressibleByArgument, Sendable {
    let job: JobID
    let ordinal: Int?

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let job = JobID(argument: String(parts[0])) else { return nil }
        self.job = job
        guard parts.count == 2 else {
            ordinal = nil
            return
        }
        guard let number = Int(parts[1]), number >= 0 else { return nil }
        ordinal = number
    }
}
