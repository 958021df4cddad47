import Foundation

/// What a program says of itself, as swift-argument-parser dumps it (`--experimental-dump-help`).
struct HelpDump: Decodable {
    let command: Command

    struct Command: Decodable {
        let commandName: String
        let abstract: String?
        let discussion: String?
        let superCommands: [String]?
        let arguments: [Argument]?
        let subcommands: [Command]?
        let shouldDisplay: Bool?

        /// `promptctl queue pause`.
        var fullName: String { ((superCommands ?? []) + [commandName]).joined(separator: " ") }

        /// Those that people are told of.
        var commands: [Command] { (subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false } }
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String

            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        let kind: String
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let abstract: String?
        let discussion: String?
        let shouldDisplay: Bool?
    }

    init(_ json: String) throws {
        self = try JSONDecoder().decode(HelpDump.self, from: Data(json.utf8))
    }
}
