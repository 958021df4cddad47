import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

/// What can be seen of the database, and of the daemon in it.
struct DatabaseChecks {
    let database: DatabaseOption
    let console: Console
    /// Read the whole file.
    let full: Bool
    let rebuildSums: Bool

    func run() -> [Finding] {
        var findings = database.place.path.map { [directory($0)] } ?? []
        let health: FileHealth
        do {
            health = try database.open { try $0.health(full: full) }
        } catch {
            return findings + [.fault("database", Self.text(error))]
        }
        findings.append(.ok("database", "\(database.path), schema version \(health.schemaVersion)"))
        if let refusal = health.refusal { findings.append(.fault("move", refusal)) }
        switch health.engine {
        case .sqlite(let version, let journalMode):
            findings += database.place.path.map(modes) ?? []
            findings.append(sqlite(version))
            if journalMode != "wal" {
                findings.append(.fault("journal", journalMode, fix: "promptctl init switches to wal"))
            }
        case .postgresql(let server):
            findings += ServerChecks(health: server, now: console.now()).run()
        }
        if full { findings.append(integrity(health)) }
        findings.append(sums)
        findings.append(clock(health.latest))
        return findings + state(health)
    }

    private static func text(_ error: any Error) -> String { (error as? LedgerError)?.message ?? "\(error)" }

    private func integrity(_ health: FileHealth) -> Finding {
        switch (health.damages, health.engine) {
        case (let damages?, .sqlite) where damages.isEmpty: .ok("integrity", "SQLite finds no damage")
        case (let damages?, .postgresql) where damages.isEmpty: .ok("integrity", "amcheck finds no damage in indexes")
        case (let damages?, .sqlite):
            .fault("integrity", damages.joined(separator: "; "), fix: "restore a backup: promptctl restore")
        case (let damages?, .postgresql):
            .fault("integrity", damages.joined(separator: "; "), fix: "REINDEX, and see whether the disk is well")
        case (nil, _):
            .warning(
                "integrity",
                "was not looked at: the extension amcheck is not installed",
                fix: "CREATE EXTENSION amcheck"
            )
        }
    }

    private func directory(_ path: String) -> Finding {
        do {
            try QueueOpener.checkDirectory(of: path)
            return .ok("directory", "this user may write beside \(path)")
        } catch {
            return .fault("directory", error.message)
        }
    }

    /// SQLite gives `-wal` and `-shm` the database's mode, and takes them over with whatever they have.
    private func modes(_ database: String) -> [Finding] {
        func status(_ path: String) -> stat? {
            var status = stat()
            return unsafe stat(path, &status) == 0 ? status : nil
        }
        guard let own = status(database) else { return [] }
        var findings: [Finding] = []
        if own.st_mode & 0o007 != 0 {
            findings.append(.warning("modes", "everybody may read the prompts", fix: "chmod o= \(database)"))
        }
        for suffix in ["-wal", "-shm"] {
            let path = database + suffix
            guard let beside = status(path) else { continue }
            if beside.st_mode & 0o777 != own.st_mode & 0o777 || beside.st_gid != own.st_gid {
                findings.append(
                    .warning(
                        "modes",
                        "\(path) has other rights than the database, so that not all who may write to one may write to the other",
                        fix: "stop promptd and all producers, then remove it if it is empty"
                    )
                )
            }
        }
        return findings.isEmpty ? [.ok("modes", "as they should be")] : findings
    }

    private func sqlite(_ version: String) -> Finding {
        if version.isOlder(than: "3.38.0") {
            return .fault("SQLite", version, fix: "too old; promptd needs 3.38 or newer")
        }
        guard version.isOlder(than: "3.51.3") else { return .ok("SQLite", version) }
        return .ok(
            "SQLite",
            "\(version); its WAL-reset bug is avoided: promptd alone checkpoints, and only to truncate"
        )
    }

    /// Whether budgets, the account and the queues go by numbers that are true.
    private var sums: Finding {
        do {
            let faults = try database.open { try rebuildSums ? $0.rebuildSums() : $0.sumFaults() }
            guard !faults.isEmpty else { return .ok("sums", "agree with the ledger and the jobs") }
            let listed = faults.prefix(Self.listedFaults).map(\.description).joined(separator: "; ")
            let more = faults.count > Self.listedFaults ? "; and \(faults.count - Self.listedFaults) more" : ""
            return rebuildSums
                ? .ok("sums", "rebuilt: \(listed)\(more)")
                : .fault(
                    "sums",
                    "somebody has written to them: \(listed)\(more)",
                    fix: "promptctl doctor --rebuild-sums puts them right, also while promptd runs"
                )
        } catch {
            return .fault("sums", Self.text(error))
        }
    }

    private static let listedFaults = 5

