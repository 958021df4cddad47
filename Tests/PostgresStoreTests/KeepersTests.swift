import Foundation
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

/// What several daemons must not do twice, beside claims: uploading files, adding the jobs of schedules, telling hooks.
@Suite struct KeepersTests {
    private static let rules = [HookRule(name: "a", events: Set(HookEvent.choices))]
    private static let digits = String(repeating: "ab", count: 32)

    private var now: Instant { Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000)) }

    private func daemon(_ place: PostgresPlace) async throws -> PostgresLedger {
        try await .patient(place.conninfo)
    }

    private func run(_ place: PostgresPlace, _ sql: SQL) async throws { _ = try await place.connection.query(sql) }

    private func texts(_ place: PostgresPlace, _ sql: SQL) async throws -> [String] {
        try await place.connection.query(sql).map { try $0[0] }
    }

    /// The first daemon is frozen for longer than its lease.
    private func freeze(_ place: PostgresPlace) async throws {
        try await run(
            place,
            "UPDATE promptd.daemons SET lease_until = 0 WHERE epoch = (SELECT min(epoch) FROM promptd.daemons)"
        )
    }

    private func claim(_ ledger: PostgresLedger) async throws -> [ClaimedJob] {
        let rate = RateLimit(count: 20, window: .seconds(10))
        return try await ledger.claim(ClaimRequest(limit: 9, rate: rate, runningLimit: 100, now: now)) { job in
            let estimate = Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))
            return .ready(
                PreparedInput(input: ["url": JSONValue(job.sources?.first.flatMap(Self.url))], estimate: estimate)
            )
        }.jobs
    }

    private static func url(_ source: ResultSource) -> String? {
        if case .at(let url) = source.standing { url } else { nil }
    }

    private func file(_ at: Instant) -> UploadedFile {
        UploadedFile(sha256: Self.digits, bytes: 1, contentType: "image/png", url: "https://u/1.png", uploadedAt: at)
    }

    private func addFiles(_ names: [String], to place: PostgresPlace) async throws {
        _ = try await place.connection.query(
            """
            INSERT INTO promptd.jobs (prompt, input) SELECT 'x', json_build_object('image_url', 'file:///srv/' || n)
            FROM unnest($1::text[]) AS n
            """,
            [.texts(names)]
        )
    }

    // MARK: - Files

    @Test func `a file is uploaded by one daemon, and by another when that one has ended`() async throws {
        let place = try await PostgresPlace.make()
        try await addFiles(["1.png", "2.png"], to: place)
        let daemons = [try await daemon(place), try await daemon(place), try await daemon(place)]
        let found: [Int: WantedUpload] = try await withThrowingTaskGroup(of: (Int, WantedUpload?).self) { group in
            for (number, ledger) in daemons.enumerated() {
                group.addTask { (number, try await ledger.wantedUpload(now: self.now)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(Set(found.values.map(\.reference)) == ["file:///srv/1.png", "file:///srv/2.png"])
        #expect(found.count == 2, "one finds nothing")
        let (owner, first) = try #require(found.first)
        #expect(try await daemons[owner].wantedUpload(now: now) == first, "it is still its turn")
        for ledger in daemons { try await ledger.end(now: now) }
        let next = try await daemon(place)
        let taken = try #require(try await next.wantedUpload(now: now))
        try await next.recordUpload(taken, file(now))
        #expect(try await claim(next).count == 1)
        // What the one that has ended has done all the same is true, too.
        try await daemons[owner].recordUpload(first, file(now))
        #expect(try await texts(place, "SELECT state FROM promptd.uploads WHERE state = 'ready'").count >= 1)
        for ledger in daemons + [next] { try await ledger.close() }
    }

    @Test func `the URL of an upload that has ended is not sent, and the file is uploaded anew`() async throws {
        let place = try await PostgresPlace.make()
        try await addFiles(["1.png", "1.png"], to: place)
        let ledger = try await daemon(place)
        let wanted = try #require(try await ledger.wantedUpload(now: now))
        try await ledger.recordUpload(wanted, file(now))
        try await run(place, "UPDATE promptd.uploads SET expires_at = 1000")
        // Somebody is changing one of its jobs just then.
        try await place.connection.transaction { producer in
            _ = try await producer.query("UPDATE promptd.jobs SET priority = 1 WHERE id = 1")
            #expect(try await claim(ledger).isEmpty)
        }
        #expect(try await claim(ledger).isEmpty)
        let again = try #require(try await ledger.wantedUpload(now: now))
        #expect(again.reference == wanted.reference)
        try await ledger.recordUpload(again, file(now))
        try await run(place, "SELECT promptd.fold()")
        let claimed = try await claim(ledger)
        #expect(claimed.count == 2)
        #expect(claimed.allSatisfy { $0.input["url"] == "https://u/1.png" })
        try await ledger.close()
    }

    @Test func `a result is uploaded from where it was saved, and an older copy uploads nothing`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        try await run(place, "INSERT INTO promptd.jobs (prompt) VALUES ('x')")
        let job = try #require(try await claim(ledger).first)
        _ = try await ledger.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200), now: now)
        _ = try await ledger.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: nil, fetch: true),
            now: now
        )
        let saved = SavedFile(path: "1/0.png", contentType: "image/png", bytes: 1, sha256: Self.digits)
        _ = try await ledger.record(.resultSaved(ResultID(job: job.job, ordinal: 0), saved), now: now)
        try await run(place, "INSERT INTO promptd.jobs (prompt, input) VALUES ('y', '{\"image_url\":\"job:1/0\"}')")
        // As if a day had passed, which the schema does not let anybody say.
        try await run(place, "ALTER TABLE promptd.results DISABLE TRIGGER USER")
        try await run(place, "UPDATE promptd.results SET created_at = 1000")
        try await run(place, "ALTER TABLE promptd.results ENABLE TRIGGER USER")
        #expect(try await claim(ledger).isEmpty, "its URL has ended")
        try await run(place, "UPDATE promptd.store SET restored_at = 1000")
        #expect(try await ledger.wantedUpload(now: now) == nil)
        try await run(place, "UPDATE promptd.store SET restored_at = NULL")
        let wanted = try #require(try await ledger.wantedUpload(now: now))
        #expect(wanted.reference == "result:1/0")
        #expect(wanted.saved == WantedUpload.Saved(path: "1/0.png", sha256: Self.digits))
        try await ledger.recordUpload(wanted, file(now))
        #expect(try await claim(ledger).first?.input["url"] == "https://u/1.png")
        try await ledger.close()
    }

    // MARK: - Schedules

    @Test func `a run is added once by several daemons, and by none while somebody changes the schedule`() async throws
    {
        let place = try await PostgresPlace.make()
        let due = Instant(milliseconds: 1_799_999_940_000)
        try await run(
            place,
            """
            INSERT INTO promptd.schedules (name, cron, prompt, input, labels, next_run_at)
            VALUES ('hero', '* * * * *', 'a fox', '{"seed": 7}', '{"sku": 1}', 1799999940000)
            """
        )
        let daemons = [try await daemon(place), try await daemon(place), try await daemon(place)]
        let schedule = try #require(try await daemons[0].enabledSchedules().first)
        #expect(schedule.nextRunAt == due && schedule.job.input == #"{"seed": 7}"#)
        var job = schedule.job
        job.uniqueKey = schedule.key(due)
        job.estimate = Estimate(credits: Credits(millicredits: 9_000), basis: .listed("test"))
        let step = ScheduleStep(schedule, next: due + .seconds(60), jobs: [job], lastRun: due, waitsForLast: true)
        let before = try await place.connection.transaction { other in
            _ = try await other.query("UPDATE promptd.schedules SET prompt = prompt")
            return try await daemons[0].take(step, now: now)
        }
        #expect(before == .changed)
        let outcomes = try await withThrowingTaskGroup(of: ScheduleOutcome.self) { group in
            for ledger in daemons { group.addTask { try await ledger.take(step, now: self.now) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .changed } == 2)
        #expect(
            try await texts(
                place,
                """
                SELECT concat_ws('|', prompt, input::text, labels::text, unique_key, estimated_millicredits, state)
                FROM promptd.jobs
                """
            ) == [#"a fox|{"seed": 7}|{"sku": 1}|schedule:hero:2027-01-15T07:59Z|9000|queued"#]
        )
        try await run(place, "UPDATE promptd.store SET restored_at = 1000")
        let next = try #require(try await daemons[1].enabledSchedules().first)
        #expect(next.nextRunAt == due + .seconds(60) && next.lastRunAt == due)
        let held = ScheduleStep(next, next: due + .seconds(120), jobs: [job], lastRun: due + .seconds(60))
        #expect(try await daemons[1].take(held, now: now) == .held)
        #expect(try await daemons[2].take(held, now: now) == .changed)
        for ledger in daemons { try await ledger.close() }
    }

    @Test func `prices are what operators set, what models were charged, and the default`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        try await run(place, "INSERT INTO promptd.jobs (prompt) SELECT 'x' FROM generate_series(1, 5)")
        for job in try await claim(ledger) {
            _ = try await ledger.record(.accepted(job.attempt, task: TaskID("t\(job.job)"), httpStatus: 200), now: now)
            _ = try await ledger.record(
                .taskSucceeded(
                    job.attempt,
                    [.file(url: "https://x/1")],
                    charged: Credits(millicredits: 7_000),
                    fetch: false
                ),
                now: now
            )
        }
        let book = try await ledger.currentPrices()
        let unlisted = PreparedInput(input: [:], estimate: nil)
        let observed = book.estimate(of: unlisted, model: "flux-2/flex-text-to-image")
        #expect(observed.credits == Credits(millicredits: 7_000) && observed.kind == .observed)
        #expect(book.estimate(of: unlisted, model: "another").credits == Credits(millicredits: 20_000))
        try await ledger.close()
    }

    // MARK: - Hooks

    @Test func `what happens is noted once, and a daemon without hooks does not end those of another`() async throws {
        let place = try await PostgresPlace.make()
        let (first, second) = (try await daemon(place), try await daemon(place))
        for ledger in [first, second] { #expect(try await ledger.noteHooks(Self.rules, now: now).made == 0) }
        try await run(
            place,
            "INSERT INTO promptd.jobs (prompt, batch) SELECT 'x', 'b' FROM generate_series(1, 20)"
        )
        try await run(place, "UPDATE promptd.jobs SET state = 'cancelled'")
        try await run(place, "UPDATE promptd.jobs SET state = 'queued' WHERE id = 1")
        try await run(place, "UPDATE promptd.jobs SET state = 'cancelled'")
        try await first.forgetHooks()
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for ledger in [first, second, first, second] {
                group.addTask { try await ledger.noteHooks(Self.rules, now: self.now).made }
            }
            return try await group.reduce(0, +)
        }
        #expect(made == 1, "that the batch is done, once")
        #expect(try await texts(place, "SELECT event || subject FROM promptd.hook_deliveries") == ["batch.doneb"])
        let delivery = try #require(try await second.dueDeliveries(to: "a", now: now, limit: 1).first)
        let told = try await second.subject(of: delivery, now: now)
        #expect(told["jobs"] == 20 && told["cancelled"] == 20 && told["charged_credits"] == 0)
        for ledger in [first, second] { try await ledger.forgetHooks() }
        #expect(try await texts(place, "SELECT coalesce(hooks_read::text, 'none') FROM promptd.store") == ["none"])
        for ledger in [first, second] { try await ledger.close() }
    }

    @Test func `a delivery is told by one daemon at a time, in order for each job`() async throws {
        let place = try await PostgresPlace.make()
        let (first, second) = (try await daemon(place), try await daemon(place))
        try await run(
            place,
            """
            INSERT INTO promptd.hook_deliveries (hook, event, job_id, sequence, at, next_at)
            SELECT 'a', 'failed', n % 10, n, 1000, 1000 FROM generate_series(0, 19) AS n
            """
        )
        let found = try await withThrowingTaskGroup(of: [HookDelivery].self) { group in
            for ledger in [first, second] {
                group.addTask { try await ledger.dueDeliveries(to: "a", now: self.now, limit: 4) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(found.map(\.id)).count == 8, "no two have the same")
        #expect(Set(found.compactMap(\.job)).count == 8, "of each job one")
        let mine = try #require(try await first.dueDeliveries(to: "a", now: now, limit: 4).first)
        #expect(try await first.dueDeliveries(to: "a", now: now, limit: 1).first == mine, "it is still its turn")
        // The first is frozen, and the other takes over; what the first says then is not heard, unless it has arrived.
        try await freeze(place)
        let taken = try await second.dueDeliveries(to: "a", now: now, limit: 20)
        #expect(taken.contains(mine))
        #expect(try await first.dueDeliveries(to: "a", now: now, limit: 20).isEmpty)
        try await first.deliveryEnded(mine.id, .failed("no"), next: nil, now: now)
        #expect(try await second.dueDeliveries(to: "a", now: now, limit: 20).contains(mine))
        try await first.deliveryEnded(mine.id, .delivered, next: nil, now: now)
        let third = try await daemon(place)
        let next = try await third.dueDeliveries(to: "a", now: now, limit: 20)
        #expect(next.isEmpty, "the second still tells the one before it")
        try await second.deliveryEnded(mine.id, .failed("no"), next: nil, now: now)
        #expect(try await third.dueDeliveries(to: "a", now: now, limit: 20).map(\.job) == [mine.job])
        #expect(
            try await texts(place, "SELECT DISTINCT state FROM promptd.hook_deliveries WHERE state <> 'pending'")
                == ["delivered"]
        )
        for ledger in [first, second, third] { try await ledger.close() }
    }

    @Test func `what is told of a job is what show says, and its number when it is gone`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await daemon(place)
        _ = try await ledger.noteHooks(Self.rules, now: now)
        try await run(place, "INSERT INTO promptd.jobs (prompt, labels) VALUES ('x', '{\"sku\":\"A\"}')")
        try await run(place, "INSERT INTO promptd.jobs (prompt, input) VALUES ('y', '{\"image_url\":\"job:1/0\"}')")
        let job = try #require(try await claim(ledger).first)
        _ = try await ledger.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200), now: now)
        _ = try await ledger.record(
            .taskSucceeded(
                job.attempt,
                [.file(url: "https://x/1")],
                charged: Credits(millicredits: 7_000),
                fetch: false
            ),
            now: now
        )
        #expect(try await ledger.noteHooks(Self.rules, now: now).made == 1)
        let delivery = try #require(try await ledger.dueDeliveries(to: "a", now: now, limit: 1).first)
        let told = try await ledger.subject(of: delivery, now: now)
        #expect(told["id"] == 1 && told["state"] == "succeeded" && told["charged_credits"] == 7)
        #expect(told["attempts"]?.arrayValue?.count == 1 && told["results"]?.arrayValue?.count == 1)
        try await run(place, "DELETE FROM promptd.jobs WHERE id = 2")
        try await run(place, "DELETE FROM promptd.jobs WHERE id = 1")
        #expect(try await ledger.subject(of: delivery, now: now) == ["id": 1, "state": .null])
        try await ledger.close()
    }

    @Test func `a budget that is nearly used is told of once in each of its periods`() async throws {
        let place = try await PostgresPlace.make()
        let (first, second) = (try await daemon(place), try await daemon(place))
        for ledger in [first, second] { _ = try await ledger.noteHooks(Self.rules, now: now) }
        try await place.setBudget("all", limit: Credits(millicredits: 16_000))
        try await run(place, "INSERT INTO promptd.jobs (prompt) VALUES ('x')")
        #expect(try await claim(first).count == 1)
        var made = 0
        for ledger in [first, second, first] { made += try await ledger.noteHooks(Self.rules, now: now).made }
        #expect(made == 1)
        // As in another period.
        try await run(place, "UPDATE promptd.budget_warnings SET starts_at = starts_at - 1")
        try await run(place, "INSERT INTO promptd.jobs (prompt) VALUES ('y')")
        #expect(try await second.noteHooks(Self.rules, now: now).made == 1)
        let delivery = try #require(try await first.dueDeliveries(to: "a", now: now, limit: 1).first)
        let told = try await first.subject(of: delivery, now: now)
        #expect(told["budget"] == "all" && told["limit_credits"] == 16 && told["reserved_credits"] == 14)
        for ledger in [first, second] { try await ledger.close() }
    }
}
