import PromptQueue
import Synchronization
import Testing

@testable import PromptCommands

/// `promptctl events`.
@Suite(.bothStores) struct EventsTests {
    private func sequences(_ outcome: CommandFixture.Outcome) throws -> [Int64] {
        try outcome.output.compactMap { try JSONValue(parsing: $0).objectValue?["sequence"]?.integerValue }
    }

    @Test func `events are shown in order, with what became of the jobs`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "--batch", "b", "--queue", "ads")
        try await fixture.submit(.succeeded, .failed)
        let outcome = try await fixture.run("events")
        #expect(outcome.code == 0)
        let shown = outcome.output.map { line in
            let parts = line.split(separator: "  ")
            return ([parts[0]] + parts[2...]).joined(separator: "|")
        }
        #expect(
            shown == [
                "1|job 1|queued|queue ads|batch b", "2|job 2|queued|queue ads|batch b",
                "3|job 1|queued -> submitting|queue ads|batch b", "4|job 2|queued -> submitting|queue ads|batch b",
                "5|job 1|submitting -> running|queue ads|batch b", "6|job 1|running -> succeeded|queue ads|batch b",
                "7|job 2|submitting -> running|queue ads|batch b",
                "8|job 2|running -> failed|queue ads|batch b|content_refused",
            ]
        )
        #expect(outcome.output[0].contains(" UTC  "))
        let json = try await fixture.run("events", "--json", "--limit", "1")
        let event = try #require(try JSONValue(parsing: json.output[0]).objectValue)
        #expect(
            Set(event.keys) == [
                "sequence", "job_id", "previous_state", "state", "queue", "batch", "error_code", "at",
            ]
        )
        #expect(event["job_id"] == 2 && event["previous_state"] == "running" && event["state"] == "failed")
    }

    @Test func `events are taken by number, job, state, batch and queue`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "--batch", "b")
        _ = try await fixture.run("add", "a cat", "--queue", "ads")
        _ = try await fixture.run("cancel", "2")
        func found(_ arguments: String...) async throws -> [Int64] {
            try sequences(try await fixture.run(["events", "--json"] + arguments))
        }
        #expect(try await found() == [1, 2, 3, 4])
        #expect(try await found("--limit", "2") == [3, 4])
        #expect(try await found("--after", "1", "--limit", "2") == [2, 3])
        #expect(try await found("--job", "2") == [2, 4])
        #expect(try await found("--state", "cancelled") == [4])
        #expect(try await found("-b", "b") == [1, 2, 4])
        #expect(try await found("-q", "ads", "--after", "0") == [3])
    }

    @Test func `what was removed is said, and a number of another database refused`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog")
        _ = try await fixture.run("cancel", "1")
        // A server numbers what has happened when somebody asks for it.
        _ = try await fixture.run("events")
        try fixture.sql("DELETE FROM jobs WHERE id = 1")
        let outcome = try await fixture.run("events", "--json", "--after", "1")
        #expect(outcome.output.first == #"{"removed_through":3}"#)
        #expect(try sequences(outcome) == [2])
        #expect(outcome.talk == ["some events after 1 have been removed, up to 3; what is left is shown"])
        #expect(try await fixture.run("events", "--json", "--after", "3").output.isEmpty)
        let other = try await fixture.run("events", "--after", "4")
        #expect(other.code == 65)
        #expect(other.talk[0].contains("there is no event 4 yet, the last is 3"))
    }

    @Test func `following begins with what comes, and ends after as many as were asked for`() async throws {
        let looks = Mutex(0)
        let path = Mutex("")
        let fixture = try CommandFixture { console in
            let sleep = console.sleep
            console.sleep = { duration in
                #expect(duration == .milliseconds(150))
                let look = looks.withLock { looks in
                    looks += 1
                    return looks
                }
                if look == 3 {
                    try CommandFixture.sql("INSERT INTO jobs (prompt) VALUES ('b')", at: path.withLock(\.self))
                }
                if look == 5 {
                    try CommandFixture.sql("UPDATE jobs SET state = 'cancelled'", at: path.withLock(\.self))
                }
                try await sleep(duration)
            }
        }
        path.withLock { $0 = fixture.database }
        _ = try await fixture.run("add", "a fox")
        let outcome = try await fixture.run("events", "--follow", "--json", "--limit", "2")
        #expect(outcome.code == 0)
        #expect(try sequences(outcome) == [2, 3])
        #expect(looks.withLock(\.self) == 5)
    }

    @Test func `following ends when nobody reads any more`() async throws {
        let fixture = try CommandFixture { $0.isOutputOpen = { false } }
        #expect(try await fixture.run("events", "--follow").code == 0)
    }
}
