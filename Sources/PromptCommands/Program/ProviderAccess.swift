import KieAPI
import PromptConfiguration
import PromptQueue

/// The provider, as the daemon's settings name it.
struct ProviderAccess {
    let baseURL: String
    let account: AccountName
    let key: Secret

    /// - Throws: `CommandError` that says where a key can be put, or which accounts there are.
    init(_ console: Console, account name: String = AccountName.standard.rawValue) throws(CommandError) {
        baseURL = console.settings.providerBaseURL
        let further = console.settings.accounts.first { $0.name.rawValue == name }
        guard further != nil || name == AccountName.standard.rawValue else {
            let known = [AccountName.standard] + console.settings.accounts.map(\.name)
            throw CommandError(
                .badData,
                KnownNames.sentence("account", name, known.map(\.rawValue), "promptctl status")
            )
        }
        account = further?.name ?? .standard
        let lookup = further.map { KeyLookup.account($0.name) } ?? .api(fileSetting: "provider.apiKeyFile")
        let file = further.map(\.apiKeyFile) ?? console.settings.apiKeyFile
        let found: Secret?
        do throws(KeyLookup.Problem) {
            let named = try lookup.find(file: file, environment: console.environment)
            found = if let named { named } else { try lookup.findInStore(console.credentialStore) }
        } catch {
            throw CommandError(.configuration, error.description)
        }
        guard let found else { throw CommandError(.configuration, lookup.absence) }
        key = found
    }

    /// The account's balance.
    func credits() async throws(CommandError) -> Credits {
        try await look().balance.get()
    }

    /// The account's balance, and what the provider's clock shows.
    func look() async -> (balance: Result<Credits, CommandError>, serverTime: Instant?) {
        let client = KieClient(KieSettings(baseURL: baseURL), key: key)
        let answer = await client.credits()
        let serverTime = client.serverTime
        // Nothing is under way any more that could be lost.
        try? await client.shutdown()
        return (answer.mapError(commandError), serverTime)
    }

    private func commandError(_ error: FailureError) -> CommandError {
        switch error.failure.code {
        case .keyRefused:
            CommandError(.noPermission, "\(baseURL): the API key was refused: \(error.failure.message)")
        default:
            CommandError(.unavailable, "\(baseURL): \(error.failure.message); try again later")
        }
    }

    /// Runs `body` with a client, which is closed afterwards.
    ///
    /// - Throws: `CommandError` for what the provider answers, and whatever else `body` throws.
    func withClient<T>(_ body: (KieClient) async throws -> T) async throws -> T {
        let client = KieClient(KieSettings(baseURL: baseURL), key: key)
        let result: Result<T, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        try? await client.shutdown()
        do { return try result.get() } catch let error as FailureError { throw commandError(error) }
    }

    /// How a task stands.
    func recordInfo(_ task: TaskID) async throws -> PollOutcome {
        let client = KieClient(KieSettings(baseURL: baseURL), key: key)
        let answer = await client.recordInfo(task)
        try await client.shutdown()
        return answer.outcome
    }
}
