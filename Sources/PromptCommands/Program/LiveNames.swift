import ArgumentParser
import FoundationEssentials
import PromptConfiguration
import PromptQueue

/// What a shell offers when somebody presses Tab. Says nothing, whatever is wrong: the cursor stands in the middle of a line.
enum LiveNames {
    /// - Parameters:
    ///   - words: the command line so far.
    ///   - body: what the database knows.
    static func read(_ words: [String], _ body: (any QueueClient) throws -> [String]) -> [String] {
        let place = DatabasePlace(value(of: "--database", in: words) ?? Console.current.settings.database)
        if let path = place.path, !FileManager.default.fileExists(atPath: path) { return [] }
        guard let file = try? QueueOpener.open(place, isHurried: true) else { return [] }
        let names = (try? body(file)) ?? []
        try? file.close()
        return names.filter { $0 == oneLine($0) }
    }

    /// The settings for a command line that asks for completions: as for any command, but without a word about them.
    static func settings(_ words: [String], _ console: Console) async -> DaemonConfiguration {
        let settings = try? await ConfigurationLoader.load(
            file: value(of: "--config", in: words),
            standardFile: console.configurationFile,
            environment: console.environment.filter { !$0.value.isEmpty },
            isEnvironmentChecked: false
        )
        return settings ?? console.settings
    }

    /// Whether a command line is of a completion script, and not of a person.
    static func isAskedFor(in arguments: [String]) -> Bool { arguments.first?.hasPrefix("---") == true }

    private static func value(of option: String, in words: [String]) -> String? {
        if let word = words.last(where: { $0.hasPrefix(option + "=") }) {
            return String(word.dropFirst(option.count + 1))
        }
        guard let index = words.lastIndex(of: option), index + 1 < words.count else { return nil }
        return words[index + 1]
    }
}

extension CompletionKind {
    static var models: CompletionKind { .list(Catalogue.builtIn.models.keys.sorted()) }

    static var queues: CompletionKind {
        .custom { words, _, _ in LiveNames.read(words) { try $0.queues().map(\.name) } }
    }

    static var batches: CompletionKind {
        .custom { words, _, _ in LiveNames.read(words) { try $0.batches(limit: 1_000) } }
    }
}
