import PromptQueue
import ServiceLifecycle

/// The runners of all accounts: one service, so that they end side by side, and not one after the other.
struct Runners: Service {
    let all: [AccountName: Runner]
    let gathering: StartGathering

    /// Runs until each has finished and recorded what is under way, after a graceful shutdown, or when one of them fails.
    ///
    /// - Throws: what the first threw.
    func run() async throws {
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            for runner in all.values {
                group.addTask {
                    do {
                        try await runner.run()
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            var first: (any Error)?
            for await failure in group {
                guard let failure, first == nil else { continue }
                first = failure
                // What the others have under way is still finished and recorded.
                gathering.abandon()
                for runner in all.values { runner.drain() }
            }
            return first
        }
        if let failure { throw failure }
    }

    /// Whether each is at work.
    var isRunning: Bool { all.values.allSatisfy(\.isRunning) }

    /// Returns once each has handled everything that happened until now. Never, while one is stuck: until the caller is cancelled.
    func progress() async {
        for runner in all.values { await runner.progress() }
    }

    /// Somebody else has committed to the ledger: whose queue it was about is for each to see.
    func ledgerChanged() async throws(LedgerError) {
        for runner in all.values { try await runner.ledgerChanged() }
    }

    func takeResumed() async throws(LedgerError) {
        for runner in all.values { try await runner.takeResumed() }
    }

    /// Keys and configuration were reloaded.
    func reloaded(_ settings: [AccountName: EngineSettings]) {
        for (account, settings) in settings { all[account]?.reloaded(settings) }
    }

    /// So many daemons share the provider's accounts.
    func membersChanged(_ count: Int) {
        for runner in all.values { runner.membersChanged(count) }
    }

    /// A callback says that there is news of a task.
    func hinted(_ account: AccountName, _ attempt: AttemptID, candidate: OpenTask?) {
        all[account]?.hinted(attempt, candidate: candidate)
    }
}
