import Foundation
import Testing

/// Daemons that live shortly, one after the other, while jobs come in.
final class KillRun {
    let plan: KillPlan
    let stage: Stage
    let sandbox: Sandbox
    private(set) var tally = KillTally()
    private var random: SplitMix
    /// How many jobs have come in.
    private(set) var inserted = 0
    private var wholeFiles: Set<String> = []
    private let clock = ContinuousClock()
    private let settings: [String: String]

    init(_ plan: KillPlan, _ stage: Stage, _ sandbox: Sandbox) {
        self.plan = plan
        self.stage = stage
        self.sandbox = sandbox
        random = SplitMix(state: plan.seed)
        settings = [
            "PROMPTD_LIMITS_SUBMISSIONS": "\(plan.submissions)",
            "PROMPTD_LIMITS_WINDOW": "\(KillPlan.windowSeconds)s",
            "PROMPTD_TEST_LATE_ARRIVAL_SECONDS": "\(plan.lateSeconds)",
            "PROMPTD_LIMITS_RUNNING": "1000", "PROMPTD_LIMITS_POLLS_PER_SECOND": "1000",
        ]
    }

    /// Returns when all kills are done and every job has come to its end.
    func run() async throws {
        let began = clock.now
        var daemon = try await stage.daemon(sandbox, settings)
        try await stage.ledger(
            """
            INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES
                ('everything', NULL, 'total', \(plan.limit(after: 0, inserted: 0))),
                ('night', 'night', 'total', \(plan.nightLimit(after: 0)))
            """
        )
        while tally.kills < plan.kills {
            daemon = try await rivalled(daemon)
            try await live(daemon)
            try expectOnlyWholeImages()
            if (tally.kills + tally.drains).isMultiple(of: 25) {
                try await autopsy()
                let minutes = Double((clock.now - began).components.seconds) / 60
                SystemTests.progress(
                    "\(tally.kills) of \(plan.kills) kills in \(Int(minutes.rounded())) min: \(inserted) jobs"
                )
            }
            daemon = try start()
        }
        try await daemon.line(with: "is running")
        try await insert()
        try await workUntilNothingIsHeld()
        try await stage.ledger.wait(
            for: "0",
            from: """
                SELECT count(*) FROM jobs
                WHERE state NOT IN ('succeeded', 'failed', 'unconfirmed') AND id NOT IN (\(KillChecks.waiting))
                """,
            within: .seconds(240)
        )
        try await stage.ledger.wait(
            for: "1",
            from: """
                SELECT NOT EXISTS (SELECT 1 FROM hook_deliveries WHERE state = 'pending')
                    AND hooks_read >= (SELECT max(sequence) FROM events) FROM daemon
                """,
            within: .seconds(240)
        )
        try await stage.stop(daemon)
        tally.count(log: daemon.errors)
    }

    /// Jobs go on coming in until the last request that the front holds has arrived: a limit has to count it then.
    private func workUntilNothingIsHeld() async throws {
        guard plan.heldSeconds > 0 else { return }
        try await sandbox.always(nil)
        while try await sandbox.statistics().createTask.held > 0 {
            try await add(plan.submissions / 3)
            try await clock.sleep(for: .seconds(KillPlan.windowSeconds * 2))
        }
    }

    private func start() throws -> RunningProgram {
        try stage.start(
            "promptd",
            ["--config", stage.configuration],
            environment: stage.environment(sandbox, settings)
        )
    }

    /// Once in a while starts a second daemon at once: one of the two gives way, and the other works on.
    private func rivalled(_ daemon: RunningProgram) async throws -> RunningProgram {
        guard Int.random(in: 0..<100, using: &random) < 4 else { return daemon }
        tally.rivals += 1
        let rival = try start()
        let loser = try await eventually("one of two daemons gives way", every: .milliseconds(3)) {
            rival.ended != nil ? rival : daemon.ended != nil ? daemon : nil
        }
        #expect(loser.ended == .exit(75), "\(loser.tail)")
        let winner = loser === rival ? daemon : rival
        #expect(winner.isRunning, "\(winner.tail)")
        return winner
    }

    private func live(_ daemon: RunningProgram) async throws {
        let born = clock.now
        switch KillMoment.draw(using: &random) {
        case .age(let age):
            let isShort = age < .milliseconds(200)
            let arrival = Duration.milliseconds(Int.random(in: 0...400, using: &random))
            // Whoever has a database open lends a hand in its recovery: the shortest lives are alone with theirs.
            if !isShort {
                try await clock.sleep(until: born + min(age, arrival))
                try await insert()
            }
            try await clock.sleep(until: born + age)
        case .write(let count, let delay):
            try await insert()
            try await writes(count)
            try await clock.sleep(for: delay)
        case .download(let delay):
            try await insert()
            let deadline = clock.now + KillMoment.longest
            while halfFiles == 0, clock.now < deadline { try await clock.sleep(for: .microseconds(300)) }
            try await clock.sleep(for: delay)
        }
        try await end(daemon)
    }

