import KieAPI
import PromptConfiguration
import PromptQueue

/// The provider, as the daemon's settings name it.
struct ProviderAccess {
    let baseURL: String
    let key: Secret

    /// - Throws: `CommandError` that says where a key can be put.
    init(_ console: Console) throws(CommandError) {
        baseURL = console.settings.providerBaseURL
        let lookup = KeyLookup.api(fileSetting: "provider.apiKeyFile")
        let found: Secret?
        do throws(KeyLookup.Problem) {
            let named = try lookup.find(file: console.settings.apiKeyFile, environment: console.environment)
            found = if let named { named } else { try lookup.findInStore(console.credentialStore) }
        } catch {
            throw CommandError(.configuration, error.description)
        }
        guard let found else { throw CommandError(.configuration, lookup.absence) }
        key = found
    }

    /// The account's balance.
    func credits() async throws -> Credits {
        let client = KieClient(KieSettings(baseURL: baseURL), key: key)
        let answer = await client.credits()
        try await client.shutdown()
        switch answer {
        case .success(let credits): return credits
        case .failure(let error):
            switch error.failure.code {
            case .keyRefused:
                throw CommandError(.noPermission, "\(baseURL): the API key was refused: \(error.failure.message)")
            default:
                throw CommandError(.unavailable, "\(baseURL): \(error.failure.message); try again later")
            }
        }
    }

    /// How a task stands.
    func recordInfo(_ task: TaskID) async throws -> PollOutcome {
        let client = KieClient(KieSettings(baseURL: baseURL), key: key)
        let answer = await client.recordInfo(task)
        try await client.shutdown()
        return answer.outcome
    }
}
