import KieAPI
import PromptQueue

/// The provider, as the environment names it: the same variables as the daemon's.
struct ProviderAccess {
    let baseURL: String
    let key: Secret

    /// - Throws: `CommandError` that says where a key can be put.
    init(_ console: Console) throws(CommandError) {
        let environment = console.environment
        baseURL = environment["PROMPTD_PROVIDER_BASE_URL"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://api.kie.ai"
        let allowsHTTP = environment["PROMPTD_PROVIDER_ALLOW_HTTP"] == "true"
        guard KieSettings.isAllowed(baseURL: baseURL, allowsHTTP: allowsHTTP) else {
            throw CommandError(
                .configuration,
                "PROMPTD_PROVIDER_BASE_URL: \"\(baseURL)\" is not \(KieSettings.allowedBaseURL)"
            )
        }
        let file = environment["PROMPTD_PROVIDER_API_KEY_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        let lookup = KeyLookup.api(fileSetting: "PROMPTD_PROVIDER_API_KEY_FILE")
        let found: Secret?
        do throws(KeyLookup.Problem) {
            found = try lookup.find(file: file, environment: environment)
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
