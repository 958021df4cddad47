import ArgumentParser
import PromptQueue

struct ModelRefreshCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Ask the provider for its models, their fields and prices, and keep them in the database.",
        discussion: """
            Shows what has changed. What the provider says is kept over what promptd was built with, and holds from the next \
            claim on, for the daemon and for every command; docs/catalogue.md has the rules. promptd does the same by itself, \
            once in catalogue.refresh. It costs no credits, and takes a minute or two.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Flag(help: "Only show what would change.")
    var dryRun = false

    func run() async throws {
        let console = Console.current
        // Before a minute is spent on asking.
        let kept = try database.open { try $0.providerModels() }
        let read = try await readModels(console)
        let (models, isShort) = read.merged(into: kept, builtIn: .builtIn)
        let before = Catalogue.builtIn.with(kept)
        let byName = Dictionary(kept.map { ($0.name, $0) }) { $1 }.merging(models.map { ($0.name, $0) }) { $1 }
        let difference = CatalogueDifference(from: before, to: Catalogue.builtIn.with(Array(byName.values)))
        if !dryRun { try database.open { try $0.keep(models) } }
        if format.json {
            for model in difference.models { console.print(JSONValue.object(model.object).json) }
        } else {
            for line in difference.models.flatMap(\.lines) { console.print(line) }
        }
        for (name, reason) in read.unread.sorted(by: { $0.key < $1.key }) {
            console.say(
                "warning: \(oneLine(name)): its fields were not to be had, and stay as they are: \(oneLine(reason))"
            )
        }
        if isShort {
            console.say(
                "warning: the list lacks more than a third of the models known, so that none is taken for gone; "
                    + "try again later"
            )
        }
        console.say(summary(difference, of: read.models.count))
    }

    private func readModels(_ console: Console) async throws -> ProviderCatalogue {
        let bar = ProgressBar(console)
        defer { bar.clear() }
        return try await ProviderAccess(console).withClient { client in
            try await ProviderCatalogue.read(
                from: client,
                now: console.now(),
                // One question at a time: the provider takes a third of a second for each.
                pause: {},
                onProgress: { done, all in bar.draw("\(done) of \(all)", Double(done) / Double(max(1, all)), "models") }
            )
        }
    }

    private func summary(_ difference: CatalogueDifference, of models: Int) -> String {
        let verb = dryRun ? "would be kept" : "kept"
        guard !difference.isEmpty else {
            return "\(count(models, "model")), nothing new" + (dryRun ? "." : "; \(verb) in the database.")
        }
        let counts = CatalogueDifference.Model.Kind.allCases.map { ($0, difference.count($0)) }.filter { $0.1 > 0 }
            .map { "\($0.1) \($0.0.rawValue)" }
        let rest =
            dryRun ? "" : ", from the next claim on; promptctl models reset goes back to what promptd was built with"
        return "\(count(models, "model")): \(counts.joined(separator: ", ")); \(verb) in the database\(rest)."
    }
}

struct ModelResetCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Forget what the provider said of a model, or of all, and go back to what promptd was built with.",
        discussion: "The next refresh reads it again; catalogue.refresh: never keeps promptd from that."
    )

    @OptionGroup var database: DatabaseOption

    @Flag(help: "Of all models.")
    var all = false

    @Argument(help: "The model.")
    var model: String?

    func validate() throws {
        if all == (model != nil) { throw ValidationError("Name a model, or give --all.") }
    }

    func run() throws {
        let removed = try database.open { try $0.removeProviderModels(named: model) }
        guard removed > 0 else {
            let subject = model.map { "of \(oneLine($0))" } ?? "of any model"
            throw CommandError(.badData, "nothing is kept \(subject); promptctl models lists what is known")
        }
        Console.current.say("\(model.map { oneLine($0) } ?? count(removed, "model")): as promptd was built")
    }
}

extension CatalogueDifference.Model {
    /// What a person reads of it: the name with a sign, and a line for each change.
    fileprivate var lines: [String] {
        let sign =
            switch kind {
            case .new, .back: "+"
            case .gone: "-"
            case .changed: "~"
            }
        let word =
            switch kind {
            case .new: "  new: " + changes.map { oneLine($0) }.joined(separator: ", ")
            case .gone: "  the provider no longer lists it"
            case .back: "  the provider lists it again"
            case .changed: ""
            }
        return ["\(sign) \(oneLine(name))\(word)"] + (kind == .new ? [] : changes.map { "    " + oneLine($0) })
    }

    fileprivate var object: JSONObject {
        [
            "model": .string(name), "change": .string(kind.rawValue),
            "details": .array(changes.map { .string($0) }), "narrower": .bool(isNarrower),
        ]
    }
}
