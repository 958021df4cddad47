import Concurrency
import Glibc
import Logging
import PromptQueue
import Synchronization

/// Marks what is under way, so that the next start knows of what this process has died, and does what is suspected of having
/// ended the last one by itself.
package final class StepWatch: Sendable {
    private struct State {
        var suspects: Set<RiskyStep>
        var current: RiskyStep?
        var waiting: [(step: RiskyStep, turn: Latch)] = []
    }

    private let marks: any StepJournal
    private let store: any SuspectStore
    private let state: Mutex<State>

    init(marks: any StepJournal, suspects: Set<RiskyStep>, store: any SuspectStore) {
        self.marks = marks
        self.store = store
        state = Mutex(State(suspects: suspects))
    }

    /// Takes in of what the last process has died, if it has, and watches over this one.
    static func start(
        _ marks: any StepJournal,
        store: any SuspectStore,
        now: Instant,
        _ logger: Logger
    ) async throws(LedgerError) -> StepWatch {
        let (steps, end) = marks.leftovers ?? ([], .unexplained)
        if case .crash(let signal) = end {
            logger.error("the last promptd crashed", metadata: ["signal": "\(signal)", "steps": "\(steps.count)"])
        }
        let aside = try await store.noteDeaths(steps, end, version: Version.current, now: now)
        for found in aside {
            logger.error(
                "set aside: promptd has died of it again and again",
                metadata: .job(
                    found.job,
                    found.origin,
                    ["code": "\(FailureCode.setAside.rawValue)", "reason": "\(found.reason)"]
                )
            )
        }
        marks.reset()
        CrashNote.install(marks)
        return StepWatch(marks: marks, suspects: try await store.suspects(), store: store)
    }

    /// Whether it may have ended the last process.
    func isSuspected(_ step: RiskyStep) -> Bool { state.withLock { $0.suspects.contains(step) } }

    /// A step begins: at once, or, if it is suspected, when no other suspect is under way.
    func begin(_ step: RiskyStep) async {
        let turn = state.withLock { state -> Latch? in
            guard state.suspects.contains(step) else { return nil }
            guard state.current != nil else {
                state.current = step
                return nil
            }
            let turn = Latch()
            state.waiting.append((step, turn))
            return turn
        }
        if let turn { _ = await turn.wait() }
        marks.begin(step)
    }

    /// A step has ended, and what came of it is taken in.
    ///
    /// - Parameter isDone: whether all of it was done: an answer that did not come proves nothing.
    func end(_ step: RiskyStep, isDone: Bool = true) {
        marks.end(step)
        let (wasSuspected, next) = state.withLock { state -> (Bool, Latch?) in
            guard isDone ? state.suspects.remove(step) != nil : state.suspects.contains(step) else {
                return (false, nil)
            }
            state.waiting.removeAll { $0.step == step }
            guard state.current == step else { return (true, nil) }
            let next = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            state.current = next?.step
            return (true, next?.turn)
        }
        if wasSuspected, isDone { store.acquit(step) }
        next?.open()
    }

    /// Does a step that is over when it returns.
    func during<Value>(_ step: RiskyStep, _ body: () -> Value) -> Value {
        marks.begin(step)
        defer { end(step) }
        CrashFault.strike(step)
        return body()
    }
}

/// Notes the signal by which the process ends, for the next start.
enum CrashNote {
    // Written once, before the handler is there that reads them.
    private nonisolated(unsafe) static var descriptor: Int32 = -1
    private nonisolated(unsafe) static var offset: off_t = 0

    static func install(_ marks: any StepJournal) {
        unsafe descriptor = marks.signalPlace.descriptor
        unsafe offset = off_t(marks.signalPlace.offset)
        for signal in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGSYS] {
            var action = sigaction()
            // Nothing here but what a handler may do (signal-safety(7)). The signal comes again when this is done, whoever
            // sent it, and ends the process as it would have without this.
            unsafe action.__sigaction_handler.sa_sigaction = { signal, info, _ in
                // One that another process sends, like systemd's watchdog, says nothing of what is done here.
                let isSent = unsafe info.map {
                    unsafe $0.pointee.si_code <= 0 && $0.pointee._sifields._kill.si_pid != getpid()
                }
                if isSent ?? false {
                    raise(signal)
                    return
                }
                var byte = UInt8(truncatingIfNeeded: signal)
                _ = unsafe pwrite(CrashNote.descriptor, &byte, 1, CrashNote.offset)
                raise(signal)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_ONSTACK | SA_SIGINFO
            _ = unsafe sigaction(signal, &action, nil)
        }
    }
}

/// A crash on purpose, in builds for tests: `PROMPTD_TEST_CRASH="download 3"` ends the process when it fetches a result of
/// job 3, `claim 3` when it prepares that job, `poll 3` when the answer about attempt 3 is there.
enum CrashFault {
    #if DEBUG
        private static let wanted = unsafe getenv("PROMPTD_TEST_CRASH").map { unsafe String(cString: $0) }
    #endif

    static func strike(_ step: RiskyStep) {
        #if DEBUG
            let name =
                switch step {
                case .claim(let job): "claim \(job)"
                case .poll(let attempt): "poll \(attempt)"
                case .download(let result): "download \(result.job)"
                }
            // As a trap ends it.
            if name == wanted { raise(SIGILL) }
        #endif
    }
}
