import KieAPI
import PromptConfiguration
import PromptQueue

/// What can be seen from here of the provider: the key, its reach, its clock; and of the way back.
struct ProviderChecks {
    let database: DatabaseOption
    let console: Console
    /// Do not ask it.
    let offline: Bool

    func run() async -> [Finding] {
        var findings = await provider(.standard)
        for account in console.settings.accounts { findings += await provider(account.name) }
        if let url = console.settings.callbacksPublicURL, !offline { findings.append(await callbacks(url)) }
        return findings
    }

    private func provider(_ account: AccountName) async -> [Finding] {
        let whose = account == .standard ? "" : " of \(account)"
        let access: ProviderAccess
        do {
            access = try ProviderAccess(console, account: account.rawValue)
        } catch {
            return [withoutKey(error, account)]
        }
        guard !offline else { return [.ok("API key\(whose)", "is there")] }
        let (answer, serverTime) = await access.look()
        let end = console.now()
        var findings: [Finding] = []
        switch answer {
        case .success(let credits): findings.append(.ok("provider\(whose)", "\(access.baseURL): \(credits.inWords)"))
        case .failure(let error) where error.status == .noPermission:
            findings.append(
                .fault(
                    "API key\(whose)",
                    error.message,
                    fix: "put a valid one in its place, then systemctl reload promptd"
                )
            )
        // Names that are not found and certificates that do not hold stand in the message.
        case .failure(let error): findings.append(.fault("provider\(whose)", error.message))
        }
        if account == .standard, let serverTime { findings.append(clock(serverTime, end)) }
        return findings
    }

    /// A daemon may have a key that this user must not read.
    private func withoutKey(_ error: CommandError, _ account: AccountName) -> Finding {
        let name = account == .standard ? "API key" : "API key of \(account)"
        let status = try? database.open { try $0.status() }
        if QueueOpener.daemonProcessID(database.place) != nil, let status,
            !status.gates.contains(where: { $0.name == BlockReason.key.rawValue && ($0.account ?? account) == account })
        {
            return .ok(name, "this user has none; the daemon's is not refused")
        }
        return .fault(name, error.message)
    }

    private func clock(_ theirs: Instant, _ ours: Instant) -> Finding {
        let difference = theirs - ours
        let size = difference < .zero ? .zero - difference : difference
        // The header has whole seconds, and the answer took its time.
        guard size > .seconds(30) else { return .ok("clock", "agrees with the provider's") }
        return .warning(
            "clock",
            "is \(size.inWords) \(difference < .zero ? "ahead of" : "behind") the provider's",
            fix: "set it right: budgets and schedules go by it"
        )
    }

    private func callbacks(_ url: String) async -> Finding {
        guard let obstacle = await CallbackReach.obstacle(publicURL: url) else {
            return .ok("callbacks", "\(url) leads to promptd")
        }
        return .warning(
            "callbacks",
            "\(url): \(obstacle)",
            fix: "without them promptd polls; docs/callbacks.md says how to set up a proxy"
        )
    }
}
