import Foundation
import KieAPI
import PromptQueue
import Testing

@testable import PromptConfiguration

/// `accounts` of the configuration file.
@Suite struct AccountSettingsTests {
    private func load(_ yaml: String) async throws -> DaemonConfiguration {
        let path = FileManager.default.temporaryDirectory.path + "/promptd-accounts-\(UUID().uuidString).yaml"
        try Data(yaml.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await ConfigurationLoader.load(file: path, environment: [:])
    }

    @Test
    func `an account has a key, limits and a reserve of its own, and the provider's limits where it says nothing`()
        async throws
    {
        let configuration = try await load(
            """
            limits: {submissions: 60, running: 300}
            accounts:
              acme:
                apiKeyFile: /etc/promptd/acme-key
                submissions: 40
                window: 20s
                running: 50
                pollsPerSecond: 3
                reserve: 500
              studio-2:
            """
        )
        var acme = AccountSettings(name: AccountName(stored: "acme"))
        acme.apiKeyFile = "/etc/promptd/acme-key"
        acme.rate = RateLimit(count: 40, window: .seconds(20))
        acme.running = 50
        acme.pollsPerSecond = 3
        acme.creditsReserve = Credits(millicredits: 500_000)
        #expect(configuration.accounts == [acme, AccountSettings(name: AccountName(stored: "studio-2"))])
        #expect(configuration.accounts[1].rate == RateLimit(count: 20, window: .seconds(10)))
        #expect(try await load("accounts:\n").accounts.isEmpty)
    }

    @Test(arguments: [
        ("accounts: [a]", "accounts: takes a mapping of names to accounts"),
        ("accounts: {a b: {}}", "accounts.a b: is no name for an account"),
        ("accounts: {default: {}}", "accounts.default: is the account of the top level"),
        ("accounts: {a: x}", "accounts.a: takes apiKeyFile,"),
        ("accounts: {a: {reserv: 5}}", "accounts.a.reserv: is not known; did you mean reserve?"),
        ("accounts: {a: {submissions: 0}}", "accounts.a.submissions: \"0\" is not"),
        ("accounts: {a: {running: [1]}}", "accounts.a.running: takes a single value"),
        ("acounts: {}", "acounts is not a setting of promptd; did you mean accounts?"),
    ])
    func `what is wrong is said, with the place and the line`(yaml: String, message: String) async throws {
        let error = await #expect(throws: ConfigurationError.self) { _ = try await load(yaml) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains(".yaml") == true)
    }

    @Test func `one key is one account`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/promptd-keys-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a", "b"] { try Data("one\n".utf8).write(to: URL(filePath: folder + "/api-key-" + name)) }
        let environment = ["CREDENTIALS_DIRECTORY": folder, "KIE_API_KEY": "one"]
        let (a, b) = (AccountSettings(name: AccountName(stored: "a")), AccountSettings(name: AccountName(stored: "b")))
        let standard = try Credentials.apiKey(file: nil, environment: environment)
        let error = #expect(throws: ConfigurationError.self) {
            _ = try Credentials.accountKeys([a], beside: standard, environment: environment)
        }
        #expect(error?.description.contains("accounts.a: has the API key of the account default") == true)
        try Data("two\n".utf8).write(to: URL(filePath: folder + "/api-key-a"))
        #expect(try Credentials.accountKeys([a], beside: standard, environment: environment).count == 1)
        try Data("two\n".utf8).write(to: URL(filePath: folder + "/api-key-b"))
        #expect(throws: ConfigurationError.self) {
            _ = try Credentials.accountKeys([a, b], beside: standard, environment: environment)
        }
    }

    @Test func `its key comes from its file, or from a credential of its own`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/promptd-keys-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("one\n".utf8).write(to: URL(filePath: folder + "/file"))
        try Data("two\n".utf8).write(to: URL(filePath: folder + "/api-key-acme"))
        var acme = AccountSettings(name: AccountName(stored: "acme"))
        let environment = ["CREDENTIALS_DIRECTORY": folder, "KIE_API_KEY": "of the standard account"]
        #expect(try Credentials.accountKey(acme, environment: environment).value == "two")
        acme.apiKeyFile = folder + "/file"
        #expect(try Credentials.accountKey(acme, environment: environment).value == "one")
        let error = #expect(throws: ConfigurationError.self) {
            _ = try Credentials.accountKey(
                AccountSettings(name: AccountName(stored: "other")),
                environment: environment
            )
        }
        #expect(error?.description.contains("the credential api-key-other") == true)
    }
}
