import Foundation
import GRDB
import JobStore
import Postgres
import PostgresStore
import PromptQueue
import Testing

/// A shell on a file.
enum Shell {
    static func run(_ statement: String, at path: String) throws {
        let shell = try DatabaseQueue(path: path)
        try shell.write { try $0.execute(sql: statement) }
        try shell.close()
    }
}

/// What a command does to a queue on a server has the outcome, and the words, that it has in a file.
@Suite struct QueueChangeTests {
    private func job(_ prompt: String, key: String? = nil, batch: String? = nil, input: String = "{}") -> NewJob {
        var job = NewJob(prompt: prompt, model: "flux-2/flex-text-to-image", input: input, queue: "default")
        job.uniqueKey = key
        job.batch = batch
        job.estimate = Estimate(credits: Credits(millicredits: 14_000), basis: .listed("per task"))
        return job
    }

    private func ids(_ numbers: Int64...) -> [JobID] { numbers.map { JobID($0) } }

    // MARK: - Producers

    @Test func `jobs are added in their order, all or none, and a taken key names its job`() async throws {
        let pair = try await QueuePair()
        #expect(try pair.same { try $0.add([job("a"), job("b", key: "k")], now: pair.now) } == ids(1, 2))
        #expect(
            pair.refused { try $0.add([job("c"), job("d", key: "k")], now: pair.now) }
                == "constraint: the key \"k\" belongs to job 2 (queued) already"
        )
        #expect(
            pair.refused { try $0.add([job("e\0f")], now: pair.now) }
                == "constraint: jobs.prompt: holds a NUL character"
        )
        var tooMany = job("g")
        tooMany.maxAttempts = 21
        #expect(
            pair.refused { try $0.add([job("f"), tooMany], now: pair.now) } == "constraint: jobs.max_attempts: 1 to 20"
        )
        try pair.same { try $0.tally(of: .ids(ids(1, 2, 3, 4, 5))).counts }
    }

    @Test func `of many the first that cannot be inserted is named, and none is kept`() async throws {
        let pair = try await QueuePair()
        var jobs = (0..<5_000).map { job("fox \($0)") }
        jobs[3_210].priority = 2_000_000_000
        jobs[4_400].priority = 2_000_000_000
        let refusal = pair.refused {
            try $0.insertAll(now: pair.now, skipsDuplicates: false) { try $0.insert(jobs) }.count
        }
        #expect(refusal == "3210: constraint: jobs.priority: -1000000000 to 1000000000")
        try pair.same { try $0.ids(matching: JobFilter(), limit: 9) }
    }

    @Test func `duplicates are skipped where they are, among many and of earlier ones`() async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.add([job("old", key: "k7")], now: pair.now) }
        let jobs = (0..<3_000).map { job("fox \($0)", key: $0 % 2 == 0 ? "k\($0 % 40)" : nil) }
        let inserted = try pair.same {
            try $0.insertAll(now: pair.now, skipsDuplicates: true) { try $0.insert(jobs) }
        }
        #expect(inserted.count { $0 } == 1_520)
        try pair.same { try $0.status().queues.map { "\($0.name) \($0.counts[.queued] ?? 0)" } }
    }

    @Test func `what a body throws undoes what it inserted, and comes out as it is`() async throws {
        struct Stop: Error {}
        let pair = try await QueuePair()
        for queue in [pair.file, pair.server] as [any QueueClient] {
            #expect(throws: Stop.self) {
                try queue.insertAll(now: pair.now, skipsDuplicates: false) {
                    try $0.insert(job("a"))
                    throw Stop()
                }
            }
            #expect(throws: Stop.self) { try queue.checkingKeys { _ in throw Stop() } }
            #expect(throws: Stop.self) { try queue.transaction(dryRun: false) { throw Stop() } }
        }
        #expect(try pair.same { try $0.ids(matching: JobFilter(), limit: 9) } == [])
    }

    @Test(arguments: [true, false])
    func `keys and sources are found in the queue and in earlier lines`(isPrepared: Bool) async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.add([job("a", key: "one"), job("b")], now: pair.now) }
        try pair.same { try $0.apply(.cancel, to: ids(2)) }
        let later = job("c", key: "two", input: #"{"input_urls":["key:one","key:two","key:none","job:2","job:9"]}"#)
        let found = try pair.same { queue in
            try queue.checkingKeys { keys in
                if isPrepared { try keys.prepare([later, job("d", key: "one"), job("e", key: "three")]) }
                var found: [String?] = [
                    try keys.claim("one", line: 1), try keys.claim("two", line: 2), try keys.claim("two", line: 3),
                ]
                for reference in later.references { found.append(try keys.problem(with: reference)) }
                if isPrepared { try keys.prepare([job("f", key: "two")]) }
                found += [
                    try keys.claim("two", line: 4), try keys.claim("three", line: 5), try keys.claim("a\0b", line: 6),
                ]
                return found
            }
        }
        #expect(found.prefix(3) == ["job 1 (queued)", nil, "line 2"])
        #expect(found[8] == "line 2")
    }

    // MARK: - Changes

    @Test func `each change has its outcome, and its words where it is refused`() async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.add((1...8).map { job("fox \($0)", batch: "b") }, now: pair.now) }
        try await pair.submit(.succeeded, .failed, .running, .unconfirmed)
        let all = ids(1, 2, 3, 4, 5, 6, 99, 5)
        for isDry in [true, false] { try pair.same { try $0.apply(.cancel, to: all, dryRun: isDry) } }
        try pair.same { try $0.tally(of: .batch("b")).counts.sorted { $0.key.rawValue < $1.key.rawValue } }
        let changed = try pair.same { try $0.apply(.retry, to: all) }
        #expect(changed.refused.count == 3)
        try pair.same { try $0.tally(of: .batch("b")).counts.sorted { $0.key.rawValue < $1.key.rawValue } }
    }

    @Test func `changes of all that match are one step, and what is refused stays`() async throws {
        let pair = try await QueuePair()
        try pair.same {
            try $0.add((1...30).map { job("fox \($0)", batch: $0 % 2 == 0 ? "even" : "odd") }, now: pair.now)
        }
        try await pair.submit(.failed, .failed, .succeeded, .running)
        var filter = JobFilter()
        filter.batch = "even"
        try pair.same { try $0.apply(.cancel, matching: filter) }
        try pair.same { try $0.apply(.retry, matching: filter) }
        filter.batch = nil
        filter.words = ["fox", "1"]
        try pair.same { try $0.apply(.cancel, matching: filter, dryRun: true) }
        filter.words = []
        filter.states = [.failed, .cancelled]
        let edit = JobEdit(prompt: "a hen", input: ["resolution": "2K", "none": .null])
        try pair.same { try $0.apply(.retry(edit), matching: filter) }
        try pair.same { try $0.details(of: JobID(1))?.job.input }
        #expect(try pair.same { try $0.details(of: JobID(1))?.job.prompt } == "a hen")
        try pair.same {
            try $0.status().queues.map { "\($0.name) \($0.counts.sorted { $0.key.rawValue < $1.key.rawValue })" }
        }
    }

    @Test func `a chain is cancelled from its end, and tried again from its beginning`() async throws {
        let pair = try await QueuePair()
        let model = "flux-2/flex-image-to-image"
        var second = job("b", input: #"{"input_urls":["job:1"]}"#)
        second.model = model
        var third = job("c", input: #"{"input_urls":["job:2"]}"#)
        third.model = model
        try pair.same { try $0.add([job("a")], now: pair.now) }
        try pair.same { try $0.add([second], now: pair.now) }
        try pair.same { try $0.add([third], now: pair.now) }
        let dry = try pair.same { try $0.apply(.cancel, to: ids(1), dryRun: true) }
        #expect(dry.followers == 2)
        try pair.same { try $0.apply(.cancel, to: ids(1, 2, 3)) }
        try pair.same { try $0.apply(.retry, to: ids(3)) }
        try pair.same { try $0.apply(.retry, to: ids(3, 2, 1)) }
        try pair.same { try $0.tally(of: .ids(ids(1, 2, 3))).counts }
    }

    @Test func `an unconfirmed job is settled in each of the three ways, and others are refused`() async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.add((1...6).map { job("fox \($0)") }, now: pair.now) }
        try await pair.submit(.unconfirmed, .unconfirmed, .unconfirmed, .running, .unconfirmed)
        try pair.same { try $0.unconfirmed(matching: JobFilter()) }
        for resolution in [Resolution.task(TaskID("task-4")), .task(TaskID("new")), .resubmit, .fail] {
            try pair.same { try $0.resolve(ids(4, 6, 99, 1), resolution, now: pair.now, dryRun: true) }
        }
        #expect(
            pair.refused { try $0.resolve(JobID(1), .task(TaskID("task-4")), now: pair.now) }
                == "constraint: task task-4: belongs to job 4 already"
        )
        try pair.same { try $0.resolve(JobID(1), .task(TaskID("found")), now: pair.now) }
        try pair.same { try $0.resolve(JobID(2), .resubmit, now: pair.now) }
        try pair.same { try $0.resolve(JobID(3), .fail, now: pair.now) }
        _ = pair.refused { try $0.resolve(JobID(3), .fail, now: pair.now) }
        // A cancelled one still has its lost request.
        try pair.same { try $0.apply(.cancel, to: ids(5)) }
        try pair.same { try $0.resolve(JobID(5), .task(TaskID("late")), now: pair.now) }
        for id in ids(1, 2, 3, 5) {
            try pair.same { queue in
                try queue.details(of: id).map { details in
                    "\(details.job.state) \(details.job.taskID.map(\.rawValue) ?? "-") \(details.job.charged ?? .zero) "
                        + "\(details.job.attemptCount) \(details.job.errorMessage ?? "-") "
                        + details.attempts.map {
                            "\($0.state) \($0.reserved) \($0.errorCode ?? "-") \($0.message ?? "-")"
                        }
                        .joined()
                }
            }
        }
        try pair.same { try $0.sumFaults() }
    }

    // MARK: - What an operator sets

    @Test func `queues, budgets and prices are set, replaced and removed, and what cannot be is refused`() async throws
    {
        let pair = try await QueuePair()
        try pair.same { try $0.setPaused(true, queue: "night") }
        try pair.same { try $0.setMaxRunning(3, queue: "night") }
        try pair.same { try $0.queues().map { "\($0.name) \($0.isPaused) \($0.maxRunning ?? -1)" } }
        #expect(
            pair.refused { try $0.setAccount(AccountName(stored: "acme"), queue: "night") }.hasPrefix(
                "constraint: queues.account: there is no such account"
            )
        )
        _ = pair.refused { try $0.setPaused(true, queue: "a\0b") }
        _ = pair.refused { try $0.setPaused(true, queue: String(repeating: "q", count: 101)) }
        let scope = BudgetScope(queue: "day")
        for limit in [100_000, 200_000] as [Int64] {
            try pair.same { try $0.setBudget("b", scope: scope, period: .week, limit: Credits(millicredits: limit)) }
        }
        _ = pair.refused { try $0.setBudget("b", scope: scope, period: .week, limit: Credits(millicredits: -1)) }
        #expect(try pair.same { try $0.removeBudget("b") })
        #expect(try !pair.same { try $0.removeBudget("b") })
        let price = PriceOverride(
            model: "m",
            conditions: ["resolution": "2K", "n": 1],
            credits: Credits(millicredits: 5_000),
            measure: .task,
            source: .operator,
            note: nil
        )
        for _ in 1...2 { try pair.same { try $0.setPrice(price) } }
        #expect(try pair.same { try $0.removePrice(model: "m", conditions: ["n": 1, "resolution": "2K"]) })
        #expect(try !pair.same { try $0.removePrice(model: "m", conditions: ["n": 1, "resolution": "2K"]) })
    }

    @Test func `schedules are added, replaced, stopped, run by hand and removed`() async throws {
        let pair = try await QueuePair()
        let schedule = ScheduleRecord(
            name: "daily",
            cron: "0 9 * * *",
            timeZone: "Europe/Berlin",
            job: job("a fox"),
            createdAt: pair.now
        )
        try pair.same { try $0.add(schedule, replaces: false) }
        #expect(
            pair.refused { try $0.add(schedule, replaces: false) }
                == "constraint: there is a schedule \"daily\" already"
        )
        try pair.same { try $0.add(schedule, replaces: true) }
        #expect(try pair.same { try $0.setEnabled(false, schedule: "daily") })
        #expect(try !pair.same { try $0.setEnabled(false, schedule: "weekly") })
        try pair.same { try $0.runNow(schedule, job("a fox"), now: pair.now) }
        try pair.same { try $0.schedules().map { "\($0.name) \($0.isEnabled) \($0.lastJob ?? JobID(0)) \($0.cron)" } }
        #expect(try pair.same { try $0.removeSchedule("daily") })
        #expect(try !pair.same { try $0.removeSchedule("daily") })
    }

    @Test func `hooks are tried out and told once more`() async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.testHook("mail", now: pair.now) }
        try pair.sql("UPDATE hook_deliveries SET state = 'dead', attempts = 3, ended_at = 5")
        #expect(try pair.same { try $0.retryHooks([HookDeliveryID(7)], now: pair.now) } == 0)
        #expect(try pair.same { try $0.retryHooks(nil, now: pair.now) } == 1)
        #expect(try pair.same { try $0.retryHooks(nil, now: pair.now) } == 0)
        try pair.same { try $0.hookDeliveries([.pending], limit: 9).map { "\($0.id) \($0.attempts) \($0.nextTry)" } }
    }

    @Test func `finished jobs are pruned, and what a rule keeps is named`() async throws {
        let pair = try await QueuePair()
        try pair.same {
            try $0.add([job("a fox", key: "k"), job("a bee"), job("a cat"), job("a dog")], now: pair.now)
        }
        try await pair.submit(.succeeded, .succeeded, .running)
        try pair.same { try $0.prunable(JobFilter()) }
        var filter = JobFilter()
        filter.words = ["bee"]
        #expect(try pair.same { try $0.prunable(filter) }.jobs == 1)
        let request = PruneRequest(JobFilter(), limit: 10, removesFiles: true)
        #expect(try pair.same { try $0.prune(request, now: pair.now) } == Pruned(jobs: 2, files: 2))
        let removals = try pair.same { try $0.removals(after: "", limit: 9) }
        #expect(removals.count == 2)
        try pair.same { try $0.removed(removals) }
        #expect(try pair.same { try $0.removals(after: "", limit: 9) } == [])
        try pair.same { try $0.ids(matching: JobFilter(), limit: 9) }
    }

    @Test func `a held copy is told of and released`() async throws {
        let pair = try await QueuePair()
        try pair.same { try $0.add([job("a"), job("b")], now: pair.now) }
        #expect(try !pair.same { try $0.isUnnoticedCopy() })
        try pair.sql("UPDATE daemon SET is_copy = 1")
        #expect(try pair.same { try $0.isUnnoticedCopy() })
        try pair.sql("UPDATE daemon SET is_copy = 0, restored_at = 5, restored_requests = 3, restored_job_id = 1")
        try pair.sql("INSERT INTO gates (name, queue, closed_at, message) VALUES ('restored', '', 1, 'a copy')")
        let copy = try #require(try pair.same { try $0.restoredCopy() })
        #expect(try pair.same { try $0.jobsToSend(of: copy) } == ids(1))
        try pair.same { try $0.release() }
        #expect(try pair.same { try $0.restoredCopy() } == nil)
        try pair.same { try $0.status().gates.map(\.name) }
    }

    // MARK: - Sums

    @Test func `sums that somebody wrote to are found, and mended beside a daemon at work`() async throws {
        let pair = try await QueuePair()
        let queue = pair.server
        _ = try queue.add((1...9).map { job("fox \($0)", batch: "b") }, now: pair.now)
        try await pair.submit()
        #expect(try queue.sumFaults() == [])
        try pair.connection.script(
            """
            INSERT INTO queue_count_deltas (queue, state, jobs) VALUES ('default', 'queued', 31);
            INSERT INTO spending_sums (period, starts_at, queue, reserved_millicredits, charged_millicredits)
            VALUES ('day', 86400000, 'default', 5, 6);
            INSERT INTO account_deltas (account, charged_millicredits, presumed_millicredits, adopted_millicredits)
            VALUES ('default', 7, 8, 9);
            DELETE FROM job_turns WHERE job_id IN (3, 4);
            """
        )
        let expected = [
            "spending (day from 1970-01-02T00:00Z of default, reserved_millicredits): 5, but the rows add up to 0",
            "spending (day from 1970-01-02T00:00Z of default, charged_millicredits): 6, but the rows add up to 0",
            "accounts (default, charged_millicredits): 7, but the rows add up to 0",
            "accounts (default, presumed_millicredits): 8, but the rows add up to 0",
            "queue_counts (default, queued): 40, but the rows add up to 9",
            "job_turns (default, priority 0, batch 'b'): 7, but the rows add up to 9",
        ]
        #expect(try queue.sumFaults().map(\.description) == expected)
        #expect(try queue.rebuildSums().map(\.description) == expected)
        #expect(try queue.sumFaults() == [])
        #expect(try queue.rebuildSums() == [])
        _ = try pair.connection.query("SELECT fold()")
        #expect(try queue.sumFaults() == [])
        let waiting: Int = try pair.connection.query("SELECT count(*) FROM job_turns").only()[0]
        #expect(waiting == 9)
    }

    // MARK: - Several at once

    @Test func `what somebody else has changed meanwhile undoes a transaction that goes by it`() async throws {
        let pair = try await QueuePair()
        _ = try pair.server.add([job("a")], now: pair.now)
        let error = #expect(throws: LedgerError.self) {
            try pair.server.transaction(dryRun: false) {
                #expect(try pair.server.details(of: JobID(1))?.job.state == .queued)
                _ = try pair.connection.query("UPDATE jobs SET priority = 5 WHERE id = 1")
                try pair.server.apply(.cancel, to: ids(1))
            }
        }
        #expect(error?.code == .busy)
        #expect(try pair.server.details(of: JobID(1))?.job.state == .queued)
        #expect(try pair.server.details(of: JobID(1))?.job.priority == 5)
    }

    @Test func `a daemon is told of on whatever machine it is, as long as its lease holds`() async throws {
        let pair = try await QueuePair()
        #expect(pair.server.daemonProcessID == nil)
        try pair.connection.script(
            "INSERT INTO daemons (name, host, pid, lease_until) VALUES ('a', 'other', 77, now_ms() + 15000)"
        )
        #expect(pair.server.daemonProcessID == 77)
        try pair.connection.script("UPDATE daemons SET lease_until = now_ms()")
        #expect(pair.server.daemonProcessID == nil)
    }

    @Test func `a copy is not made, and the words say what makes one`() async throws {
        let pair = try await QueuePair()
        let error = #expect(throws: LedgerError.self) { try pair.server.copy(to: "/tmp/none") }
        #expect(error?.message.contains("pg_dump") == true)
    }

    @Test func `health tells what the server says of itself`() async throws {
        let pair = try await QueuePair()
        try pair.connection.script("CREATE EXTENSION IF NOT EXISTS amcheck")
        _ = try pair.server.add([job("a")], now: pair.now)
        let health = try pair.server.health(full: true)
        #expect(health.damages == [])
        #expect(health.schemaVersion == 1)
        guard case .postgresql(let server) = health.engine else {
            Issue.record("is no server's")
            return
        }
        #expect(server.versionNumber >= 150_000)
        #expect(!server.isStandby)
        #expect(!server.syncsFiles)
        #expect(server.now == pair.now)
        #expect(server.bytes > 1_000_000)
        #expect(server.unfolded > 0)
        #expect(server.unnumbered == 1)
        _ = try pair.connection.query("SELECT fold()")
        guard case .postgresql(let after) = try pair.server.health(full: false).engine else { return }
        #expect(after.unfolded == 0)
        #expect(after.unnumbered == 0)
    }
}
