import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct PruneCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove finished jobs from the database.",
        discussion: """
            promptd does so by itself, by retention.finishedJobs. Jobs that have not ended stay, and so does everything about \
            money: requests, charges, budgets, learnt prices and times. Of jobs with a unique key that were paid for \
            the row stays, without prompt, input and labels, so that nobody pays for the key again. Files stay, too, unless you say --files.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions

    @Option(help: ArgumentHelp("Only what ended so long ago, like 90d.", valueName: "time"), transform: Self.duration)
    var olderThan: Duration?

    @Flag(help: "Remove their files, too, with what lies beside them.")
    var files = false

    @Flag(help: "Only say how much it would be.")
    var dryRun = false

    private static let jobsAtOnce = 500

    private static func duration(_ text: String) throws -> Duration {
        guard let duration = Duration(text: text) else {
            throw ValidationError("\"\(text)\" is not a duration; write it like 12h or 90d.")
        }
        return duration
    }

    func validate() throws {
        guard olderThan != nil || !filters.filter.isEmpty else {
            throw ValidationError("Say which: --older-than 90d, or filters like --batch NAME.")
        }
        let open = filters.filter.states.subtracting([.succeeded, .failed, .cancelled])
        guard open.isEmpty else {
            throw ValidationError("--state: \(open.map(\.rawValue).sorted().joined(separator: ", ")): not finished.")
        }
    }

    func run() throws {
        let console = Console.current
        var filter = filters.filter
        if let olderThan { filter.finishedBefore = console.now() - olderThan }
        try database.open { file in
            try filters.check(file)
            if dryRun {
                let pruned = try file.prunable(filter)
                console.say("would remove \(text(pruned))")
                return
            }
            var sum = Pruned()
            var request = PruneRequest(filter, limit: Self.jobsAtOnce, removesFiles: files)
            while true {
                let pruned = try file.prune(request, now: console.now())
                sum += pruned
                guard pruned.isFull(Self.jobsAtOnce) else { break }
                request.excluded = Set(sum.kept.keys)
            }
            console.say("removed \(text(sum))")
            for (job, reason) in sum.kept.sorted(by: { $0.key.rawValue < $1.key.rawValue }).prefix(10) {
                console.say("job \(job): stays: \(reason)")
            }
            if sum.kept.count > 10 { console.say("and \(grouped(sum.kept.count - 10)) more stay") }
            if files { try removeFiles(file, console) }
        }
    }

    private func text(_ pruned: Pruned) -> String {
        let jobs = count(pruned.jobs, "job")
        guard pruned.files > 0 else { return jobs }
        return "\(jobs); \(count(pruned.files, "file")) \(files ? "with them" : "of theirs stay")"
    }

    /// What cannot be removed here, promptd removes.
    private func removeFiles(_ file: any QueueClient, _ console: Console) throws {
        let media: MediaDirectory
        let id = try file.databaseID()
        do throws(MediaError) {
            media = try MediaDirectory(existing: console.settings.media, databaseID: id)
        } catch {
            console.say("their files are left for promptd to remove: \(error)")
            return
        }
        var last = ""
        while true {
            let removals = try file.removals(after: last, limit: Self.jobsAtOnce)
            guard let end = removals.last else { return }
            last = end.path
            let (gone, failure) = media.remove(removals)
            try file.removed(gone)
            if let failure { console.say("some files are left for promptd to remove: \(failure)") }
        }
    }
}
