import ArgumentParser
import Foundation
import KieSandbox
import PromptCommands
import PromptDaemon
import Testing

/// The pages of the manual are what the programs and the schema say: `PROMPTD_WRITE_DOCS=1 swift test --filter ManualTests`
/// writes them, and without that the test compares.
@Suite struct ManualTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    private static let folder = root.appending(path: "docs/man")
    private static let isWriting = ProcessInfo.processInfo.environment["PROMPTD_WRITE_DOCS"] != nil

    /// Every page by its file's name, but for the one that is made from the settings.
    private static func pages() throws -> [String: String] {
        var pages: [String: String] = [:]
        let promptctl = try HelpDump(PromptctlCommand._dumpHelp()).command
        let all = ["promptd(8)", "promptd.yaml(5)", "promptd-schema(7)"]
        pages["promptctl.1"] = ManualPage(promptctl, section: 1, title: "User commands", related: all).text
        for command in promptctl.commands {
            pages["promptctl-\(command.commandName).1"] =
                ManualPage(command, section: 1, title: "User commands", related: ["promptctl(1)"] + all).text
        }
        let daemon = try HelpDump(DaemonCommand._dumpHelp()).command
        pages["promptd.8"] =
            ManualPage(
                daemon,
                section: 8,
                title: "System administration",
                related: ["promptctl(1)", "promptd.yaml(5)", "promptd-schema(7)", "systemctl(1)"]
            )
            .text
        let sandbox = try HelpDump(SandboxCommand._dumpHelp()).command
        pages["kie-sandbox.1"] =
            ManualPage(sandbox, section: 1, title: "User commands", related: ["promptd(8)", "promptctl(1)"]).text
        let schema = String(decoding: try Data(contentsOf: root.appending(path: "docs/schema.sql")), as: UTF8.self)
        pages["promptd-schema.7"] = SchemaPage(schema).text
        return pages
    }

    @Test func `every page is what the program says, and there is no other`() throws {
        let pages = try Self.pages()
        if Self.isWriting {
            for (name, text) in pages { try Data(text.utf8).write(to: Self.folder.appending(path: name)) }
        }
        for (name, text) in pages {
            let file = Self.folder.appending(path: name)
            let found = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
            #expect(found == text, "docs/man/\(name) is not what the program says")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(pages.keys).union(["promptd.yaml.5"]))
    }

    @Test func `every command and every option has a sentence`() throws {
        func check(_ command: HelpDump.Command) {
            #expect(command.abstract?.isEmpty == false, "\(command.fullName)")
            for argument in command.arguments ?? [] where argument.shouldDisplay != false {
                #expect(
                    argument.abstract?.isEmpty == false,
                    "\(command.fullName) \(argument.preferredName?.text ?? "")"
                )
            }
            command.commands.forEach(check)
        }
        for json in [PromptctlCommand._dumpHelp(), DaemonCommand._dumpHelp(), SandboxCommand._dumpHelp()] {
            check(try HelpDump(json).command)
        }
    }

    @Test func `no text is a request of roff`() {
        #expect(ManualPage.escaped(".TH x") == "\\&.TH x")
        #expect(ManualPage.escaped("a\\-b") == "a\\e\\-b")
    }
}
