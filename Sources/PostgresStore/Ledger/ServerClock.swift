import PromptQueue

/// The server's clock against this machine's: instants of the ledger are the server's, and everything else in promptd goes by this
/// machine's.
struct ServerClock {
    /// By how much the server's is ahead.
    let shift: Duration

    init(server milliseconds: Int64, local: Instant) {
        shift = Instant(milliseconds: milliseconds) - local
    }

    func local(_ milliseconds: Int64) -> Instant { local(Instant(milliseconds: milliseconds)) }
    func local(_ instant: Instant) -> Instant { instant - shift }
    func server(_ instant: Instant) -> Int64 { (instant + shift).milliseconds }
}

extension Recovery {
    /// With the instants of what is open as this machine's.
    func shifted(by clock: ServerClock) -> Recovery {
        var recovery = self
        for index in tasks.indices { recovery.tasks[index].acceptedAt = clock.local(tasks[index].acceptedAt) }
        for index in downloads.indices { recovery.downloads[index].createdAt = clock.local(downloads[index].createdAt) }
        for index in unknown.indices {
            recovery.unknown[index].lostAt = clock.local(unknown[index].lostAt)
            if let task = unknown[index].hinted {
                recovery.unknown[index].hinted?.acceptedAt = clock.local(task.acceptedAt)
            }
        }
        return recovery
    }
}
