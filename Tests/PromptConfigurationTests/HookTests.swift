import Foundation
import PromptQueue
import Testing

@testable import PromptConfiguration

/// `hooks` of the configuration file.
@Suite struct HookTests {
    private func load(_ yaml: String) async throws -> [Hook] {
        let path = FileManager.default.temporaryDirectory.path + "/promptd-hooks-\(UUID().uuidString).yaml"
        try Data(yaml.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await ConfigurationLoader.load(file: path, environment: [:]).hooks
    }

    @Test func `a hook is a command or a URL, with events and filters`() async throws {
        let hooks = try await load(
            """
            limits:
              running: 5
            hooks:
              mail:
                on: [failed, batch.done]
                command: [/usr/local/bin/tell, --to, ops]
                timeout: 2m
                queue: ads
              shop:
                on: [succeeded]
                url: https://shop.example/promptd
                secretFile: /etc/promptd/shop
                batch: spring
              local:
                on: [gate.closed, budget.reached, unconfirmed]
                url: http://localhost:9000/x
                allowHost: localhost
            """
        )
        #expect(
            hooks == [
                Hook(
                    rule: HookRule(name: "mail", events: [.failed, .batchDone], queue: "ads"),
                    action: .command(["/usr/local/bin/tell", "--to", "ops"]),
                    timeout: .seconds(120)
                ),
                Hook(
                    rule: HookRule(name: "shop", events: [.succeeded], batch: "spring"),
                    action: .webhook(.init(url: "https://shop.example/promptd", secretFile: "/etc/promptd/shop"))
                ),
                Hook(
                    rule: HookRule(name: "local", events: [.gateClosed, .budgetReached, .unconfirmed]),
                    action: .webhook(.init(url: "http://localhost:9000/x", isHostAllowed: true))
                ),
            ]
        )
        #expect(try await load("hooks:\n").isEmpty)
        #expect(try await load("").isEmpty)
    }

    @Test(arguments: [
        ("hooks: [a]", "hooks: takes a mapping of names to hooks"),
        ("hooks: {a b: {}}", "hooks.a b: is no name for a hook"),
        ("hooks: {a: x}", "hooks.a: takes on, and command or url"),
        ("hooks: {a: {on: [failed], comand: [/x]}}", "hooks.a.comand: is not known; did you mean command?"),
        ("hooks: {a: {command: [/x]}}", "hooks.a.on: is missing: a list of succeeded, failed"),
        ("hooks: {a: {on: failed, command: [/x]}}", "hooks.a.on: takes a list"),
        ("hooks: {a: {on: [faild], command: [/x]}}", "hooks.a.on: \"faild\" is no event; did you mean failed?"),
        ("hooks: {a: {on: [failed]}}", "hooks.a: takes a command or a url, one of them"),
        ("hooks: {a: {on: [failed], command: [/x], url: 'https://x.example'}}", "hooks.a: takes a command or a url"),
        ("hooks: {a: {on: [failed], command: [mail]}}", "hooks.a.command: takes a program's whole path"),
        ("hooks: {a: {on: [failed], command: [/x], secretFile: /y}}", "hooks.a.secretFile: goes with url"),
        ("hooks: {a: {on: [failed], url: 'ftp://x'}}", "hooks.a.url: \"ftp://x\" is not a URL"),
        ("hooks: {a: {on: [failed], url: 'http://x.example/'}}", "plain http is taken with allowHost: x.example"),
        (
            "hooks: {a: {on: [failed], url: 'http://x.example/', allowHost: y}}",
            "hooks.a.allowHost: \"y\" is not the host of the url, x.example"
        ),
        ("hooks: {a: {on: [failed], command: [/x], timeout: 1h}}", "hooks.a.timeout: \"1h\" is not a duration"),
        ("hoks: {}", "hoks is not a setting of promptd; did you mean hooks?"),
    ])
    func `what is wrong is said, with what is allowed`(yaml: String, message: String) async {
        let error = await #expect(throws: ConfigurationError.self) { try await load(yaml) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains(".yaml") == true)
    }
}
