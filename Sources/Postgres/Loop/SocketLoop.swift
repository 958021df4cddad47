import Glibc
import Synchronization
import SystemPackage

/// One thread that waits for the sockets of all connections and runs what their actors have to do, so that no thread waits for
/// one query.
///
/// It polls: a daemon has a handful of connections. Nothing that runs here may wait for anything else. As a task's executor it takes the
/// task's steps as well (`BlockingCall`).
@safe final class SocketLoop: SerialExecutor, TaskExecutor {
    /// Why a wait is over.
    enum Wakeup: Sendable {
        case ready, timedOut, closed
    }

    private struct Interest {
        var events: Int16
        var deadline: ContinuousClock.Instant?
        var wake: @Sendable (Wakeup) -> Void
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var interests: [Int32: Interest] = [:]
        /// Whether the thread is in poll(2), or about to be, and has to be woken for a job.
        var sleeps = false
    }

    private static let started = Mutex<SocketLoop?>(nil)

    private let state = Mutex(State())
    private let reader: Int32
    private let writer: Int32
    /// The thread's `pthread_t`; zero before it runs.
    private let thread = Atomic<UInt>(0)

    var isCurrentThread: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// The process's one loop, which lives as long as the process.
    ///
    /// - Throws: `PostgresError` when the system has no descriptors or threads left.
    static func shared() throws(PostgresError) -> SocketLoop {
        try started.withLock { started throws(PostgresError) in
            if let started { return started }
            let new = try SocketLoop()
            started = new
            return new
        }
    }

    private init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(clamping: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw PostgresError(.cannotConnect, "no pair of sockets could be made: \(Errno(rawValue: errno))")
        }
        (reader, writer) = (ends[0], ends[1])
        guard OwnThread.start({ self.run() }) else {
            close(reader)
            close(writer)
            throw PostgresError(.cannotConnect, "no thread could be started: \(Errno(rawValue: errno))")
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let sleeps = state.withLock { state in
            state.jobs.append(job)
            defer { state.sleeps = false }
            return state.sleeps
        }
        if sleeps { rouse() }
    }

    /// Calls `wake` once, on this thread, when the descriptor is ready for one of `events` or the deadline has passed; what waited for
    /// this descriptor before is replaced.
    func arm(
        _ descriptor: Int32,
        events: Int32,
        until deadline: ContinuousClock.Instant? = nil,
        wake: @escaping @Sendable (Wakeup) -> Void
    ) {
        change { state in
            state.interests[descriptor] = Interest(
                events: Int16(truncatingIfNeeded: events),
                deadline: deadline,
                wake: wake
            )
        }
    }

    /// Lets a wait end at `deadline` at the latest.
    func hasten(_ descriptor: Int32, until deadline: ContinuousClock.Instant) {
        change { state in
            guard let old = state.interests[descriptor] else { return }
            state.interests[descriptor]?.deadline = min(old.deadline ?? deadline, deadline)
        }
    }

    /// Nobody waits for the descriptor any more: whoever does is told that it is closed.
    func disarm(_ descriptor: Int32) {
        let old = state.withLock { $0.interests.removeValue(forKey: descriptor) }
        old?.wake(.closed)
    }

    private func change(_ body: (inout State) -> Void) {
        let sleeps = state.withLock { state in
            body(&state)
            defer { state.sleeps = false }
            return state.sleeps
        }
        if sleeps { rouse() }
    }

    /// What cannot be written because there is too much wakes as well.
    private func rouse() {
        var byte: UInt8 = 1
        _ = unsafe write(writer, &byte, 1)
    }

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var polled: [pollfd] = []
        var drained = [UInt8](repeating: 0, count: 64)
        while true {
            let jobs = state.withLock { state in
                defer { state.jobs.removeAll(keepingCapacity: true) }
                return state.jobs
            }
            for job in jobs {
                unsafe job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(),
                    taskExecutor: asUnownedTaskExecutor()
                )
            }
            let wait = prepare(&polled)
            guard unsafe poll(&polled, nfds_t(polled.count), wait) >= 0 else { continue }
            if polled[0].revents != 0 { while unsafe read(reader, &drained, drained.count) > 0 {} }
            for wake in due(polled) { wake.0(wake.1) }
        }
    }

    /// - Returns: milliseconds for poll(2).
    private func prepare(_ polled: inout [pollfd]) -> Int32 {
        polled.removeAll(keepingCapacity: true)
        polled.append(pollfd(fd: reader, events: Int16(truncatingIfNeeded: POLLIN), revents: 0))
        return state.withLock { state in
            state.sleeps = state.jobs.isEmpty
            var first: ContinuousClock.Instant?
            for (descriptor, interest) in state.interests {
                polled.append(pollfd(fd: descriptor, events: interest.events, revents: 0))
                if let deadline = interest.deadline { first = min(first ?? deadline, deadline) }
            }
            guard state.sleeps else { return 0 }
            guard let first else { return -1 }
            let left = (first - ContinuousClock.now).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
            return Int32(clamping: left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000 + 1)
        }
    }

    private func due(_ polled: [pollfd]) -> [(@Sendable (Wakeup) -> Void, Wakeup)] {
        let now = ContinuousClock.now
        return state.withLock { state in
            state.sleeps = false
            var due: [(@Sendable (Wakeup) -> Void, Wakeup)] = []
            for one in polled.dropFirst() {
                guard let interest = state.interests[one.fd] else { continue }
                let isLate = interest.deadline.map { $0 <= now } ?? false
                guard one.revents != 0 || isLate else { continue }
                state.interests[one.fd] = nil
                due.append((interest.wake, one.revents != 0 ? .ready : .timedOut))
            }
            return due
        }
    }
}
