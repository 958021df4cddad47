import PromptQueue

/// What can be seen of the PostgreSQL server that has the database.
struct ServerChecks {
    let health: ServerHealth
    /// This machine's clock.
    let now: Instant

    func run() -> [Finding] {
        var findings = [server, durability]
        findings += standbys
        findings.append(difference)
        findings += [folding, numbering].compactMap(\.self)
        findings += vacuum
        findings += health.idleSlots.map { slot in
            .warning(
                "slot",
                "nobody reads from \(oneLine(slot.name)), and the server keeps \(size(slot.retained)) of its log for it",
                fix: "start what reads from it, or pg_drop_replication_slot('\(oneLine(slot.name))')"
            )
        }
        return findings
    }

    /// PostgreSQL 15.
    private static let oldest: Int64 = 150_000

    private var server: Finding {
        let text = "PostgreSQL \(oneLine(health.version)), \(size(health.bytes))"
        if health.versionNumber < Self.oldest {
            return .fault("server", text, fix: "promptd needs PostgreSQL 15 or newer")
        }
        if health.isStandby {
            return .fault(
                "server",
                "\(text), is a standby, which takes no writes",
                fix: "name the primary as well (host=ONE,OTHER), or promote this one: pg_ctl promote"
            )
        }
        return .ok("server", text)
    }

    /// What a crash, or a failover, may make the server forget: requests that were paid for among it.
    private var durability: Finding {
        if !health.syncsFiles {
            return .fault(
                "durability",
                "fsync is off: a crash can damage the database",
                fix: "ALTER SYSTEM SET fsync = on"
            )
        }
        if !health.writesFullPages {
            return .warning(
                "durability",
                "full_page_writes is off: a crash can damage the database unless its file system never tears pages",
                fix: "ALTER SYSTEM SET full_page_writes = on"
            )
        }
        if health.synchronousCommit == "off" {
            return .fault(
                "durability",
                "synchronous_commit is off: a crash forgets the last requests, which are paid for",
                fix: "ALTER DATABASE … SET synchronous_commit = on"
            )
        }
        guard !health.standbys.isEmpty || !health.synchronousStandbys.isEmpty else {
            return .ok("durability", "what is committed is on this server's disk; there is no standby")
        }
        if health.synchronousStandbys.isEmpty || health.synchronousCommit == "local" {
            return .warning(
                "durability",
                "a COMMIT waits for no standby: a failover may forget the last requests, which are paid for",
                fix: "set synchronous_standby_names, or see docs/several-machines.md for what is noticed without"
            )
        }
        if !health.standbys.contains(where: \.isSynchronous) {
            return .fault(
                "durability",
                "synchronous_standby_names is \(oneLine(health.synchronousStandbys)), and no such standby is there: every COMMIT waits",
                fix: "start it, or take it out of synchronous_standby_names"
            )
        }
        return .ok(
            "durability",
            "a COMMIT waits for a standby (synchronous_commit \(oneLine(health.synchronousCommit)))"
        )
    }

    private var standbys: [Finding] {
        health.standbys.map { standby in
            let name = standby.name.isEmpty ? "a standby" : oneLine(standby.name)
            if standby.state != "streaming" {
                return .warning("standby", "\(name) is in the state \(oneLine(standby.state))", fix: "see its log")
            }
            if let lag = standby.lag, lag > .seconds(60) {
                return .warning(
                    "standby",
                    "\(name) is \(lag.inWords) behind",
                    fix: "see its log, and the network between"
                )
            }
            return .ok("standby", "\(name) follows\(standby.isSynchronous ? ", and each COMMIT waits for it" : "")")
        }
    }

    private var difference: Finding {
        let difference = health.now - now
        let size = difference < .zero ? .zero - difference : difference
        guard size > .seconds(10) else { return .ok("clock", "agrees with the server's") }
        return .warning(
            "clock",
            "is \(size.inWords) \(difference < .zero ? "ahead of" : "behind") the server's, by which jobs are sent",
            fix: "set both right: chrony or systemd-timesyncd keep them so"
        )
    }

    /// Daemons fold every few seconds.
    private static let manyParts = 200_000

    private var folding: Finding? {
        guard health.unfolded > Self.manyParts else { return nil }
        return .warning(
            "sums",
            "\(grouped(health.unfolded)) parts of the sums wait to be folded, and every look at them adds them up",
            fix: "start promptd; if it runs, journalctl -u promptd says what keeps it from that"
        )
    }

    /// A daemon numbers within seconds; without one, whoever asks for events does.
    private var numbering: Finding? {
        guard let age = health.unnumberedFor, age > .seconds(300), health.daemons.contains(where: \.mayClaim) else {
            return nil
        }
        return .warning(
            "events",
            "\(count(health.unnumbered, "change")) wait for their numbers, the oldest for \(age.inWords); hooks are not told of them",
            fix: "end the transaction that is open for longest, if there is one; journalctl -u promptd may say more"
        )
    }

    /// So many dead rows are more than a table that is written all the time has.
    private static let manyDead = 100_000
    /// Half of what the server counts to before it stops.
    private static let oldTransactions = 1_000_000_000

    private var vacuum: [Finding] {
        var findings: [Finding] = []
        if !health.vacuums {
            findings.append(
                .fault(
                    "vacuum",
                    "autovacuum is off: the tables grow without end",
                    fix: "ALTER SYSTEM SET autovacuum = on"
                )
            )
        }
        if let open = health.oldestTransaction, open.age > .seconds(600) {
            let whose = open.application.isEmpty ? "" : " of \(oneLine(open.application))"
            findings.append(
                .warning(
                    "vacuum",
                    "a transaction\(whose) has been open for \(open.age.inWords) (\(oneLine(open.state))): nothing is cleared up meanwhile",
                    fix: "end it, or SELECT pg_terminate_backend(\(open.process))"
                )
            )
        }
        if health.transactionAge > Self.oldTransactions {
            findings.append(
                .fault(
                    "vacuum",
                    "rows \(grouped(health.transactionAge)) transactions old are not frozen; the server stops at 2,000 million",
                    fix: "vacuumdb --freeze, and see why autovacuum does not"
                )
            )
        }
        for table in health.tables where table.dead > Self.manyDead && table.dead > table.live {
            findings.append(
                .warning(
                    "vacuum",
                    "\(table.name) has \(grouped(table.dead)) dead rows and \(grouped(table.live)) others (\(size(table.bytes)))",
                    fix: "VACUUM promptd.\(table.name); docs/several-machines.md has autovacuum's settings for it"
                )
            )
        }
        return findings.isEmpty ? [.ok("vacuum", "nothing has to be cleared up")] : findings
    }
}
