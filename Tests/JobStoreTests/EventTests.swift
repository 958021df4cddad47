import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// What becomes of jobs is written down, in order, by the database itself.
@Suite struct EventTests {
    private func path(_ fixture: LedgerFixture, _ job: Int = 1) throws -> [String] {
        try fixture.rows("SELECT previous_state, state FROM events WHERE job_id = \(job) ORDER BY sequence")
    }

    @Test func `each change of a job's state has an event, in order, whoever makes it`() async throws {
        let fixture = try LedgerFixture()
        let job = try await fixture.runOne()
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "u")], charged: Credits(millicredits: 14_000), fetch: false)
        )
        try fixture.insert("(prompt, queue, batch) VALUES ('bad', 'ads', 'spring')")
        _ = try await fixture.claim(1)
        try fixture.insert("(prompt) VALUES ('x')")
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 3")
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE id = 3")
        #expect(
            try fixture.rows("SELECT sequence, job_id, previous_state, state, queue, batch, error_code FROM events")
                == [
                    "1|1||queued|default||", "2|1|queued|submitting|default||", "3|1|submitting|running|default||",
                    "4|1|running|succeeded|default||", "5|2||queued|ads|spring|",
                    "6|2|queued|failed|ads|spring|invalid_input", "7|3||queued|default||",
                    "8|3|queued|cancelled|default||", "9|3|cancelled|queued|default||",
                ]
        )
        let now = "CAST(unixepoch() AS INTEGER) * 1000"
        #expect(try fixture.rows("SELECT count(*) FROM events WHERE abs(at - \(now)) > 60000") == ["0"])
    }

    @Test func `a job that takes up what is paid for goes through queued, and its events say so in order`() async throws
    {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        try fixture.run("UPDATE jobs SET state = 'queued'")
        #expect(
            try path(fixture) == [
                "|queued", "queued|submitting", "submitting|running", "running|cancelled", "cancelled|queued",
                "queued|running",
            ]
        )
        try fixture.insert("(prompt) VALUES ('lost')")
        let lost = try await fixture.claimOne()
        try await fixture.record(.unknown(lost.attempt, Failure(.answerLost, "lost")))
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 2")
        try fixture.run("UPDATE jobs SET state = 'queued' WHERE id = 2")
        #expect(try path(fixture, 2).suffix(3) == ["unconfirmed|cancelled", "cancelled|queued", "queued|unconfirmed"])
    }

    @Test func `what does not change a state is no event`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        try fixture.run("UPDATE jobs SET state = 'queued', priority = 5")
        try fixture.run("UPDATE OR IGNORE jobs SET state = 'failed'")
        _ = fixture.refusal("UPDATE jobs SET state = 'succeeded'")
        #expect(try path(fixture) == ["|queued"])
    }

    @Test(arguments: [
        "INSERT INTO events (job_id, previous_state, state, queue, at) VALUES (1, 'running', 'succeeded', 'default', 1)",
        "INSERT INTO events (job_id, previous_state, state, queue, at) VALUES (1, 'submitting', 'running', 'default', 1)",
        "INSERT INTO events (job_id, previous_state, state, queue, at) VALUES (1, 'running', 'running', 'default', 1)",
        "INSERT INTO events (job_id, previous_state, state, queue, at) VALUES (9, NULL, 'queued', 'default', 1)",
        "INSERT OR REPLACE INTO events SELECT * FROM events",
        "INSERT INTO events (sequence, job_id, state, queue, at) VALUES (9223372036854775807, 1, 'queued', 'default', 1)",
        "UPDATE events SET state = 'failed'", "UPDATE events SET sequence = sequence + 1",
        "UPDATE events SET rowid = 9000 WHERE sequence = 1", "DELETE FROM events",
        "DELETE FROM events WHERE sequence = 1",
        "UPDATE daemon SET events_removed = 9223372036854775807", "UPDATE daemon SET events_removed = -1",
    ])
    func `nobody else writes events`(statement: String) async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        let before = try fixture.rows("SELECT * FROM events")
        #expect(fixture.refusal(statement) != nil)
        #expect(try fixture.rows("SELECT * FROM events") == before)
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try path(fixture).last == "running|cancelled")
    }

    @Test func `no statement of others stops the events of honest ones`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('x')")
        for statement in [
            "INSERT OR IGNORE INTO events (job_id, previous_state, state, queue, at) VALUES (1, 'queued', 'queued', 'default', 0)",
            "INSERT OR IGNORE INTO events (sequence, job_id, previous_state, state, queue, at) VALUES (900, 1, 'queued', 'queued', 'default', 0)",
            "UPDATE sqlite_sequence SET seq = seq + 5 WHERE name = 'events'",
        ] {
            _ = try? fixture.run(statement)
            try fixture.insert("(prompt) VALUES ('y')")
        }
        #expect(try fixture.rows("SELECT count(*) FROM events") == ["4"])
    }

    @Test func `a number that nobody was given is refused where a job has no events left`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt) VALUES ('old')")
        try age(fixture, days: 31)
        #expect(try fixture.shell.write { try EventRows(db: $0).remove(before: nil, keeping: 0, limit: 10) } == 1)
        let most = "9223372036854775807, 1, 'running', 'queued', 'default', 1"
        #expect(
            fixture.refusal("INSERT INTO events (sequence, job_id, previous_state, state, queue, at) VALUES (\(most))")
                == "events: are written by the database, when the state of a job changes"
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled'")
        #expect(try fixture.rows("SELECT sequence, previous_state, state FROM events") == ["2|queued|cancelled"])
    }

    @Test func `the events of a job go with it, and a reader can tell that something is gone`() async throws {
        let fixture = try LedgerFixture()
        _ = try await fixture.runOne()
        try fixture.insert("(prompt) VALUES ('x'), ('y')")
        #expect(
            try await fixture.ledger.eventRange() == EventRange(latest: EventSequence(5), removed: EventSequence(0))
        )
        try fixture.run("DELETE FROM jobs WHERE id = 3")
        #expect(
            try await fixture.ledger.eventRange() == EventRange(latest: EventSequence(5), removed: EventSequence(5))
        )
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 2")
        #expect(try fixture.rows("SELECT sequence, job_id FROM events WHERE sequence > 3") == ["4|2", "6|2"])
        try fixture.run("UPDATE jobs SET pruned_at = finished_at WHERE id = 2")
        #expect(try fixture.rows("SELECT count(*) FROM events WHERE job_id = 2") == ["0"])
    }

    /// Makes all events as old as that.
    private func age(_ fixture: LedgerFixture, days: Int) throws {
        let frozen = try #require(try fixture.rows("SELECT sql FROM sqlite_schema WHERE name = 'events_frozen'").first)
        try fixture.run("DROP TRIGGER events_frozen")
        try fixture.run("UPDATE events SET at = at - \(days) * 86400000")
        try fixture.run(frozen)
    }

    @Test func `the oldest are removed by age and by number, from the beginning`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('old')") }
        try age(fixture, days: 31)
        for _ in 0..<5 { try fixture.insert("(prompt) VALUES ('new')") }
        let now = try #require(try await fixture.ledger.events(EventQuery(limit: 1)).first?.at)
        let oldest = try #require(try await fixture.ledger.oldestEvent())
        #expect(now - oldest > .seconds(30 * 86_400))
        func remove(_ before: Instant?, _ most: Int64, _ limit: Int) async throws -> Int {
            try await fixture.ledger.removeEvents(before: before, keeping: most, limit: limit)
        }
        #expect(try await remove(nil, 1_000, 100) == 0)
        #expect(try await remove(now - .seconds(86_400), 1_000, 3) == 3)
        #expect(try await remove(now - .seconds(86_400), 1_000, 100) == 2)
        #expect(try await remove(now - .seconds(86_400), 1_000, 100) == 0)
        #expect(try fixture.rows("SELECT min(sequence), count(*) FROM events") == ["6|5"])
        #expect(try await remove(now + .seconds(86_400), 2, 100) == 0, "what is young stays")
        try age(fixture, days: 8)
        #expect(try await remove(nil, 2, 100) == 3)
        #expect(
            try await fixture.ledger.eventRange() == EventRange(latest: EventSequence(10), removed: EventSequence(8))
        )
    }

    @Test func `a reader goes on where it was, and takes what it asks for`() async throws {
        let fixture = try LedgerFixture()
        for batch in ["a", "b", "a"] { try fixture.insert("(prompt, batch) VALUES ('x', '\(batch)')") }
        try fixture.run("UPDATE jobs SET state = 'cancelled' WHERE id = 1")
        let file = try QueueFile(path: fixture.path)
        func sequences(_ change: (inout EventQuery) -> Void) throws -> [Int64] {
            var query = EventQuery(after: .start, limit: 10)
            change(&query)
            return try file.events(query).map(\.sequence.rawValue)
        }
        #expect(try sequences { _ in } == [1, 2, 3, 4])
        #expect(try sequences { $0.after = EventSequence(2) } == [3, 4])
        #expect(try sequences { $0.limit = 2 } == [1, 2])
        #expect(
            try sequences {
                $0.after = nil
                $0.limit = 2
            } == [3, 4]
        )
        #expect(try sequences { $0.batch = "a" } == [1, 3, 4])
        #expect(try sequences { $0.job = JobID(1) } == [1, 4])
        #expect(try sequences { $0.states = [.cancelled, .failed] } == [4])
        #expect(try sequences { $0.queue = "other" } == [])
        try file.close()
    }

    /// The one list of transitions is in the triggers; the other tells people and tests.
    @Test func `the domain and the database allow the same transitions`() throws {
        let fixture = try LedgerFixture()
        let sql = try #require(
            try fixture.rows("SELECT sql FROM sqlite_schema WHERE name = 'jobs_state_rules'").first
        )
        for from in JobState.allCases {
            // That one is allowed for some.
            for to in JobState.allCases where to != from && (from, to) != (.failed, .cancelled) {
                #expect(
                    sql.contains("illegal transition \(from.rawValue) -> \(to.rawValue)")
                        != from.successors.contains(to),
                    "\(from) \(to)"
                )
            }
        }
    }
}
