import Foundation
import Testing

extension SystemTests {
    /// The daemon may die at any moment: nothing is paid for twice, nothing is forgotten.
    @Suite(.timeLimit(.minutes(5)))
    struct KillTests {
        private static let kills = 25
        private static let jobsPerLife = 4
        /// A daemon is killed at any moment of its first second: while it starts, takes up what was under way, submits,
        /// polls or downloads.
        private static let longestLife = 1_000

        @Test func `kill -9 at 25 random moments loses no job and pays for none twice`() async throws {
            let seed =
                ProcessInfo.processInfo.environment["PROMPTD_TEST_SEED"].flatMap { UInt64($0) }
                ?? .random(in: 0...UInt64.max)
            print("▸ PROMPTD_TEST_SEED=\(seed) repeats the moments of this run")
            var random = SplitMix(state: seed)
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox([
                    "--rate", "1000/1s", "--poll-rate", "1000/1s", "--duration", "1s", "--jitter", "1s", "--latency",
                    "100ms", "--credits", "100000", "--seed", "\(seed)",
                ])
                let settings = [
                    "PROMPTD_LIMITS_SUBMISSIONS": "1000", "PROMPTD_LIMITS_WINDOW": "1s",
                    "PROMPTD_LIMITS_RUNNING": "1000",
                    "PROMPTD_LIMITS_POLLS_PER_SECOND": "1000",
                ]
                let clock = ContinuousClock()
                var daemon = try await stage.daemon(sandbox, settings)
                for life in 1...Self.kills {
                    let death = clock.now + .milliseconds(Int.random(in: 0...Self.longestLife, using: &random))
                    // Half of the jobs come when the daemon may be just starting, half at any time later.
                    try await insert(life, from: 1, to: Self.jobsPerLife / 2, stage)
                    try await clock.sleep(
                        until: min(death, clock.now + .milliseconds(Int.random(in: 0...400, using: &random)))
                    )
                    try await insert(life, from: Self.jobsPerLife / 2 + 1, to: Self.jobsPerLife, stage)
                    try await clock.sleep(until: death)
                    daemon.send(SIGKILL)
                    #expect(try await daemon.end() == .signal(SIGKILL))
                    try expectOnlyWholeImages(stage)
                    daemon = try stage.start(
                        "promptd",
                        ["--config", stage.configuration],
                        environment: stage.environment(sandbox, settings)
                    )
                }
                try await stage.ledger.wait(
                    for: "0",
                    from: "SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'unconfirmed')",
                    within: .seconds(120)
                )
                try await stage.stop(daemon)
                try await check(stage, sandbox)
            }
        }

        private func insert(_ life: Int, from first: Int, to last: Int, _ stage: Stage) async throws {
            let rows = (first...last).map { "('a fox of life \(life), number \($0)')" }.joined(separator: ", ")
            try await stage.ledger("INSERT INTO jobs (prompt) VALUES \(rows)")
        }

        private struct Attempt: Decodable {
            let job_id: Int
            let prompt: String
            let state: String
            let task_id: String?
        }

        private func check(_ stage: Stage, _ sandbox: Sandbox) async throws {
            let jobs = Self.kills * Self.jobsPerLife
            #expect(try await stage.ledger.number("SELECT count(*) FROM jobs") == jobs)
            #expect(try await stage.ledger("PRAGMA integrity_check") == "ok")

            let attempts: [Attempt] = try await stage.ledger.rows(
                "SELECT a.job_id, j.prompt, a.state, a.task_id FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id"
            )
            let accepted = attempts.filter { $0.state == "accepted" }
            let unknown = attempts.filter { $0.state == "unknown" }
            #expect(accepted.count + unknown.count == attempts.count)
            // No clock and no restart submits anything again by itself, so a job has one attempt.
            #expect(Set(attempts.map(\.job_id)).count == attempts.count)
            #expect(attempts.count == jobs)

            let tasks = try await sandbox.tasks()
            #expect(accepted.count <= tasks.count)
            #expect(tasks.count <= accepted.count + unknown.count)
            // No job was paid for twice.
            #expect(Set(tasks.map(\.prompt)).count == tasks.count)
            // Each task belongs to exactly one attempt: to the one that names it, or to an unknown one of its job.
            let byTask = Dictionary(grouping: accepted, by: \.task_id)
            let unknownPrompts = Set(unknown.map(\.prompt))
            for task in tasks {
                if let owners = byTask[task.taskId] {
                    #expect(owners.map(\.prompt) == [task.prompt])
                } else {
                    #expect(unknownPrompts.contains(task.prompt), "nobody knows of \(task.prompt)")
                }
            }
            #expect(Set(accepted.compactMap(\.task_id)).isSubset(of: Set(tasks.map(\.taskId))))

            #expect(
                try await stage.ledger.number("SELECT count(*) FROM jobs WHERE state = 'succeeded'") == accepted.count
            )
            #expect(
                try await stage.ledger.number("SELECT count(*) FROM jobs WHERE state = 'unconfirmed'") == unknown.count
            )
            let (charged, reserved) = try await stage.money()
            let price = 14_000
            #expect(charged == accepted.count * price)
            #expect(reserved == unknown.count * price)
            #expect(
                try await stage.ledger.number(
                    "SELECT count(*) FROM attempts WHERE (reserved_millicredits > 0) <> (state = 'unknown')"
                ) == 0
            )
            let consumed = try await sandbox.statistics().credits.consumed
            #expect(Int(consumed * 1_000) == tasks.count * price)
            #expect(
                try await stage.ledger.number(
                    """
                    SELECT count(*) FROM queue_counts AS c WHERE jobs <>
                        (SELECT count(*) FROM jobs AS j WHERE j.queue = c.queue AND j.state = c.state)
                    """
                ) == 0
            )
            try await stage.expectMediaMatchesResults()
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(stage.media)/.partial").isEmpty)
            SystemTests.report(
                """
                \(Self.kills) kills during \(jobs) jobs: \(accepted.count) succeeded, \(unknown.count) unconfirmed, of which \
                \(tasks.count - accepted.count) had made a task; \(tasks.count) tasks at the provider, none twice
                """
            )
        }

        /// Whatever the moment of death, a file under a final name is whole.
        private func expectOnlyWholeImages(_ stage: Stage) throws {
            let folder = "\(stage.media)/default"
            guard FileManager.default.fileExists(atPath: folder) else { return }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".png") {
                let image = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                #expect(image.suffix(8).starts(with: Data("IEND".utf8)), "\(name) is cut short")
            }
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