    /// Returns after so many changes of the write-ahead log, or when it is still for long.
    private func writes(_ count: Int) async throws {
        let deadline = clock.now + KillMoment.longest
        var seen = 0
        var last = log()
        while seen < count, clock.now < deadline {
            try await clock.sleep(for: .microseconds(300))
            let now = log()
            if now != last { seen += 1 }
            last = now
        }
    }

    private func log() -> [Int] {
        var status = stat()
        guard unsafe stat("\(stage.database)-wal", &status) == 0 else { return [] }
        return [Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    private func end(_ daemon: RunningProgram) async throws {
        let end: RunningProgram.End
        switch KillEnd.draw(using: &random) {
        case .kill:
            daemon.send(SIGKILL)
            end = try await daemon.end()
            #expect(end == .signal(SIGKILL), "\(daemon.tail)")
        case .drain:
            daemon.send(SIGTERM)
            end = try await daemon.end()
        case .drainCutShort(let delay):
            daemon.send(SIGTERM)
            try await clock.sleep(for: delay)
            daemon.send(SIGKILL)
            end = try await daemon.end()
        }
        let log = daemon.errors
        if end == .signal(SIGKILL) {
            tally.kills += 1
        } else {
            tally.drains += 1
            // Nobody listens to signals yet during the start.
            #expect(
                end == .exit(0) || (end == .signal(SIGTERM) && !log.contains("is running")),
                "\(end) \(daemon.tail)"
            )
        }
        tally.count(log: log)
        tally.halfFiles += halfFiles
    }

    private var halfFiles: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(stage.media)/.partial"))?.count ?? 0
    }

    /// Brings in the jobs that are due and raises the budgets; then looks at what must hold at every moment.
    private func insert() async throws {
        try await add(max(0, plan.jobs(after: tally.kills) - inserted))
    }

    private func add(_ count: Int) async throws {
        let rows = (inserted..<inserted + count).map {
            // Every tenth takes the result of one that came long before it.
            let source = $0 >= 20 && $0.isMultiple(of: 10) ? "json_object('x_reference', 'job:\($0 - 15)')" : "'{}'"
            return "('a fox, number \($0)', '\($0.isMultiple(of: 3) ? "night" : "default")', \(source))"
        }
        inserted += count
        let found = try await stage.ledger(
            """
            BEGIN IMMEDIATE;
            UPDATE budgets SET limit_millicredits = \(plan.limit(after: tally.kills, inserted: inserted))
            WHERE name = 'everything';
            UPDATE budgets SET limit_millicredits = \(plan.nightLimit(after: tally.kills)) WHERE name = 'night';
            \(rows.isEmpty ? "" : "INSERT INTO jobs (prompt, queue, input) VALUES \(rows.joined(separator: ", "));")
            COMMIT;
            \(KillChecks.broken);
            SELECT EXISTS (SELECT 1 FROM gates WHERE name LIKE 'budget:%');
            """
        )
        .split(separator: "\n")
        try #require(found.count == 2)
        #expect(found[0] == KillChecks.nothingBroken, "after \(tally.kills) kills")
        tally.looks += 1
        if found[1] == "1" { tally.holds += 1 }
    }

    /// Looks at the database as the dead daemon left it: in a copy, so that the next one has to recover the log itself.
    private func autopsy() async throws {
        let folder = "\(stage.folder)/autopsy"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: stage.database + suffix) {
            try FileManager.default.copyItem(atPath: stage.database + suffix, toPath: "\(folder)/copy\(suffix)")
        }
        let copy = Ledger(path: "\(folder)/copy", stage: stage)
        try await KillChecks(ledger: copy, sandbox: sandbox, limit: plan.submissions).holds()
        try FileManager.default.removeItem(atPath: folder)
        tally.autopsies += 1
    }

    /// Whatever the moment of death, a file under a final name is whole.
    private func expectOnlyWholeImages() throws {
        for queue in ["default", "night"] {
            let folder = "\(stage.media)/\(queue)"
            guard FileManager.default.fileExists(atPath: folder) else { continue }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".png") && wholeFiles.insert("\(queue)/\(name)").inserted {
                let image = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                #expect(image.suffix(8).starts(with: Data("IEND".utf8)), "\(name) is cut short")
            }
        }
    }
}
