import ArgumentParser
import PromptQueue

struct CreditsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credits",
        abstract: "Ask the provider for the account's balance.",
        discussion: """
            Uses PROMPTD_PROVIDER_BASE_URL, and the API key in the file that PROMPTD_PROVIDER_API_KEY_FILE names, or in \
            KIE_API_KEY. Needs no database.
            """
    )

    @OptionGroup var format: JSONOption

    func run() async throws {
        let console = Console.current
        let credits = try await ProviderAccess(console).credits()
        console.print(format.json ? JSONValue.object(["credits": JSONValue(credits)]).json : credits.description)
    }
}
