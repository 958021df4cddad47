import Glibc

/// How many files and connections the process may have open.
enum DescriptorLimit {
    /// What the daemon needs for itself: database, provider, downloads, files, and the connections of both listeners.
    static let needed: UInt64 = 1_024

    /// How many connections of strangers each of the two listeners keeps open, so that the daemon's own needs have what is
    /// left: 128 where there are enough descriptors.
    static func connections(of limit: UInt64) -> Int {
        Int(clamping: min(max((limit > own ? limit - own : 0) / 4, 4), 128))
    }

    /// Database, provider, downloads and files.
    private static let own: UInt64 = 96

    /// Raises the soft limit to the hard one, as a program may that uses no `select(2)`.
    ///
    /// - Returns: the limit now.
    @discardableResult
    static func raise() -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return needed }
        let hard = limit.rlim_max
        if limit.rlim_cur < hard {
            var raised = limit
            raised.rlim_cur = hard
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return UInt64(limit.rlim_cur)
    }
}
