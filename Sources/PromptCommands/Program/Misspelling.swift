import ArgumentParser
import PromptConfiguration
import PromptQueue

/// What somebody probably meant who has mistyped something.
enum Misspelling {
    /// `"faild" is no state; did you mean failed? There are queued, running, …`
    static func sentence(_ text: String, _ kind: String, _ known: [String]) -> String {
        let near = Suggestion.nearest(to: text, among: known)
        return "\"\(oneLine(text))\" is no \(kind); " + (near.map { "did you mean \($0)? There are " } ?? "there are ")
            + known.joined(separator: ", ") + "."
    }

    /// Options of the program itself that are followed by a value.
    private static let withValue: Set<String> = ["--database", "--config", "--generate-completion-script"]

    /// What is wrong with the name of the command in a command line; nil if there is nothing.
    static func ofCommand(in arguments: [String]) -> String? {
        // The shells' completion asks with words that nobody has finished yet.
        guard !LiveNames.isAskedFor(in: arguments) else { return nil }
        var type: any ParsableCommand.Type = PromptctlCommand.self
        var path = [PromptctlCommand._commandName]
        var isHelp = false
        var isValue = false
        for argument in arguments {
            if isValue {
                isValue = false
                continue
            }
            guard !argument.hasPrefix("-") else {
                if argument == "--" { return nil }
                isValue = withValue.contains(argument)
                continue
            }
            let subcommands = type.configuration.subcommands
            guard !subcommands.isEmpty else { return nil }
            if argument == "help", path.count == 1, !isHelp {
                isHelp = true
                continue
            }
            if let found = subcommands.first(where: { names(of: $0).contains(argument) }) {
                type = found
                path.append(found._commandName)
                continue
            }
            if type.configuration.defaultSubcommand != nil, !isHelp { return nil }
            let program = path.joined(separator: " ")
            let near = argument.count < 2 ? nil : Suggestion.nearest(to: argument, among: subcommands.flatMap(names))
            return "\"\(oneLine(argument))\" is no command\(path.count > 1 ? " of \(program)" : ""); "
                + (near.map { "did you mean \(program) \($0)? " } ?? "") + "\(program) --help lists them"
        }
        return nil
    }

    private static func names(of type: any ParsableCommand.Type) -> [String] {
        [type._commandName] + type.configuration.aliases
    }

    /// What to do about a prompt that was read as an option, if a command line that was refused has one.
    static func ofPrompt(in arguments: [String]) -> String? {
        guard arguments.contains("add") else { return nil }
        let looksLikePrompt = arguments.prefix { $0 != "--" }
            .contains { argument in
                guard argument.hasPrefix("-"), argument.count > 1 else { return false }
                // `--label=a b` is an option, and `-mo` a short one that is mistyped.
                let name = argument.prefix { $0 != "=" }
                return name.contains(where: \.isWhitespace) || (!argument.hasPrefix("--") && name.count > 3)
            }
        guard looksLikePrompt else { return nil }
        return "what begins with a dash is read as an option; write -- before a prompt that does: "
            + "promptctl add OPTIONS -- PROMPT"
    }

    /// Whether a text is one word of a script that sets spaces between words.
    static func isOneWord(_ text: String) -> Bool {
        !text.contains(where: \.isWhitespace) && text.unicodeScalars.allSatisfy { $0.value < 0x0E00 }
    }
}

extension FailureCode {
    static var names: [String] { allCases.map(\.rawValue) }

    /// - Throws: `ValidationError` for what no job can have, with the nearest that one can.
    static func checkedName(_ text: String) throws -> String {
        guard FailureCode(rawValue: text) != nil else {
            throw ValidationError(Misspelling.sentence(text, "error code", names))
        }
        return text
    }
}
