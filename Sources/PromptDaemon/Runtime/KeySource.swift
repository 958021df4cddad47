import KieAPI
import Logging
import PromptQueue
import Synchronization

/// Where the API key comes from, for the time after it was refused.
final class KeySource: Sendable {
    /// Reads the key; throws while it cannot be read.
    private let read: @Sendable () throws -> Secret
    private let isRefused = Atomic(false)

    init(read: @escaping @Sendable () throws -> Secret) {
        self.read = read
    }

    func note(_ failure: Failure) {
        if failure.code == .keyRefused { isRefused.store(true, ordering: .relaxed) }
    }

    /// Gives the client the key as it is now, if the last one was refused.
    func refresh(_ client: KieClient) { refresh { client.replaceKey($0) } }

    /// The same for whoever else sends it.
    func refresh(_ replace: (Secret) -> Void) {
        guard isRefused.exchange(false, ordering: .relaxed) else { return }
        // Without a readable key the old one stays; if it is refused again, it is read again.
        guard let key = try? read() else { return }
        replace(key)
    }
}
