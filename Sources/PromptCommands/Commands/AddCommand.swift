import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct AddCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Queue a job for each prompt.",
        discussion: """
            Checks every job against the catalogue first: all are queued, or none. Prints the ids, one a line. Without a \
            prompt, one job is made of --input alone. A prompt of - reads prompts from standard input, one a line. A \
            prompt that begins with a dash goes behind --.

            promptctl add "a red fox in the snow"
            promptctl add "a fox" "a heron" -m nano-banana-2 -i resolution=2K -q ads -b spring-sale
            promptctl add "it runs" -m bytedance/v1-lite-image-to-video -i image_url=@photo.png
            promptctl add "a fox" --at "2026-12-24 18:00" --dry-run
            promptctl add -- "-40 degrees, a fox in the snow"
            promptctl add - < prompts.txt
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var options: JobOptions

    @Option(help: ArgumentHelp("Refuse if a job with this key exists already.", valueName: "key"))
    var unique: String?

    @Flag(help: "Only check, and print the number of jobs and their cost.")
    var dryRun = false

    @Flag(help: "Take several prompts of one word each; without this they are taken for one that lacks its quotes.")
    var oneWord = false

    @Flag(help: "Wait until the jobs have ended, as promptctl wait does.")
    var wait = false

    @Flag(help: "Print the jobs as JSON instead of their ids.")
    var json = false

    @Argument(help: "What to make.")
    var prompts: [String] = []

    func validate() throws {
        if unique != nil, prompts.count > 1 || prompts == ["-"] {
            throw ValidationError("--unique names one job; give one prompt.")
        }
        if dryRun, wait { throw ValidationError("--dry-run adds nothing to --wait for.") }
    }

    func run() async throws {
        let console = Console.current
        let words = prompts.filter { $0 != "-" && Misspelling.isOneWord($0) }.count
        if words > 1, !oneWord {
            throw CommandError(
                .usage,
                "\(grouped(words)) prompts are one word each, and each would be a job that costs; put a prompt of several "
                    + "words in quotes: promptctl add \"a red fox\". If they are meant as they are, say --one-word. "
                    + "Nothing was added"
            )
        }
        let texts = try texts(console)
        try await database.open { file in
            let before = try file.status()
            let files = LocalFiles()
            let (jobs, unknownFields) = try prepare(texts, before, files, console)
            for field in unknownFields {
                console.say("warning: \(jobs.first?.model ?? "") does not list the field \(field); it is sent as it is")
            }
            let references = ReferenceCheck(catalogue: before.catalogue, file: file)
            if let job = jobs.first {
                let problems = try references.problems(of: job)
                guard problems.isEmpty else {
                    throw CommandError(.badData, problems.joined(separator: "\n") + "\nnothing was added")
                }
                for warning in try references.warnings(of: job) { console.say("warning: \(warning)") }
            }
            let cost = AddedCost(jobs, before: before, now: console.now())
            func sentence(_ verb: String) -> String {
                cost.sentence(verb, money: console.money, time: console.time) + files.sentence
            }
            guard !dryRun else {
                return console.print(
                    json
                        ? JSONValue.object(cost.object.merging(files.object) { $1 }).json : sentence("would queue")
                )
            }
            try files.copy(to: database.spool)
            let ids: [JobID]
            do {
                ids = try file.add(jobs, now: console.now())
            } catch let error as LedgerError where error.code == .constraint {
                throw CommandError(.badData, "\(error.message); nothing was added")
            }
            for (id, job) in zip(ids, jobs) { console.print(json ? Self.object(id, job).json : "\(id)") }
            console.say(sentence("queued"))
            if wait {
                try await Waiting(file: file, group: .ids(ids), console: console).run(timeout: nil)
            }
        }
    }

    /// What is known of a job that was just added, under the names that `list --json` has.
    private static func object(_ id: JobID, _ job: NewJob) -> JSONValue {
        .object([
            "id": .integer(id.rawValue),
            "state": .string(JobState.queued.rawValue),
            "queue": .string(job.queue),
            "batch": JSONValue(job.batch),
            "model": .string(job.model),
            "priority": .integer(job.priority),
            "run_at": JSONValue(job.runAt),
            "labels": job.labels.map(parsed) ?? .null,
            "unique_key": JSONValue(job.uniqueKey),
            "max_attempts": .integer(Int64(job.maxAttempts)),
            "estimated_credits": JSONValue(job.estimate?.credits),
            "estimate_basis": JSONValue(job.estimate?.kind.rawValue),
        ])
    }

    private func texts(_ console: Console) throws -> [String?] {
        guard !prompts.isEmpty else { return [nil] }
        var texts: [String?] = []
        for prompt in prompts {
            guard prompt == "-" else {
                texts.append(prompt)
                continue
            }
            var lines = LineReader(ByteSource(descriptor: console.inputDescriptor, name: "standard input"))
            while let line = try lines.next() {
                if !line.bytes.isEmpty { texts.append(String(decoding: line.bytes, as: UTF8.self)) }
            }
        }
        guard !texts.isEmpty else { throw CommandError(.badData, "standard input held no prompt; nothing was added") }
        return texts
    }

    private func prepare(
        _ texts: [String?],
        _ before: StatusRecord,
        _ files: LocalFiles,
        _ console: Console
    ) throws -> ([NewJob], unknownFields: [String]) {
        let catalogue = before.catalogue
        let model = options.model ?? JobOptions.defaultModel
        var request = JobRequest(prompts: texts, model: model)
        request.input = try files.replacing(
            try catalogue.input(options.input.map { ($0.key, $0.value) }, model: model),
            catalogue.model(named: model),
            from: console.directory
        )
        request.queue = options.queue ?? request.queue
        request.priority = options.priority ?? 0
        request.runAt = try options.runAt(now: console.now())
        request.batch = options.batch
        request.labels = options.labels
        request.maxAttempts = options.maxAttempts ?? request.maxAttempts
        request.allowsUnknownFields = options.allowUnknown
        var checked = request.checked(catalogue, before.prices, unknownModels: console.settings.unknownModels)
        for index in checked.jobs.indices { checked.jobs[index].uniqueKey = unique }
        guard checked.problems.isEmpty else {
            for problem in checked.problems { console.say("promptctl: \(problem)") }
            if checked.isMisspelt { console.say(JobOptions.allowance) }
            if catalogue.model(named: model) == nil {
                console.say("To allow unknown models, set catalogue.unknownModels: allow in promptd's configuration.")
            }
            let hint = catalogue.model(named: model) == nil ? "lists all models" : "\(model) shows what the model takes"
            throw CommandError(.badData, "nothing was added; promptctl models \(hint)")
        }
        return (checked.jobs, checked.unknownFields)
    }
}
