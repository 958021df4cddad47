import Foundation
import PromptQueue
import Testing

@testable import PromptConfiguration

/// What is written of the settings is made from their table: `PROMPTD_WRITE_DOCS=1 swift test --filter SettingDocumentsTests`
/// writes it, and without that the test compares.
@Suite struct SettingDocumentsTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    private func compare(_ text: String, _ path: String) throws {
        let file = Self.root.appending(path: path)
        if ProcessInfo.processInfo.environment["PROMPTD_WRITE_DOCS"] != nil { try Data(text.utf8).write(to: file) }
        #expect(
            String(decoding: try Data(contentsOf: file), as: UTF8.self) == text,
            "\(path) is not what the table makes"
        )
    }

    @Test func `the example is the table's`() throws {
        try compare(Self.example, "examples/promptd.yaml")
    }

    @Test func `the example's values are what holds without it`() async throws {
        let isValue = try Regex("^#(  )?[a-zA-Z]+:( [^ ].*)?$")
        let lines = Self.example.split(separator: "\n").compactMap { line -> String? in
            guard line.wholeMatch(of: isValue) != nil else { return nil }
            let text = String(line.dropFirst())
            let isExample = Setting.all.contains { setting in
                setting.standard == nil && setting.example.map { text.hasSuffix(": \($0)") } ?? false
            }
            return isExample ? nil : text
        }
        #expect(lines.count > 20)
        let path = FileManager.default.temporaryDirectory.path + "/promptd-example-\(UUID().uuidString).yaml"
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await ConfigurationLoader.load(file: path, environment: [:]) == DaemonConfiguration())
    }

    @Test func `the page's list of settings is the table's`() throws {
        let path = "docs/configuration.md"
        let page = String(decoding: try Data(contentsOf: Self.root.appending(path: path)), as: UTF8.self)
        let (begin, end) = ("<!-- settings: from their table, by a test -->\n\n", "\n<!-- end of the settings -->\n")
        let first = try #require(page.range(of: begin))
        let last = try #require(page.range(of: end))
        try compare(page[..<first.upperBound] + Self.table + page[last.lowerBound...], path)
    }

    @Test func `the man page is the table's`() throws {
        try compare(Self.manual, "docs/man/promptd.yaml.5")
    }

    @Test func `every setting has a sentence, and a default or an example`() {
        for setting in Setting.all {
            #expect(setting.summary.hasSuffix("."), "\(setting.key)")
            #expect(setting.standard != nil || setting.example != nil, "\(setting.key)")
        }
    }

    @Test func `every exit code and every error code stands in its list, and no other`() throws {
        func codes(_ path: String, after heading: String) throws -> Set<String> {
            let page = String(decoding: try Data(contentsOf: Self.root.appending(path: path)), as: UTF8.self)
            let start = try #require(page.range(of: "### \(heading)\n"))
            let rows = page[start.upperBound...].split(separator: "\n").drop { !$0.hasPrefix("|") }.dropFirst(2)
                .prefix { $0.hasPrefix("|") }
            return Set(
                rows.flatMap { row in
                    row.split(separator: "|")[0].split(separator: ",").map {
                        String($0.filter { $0 != "`" && $0 != " " })
                    }
                }
            )
        }
        // 1 is promptctl's alone, and said below the list.
        let exits = ExitStatus.allCases.filter { $0 != .failed }.map { "\($0.rawValue)" }
        #expect(try codes("README.md", after: "Exit codes") == Set(exits + ["0"]))
        let failures = FailureCode.allCases.map(\.rawValue)
        #expect(try codes("docs/database.md", after: "Error codes") == Set(failures))
    }

    // MARK: - The documents

    /// Sections in order, with their settings.
    private static let sections: [(name: String?, settings: [Setting])] = Setting.all.reduce(into: []) {
        sections,
        setting in
        let name = setting.key.contains(".") ? setting.key.split(separator: ".").first.map(String.init) : nil
        if name != nil, sections.last?.name == name {
            sections[sections.count - 1].settings.append(setting)
        } else {
            sections.append((name, [setting]))
        }
    }

    private static var example: String {
        var text = """
            # promptd's settings, each with its default. The daemon reads /etc/promptd/promptd.yaml; copy there what you change.
            # A line like "#key: value" is a setting: remove the # to set it. Every setting has an environment variable that
            # overrides it: limits.pollsPerSecond is PROMPTD_LIMITS_POLLS_PER_SECOND. docs/configuration.md says more on each.
            # Durations: 250ms, 10s, 5m, 2h, 90d.

            """
        for (name, settings) in sections {
            text += "\n"
            if let name { text += "#\(name):\n" }
            for setting in settings {
                let indent = name == nil ? "" : "  "
                for line in wrapped(setting.summary, to: 114) { text += "\(indent)# \(line)\n" }
                let plain = setting.standard ?? setting.example ?? ""
                // To YAML a brace begins a mapping.
                let value = plain.hasPrefix("{") ? "\"\(plain)\"" : plain
                let key = name.map { String(setting.key.dropFirst($0.count + 1)) } ?? setting.key
                text += "#\(indent)\(key): \(value)\n"
            }
        }
        return text
    }

    private static var table: String {
        var text = """
            | key | environment | default | allowed | taken over by |
            |---|---|---|---|---|

            """
        for setting in Setting.all {
            let standard = setting.standard.map { "`\($0)`" } ?? "unset"
            let allowed = setting.isList ? "a list of \(setting.allowed)" : setting.allowed
            text += "| `\(setting.key)` | `\(setting.environmentName)` | \(standard) | \(allowed) | "
            text += "\(setting.isReloaded ? "reload" : "restart") |\n"
        }
        return text
    }

    private static var manual: String {
        var text = """
            .\\" Made from the table of the settings by a test; not edited.
            .TH PROMPTD.YAML 5 "" "promptd" "File formats"
            .SH NAME
            promptd.yaml \\- settings of promptd
            .SH SYNOPSIS
            .I /etc/promptd/promptd.yaml
            .SH DESCRIPTION
            .BR promptd (8)
            reads this file, or the one that
            .B \\-\\-config
            names. It may be missing. A setting is written under its section:
            .PP
            .RS
            .nf
            limits:
              submissions: 20
              window: 10s
            .fi
            .RE
            .PP
            An environment variable overrides each setting. A setting that is unknown, malformed or out of range stops the start with
            exit status 78 and a message that names it;
            .B promptd \\-\\-check\\-config
            looks for such mistakes and starts nothing. Durations are written 250ms, 10s, 5m, 2h or 90d. After SIGHUP the file is
            read again: what waits for a restart is said below, and named in the log when it has changed.
            .SH SETTINGS

            """
        for setting in Setting.all {
            text += ".TP\n.B \(roff(setting.key))\n"
            for line in wrapped(setting.summary, to: 110) { text += roff(line) + "\n" }
            text += ".br\nAllowed: \(roff(setting.isList ? "a list of \(setting.allowed)" : setting.allowed)).\n"
            text += ".br\n" + (setting.standard.map { "Default: \(roff($0)).\n" } ?? "Not set by default.\n")
            text += ".br\nEnvironment: \(setting.environmentName).\n"
            if !setting.isReloaded { text += ".br\nA change waits for a restart.\n" }
        }
        text += """
            .SH HOOKS
            Under
            .B hooks
            each section is a hook, by a name of letters, digits, _ and \\-: a program that is run, or a URL that is posted to.
            .PP
            .RS
            .nf
            hooks:
              shop:
                on: [succeeded, batch.done]
                url: https://shop.example/hooks/promptd
                secretFile: /etc/promptd/shop\\-secret
              mail:
                on: [failed, gate.closed, budget.warning]
                command: [/usr/local/lib/promptd/mail]
            .fi
            .RE
            .TP
            .B on
            What it is told of, a list of \(roff(HookEvent.choices.map(\.rawValue).joined(separator: ", "))).
            .TP
            .B command
            The program's whole path and its arguments, as a list; there is no shell between. It reads a JSON object, in one line.
            .TP
            .B url
            Where to post to, over https, signed as Standard Webhooks say.
            .TP
            .B secretFile
            A file with the secret that signs. Without it: systemd's credential hook\\-NAME.
            .TP
            .B allowHost
            The URL's host, once more: it may be in a private network, or this machine, and the URL plain http.
            .TP
            .B timeout
            How long one try may take, 1s to 10m. Default: 30s.
            .TP
            .BR queue ", " batch
            Only jobs, or batches, of these.
            .PP
            What fails is tried again for about two days;
            .BR promptctl\\-hooks\\-list (1)
            shows it. SIGHUP takes changes over.
            .SH SEE ALSO
            .BR promptd (8),
            .BR promptctl (1),
            .BR systemd.exec (5)

            """
        return text
    }

    /// A text as a line of roff: hyphens of names stay hyphens, and nothing is taken for a request.
    private static func roff(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }

    private static func wrapped(_ text: String, to width: Int) -> [String] {
        text.split(separator: " ").reduce(into: [""]) { lines, word in
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(line) \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }
}
