import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct AddTests {
    @Test(arguments: ["   ", "\u{A0}\u{A0}", "\t\n"])
    func `a blank prompt is refused`(prompt: String) async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", prompt)
        #expect(outcome.code == 65)
        #expect(outcome.talk.first == "promptctl: prompt: is blank")
        #expect(try fixture.jobs().isEmpty)
    }

    @Test func `ids go to standard output and the sentence to standard error`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run(
            "add",
            "a heron at dawn",
            "a heron at noon",
            "--input",
            "aspect_ratio=16:9",
            "--input",
            "resolution=2K",
            "--queue",
            "ads",
            "--label",
            "sku=A-1",
            "--batch",
            "herons",
            "--priority",
            "3",
            "--max-attempts",
            "5"
        )
        #expect(outcome.code == 0)
        #expect(outcome.output == ["1", "2"])
        #expect(outcome.talk == ["queued 2 jobs in ads: flux-2/flex-text-to-image, 48 credits."])
        let job = try #require(try fixture.jobs().first)
        #expect(job.input == #"{"aspect_ratio":"16:9","resolution":"2K"}"#)
        #expect(job.labels == #"{"sku":"A-1"}"#)
        #expect(job.batch == "herons")
        #expect(job.priority == 3)
        #expect(job.maxAttempts == 5)
        #expect(job.estimated == Credits(millicredits: 24_000))
    }

    @Test func `one bad prompt keeps all of them out`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a heron at dawn", "ab")
        #expect(outcome.code == 65)
        #expect(outcome.output == [])
        #expect(
            outcome.talk == [
                "promptctl: prompt 2: prompt: 2 characters; flux-2/flex-text-to-image takes 3 to 5,000",
                "promptctl: nothing was added; promptctl models flux-2/flex-text-to-image shows what the model takes",
            ]
        )
        #expect(try fixture.jobs().isEmpty)
    }

    @Test func `a key that is taken is refused and its job is named`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "--unique", "k")
        let outcome = try await fixture.run("add", "a dog", "--unique", "k")
        #expect(outcome.code == 65)
        #expect(outcome.talk == ["promptctl: the key \"k\" belongs to job 1 (queued) already; nothing was added"])
    }

    @Test(arguments: [
        ("2h", Int64(1_795_007_200_000)), ("2026-12-24T18:00Z", 1_798_135_200_000),
    ])
    func `a time is an instant or a duration from now`(text: String, milliseconds: Int64) async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run("add", "a fox", "--at", text).code == 0)
        #expect(try fixture.jobs().first?.runAt?.milliseconds == milliseconds)
    }

    @Test func `an unknown field is sent with a warning`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "--input", "fps=24")
        #expect(
            outcome.talk.first
                == "warning: flux-2/flex-text-to-image does not list the field fps; it is sent as it is"
        )
        #expect(try fixture.jobs().first?.input == #"{"fps":24}"#)
    }

    @Test func `an unknown model passes where the policy allows it`() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run("add", "a fox", "--model", "new/model").code == 65)
        let allowed = try await fixture.run(
            "add",
            "a fox",
            "--model",
            "new/model",
            environment: ["PROMPTD_CATALOGUE_UNKNOWN_MODELS": "allow"]
        )
        #expect(allowed.talk == ["queued 1 job in default: new/model, 20 credits by default: no price is known."])
    }

    @Test func `prompts come from standard input, one a line`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "-", input: "a fox\n\na dog\n")
        #expect(outcome.output == ["1", "2"])
        #expect(try fixture.jobs().map(\.prompt) == ["a dog", "a fox"])
    }

    @Test func `a budget that concerns the queue is mentioned, with what its backlog will take`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("budget", "set", "ads", "--queue", "ads", "--limit", "50", "--period", "day")
        let first = try await fixture.run("add", "a fox", "--queue", "ads", "--input", "resolution=2K")
        #expect(first.talk.first?.hasSuffix(" Budget ads/day: 50 → 26 of 50 left after the backlog.") == true)
        let third = try await fixture.run("add", "a fox", "a dog", "--queue", "ads", "--input", "resolution=2K")
        #expect(
            third.talk.first?
                .hasSuffix(" Budget ads/day: 50 of 50 left and 72 queued; what does not fit waits until 00:00 UTC.")
                == true
        )
        let other = try await fixture.run("add", "a fox", "--queue", "other")
        #expect(other.talk.first?.contains("Budget") == false)
    }

    @Test func `waiting after adding ends with the exit code of wait`() async throws {
        let fixture = try CommandFixture { console in
            // The first look finds a queued job; then a daemon comes.
            let inner = console.sleep
            console.sleep = { duration in
                try await inner(duration)
                throw CancellationError()
            }
        }
        let outcome = try await fixture.run("add", "a fox", "--wait")
        #expect(outcome.output == ["1"])
        #expect(outcome.code != 0)
        #expect(
            outcome.talk.contains("promptd is not running on this database; waiting for somebody to start it")
        )
    }

    @Test(arguments: [
        ("apsect_ratio=16:9", "apsect_ratio", "aspect_ratio"),
        ("input.aspect_ratio=16:9", "input.aspect_ratio", "aspect_ratio"),
        ("Aspect Ratio=16:9", "Aspect Ratio", "aspect_ratio"), ("resolutions=2K", "resolutions", "resolution"),
    ])
    func `a field that looks misspelt is refused with the one that was meant`(
        input: String,
        field: String,
        meant: String
    ) async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "--input", input)
        #expect(outcome.code == 65)
        #expect(
            outcome.talk.first
                == "promptctl: \(field): is no field of flux-2/flex-text-to-image; did you mean \(meant)?"
        )
        #expect(outcome.talk.contains("A field that is meant as it is written is sent with --allow-unknown."))
        #expect(try fixture.jobs().isEmpty)
        let file = try fixture.write("a fox\n", "foxes.txt")
        let imported = try await fixture.run("import", file, "--matrix", input)
        #expect(imported.code == 65)
        #expect(imported.talk.first?.contains("did you mean \(meant)?") == true)

        let allowed = try await fixture.run("add", "a fox", "--input", input, "--allow-unknown")
        #expect(allowed.code == 0)
        #expect(allowed.talk.first?.hasPrefix("warning: flux-2/flex-text-to-image does not list the field") == true)
        // The claim goes by the same rule, and by what was allowed.
        try fixture.sql("INSERT INTO jobs (prompt, input) SELECT prompt, input FROM jobs")
        try await fixture.submit(.running, .running)
        #expect(try fixture.jobs().map(\.state) == [.failed, .running])
        #expect(try fixture.jobs().first?.errorCode == "invalid_input")
    }

    @Test func `a field that resembles none is sent as it is, with a warning`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "--input", "watermark=no")
        #expect(outcome.code == 0)
        #expect(
            outcome.talk.first
                == "warning: flux-2/flex-text-to-image does not list the field watermark; it is sent as it is"
        )
    }

    @Test func `a list's field given again is its next item, another one's is an error`() async throws {
        let fixture = try CommandFixture()
        let model = ["--model", "nano-banana-2"]
        let two = ["--input", "image_input=https://x.example/1.png", "--input", "image_input=https://x.example/2.png"]
        #expect(try await fixture.run(["add", "a fox"] + model + two).code == 0)
        #expect(
            try fixture.jobs().first?.input
                == #"{"image_input":["https://x.example/1.png","https://x.example/2.png"]}"#
        )
        let scalar = try await fixture.run("add", "a fox", "--input", "resolution=1K", "--input", "resolution=2K")
        #expect(scalar.code == 64)
        #expect(
            scalar.talk
                == [
                    "promptctl: --input: resolution is given twice, and flux-2/flex-text-to-image takes one value for it"
                ]
        )
    }

    @Test(arguments: [
        "https://x.example/1.png,https://x.example/2.png", "/tmp/ref.png", "@ref.png", "ref.png", #"[""]"#, "", "ref",
        "https://x.example/1.png; https://x.example/2.png",
    ])
    func `what is no URL is not queued where one is wanted`(value: String) async throws {
        let fixture = try CommandFixture()
        for (model, field) in [("nano-banana-2", "image_input"), ("kling-2.6/motion-control", "input_urls")] {
            let outcome = try await fixture.run("add", "a fox", "--model", model, "--input", "\(field)=\(value)")
            #expect(outcome.code == 65)
            #expect(outcome.talk.first?.hasPrefix("promptctl: \(field)[0]: ") == true)
        }
        #expect(try fixture.jobs().isEmpty)
    }
}
