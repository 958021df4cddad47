import FoundationEssentials
import JobStore
import PromptQueue
import Synchronization
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct WordTests {
    @Test(arguments: [
        (["lst"], "promptctl: \"lst\" is no command; did you mean promptctl list? promptctl --help lists them"),
        (["help", "ad"], "promptctl: \"ad\" is no command; did you mean promptctl add? promptctl --help lists them"),
        (
            ["--config", "x", "queue", "paus", "ads"],
            "promptctl: \"paus\" is no command of promptctl queue; did you mean promptctl queue pause? "
                + "promptctl queue --help lists them"
        ), (["help", "zzzzzzz"], "promptctl: \"zzzzzzz\" is no command; promptctl --help lists them"),
    ])
    func `a mistyped command is answered with the one that was meant`(arguments: [String], text: String) async throws {
        let outcome = try await CommandFixture().run(arguments)
        #expect(outcome.code == 64)
        #expect(outcome.talk == [text])
    }

    @Test(arguments: [
        (["add", "a fox", "--modle", "x"], "--model"), (["list", "--state", "faild"], "did you mean failed?"),
        (["list", "--error", "content_refusd"], "did you mean content_refused?"),
        (["retry", "--error", "nonsense"], "content_refused, input_unusable"),
    ])
    func `a mistyped option, state or error code is refused with the nearest`(
        arguments: [String],
        meant: String
    ) async throws {
        let outcome = try await CommandFixture().run(arguments)
        #expect(outcome.code == 64)
        #expect(outcome.talk.joined(separator: "\n").contains(meant), "\(outcome.talk)")
    }

    @Test func `the short flags are the long ones`() async throws {
        let fixture = try CommandFixture()
        let added = try await fixture.run(
            ["add", "a fox", "-m", "nano-banana-2", "-q", "ads", "-b", "sale", "-i", "resolution=2K"]
        )
        #expect(added.code == 0)
        let job = try #require(try fixture.jobs().first)
        #expect(job.model == "nano-banana-2" && job.queue == "ads" && job.batch == "sale")
        #expect(job.input == #"{"resolution":"2K"}"#)
        _ = try await fixture.run("add", "a dog")
        for filter in [["-q", "ads"], ["-b", "sale"], ["-m", "nano-banana-2"]] {
            let listed = try await fixture.run(["list", "--json"] + filter)
            #expect(listed.output.count == 1, "\(filter)")
        }
    }

    @Test func `several prompts of one word are taken for one without its quotes, unless it is said`() async throws {
        let fixture = try CommandFixture()
        let refused = try await fixture.run("add", "ant", "red", "fox")
        #expect(refused.code == 64)
        #expect(refused.talk.first?.contains("3 prompts are one word each") == true)
        #expect(refused.talk.first?.contains("--one-word") == true)
        #expect(try fixture.jobs().isEmpty)
        #expect(try await fixture.run("add", "ant", "fox", "--one-word").output == ["1", "2"])
        #expect(try await fixture.run("add", "fox").code == 0, "one is one")
        #expect(try await fixture.run("add", "雪の中の狐", "雪の中の犬").code == 0, "no spaces are set there")
        #expect(try await fixture.run("add", "-", input: "ant\nfox\n").code == 0, "each has a line of its own")
    }

    @Test(arguments: [["add", "-a fox"], ["add", "a dog", "--a fox"], ["add", "-fox"], ["add", "-the fox"]])
    func `a prompt that begins with a dash is told to be written behind two`(arguments: [String]) async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run(arguments)
        #expect(outcome.code == 64)
        #expect(outcome.talk.first?.contains("write -- before a prompt that does") == true, "\(outcome.talk)")
        #expect(try await fixture.run("add", "-the fox", "--help").code == 0)
        #expect(try await fixture.run("add", "--", "-a fox").code == 0)
        #expect(try fixture.jobs().map(\.prompt) == ["-a fox"])
    }

    @Test(arguments: [
        ("2026-12-24 18:00", "2026-12-24T17:00:00.000Z", "2026-12-24 18:00 +01:00"),
        ("18:00", "2026-11-18T17:00:00.000Z", "18:00 +01:00"),
        ("9:30", "2026-11-19T08:30:00.000Z", "2026-11-19 09:30 +01:00"),
        ("2027-07-01T08:00", "2027-07-01T06:00:00.000Z", "2027-07-01 08:00 +02:00"),
        ("2026-12-24 18:00Z", "2026-12-24T18:00:00.000Z", "2026-12-24 19:00 +01:00"),
    ])
    func `a time without a zone is local, and its zone is said`(
        text: String,
        instant: String,
        said: String
    ) async throws {
        let fixture = try CommandFixture { $0.secondsFromUTC = Self.berlin }
        let outcome = try await fixture.run("add", "a fox", "--at", text)
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(try fixture.jobs().first?.runAt?.iso8601 == instant)
        #expect(outcome.talk.first?.contains(", not before \(said).") == true, "\(outcome.talk)")
    }

    @Test func `the hour that summer time leaves out is refused, and the one it repeats is the first`() async throws {
        let fixture = try CommandFixture { $0.secondsFromUTC = Self.berlin }
        #expect(try await fixture.run("add", "a fox", "--at", "2027-03-28 02:30").code == 64)
        #expect(try await fixture.run("add", "a fox", "--at", "2027-10-31 02:30").code == 0)
        #expect(try fixture.jobs().first?.runAt?.iso8601 == "2027-10-31T00:30:00.000Z")
    }

    /// Winter but for 28 March to 31 October 2027, 01:00 UTC.
    private static let berlin: @Sendable (Instant) -> Int64 = { instant in
        (1_806_195_600_000..<1_824_944_400_000).contains(instant.milliseconds) ? 7_200 : 3_600
    }

    @Test func `a time that is past is said to be`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "--at", "2026-01-01T00:00Z")
        #expect(outcome.code == 0)
        #expect(
            outcome.talk.first?.hasSuffix(", not before 2026-01-01 00:00 UTC, which is past: it starts at once.")
                == true,
            "\(outcome.talk)"
        )
    }

    @Test func `what was added is told as JSON`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "a dog", "-q", "ads", "--json")
        #expect(outcome.output.count == 2)
        let job = try #require(try JSONValue(parsing: outcome.output[1]).objectValue)
        #expect(job["id"] == 2 && job["queue"] == "ads" && job["model"] == "flux-2/flex-text-to-image")
        #expect(job["estimated_credits"] == 14 && job["estimate_basis"] == "listed")
        #expect(job["run_at"] == .null)
    }

    @Test func `shells are told the queues and batches, and nothing where there is no database`() async throws {
        let verb = "---completion"
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "-q", "ads", "-b", "sale")
        let line = ["promptctl", "list", "--queue", ""]
        let queues = try await fixture.run([verb, "list", "--", "--queue", "3", "0"] + line)
        #expect(queues.output == ["ads", "default"] || queues.output == ["ads"], "\(queues)")
        let batches = try await fixture.run(
            [verb, "wait", "--", "--batch", "3", "0", "promptctl", "wait", "--batch", ""]
        )
        #expect(batches.output == ["sale"], "\(batches)")
        let nowhere = try await fixture.run(
            [verb, "list", "--", "--queue", "3", "0"] + line,
            environment: ["PROMPTD_DATABASE": fixture.directory + "/none.sqlite"]
        )
        #expect(nowhere.code == 0)
        #expect(nowhere.output.allSatisfy(\.isEmpty) && nowhere.talk.isEmpty, "\(nowhere)")
    }
}

