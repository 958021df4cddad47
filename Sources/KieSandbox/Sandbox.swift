package import PromptQueue
import Synchronization

/// A provider that many connections share: the account of each key, by itself.
package final class Sandbox: Sendable {
    /// Callbacks as they are scheduled.
    let callbacks: AsyncStream<ScheduledCallback>
    let configuration: SandboxConfiguration
    private let callbackContinuation: AsyncStream<ScheduledCallback>.Continuation
    /// The first is the one that control requests are about unless they name another.
    private let providers: Mutex<[SandboxProvider]>
    private let clock: @Sendable () -> Instant

    /// - Parameter clock: tells the time; read only while the provider is locked, so that it never goes back there.
    package init(
        configuration: SandboxConfiguration,
        catalogue: Catalogue,
        clock: @escaping @Sendable () -> Instant = SandboxClock.now
    ) {
        self.configuration = configuration
        self.clock = clock
        var accounts = [SandboxProvider(configuration: configuration, catalogue: catalogue)]
        for (number, account) in configuration.accounts.enumerated() {
            var own = configuration
            own.apiKey = account.key
            own.credits = account.credits
            // Ids of tasks are drawn from it.
            own.seed &+= UInt64(number + 1)
            accounts.append(SandboxProvider(configuration: own, catalogue: catalogue))
        }
        providers = Mutex(accounts)
        (callbacks, callbackContinuation) = AsyncStream.makeStream()
    }

    /// The answer to a request that arrives now.
    package func answer(to request: SandboxRequest) -> SandboxAnswer {
        let (answer, scheduled) = providers.withLock { providers in
            let index = providers.firstIndex { $0.concerns(request) } ?? 0
            providers[index].others = providers.enumerated().filter { $0.offset != index }.map(\.element)
            defer { providers[index].others = [] }
            let answer = providers[index].answer(to: request, now: clock())
            return (answer, providers[index].takeCallbacks())
        }
        for callback in scheduled { callbackContinuation.yield(callback) }
        return answer
    }

    /// The callback of an ended task.
    package func callback(for id: TaskID) -> CallbackRequest? {
        providers.withLock { providers in
            let index = providers.firstIndex { $0.tasks[id] != nil } ?? 0
            return providers[index].callback(for: id, now: clock())
        }
    }

    /// How long it is until `instant`; nothing if it has passed.
    package func time(until instant: Instant) -> Duration {
        max(instant - clock(), .zero)
    }

    func noteCallback(attempts: Int, isDelivered: Bool) {
        providers.withLock { $0[0].noteCallback(attempts: attempts, isDelivered: isDelivered) }
    }

    /// Result URLs start with `url` from now on.
    func setBaseURL(_ url: String) {
        providers.withLock { providers in for index in providers.indices { providers[index].baseURL = url } }
    }
}
