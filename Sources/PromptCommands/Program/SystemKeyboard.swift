import Glibc
import PromptQueue
import Synchronization

/// The process's own terminal.
final class SystemKeyboard: Keyboard {
    private static let signals = [SIGWINCH, SIGINT, SIGTERM, SIGHUP]
    /// Where the signals' handler writes to.
    private static let wakeup = Atomic<Int32>(-1)

    private struct State {
        var pipe: (read: Int32, write: Int32)?
        var saved: termios?
    }

    private let state = Mutex(State())

    func begin() {
        state.withLock { state in
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { return }
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            state.pipe = (ends[0], ends[1])
            Self.wakeup.store(ends[1], ordering: .relaxed)
            for number in Self.signals {
                signal(number) { number in
                    var byte = UInt8(truncatingIfNeeded: number)
                    _ = unsafe write(SystemKeyboard.wakeup.load(ordering: .relaxed), &byte, 1)
                }
            }
            var settings = termios()
            if Self.ownsInput, unsafe tcgetattr(STDIN_FILENO, &settings) == 0 { state.saved = settings }
        }
    }

    func next(within time: Duration) async throws -> TerminalEvent? {
        state.withLock { state in
            guard let pipe = state.pipe else {
                var none = pollfd()
                unsafe poll(&none, 0, Int32(clamping: time.milliseconds))
                return nil
            }
            // Each time: whoever stops the program and goes on with it finds the terminal as the shell has left it.
            if let saved = state.saved, Self.ownsInput {
                var raw = saved
                raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
                unsafe tcsetattr(STDIN_FILENO, TCSANOW, &raw)
            }
            let reads = state.saved != nil
            var watched = [
                pollfd(fd: pipe.read, events: Int16(clamping: POLLIN), revents: 0),
                pollfd(fd: reads ? STDIN_FILENO : -1, events: Int16(clamping: POLLIN), revents: 0),
            ]
            let count = nfds_t(watched.count)
            let ready = unsafe watched.withUnsafeMutableBufferPointer {
                unsafe poll($0.baseAddress, count, Int32(clamping: time.milliseconds))
            }
            var byte: UInt8 = 0
            // A signal ends poll(2), too, and its byte is in the pipe by then.
            if unsafe read(pipe.read, &byte, 1) == 1 {
                return Int32(clamping: byte) == SIGWINCH ? .resized : .signal(Int32(clamping: byte))
            }
            guard ready > 0, watched[1].revents & Int16(clamping: POLLIN | POLLHUP) != 0 else { return nil }
            // Nobody will press a key any more.
            guard unsafe read(STDIN_FILENO, &byte, 1) == 1 else { return .signal(SIGHUP) }
            return .key(byte)
        }
    }

    func end() {
        state.withLock { state in
            for number in Self.signals { signal(number, SIG_DFL) }
            if var saved = state.saved, Self.ownsInput { unsafe tcsetattr(STDIN_FILENO, TCSANOW, &saved) }
            state.saved = nil
            Self.wakeup.store(-1, ordering: .relaxed)
            if let pipe = state.pipe {
                close(pipe.read)
                close(pipe.write)
            }
            state.pipe = nil
        }
    }

    /// A program in the background that touches the terminal is stopped.
    private static var ownsInput: Bool { isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp() }
}
