import ArgumentParser
import FoundationEssentials
import PromptQueue

struct CreditsCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "credits",
        abstract: "Ask the provider for the account's balance, and compare the account with the ledger.",
        discussion: """
            Uses the daemon's settings, and the API key of provider.apiKeyFile, of the credential promptd.api-key (as root), or \
            of KIE_API_KEY. The comparison is promptd's, from the readings that it takes while no request is under way; \
            without a database there is none. --account asks for one of accounts in the configuration.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption
    @Option(help: ArgumentHelp("Of this account.", valueName: "name")) var account = AccountName.standard.rawValue

    func run() async throws {
        let console = Console.current
        let access = try ProviderAccess(console, account: account)
        let credits = try await access.credits()
        // The balance needs no database; one that is there and cannot be read is said, though.
        let comparison =
            database.exists
            ? try database.open { try $0.account(access.account) } : nil
        if format.json {
            var object: JSONObject = ["credits": JSONValue(credits)]
            if let comparison { object["account"] = .object(comparison.object) }
            console.print(JSONValue.object(object).json)
            return
        }
        console.print(credits.description)
        for line in comparison?.lines ?? [] { console.say(line) }
    }
}
