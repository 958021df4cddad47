import ArgumentParser
import PromptQueue

struct ResolveCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Settle unconfirmed jobs.",
        discussion: """
            A job is unconfirmed when its request was sent and the answer was lost: the provider may have made a task, \
            and charged for it. Look at the provider's list of tasks, and then say what you have seen. With the key in the \
            environment, as for promptctl credits, the provider is asked whether it knows the task.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions
    @OptionGroup var options: ChangeOptions

    @Option(help: ArgumentHelp("The provider has made this task: follow it. For one job.", valueName: "id"))
    var task: String?

    @Flag(help: "Take --task as it is, without asking the provider.")
    var unchecked = false

    @Flag(help: "There is no task: send the request again.")
    var resubmit = false

    @Flag(
        help: ArgumentHelp(
            "With --resubmit: only those whose request shows no charge in the account's balance.",
            discussion: "It is evidence and no proof: a request that a front still holds is charged when it arrives."
        )
    )
    var uncharged = false

    @Flag(help: "Give the job up. What was reserved counts as spent, because it may have been.")
    var fail = false

    @Argument(help: "Jobs; or filters.")
    var ids: [JobID] = []

    func validate() throws {
        guard [task != nil, resubmit, fail].count(where: \.self) == 1 else {
            throw ValidationError("Say what became of it, by one of --task ID, --resubmit and --fail.")
        }
        if !uncharged { try Change.validate(ids, filters) }
        if uncharged, !resubmit || !ids.isEmpty {
            throw ValidationError("--uncharged: goes with --resubmit, and with filters or alone; not with ids.")
        }
        if task?.isEmpty == true { throw ValidationError("--task: is empty.") }
        if task != nil, ids.count != 1 { throw ValidationError("--task: is the task of one job; give its id.") }
    }

    func run() async throws {
        let console = Console.current
        if let id = ids.first, ids.count == 1 {
            try await settle(id, console)
        } else {
            try settleMany(console)
        }
    }

    private var resolution: Resolution {
        task.map { .task(TaskID($0)) } ?? (resubmit ? .resubmit : .fail)
    }

    private func settle(_ id: JobID, _ console: Console) async throws {
        var note: String?
        if let task, !unchecked { note = try await check(TaskID(task), of: id, console) }
        let outcome = try database.open { file in
            try file.resolve(id, resolution, now: console.now(), dryRun: options.dryRun)
        }
        if options.json || options.dryRun { return report(outcome, note, console) }
        switch resolution {
        case .task(let task):
            console.say("job \(id): is running as task \(task)" + (note.map { "; \($0)" } ?? ""))
        case .resubmit: console.say("job \(id): is queued again, and will cost \(outcome.toPay.inWords) (estimated)")
        case .fail: console.say("job \(id): has failed; \(outcome.staysCharged.inWords) count as spent")
        }
    }

    private func settleMany(_ console: Console) throws {
        let outcome = try database.open { file in
            try filters.check(file)
            var filter = filters.filter
            filter.isUncharged = uncharged
            let jobs = ids.isEmpty ? try file.unconfirmed(matching: filter) : ids
            return try file.resolve(jobs, resolution, now: console.now(), dryRun: options.dryRun)
        }
        report(outcome, nil, console)
        if !outcome.refused.isEmpty { throw CommandError(.badData, "") }
    }

    private func report(_ outcome: ChangeOutcome, _ note: String?, _ console: Console) {
        guard !options.json else {
            let cost = ChangeCost(outcome, .builtIn, PriceBook(), .allow)
            return console.print(JSONValue.object(cost.object(outcome, dryRun: options.dryRun)).json)
        }
        for (_, reason) in outcome.refused { console.say(reason) }
        if let note { console.say(note) }
        console.say(resolution.sentence(outcome, dryRun: options.dryRun))
    }

    /// A wrong id would be asked about for two months, and the right task never fetched.
    ///
    /// - Returns: why the provider could not tell, if so.
    private func check(_ task: TaskID, of job: JobID, _ console: Console) async throws -> String? {
        // The key of another account does not know it.
        let account = try database.open { try $0.details(of: job) }?.attempts.last?.account ?? .standard
        guard let access = try? ProviderAccess(console, account: account.rawValue) else {
            return "the provider was not asked, for there is no API key in the environment"
        }
        switch try await access.recordInfo(task) {
        case .notFound:
            throw CommandError(
                .badData,
                "task \(task): \(access.baseURL) does not know it; copy its id again, or add --unchecked. Nothing was changed"
            )
        case .unavailable(let failure):
            return "the provider could not be asked: \(failure.message)"
        case .pending, .succeeded, .failed:
            return nil
        }
    }
}
