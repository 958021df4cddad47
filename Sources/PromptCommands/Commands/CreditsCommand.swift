import ArgumentParser
import FoundationEssentials
import PromptQueue

struct CreditsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credits",
        abstract: "Ask the provider for the account's balance, and compare the account with the ledger.",
        discussion: """
            Uses PROMPTD_PROVIDER_BASE_URL, and the API key in the file that PROMPTD_PROVIDER_API_KEY_FILE names, or in \
            KIE_API_KEY. The comparison is promptd's, from the readings that it takes while no request is under way; \
            without a database there is none.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    func run() async throws {
        let console = Console.current
        let credits = try await ProviderAccess(console).credits()
        // The balance needs no database; one that is there and cannot be read is said, though.
        let account =
            FileManager.default.fileExists(atPath: database.path)
            ? try database.open { try $0.account() } : nil
        if format.json {
            var object: JSONObject = ["credits": JSONValue(credits)]
            if let account { object["account"] = .object(account.object) }
            console.print(JSONValue.object(object).json)
            return
        }
        console.print(credits.description)
        for line in account?.lines ?? [] { console.say(line) }
    }
}
