import Foundation

/// A page of the manual in roff (man(7)), made from what a command says of itself.
struct ManualPage {
    private(set) var text: String

    /// - Parameters:
    ///   - related: other pages, such as `promptd(8)`.
    init(_ command: HelpDump.Command, section: Int, title: String, related: [String]) {
        let name = command.fullName.replacing(" ", with: "-")
        text = """
            .\\" Made from the program's own help by a test; not edited.
            .TH \(name.uppercased()) \(section) "" "promptd" "\(title)"
            .SH NAME
            \(Self.escaped(name)) \\- \(Self.escaped(Self.sentence(command.abstract ?? "")))
            .SH SYNOPSIS

            """
        for line in Self.synopses(of: command) { text += line }
        if let discussion = command.discussion, !discussion.isEmpty {
            text += ".SH DESCRIPTION\n" + Self.paragraphs(discussion)
        }
        text += Self.list("ARGUMENTS", command) { $0.kind == "positional" }
        text += Self.list("OPTIONS", command) { $0.kind != "positional" }
        for sub in command.commands {
            // Commands of commands have no page of their own.
            guard command.superCommands?.isEmpty == false else { continue }
            text += ".SH \(Self.escaped(sub.commandName.uppercased()))\n"
            if let abstract = sub.abstract { text += Self.paragraphs(abstract) }
            for line in Self.synopses(of: sub) { text += ".PP\n" + line }
            if let discussion = sub.discussion, !discussion.isEmpty { text += ".PP\n" + Self.paragraphs(discussion) }
            text += Self.items(sub) { _ in true }
        }
        if command.superCommands?.isEmpty != false, !command.commands.isEmpty {
            text += ".SH COMMANDS\n"
            for sub in command.commands {
                text += ".TP\n.BR \(Self.escaped("\(name)-\(sub.commandName)")) (1)\n"
                text += Self.escaped(sub.abstract ?? "") + "\n"
            }
        }
        text += ".SH SEE ALSO\n" + related.map(Self.reference).joined(separator: ",\n") + "\n"
    }

    /// `promptd(8)` in bold and roman.
    private static func reference(_ page: String) -> String {
        let parts = page.split(separator: "(")
        return ".BR \(escaped(String(parts[0]))) (\(parts[1])"
    }

    /// As the line of NAME wants it: without a capital and a full stop.
    private static func sentence(_ text: String) -> String {
        let text = text.hasSuffix(".") ? String(text.dropLast()) : text
        return (text.first?.lowercased() ?? "") + text.dropFirst()
    }

    private static func synopses(of command: HelpDump.Command) -> [String] {
        let commands = command.commands
        guard commands.isEmpty else {
            return [".B \(escaped(command.fullName))\n.I command\n.RI [ options ]\n"]
        }
        var line = ".B \(escaped(command.fullName))\n"
        let shown = (command.arguments ?? []).filter { $0.shouldDisplay != false }
        if shown.contains(where: { $0.kind != "positional" }) { line += ".RI [ options ]\n" }
        for argument in shown where argument.kind == "positional" {
            let name = escaped(argument.valueName ?? "value") + (argument.isRepeating ? " ..." : "")
            line += argument.isOptional ? ".RI [ \"\(name)\" ]\n" : ".I \"\(name)\"\n"
        }
        return [line]
    }

    private static func list(
        _ heading: String,
        _ command: HelpDump.Command,
        _ isWanted: (HelpDump.Argument) -> Bool
    ) -> String {
        let items = items(command, isWanted)
        return items.isEmpty ? "" : ".SH \(heading)\n" + items
    }

    private static func items(_ command: HelpDump.Command, _ isWanted: (HelpDump.Argument) -> Bool) -> String {
        (command.arguments ?? []).filter { $0.shouldDisplay != false && isWanted($0) }.map(item).joined()
    }

    private static func item(_ argument: HelpDump.Argument) -> String {
        var head: String
        if argument.kind == "positional" {
            head = ".I \(escaped(argument.valueName ?? "value"))"
        } else {
            let names = (argument.names ?? []).map { escaped($0.text) }.joined(separator: ", ")
            let value = argument.kind == "option" ? argument.valueName : nil
            head = value.map { ".BI \"\(names) \" \(escaped($0))" } ?? ".B \"\(names)\""
        }
        var text = ".TP\n\(head)\n"
        text += [argument.abstract, argument.discussion].compactMap(\.self).map(lines).joined(separator: ".br\n")
        // The default of an optional value stands in its text.
        if let value = argument.defaultValue, !(argument.abstract ?? "").contains("(default:") {
            text += "Default: \(escaped(value)).\n"
        }
        return text
    }

    private static func paragraphs(_ text: String) -> String {
        text.components(separatedBy: "\n\n").map(lines).joined(separator: ".PP\n")
    }

    /// Lines as they are; one that is indented stays so.
    private static func lines(_ text: String) -> String {
        var result = ""
        var isLiteral = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("  ") != isLiteral {
                isLiteral.toggle()
                result += isLiteral ? ".nf\n" : ".fi\n"
            }
            result += escaped(String(line)) + "\n"
        }
        return result + (isLiteral ? ".fi\n" : "")
    }

    /// Nothing in a text is a request or an escape of roff.
    static func escaped(_ text: String) -> String {
        var result = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        result = result.replacing("…", with: "...")
        if result.hasPrefix(".") || result.hasPrefix("'") { result = "\\&" + result }
        return result
    }
}
