import Glibc

/// Begins anew in the same process: with nothing of what it had in memory, and without a start that systemd would count.
enum NewBeginning {
    /// Returns only if that cannot be done.
    static func run() {
        // A mask outlives what follows, handlers and what is ignored by them do not.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
        for ending in [SIGTERM, SIGINT, SIGHUP] { signal(ending, SIG_DFL) }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe CommandLine.arguments.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        _ = unsafe execv("/proc/self/exe", &arguments)
    }
}