    private func clock(_ latest: Instant?) -> Finding {
        let now = console.now()
        guard let latest, latest - now > .seconds(60) else { return .ok("clock", now.iso8601) }
        return .fault(
            "clock",
            "is \((latest - now).inWords) behind what the database has seen (\(latest.iso8601))",
            fix: "set it right"
        )
    }

    // MARK: - The daemon and its jobs

    private func state(_ health: FileHealth) -> [Finding] {
        do {
            return try database.open { file in
                [daemon(health)] + gates(try file.status()) + jobs(try file.status(), try file.restoredCopy())
                    + schedules(try file.schedules()) + (try hooks(file))
            }
        } catch {
            return [.fault("state", Self.text(error))]
        }
    }

    private func hooks(_ file: any QueueClient) throws -> [Finding] {
        let dead = try file.hookDeliveries([.dead], limit: 1_000).count
        guard dead > 0 else { return [] }
        return [
            .warning(
                "hooks",
                "\(count(dead, "delivery", "deliveries")) given up",
                fix: "promptctl hooks list --dead says why; promptctl hooks retry --dead makes them once more"
            )
        ]
    }

    private func daemon(_ health: FileHealth) -> Finding {
        if case .postgresql(let server) = health.engine { return daemons(server) }
        guard let holder = QueueOpener.daemonProcessID(database.place) else {
            return .fault("daemon", "is not running", fix: "systemctl start promptd")
        }
        if let heartbeat = health.heartbeat, console.now() - heartbeat > .seconds(60) {
            return .fault(
                "daemon",
                "runs, pid \(holder), and has written nothing for \((console.now() - heartbeat).inWords)",
                fix: "journalctl -u promptd says why; systemctl restart promptd loses nothing"
            )
        }
        return .ok("daemon", "runs, pid \(holder)")
    }

    private func daemons(_ server: ServerHealth) -> Finding {
        func text(_ daemon: ServerHealth.Daemon) -> String {
            let place = daemon.host.map { " on \(oneLine($0))" } ?? ""
            return oneLine(daemon.name) + place + (daemon.processID.map { ", pid \($0)" } ?? "")
        }
        let (working, lost) = (server.daemons.filter(\.mayClaim), server.daemons.filter { !$0.mayClaim })
        guard !working.isEmpty else { return .fault("daemon", "none is running", fix: "systemctl start promptd") }
        let listed = working.map(text).joined(separator: "; ")
        guard let silent = lost.first else { return .ok("daemon", "\(working.count) at work: \(listed)") }
        return .warning(
            "daemon",
            "\(working.count) at work: \(listed); of \(text(silent)) nothing was heard for \((server.now - silent.heartbeat).inWords)",
            fix: "its jobs go over to the others; systemctl start promptd there"
        )
    }

    /// Gates that do not open by the working of the queue alone.
    private func gates(_ status: StatusRecord) -> [Finding] {
        let closed = status.gates.filter { !BlockReason(rawValue: $0.name).isOrdinary && $0.name != "restored" }
        guard !closed.isEmpty else { return [.ok("gates", "nothing is held")] }
        return closed.map { gate in
            let place = gate.queue.isEmpty ? "" : " (queue \(oneLine(gate.queue)))"
            return .warning("gates", "\(oneLine(gate.name))\(place): \(oneLine(gate.message))")
        }
    }

    private func schedules(_ schedules: [ScheduleRecord]) -> [Finding] {
        let faults = schedules.filter { $0.isEnabled && $0.lastError != nil }
        guard !schedules.isEmpty else { return [] }
        guard !faults.isEmpty else { return [.ok("schedules", count(schedules.count, "schedule"))] }
        return faults.prefix(Self.listedFaults).map { schedule in
            let reason = oneLine(schedule.lastError ?? "")
            return .warning(
                "schedules",
                "\(oneLine(schedule.name)) has added no job: \(reason)",
                fix: "promptctl schedule show \(oneLine(schedule.name))"
            )
        }
    }

    private func jobs(_ status: StatusRecord, _ copy: RestoredCopy?) -> [Finding] {
        var findings: [Finding] = []
        if let copy {
            findings.append(.fault("restored", copy.text, fix: "\(Advice.lookAtRestored)"))
        }
        let unconfirmed = status.queues.reduce(0) { $0 + ($1.counts[.unconfirmed] ?? 0) }
        if unconfirmed > 0 {
            findings.append(
                .warning(
                    "jobs",
                    "\(count(unconfirmed, "job")) unconfirmed, which may have been paid for",
                    fix: "promptctl list --state unconfirmed; promptctl show ID says what to do"
                )
            )
        }
        return findings.isEmpty ? [.ok("jobs", "none is unconfirmed")] : findings
    }
}

extension String {
    /// Whether this version is older than `other`.
    fileprivate func isOlder(than other: String) -> Bool {
        split(separator: ".").compactMap { Int($0) }.lexicographicallyPrecedes(
            other.split(separator: ".").compactMap { Int($0) }
        )
    }
}
