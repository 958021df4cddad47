import Glibc

/// Pauses on threads of its own: those of the cooperative pool may all wait for what pauses.
struct ThreadClock: Clock {
    private let clock = ContinuousClock()

    var now: ContinuousClock.Instant { clock.now }
    var minimumResolution: Duration { clock.minimumResolution }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        let left = (deadline - now).components
        guard left.seconds >= 0, left.attoseconds > 0 || left.seconds > 0 else { return }
        let slept: Void? = await OwnThread.run {
            var time = timespec(
                tv_sec: Int(clamping: left.seconds),
                tv_nsec: Int(clamping: left.attoseconds / 1_000_000_000)
            )
            var rest = timespec()
            while unsafe nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
        }
        guard slept != nil else { throw PostgresError(.cannotConnect, "no thread could be started to wait with") }
    }
}
