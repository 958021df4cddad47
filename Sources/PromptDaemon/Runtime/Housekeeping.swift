import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle

/// Says that the daemon is alive, and how it stands; keeps the write-ahead log short.
struct Housekeeping: Service {
    let ledger: any LedgerStore
    let runners: Runners
    let notifier: SystemdNotifier
    let time: any TimeSource
    let logger: Logger
    /// Whether or not the ledger could be told.
    let closedGates: @Sendable () -> Set<String>
    let writeLogRests: @Sendable () -> Void

    func run() async throws {
        try await untilShutdown {
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + .seconds(10))
                // Whatever hangs here keeps the watchdog from being fed, and systemd starts promptd again. A ledger that answers
                // that it is locked, or that its disk is full, does not hang: another start would not help.
                await runners.progress()
                // A disk that has much to copy does not hang.
                let isLong = ledger.isMaintenanceLong
                if isLong { notifier.stretchWatchdog() }
                do {
                    try await ledger.beat(now: time.now.instant)
                    try await ledger.maintain()
                } catch let error as LedgerError where error.isTransient {
                    logger.warning("the heartbeat could not be written", metadata: ["reason": "\(error)"])
                }
                if isLong { notifier.restoreWatchdog() }
                writeLogRests()
                notifier.send("WATCHDOG=1")
                if let text = await status() { notifier.send("STATUS=\(text)") }
            }
        }
    }

    /// `3 running, 212 queued, 1 unconfirmed; 38120 credits; held by credits`: what `systemctl status` shows.
    private func status() async -> String? {
        guard notifier.isUsed, var figures = try? await ledger.figures() else { return nil }
        figures.gates = closedGates().union(figures.gates).sorted()
        return figures.line
    }
}

extension StatusFigures {
    /// How things stand, on one line.
    var line: String {
        func sum(_ states: Set<JobState>) -> Int {
            jobs.filter { JobState(rawValue: $0.state).map(states.contains) ?? false }.reduce(0) { $0 + $1.jobs }
        }
        var parts = ["\(sum([.submitting, .running])) running, \(sum([.queued])) queued"]
        let unconfirmed = sum([.unconfirmed])
        if unconfirmed > 0 { parts[0] += ", \(unconfirmed) unconfirmed" }
        if let balance { parts.append("\(balance) credits") }
        if !gates.isEmpty { parts.append("held by \(gates.map { PlainText.oneLine($0) }.joined(separator: ", "))") }
        return parts.joined(separator: "; ")
    }
}
