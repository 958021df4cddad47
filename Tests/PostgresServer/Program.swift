import Foundation
import Glibc

/// A program that the tests have started, with its input from a pipe of theirs.
final class Program: @unchecked Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Never changed after the start.
    let pid: pid_t
    private let input: Int32

    /// Its output goes to a file.
    init(_ command: [String], log: String) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failed(description: "no pair of sockets") }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        for descriptor in Int32(3)..<1_024 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

        // The threads of the runner block signals, and a program inherits that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        let argv = unsafe command.map { unsafe strdup($0) } + [nil]
        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"]
        let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, command[0], &actions, &attributes, argv, envp)
        Glibc.close(ends[1])
        guard code == 0 else {
            Glibc.close(ends[0])
            throw Failed(description: "\(command[0]) cannot be started: error \(code)")
        }
        (self.pid, input) = (pid, ends[0])
    }

    /// Its input ends.
    func closeInput() { _ = shutdown(input, Int32(SHUT_RDWR)) }

    /// Whether it has ended, and waits to be waited for.
    var hasEnded: Bool {
        var information = unsafe siginfo_t()
        guard unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return true }
        return unsafe information.si_signo == SIGCHLD
    }

    /// Waits for its end, which blocks.
    ///
    /// - Returns: its exit status; 128 and the signal's number if a signal ended it.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        Glibc.close(input)
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Runs a command to its end.
    ///
    /// - Throws: `Failed` with what it said.
    static func run(_ command: [String], log: String) throws {
        let program = try Program(command, log: log)
        let status = program.wait()
        guard status == 0 else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failed(description: "\(command.joined(separator: " ")) failed with \(status): \(said.suffix(2_000))")
        }
    }
}
