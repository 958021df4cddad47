import Concurrency
import KieAPI
import NIOPosix
import Synchronization

/// Looks host names up on threads of its own, and not for ever: a resolver that hangs must not hold up the threads that
/// write files.
struct HostLookup: Sendable {
    static let shared: HostLookup = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return HostLookup(pool: pool)
    }()

    /// Started by whoever made it.
    let pool: NIOThreadPool
    var limit: Duration = .seconds(10)
    var clock: any Clock<Duration> = ContinuousClock()

    /// The addresses of a host.
    ///
    /// - Parameter resolve: blocks. It cannot be interrupted; after the limit nobody waits for it any more.
    /// - Throws: `DeadlineExceeded`, or what `resolve` throws.
    func addresses(
        of host: String,
        _ resolve: @escaping @Sendable (String) throws -> [String]
    ) async throws -> [String] {
        let (stream, continuation) = AsyncThrowingStream<[String], any Error>.makeStream()
        let isAbandoned = Flag()
        continuation.onTermination = { _ in isAbandoned.set() }
        pool.submit { state in
            // Those that nobody waits for any more hold up nobody else.
            guard state == .active, !isAbandoned.isSet else {
                continuation.finish(throwing: HostAddresses.Unresolved())
                return
            }
            do {
                continuation.yield(try resolve(host))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        return try await withDeadline(limit, clock: clock) {
            for try await addresses in stream { return addresses }
            throw HostAddresses.Unresolved()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