@Suite(.bothStores) struct BatchStatusTests {
    @Test func `a batch is shown with its counts, credits and errors`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog", "a cat", "a cow", "-b", "sale")
        try await fixture.submit(.succeeded, .failed, .running)
        _ = try await fixture.run("add", "a bee", "-b", "other")
        let page = try await fixture.run("status", "-b", "sale")
        #expect(
            page.output == [
                "batch sale: 2 of 4 jobs ended",
                "QUEUED  RUNNING  DONE  FAILED  CANCELLED  UNCONFIRMED",
                "     1        1     1       1          0            0",
                "",
                "credits   14 charged, about 28 to come",
                "errors    1 failed: content_refused 1",
                "          promptd is not running: nothing is submitted until it is started",
            ]
        )
        let json = try await fixture.run("status", "-b", "sale", "--json")
        let object = try #require(try JSONValue(parsing: json.output.joined()).objectValue)
        #expect(object["jobs"] == 4 && object["succeeded"] == 1 && object["estimated_credits"] == 28)
        let none = try await fixture.run("status", "-b", "sael")
        #expect(none.code == 65)
        #expect(none.talk.first?.contains("there are sale, other") == true, "\(none.talk)")
    }

    @Test func `the page is drawn anew in the size that the terminal has now, until q is pressed`() async throws {
        let keys = Keys([.resized, .key(UInt8(ascii: "x")), .key(UInt8(ascii: "q"))])
        let fixture = try CommandFixture { console in
            console.keyboard = keys
            console.measure = { keys.taken == 0 ? (80, 24) : (30, 6) }
        }
        for queue in ["a", "b", "c"] { _ = try await fixture.run("add", "a fox", "--queue", queue) }
        let outcome = try await fixture.run("watch", environment: ["NO_COLOR": "1"], terminal: true)
        #expect(outcome.code == 0)
        #expect(keys.isEnded)
        let pages = outcome.output.joined(separator: "\n").split(separator: "\u{1B}[H")
        #expect(pages.count == 3)
        let small = pages[1].split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.replacing(/\u{1B}\[[0-9;]*[A-Za-z]/, with: "") }
        #expect(small.first?.hasPrefix("promptd is not running") == true, "the head stays")
        #expect(small.filter { !$0.isEmpty }.count <= 5)
        #expect(small.allSatisfy { displayWidth(String($0)) <= 30 }, "\(small)")
    }

    @Test func `a line with colours is cut to the room that its text takes`() {
        let line = "ab\u{1B}[31mcdef\u{1B}[0mgh"
        #expect(truncateStyled(line, to: 8) == line)
        #expect(truncateStyled(line, to: 5) == "ab\u{1B}[31mcd…\u{1B}[0m")
    }
}

/// Presses keys, one after the other.
private final class Keys: Keyboard {
    private let state: Mutex<(events: [TerminalEvent], taken: Int, isEnded: Bool)>

    init(_ events: [TerminalEvent]) { state = Mutex((events, 0, false)) }

    var taken: Int { state.withLock { $0.taken } }
    var isEnded: Bool { state.withLock { $0.isEnded } }

    func begin() {}

    func next(within time: Duration) async throws -> TerminalEvent? {
        state.withLock { state in
            defer { state.taken += 1 }
            return state.taken < state.events.count ? state.events[state.taken] : .key(UInt8(ascii: "q"))
        }
    }

    func end() { state.withLock { $0.isEnded = true } }
}
