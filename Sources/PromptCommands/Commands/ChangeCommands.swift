import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct CancelCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs that have not ended.",
        discussion: """
            The provider cannot cancel: a task that runs already is followed to its end and its charge is booked, but \
            its results are not downloaded. What stays charged is said.

            promptctl cancel 17 18
            promptctl cancel -q ads --state queued --dry-run
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions
    @OptionGroup var options: ChangeOptions

    @Argument(help: "Jobs; or filters.")
    var ids: [JobID] = []

    func validate() throws { try Change.validate(ids, filters) }

    func run() throws {
        try Change(change: .cancel, ids: ids, filters: filters, options: options).run(database)
    }
}

struct RetryCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Queue failed jobs again, and cancelled ones by their ids or with --state cancelled.",
        discussion:
            "What is paid for is taken up again and not paid for twice: results that were not saved are downloaded. A task that "
            + "failed is asked about once more; if it has really failed, another one is paid for. What that may cost is said; "
            + "--dry-run only says it. "
            + "A running job that was set aside, given by its id, is asked about again. "
            + "With --prompt and --input a job asks for something else, if the provider has made nothing for it: after a refusal of "
            + "its content, say.\n\n"
            + "promptctl retry -b spring-sale --dry-run\n"
            + "promptctl retry --error provider_unavailable\n"
            + "promptctl retry 17 --prompt \"a red fox\" -i resolution=1K"
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var filters: FilterOptions
    @OptionGroup var options: ChangeOptions

    @Option(help: "What to make instead. For jobs given by id.")
    var prompt: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A field of the input to change; without a value it is removed. Repeatable.",
            valueName: "key=value"
        )
    )
    var input: [KeyValue] = []

    @Flag(help: "Send fields as they are that are spelt almost like one of the model's.")
    var allowUnknown = false

    @Argument(help: "Jobs; or filters.")
    var ids: [JobID] = []

    func validate() throws {
        try Change.validate(ids, filters)
        if prompt != nil, ids.count != 1 { throw ValidationError("--prompt: is for one job; give its id.") }
        if prompt?.isEmpty == true { throw ValidationError("--prompt: is empty.") }
    }

    private var hasEdit: Bool { prompt != nil || !input.isEmpty || allowUnknown }

    func run() throws {
        try Change(
            change: .retry(hasEdit ? JobEdit(prompt: prompt, allowsUnknownFields: allowUnknown ? true : nil) : nil),
            ids: ids,
            filters: filters,
            options: options,
            input: input
        ).run(database)
    }
}

/// `--dry-run` and `--json`, on what changes jobs.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Only say what would be done, and what it would cost.")
    var dryRun = false

    @Flag(help: "Print what was done as a JSON object.")
    var json = false
}

/// What `cancel` and `retry` have in common.
struct Change {
    let change: JobChange
    let ids: [JobID]
    let filters: FilterOptions
    let options: ChangeOptions
    /// What a retry changes of the input, as it was typed.
    var input: [KeyValue] = []

    static func validate(_ ids: [JobID], _ filters: FilterOptions) throws {
        if !ids.isEmpty, !filters.filter.isEmpty {
            throw ValidationError("Give ids of jobs or filters, not both.")
        }
        guard !ids.isEmpty || !filters.filter.isEmpty else {
            throw ValidationError("Give ids of jobs, or filters like --batch NAME.")
        }
    }

    func run(_ database: DatabaseOption) throws {
        let console = Console.current
        try database.open { file in
            try filters.check(file)
            let catalogue = try file.catalogue()
            let files = LocalFiles()
            let change = try edited(file, catalogue, files, console)
            // What is asked for anew is held against the catalogue before it is queued.
            var outcome = try apply(change, to: file, dryRun: options.dryRun || hasEdit)
            let cost = ChangeCost(outcome, catalogue, try file.priceBook(), console.settings.unknownModels)
            if hasEdit, let problem = cost.problem {
                throw CommandError(.badData, "\(problem)\nnothing was changed")
            }
            if hasEdit, !options.dryRun {
                try files.copy(to: database.spool)
                outcome = try apply(change, to: file, dryRun: false)
            }
            try report(outcome, cost, console)
        }
    }

    private var hasEdit: Bool {
        if case .retry(.some) = change { true } else { false }
    }

    private func apply(_ change: JobChange, to file: any QueueClient, dryRun: Bool) throws -> ChangeOutcome {
        ids.isEmpty
            ? try file.apply(change, matching: filters.filter, dryRun: dryRun)
            : try file.apply(change, to: ids, dryRun: dryRun)
    }

    /// The fields are read as the jobs' model takes them, so that it has to be one.
    private func edited(
        _ file: any QueueClient,
        _ catalogue: Catalogue,
        _ files: LocalFiles,
        _ console: Console
    ) throws -> JobChange {
        guard case .retry(var edit?) = change, !input.isEmpty else { return change }
        var models: Set<String> = []
        if ids.isEmpty {
            var filter = filters.filter
            filter.states = filter.states.isEmpty ? change.usualOrigins : filter.states.intersection(change.origins)
            if !filter.states.isEmpty { try file.forEachJob(matching: filter, limit: .max) { models.insert($0.model) } }
        } else {
            for id in ids { if let job = try file.details(of: id)?.job { models.insert(job.model) } }
        }
        guard models.count <= 1 else {
            throw CommandError(
                .usage,
                "--input: the jobs are of \(models.count) models; add --model to take those of one"
            )
        }
        let given = input.filter { !$0.value.isEmpty }.map { ($0.key, $0.value) }
        let model = models.first ?? JobOptions.defaultModel
        edit.input = try files.replacing(
            try catalogue.input(given, model: model),
            catalogue.model(named: model),
            from: console.directory
        )
        for removed in input where removed.value.isEmpty {
            guard edit.input.updateValue(.null, forKey: removed.key) == nil else {
                throw CommandError(
                    .usage,
                    "--input: \(oneLine(removed.key)) is given twice: with a value, and to be removed"
                )
            }
        }
        return .retry(edit)
    }

    private func report(_ outcome: ChangeOutcome, _ cost: ChangeCost, _ console: Console) throws {
        if options.json {
            console.print(JSONValue.object(cost.object(outcome, dryRun: options.dryRun)).json)
        } else {
            let shown = ids.isEmpty ? 20 : outcome.refused.count
            for (job, reason) in outcome.refused.prefix(shown) { console.say("job \(job): \(reason)") }
            if outcome.refused.count > shown { console.say("and \(grouped(outcome.refused.count - shown)) more") }
            console.say(cost.sentence(change, outcome, dryRun: options.dryRun, money: console.money))
            for remark in remarks(outcome) { console.say(remark) }
        }
        if !outcome.refused.isEmpty { throw CommandError(.badData, "") }
    }

    /// What was left as it was, and might have been meant.
    private func remarks(_ outcome: ChangeOutcome) -> [String] {
        [
            outcome.stayedBeingSent,
            outcome.stayedCancelled.map { "\($0); --state cancelled retries what was cancelled" },
        ]
        .compactMap(\.self)
    }
}
