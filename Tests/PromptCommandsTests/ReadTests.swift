import FoundationEssentials
import JobStore
import PromptQueue
import StateFiles
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct ReadTests {
    @Test func `a list is newest first, with filters`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "a cat", "--batch", "b", "--label", "sku=1")
        try await fixture.submit(.succeeded, .failed)
        _ = try await fixture.run("add", "a cow", "--queue", "ads")
        func ids(_ arguments: [String]) async throws -> [String] {
            let outcome = try await fixture.run(arguments)
            return try outcome.output.map { line in
                try JSONValue(parsing: line).objectValue?["id"]?.integerValue.map { "\($0)" } ?? "?"
            }
        }
        #expect(try await ids(["list", "--json"]) == ["4", "3", "2", "1"])
        #expect(try await ids(["list", "--json", "--limit", "1"]) == ["4"])
        #expect(try await ids(["list", "--json", "--state", "failed"]) == ["2"])
        #expect(try await ids(["list", "--json", "--state", "failed,succeeded"]) == ["2", "1"])
        #expect(try await ids(["list", "--json", "--queue", "ads"]) == ["4"])
        #expect(try await ids(["list", "--json", "--batch", "b", "--state", "queued"]) == ["3"])
        #expect(try await ids(["list", "--json", "--label", "sku=1"]) == ["3", "2", "1"])
        #expect(try await ids(["list", "--json", "--label", "sku=2"]) == [])
        #expect(try await ids(["list", "--json", "--model", "z-image"]) == [])
        // Of a script's rows: true is 1 as a value, and true as a type, as for budgets.
        try fixture.sql("INSERT INTO jobs (prompt, labels) VALUES ('a pig', '{\"paid\":true,\"count\":2}')")
        for label in ["paid=true", "paid=1", "count=2"] {
            #expect(try await ids(["list", "--json", "--label", label]) == ["5"], "\(label)")
        }
        #expect(try await ids(["list", "--json", "--label", "paid=false"]) == [])
        // One that is no text of Unicode's keeps nobody from finding others.
        try fixture.sql("INSERT INTO jobs (prompt, labels) VALUES ('an ox', '{\"paid\":\"\\ud800\"}')")
        #expect(try await ids(["list", "--json", "--label", "paid=1"]) == ["5"])
    }

    @Test func `a list has the credits charged, the estimate, and the file`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog")
        try await fixture.submit(.succeeded)
        let outcome = try await fixture.run("list")
        #expect(
            outcome.output == [
                "ID  STATE      CREDITS  TIME  PROMPT  FILE",
                " 2  queued         ~14     –  a dog   –",
                " 1  succeeded       14  0 ms  a fox   default/1-0.png",
            ]
        )
    }

    @Test func `everything fits 80 columns on a terminal, and colour is never alone`() async throws {
        let fixture = try CommandFixture()
        let long = String(repeating: "a very long prompt with 狐 in it, ", count: 20)
        _ = try await fixture.run("add", long, long, long, "--queue", String(repeating: "queue", count: 20))
        _ = try await fixture.run(
            "budget",
            "set",
            String(repeating: "b", count: 90),
            "--limit",
            "5",
            "--period",
            "total"
        )
        try await fixture.submit(.succeeded, .unconfirmed)
        for command in [["list"], ["queue", "list"], ["budget", "list"], ["status"]] {
            let plain = try await fixture.run(command, environment: ["NO_COLOR": "1"], terminal: true)
            for line in plain.output where command != ["status"] || !line.contains("unconfirmed:") {
                #expect(displayWidth(line) <= 80, "\(command): \(line)")
                #expect(!line.contains("\u{1B}"))
            }
            let coloured = try await fixture.run(command, terminal: true)
            #expect(coloured.output.map(withoutColour) == plain.output)
        }
    }

    @Test func `a result that could not be fetched yet shows why`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.running)
        let ledger = try await fixture.ledger()
        let output = TaskOutput.file(url: "https://media.example/1.png")
        let succeeded = LedgerChange.taskSucceeded(AttemptID(1), [output], charged: .zero, fetch: true)
        _ = try await ledger.record(succeeded, now: fixture.instant)
        #expect(try await fixture.run("show", "1").output.contains("  0  being downloaded"))
        let result = ResultID(job: JobID(1), ordinal: 0)
        let delayed = LedgerChange.resultDelayed(result, message: "the media server answered HTTP 503")
        _ = try await ledger.record(delayed, now: fixture.instant)
        try await ledger.close()
        let shown = try await fixture.run("show", "1").output
        #expect(shown.contains("  0  waiting, tried again: the media server answered HTTP 503"))
    }

    private func withoutColour(_ line: String) -> String {
        line.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    }

    @Test func `a running job and the backlog are expected when tasks of their model ended before`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "a cat")
        try await fixture.submit(.running, .running)
        let unknown = try await fixture.run("show", "2")
        #expect(!unknown.output.contains { $0.hasPrefix("expected") })
        let ledger = try await fixture.ledger()
        let outputs: [TaskOutput] = [.file(url: "https://media.example/1.png")]
        _ = try await ledger.record(
            .taskSucceeded(AttemptID(1), outputs, charged: .zero, fetch: false, took: .seconds(20)),
            now: fixture.instant + .seconds(21)
        )
        _ = try await ledger.record(
            .limits(RateLimit(count: 20, window: .seconds(10)), running: 100),
            now: fixture.instant
        )
        try await ledger.close()
        let shown = try await fixture.run("show", "2")
        let line = shown.output.first { $0.hasPrefix("expected at about ") }
        #expect(line?.contains("(in 2") == true, "\(shown.output)")
        let status = try await fixture.run("status", "--json")
        let backlog = try JSONValue(parsing: status.output.joined()).objectValue?["backlog"]?.objectValue
        #expect(backlog?["finish_knows_durations"] == .bool(true))
        #expect(backlog?["earliest_finish"] == .string((fixture.instant + .milliseconds(20_500)).iso8601))
    }

    /// One task has taken 20 s, one runs, and one job waits, with a daemon at work.
    private func working() async throws -> (CommandFixture, AnyObject) {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "a cat")
        try await fixture.submit(.running, .running)
        let ledger = try await fixture.ledger()
        let outputs: [TaskOutput] = [.file(url: "https://media.example/1.png")]
        _ = try await ledger.record(
            .taskSucceeded(AttemptID(1), outputs, charged: .zero, fetch: false, took: .seconds(20)),
            now: fixture.instant
        )
        let rate = RateLimit(count: 20, window: .seconds(10))
        _ = try await ledger.record(.limits(rate, running: 100), now: fixture.instant)
        try await ledger.close()
        return (fixture, try fixture.daemon())
    }

    private func object(_ fixture: CommandFixture, _ arguments: String...) async throws -> JSONObject {
        let outcome = try await fixture.run(arguments + ["--json"])
        return try #require(try JSONValue(parsing: outcome.output.joined()).objectValue)
    }

    @Test func `a queued job is expected by the time that the backlog is done, at the latest`() async throws {
        let (fixture, lock) = try await working()
        let latest = (fixture.instant + .milliseconds(20_500)).iso8601
        #expect(try await object(fixture, "show", "3")["expected_by"] == .string(latest))
        let page = try await fixture.run("show", "3").output
        #expect(page.contains { $0.hasPrefix("expected by about ") && $0.contains("at the latest") }, "\(page)")
        // One at a time: what runs, and then this one.
        _ = try await fixture.run("queue", "set", "default", "--max-running", "1")
        let later = (fixture.instant + .seconds(60)).iso8601
        #expect(try await object(fixture, "show", "3")["expected_by"] == .string(later))
        _ = try await fixture.run("queue", "pause", "default")
        #expect(try await object(fixture, "show", "3")["expected_by"] == .null, "for as long as nobody lets it go on")
        withExtendedLifetime(lock) {}
    }

    @Test func `with an empty queue the status says when what runs is done`() async throws {
        let (fixture, lock) = try await working()
        try await fixture.submit(.running)
        let backlog = try await object(fixture, "status")["backlog"]?.objectValue
        #expect(backlog?["jobs"] == 0)
        #expect(backlog?["earliest_finish"] == .string((fixture.instant + .seconds(20)).iso8601))
        #expect(backlog?["finish_knows_durations"] == .bool(true))
        let page = try await fixture.run("status").output
        #expect(page.contains { $0.hasPrefix("backlog   none; what runs is done by about ") }, "\(page)")
        withExtendedLifetime(lock) {}
    }

    @Test func `a job is shown with its attempts, money and files`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "--input", "resolution=2K", "--label", "sku=A-1")
        try await fixture.submit(.succeeded)
        let outcome = try await fixture.run("show", "1")
        #expect(
            outcome.output == [
                "job 1  succeeded  queue default  flux-2/flex-text-to-image  14 credits charged, 24 estimated",
                "prompt   \"a fox\"",
                "input    aspect_ratio 1:1, resolution 2K",
                "labels   sku A-1",
                "task     task-1",
                "  in UTC",
                "  11:06:40.000  added",
                "  11:06:40.000  attempt 1: sent",
                "  11:06:40.000  accepted as task task-1",
                "  11:06:40.000  the task is done, 14 credits charged",
                "  11:06:40.000  saved default/1-0.png, 1.2 kB",
                "  11:06:40.000  succeeded",
                "results",
                "  0  default/1-0.png, image/png",
                "     https://media.example/1.png",
            ]
        )
        let json = try await fixture.run("show", "1", "--json")
        let object = try #require(try JSONValue(parsing: json.output.joined()).objectValue)
        #expect(json.output.count == 1)
        #expect(object["charged_credits"] == 14)
        #expect(object["attempts"]?.arrayValue?.count == 1)
        #expect(object["results"]?.arrayValue?.first?.objectValue?["path"] == "default/1-0.png")
    }

    @Test func `a result that could not be fetched keeps its URL, and is fetched again for nothing`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.undownloaded)
        let page = try await fixture.run("show", "1").output
        #expect(page.first?.contains("failed") == true)
        #expect(page.contains { $0.contains("not saved: the media server answered HTTP 404") })
        #expect(page.contains("     https://media.example/1.png"))
        #expect(page.contains { $0.contains("promptctl retry 1 downloads them again and pays nothing") })
        #expect(try await fixture.run("retry", "1").code == 0)
        let job = try #require(try fixture.jobs().first)
        #expect(job.state == .running, "taken up, not sent again")
        #expect(job.charged == Credits(millicredits: 14_000))
    }

    @Test func `an unconfirmed job says what can be done`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.unconfirmed)
        let outcome = try await fixture.run("show", "1")
        #expect(outcome.output.first?.contains("unconfirmed") == true)
        #expect(outcome.output.first?.hasSuffix("14 credits reserved") == true)
        #expect(outcome.output.contains { $0.contains("promptctl resolve 1 --task ID") })
        #expect(outcome.output.contains { $0.contains("promptctl resolve 1 --resubmit") })
    }

    @Test func `a task that a callback named is shown, and one that was set by hand is told from an answer`()
        async throws
    {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox")
        try await fixture.submit(.unconfirmed)
        let ledger = try await fixture.ledger()
        try await ledger.noteHint(AttemptID(1), task: TaskID("abc"))
        try await ledger.close()
        let waiting = try await fixture.run("show", "1").output
        #expect(waiting.contains { $0.hasPrefix("A callback named task abc: promptd asks the provider") })
        let json = try JSONValue(parsing: try await fixture.run("show", "1", "--json").output.joined())
        let attempt = json.objectValue?["attempts"]?.arrayValue?.first?.objectValue
        #expect(attempt?["hinted_task_id"] == "abc")

        _ = try await fixture.run("resolve", "1", "--task", "found")
        let settled = try await fixture.run("show", "1").output
        #expect(settled.contains { $0.hasSuffix("the answer was lost; settled by hand, as task found") })
        #expect(!settled.contains { $0.contains("A callback named") })
    }

    @Test func `the status tells the queues, the backlog and who is not running`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "a cat")
        _ = try await fixture.run("add", "a cow", "--queue", "night")
        _ = try await fixture.run("queue", "pause", "night")
        try await fixture.submit(.succeeded, .unconfirmed)
        let outcome = try await fixture.run("status")
        #expect(
            outcome.output == [
                "promptd is not running",
                "",
                "QUEUE    QUEUED  RUNNING  DONE  FAILED  UNCONFIRMED  BLOCKED BY",
                "default       1        0     1       0            1  –",
                "night         1        0     0       0            0  paused",
                "",
                "backlog   28 credits for 2 jobs",
                "          1 job is unconfirmed: promptctl show 2",
                "          nothing is submitted until promptd is started",
            ]
        )
    }

    @Test func `a running daemon is known by its lock`() async throws {
        let fixture = try CommandFixture()
        let lock = try fixture.daemon()
        let outcome = try await fixture.run("status", "--json")
        let daemon = try JSONValue(parsing: outcome.output.joined()).objectValue?["daemon"]?.objectValue
        #expect(daemon?["running"] == true)
        #expect(daemon?["pid"]?.integerValue == Int64(ProcessInfo.processInfo.processIdentifier))
        withExtendedLifetime(lock) {}
    }

    @Test func `jobs without an estimate are priced by the catalogue`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.queue()
        let job = NewJob(
            prompt: "a fox",
            model: "flux-2/flex-text-to-image",
            input: #"{"resolution":"2K"}"#,
            queue: "default"
        )
        _ = try file.add([job, job], now: fixture.instant)
        try file.close()
        let outcome = try await fixture.run("status", "--json")
        let backlog = try JSONValue(parsing: outcome.output.joined()).objectValue?["backlog"]?.objectValue
        #expect(backlog?["estimated_credits"] == 48)
        #expect(backlog?["is_exact"] == true)
    }

    @Test func `a model is listed with its fields and prices`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("models", "flux-2/flex-text-to-image")
        #expect(outcome.output.contains { $0.contains("aspect_ratio") && $0.contains("1:1 4:3 3:4 16:9 9:16 3:2 2:3") })
        #expect(outcome.output.contains("  24 credits per image: resolution 2K"))
        let all = try await fixture.run("models", "--json")
        #expect(all.output.count == Catalogue.builtIn.models.count)
    }

    // MARK: - Finding jobs

    /// Jobs 1 succeeded, 2 failed with a code, 3 queued with a key, an hour later.
    private func several() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a red fox", "a blue 100% fox", "--batch", "b")
        try await fixture.submit(.succeeded, .failed)
        try fixture.sql(
            """
            INSERT INTO jobs (prompt, unique_key, priority, created_at)
            VALUES ('a red hen', 'hen-1', 5, \((fixture.instant + .seconds(7_200)).milliseconds))
            """
        )
        return fixture
    }

    private func ids(_ fixture: CommandFixture, _ arguments: String...) async throws -> [String] {
        // CR and LF together are one character.
        try await fixture.run(["list", "--csv", "--columns", "id"] + arguments).output.joined()
            .split(whereSeparator: \.isNewline).dropFirst().map(String.init)
    }

    @Test func `jobs are found by words, time and key`() async throws {
        let fixture = try await several()
        #expect(try await ids(fixture, "--search", "RED") == ["3", "1"])
        #expect(try await ids(fixture, "--search", "fox red") == ["1"])
        #expect(try await ids(fixture, "--search", "100%") == ["2"])
        #expect(try await ids(fixture, "--search", "1_0") == [])
        #expect(try await ids(fixture, "--since", (fixture.instant + .seconds(3_600)).iso8601) == ["3"])
        #expect(try await ids(fixture, "--since", "1h") == ["3", "2", "1"])
        #expect(try await ids(fixture, "--key", "hen-1") == ["3"])
        #expect(try await fixture.run("list", "--since", "yesterday").code == 64)
    }

    @Test func `jobs are sorted by what is asked for, and those without it come last`() async throws {
        let fixture = try await several()
        #expect(try await ids(fixture, "--sort", "priority") == ["3", "2", "1"])
        #expect(try await ids(fixture, "--sort", "charged") == ["1", "2", "3"])
        #expect(try await ids(fixture, "--sort", "charged", "--reverse") == ["2", "1", "3"])
        #expect(try await ids(fixture, "--reverse") == ["1", "2", "3"])
        #expect(try await fixture.run("list", "--sort", "colour").code == 64)
    }

    @Test func `columns are chosen, for people and for a spreadsheet`() async throws {
        let fixture = try await several()
        #expect(
            try await fixture.run("list", "--columns", "id,state,unique_key,error_code").output == [
                "ID  STATE      UNIQUE_KEY  ERROR_CODE", " 3  queued     hen-1       –",
                " 2  failed     –           content_refused", " 1  succeeded  –           –",
            ]
        )
        let typo = try await fixture.run("list", "--columns", "promt")
        #expect(typo.code == 64)
        #expect(typo.talk.first?.contains("did you mean prompt?") == true)
        let csv = try await fixture.run("list", "--csv", "--batch", "b", "--columns", "id,prompt,charged_credits")
        #expect(csv.output == ["id,prompt,charged_credits\r\n2,a blue 100% fox,0\r\n1,a red fox,14\r\n"])
        let table = try await fixture.run("list").output
        #expect(table.first == "ID  STATE      CREDITS  TIME  ERROR            KEY    PROMPT           FILE")
    }

    @Test func `every column of the JSON can be chosen, and JSON has no limit of its own`() async throws {
        let fixture = try await several()
        let job = try #require(try fixture.jobs().first)
        #expect(Set(job.object.keys) == Set(JobColumn.names))
        try fixture.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO jobs (prompt) SELECT 'fox ' || i FROM n"
        )
        #expect(try await fixture.run("list", "--json").output.count == 63)
        #expect(try await fixture.run("list", "--json", "--limit", "7").output.count == 7)
        #expect(try await fixture.run("list").output.count == 51)
    }
}
