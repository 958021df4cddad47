import ArgumentParser
import PromptQueue

struct CancelCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs that have not ended.",
        discussion: """
            The provider cannot cancel: a task that runs already is followed to its end and its charge is booked, but \
            its results are not downloaded.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions

    @Argument(help: "Jobs; or filters.")
    var ids: [JobID] = []

    func validate() throws { try Change.validate(ids, filters) }

    func run() throws {
        try Change(change: .cancel, done: "cancelled", ids: ids, filter: filters.filter).run(database)
    }
}

struct RetryCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Queue failed or cancelled jobs again.",
        discussion:
            "What is paid for is taken up again and not paid for twice: results that were not saved are downloaded. "
            + "A running job that was set aside, given by its id, is asked about again."
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions

    @Argument(help: "Jobs; or filters.")
    var ids: [JobID] = []

    func validate() throws { try Change.validate(ids, filters) }

    func run() throws {
        try Change(change: .retry, done: "retried", ids: ids, filter: filters.filter).run(database)
    }
}

/// What `cancel` and `retry` have in common.
struct Change {
    let change: JobChange
    /// `cancelled`.
    let done: String
    let ids: [JobID]
    let filter: JobFilter

    static func validate(_ ids: [JobID], _ filters: FilterOptions) throws {
        guard ids.isEmpty != filters.filter.isEmpty else {
            throw ValidationError("Give ids of jobs, or filters like --batch NAME.")
        }
    }

    func run(_ database: DatabaseOption) throws {
        let console = Console.current
        try database.open { file in
            guard !ids.isEmpty else {
                let (changed, beingSent) = try file.apply(change, matching: filter)
                console.say("\(done) \(count(changed, "job"))")
                if beingSent > 0 {
                    let jobs = count(beingSent, "job")
                    console.say("\(jobs) being sent just now stayed; try again in a moment, when the answer is there")
                }
                return
            }
            let outcome = try file.apply(change, to: ids)
            for (job, reason) in outcome.refused { console.say("job \(job): \(reason)") }
            console.say("\(done) \(count(outcome.changed, "job"))")
            if !outcome.refused.isEmpty { throw CommandError(.badData, "") }
        }
    }
}
