import Foundation

/// How a program is started: with nothing of the tests' own but what is said here.
///
/// Foundation's `Process` is not used: it keeps descriptors open for each program that it has started, and hundreds of
/// them run here.
struct Spawn {
    let path: String
    let arguments: [String]
    let environment: [String: String]
    let input: String
    let output: String
    let errors: String

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: the pid, which has to be waited for.
    func run() throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let created = O_WRONLY | O_CREAT | O_TRUNC
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, created, 0o644)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, created, 0o644)
        // Closing what is not open is no error here. What others in this process opened is not to live on in a daemon.
        for descriptor in Int32(3)..<512 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

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
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argv = unsafe Self.copies([path] + arguments)
        let envp = unsafe Self.copies(environment.map { "\($0)=\($1)" })
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        guard code == 0 else { throw Failed(description: "\(path): \(unsafe String(cString: strerror(code)))") }
        return pid
    }

    /// C strings of our own, with a null pointer behind them.
    private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { unsafe strdup($0) } + [nil]
    }
}
