package import PromptQueue
import Synchronization

/// A provider that many connections share.
package final class Sandbox: Sendable {
    /// Callbacks as they are scheduled.
    let callbacks: AsyncStream<ScheduledCallback>
    let configuration: SandboxConfiguration
    private let callbackContinuation: AsyncStream<ScheduledCallback>.Continuation
    private let provider: Mutex<SandboxProvider>
    private let clock: @Sendable () -> Instant

    /// - Parameter clock: tells the time; read only while the provider is locked, so that it never goes back there.
    package init(
        configuration: SandboxConfiguration,
        catalogue: Catalogue,
        clock: @escaping @Sendable () -> Instant = SandboxClock.now
    ) {
        self.configuration = configuration
        self.clock = clock
        provider = Mutex(SandboxProvider(configuration: configuration, catalogue: catalogue))
        (callbacks, callbackContinuation) = AsyncStream.makeStream()
    }

    /// The answer to a request that arrives now.
    package func answer(to request: SandboxRequest) -> SandboxAnswer {
        let (answer, scheduled) = provider.withLock { provider in
            let answer = provider.answer(to: request, now: clock())
            return (answer, provider.takeCallbacks())
        }
        for callback in scheduled { callbackContinuation.yield(callback) }
        return answer
    }

    /// The callback of an ended task.
    package func callback(for id: TaskID) -> CallbackRequest? {
        provider.withLock { $0.callback(for: id, now: clock()) }
    }

    /// How long it is until `instant`; nothing if it has passed.
    package func time(until instant: Instant) -> Duration {
        max(instant - clock(), .zero)
    }

    func noteCallback(attempts: Int, isDelivered: Bool) {
        provider.withLock { $0.noteCallback(attempts: attempts, isDelivered: isDelivered) }
    }

    /// Result URLs start with `url` from now on.
    func setBaseURL(_ url: String) {
        provider.withLock { $0.baseURL = url }
    }
}
