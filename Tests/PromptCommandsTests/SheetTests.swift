import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// Files as spreadsheets and their people make them.
@Suite(.bothStores) struct SheetTests {
    private func imported(
        _ text: String,
        _ name: String = "p.csv",
        _ options: String...,
        zone: Int64 = 0
    ) async throws -> (outcome: CommandFixture.Outcome, jobs: [JobRecord], file: String) {
        let fixture = try CommandFixture { $0.secondsFromUTC = { _ in zone } }
        let file = try fixture.write(text, name)
        let outcome = try await fixture.run(["import", file] + options)
        return (outcome, try fixture.jobs().reversed(), file)
    }

    @Test func `columns of one's own are refused with the ways out, and become labels or nothing`() async throws {
        let sheet = "SKU;Product Name; Prompt ;Aspect Ratio\r\nA-1;Mug;a red mug;16:9\r\n;;a cup;\r\n"
        let refused = try await imported(sheet)
        #expect(refused.outcome.code == 65)
        let message = refused.outcome.talk.joined()
        #expect(message.contains("p.csv:1: \"SKU\", \"Product Name\" are no columns"), "\(message)")
        #expect(message.contains("--extra labels") && message.contains("--extra ignore or --columns A,B"))

        let kept = try await imported(sheet, "p.csv", "--extra", "labels", "--label", "shop=x")
        #expect(kept.jobs.map(\.prompt) == ["a red mug", "a cup"])
        #expect(kept.jobs.map(\.labels) == [#"{"product_name":"Mug","shop":"x","sku":"A-1"}"#, #"{"shop":"x"}"#])
        #expect(kept.jobs.map(\.input) == [#"{"aspect_ratio":"16:9"}"#, "{}"])
        let columns =
            "SKU → label sku, Product Name → label product_name, Prompt → prompt, Aspect Ratio → input.aspect_ratio"
        #expect(
            kept.outcome.talk.first
                == "\(kept.file): read 2 lines as CSV, ; between columns: \(columns); first job: \"a red mug\" "
                + #"{"aspect_ratio":"16:9"} labels {"product_name":"Mug","shop":"x","sku":"A-1"}"#
        )
        for options in [["--extra", "ignore"], ["--columns", "prompt, aspect ratio"]] {
            let fixture = try CommandFixture()
            #expect(try await fixture.run(["import", try fixture.write(sheet, "p.csv")] + options).code == 0)
            #expect(try fixture.jobs().map(\.labels) == [nil, nil])
            #expect(try fixture.jobs().last?.input == #"{"aspect_ratio":"16:9"}"#)
        }
        #expect(try await imported(sheet, "p.csv", "--columns", "prompt,colour").outcome.code == 65)
    }

    @Test func `a title that is nearly a column is doubted, and not kept silently`() async throws {
        #expect(try await imported("promt\na fox\n").outcome.talk.joined().contains("did you mean prompt?"))
        let kept = try await imported("prompt,resolutoin\na fox,2K\n", "p.csv", "--extra", "labels")
        #expect(kept.outcome.talk.first?.contains("\"resolutoin\" becomes a label; was resolution meant?") == true)
    }

    @Test func `label.NAME is a label, with its name as it is`() async throws {
        let sheet = try await imported("prompt,label.Art-Nr\na fox,“7”\n")
        #expect(sheet.jobs.first?.labels == #"{"Art-Nr":"“7”"}"#)
    }

    @Test(arguments: [
        ("aspect_ratio", "16:09", #"{"aspect_ratio":"16:9"}"#),
        ("aspect_ratio", "16:09:00", #"{"aspect_ratio":"16:9"}"#),
        ("aspect_ratio", "0.672916667", #"{"aspect_ratio":"16:9"}"#),
        ("aspect_ratio", "\"0,672916667\"", #"{"aspect_ratio":"16:9"}"#),
        ("aspect_ratio", "1:01:00", #"{"aspect_ratio":"1:1"}"#),
        ("aspect_ratio", "4:09 PM", #"{"aspect_ratio":"16:9"}"#),
    ])
    func `a ratio of which a spreadsheet made a time is taken for it, and said`(
        field: String,
        cell: String,
        input: String
    ) async throws {
        let sheet = try await imported("prompt,input.\(field)\na fox,\(cell)\n")
        #expect(sheet.jobs.map(\.input) == [input])
        let said = "of which a spreadsheet made a time (line 2)"
        #expect(sheet.outcome.talk.first?.hasSuffix(said) == true, "\(sheet.outcome.talk)")
    }

    @Test(arguments: [
        ("16:10:00", "is a time that a spreadsheet made of something like 16:9"),
        ("0.67", "is not one of 1:1"), ("16:9:30", "is not one of 1:1"), ("16/9", "did you mean 16:9?"),
    ])
    func `a time that is no ratio is refused`(cell: String, problem: String) async throws {
        let sheet = try await imported("prompt,input.aspect_ratio\na fox,\(cell)\n")
        #expect(sheet.outcome.code == 65)
        #expect(sheet.outcome.talk.first?.contains(problem) == true, "\(sheet.outcome.talk)")
    }

    @Test func `cells are read as the type of their field has it`() async throws {
        let model = ["--model", "bytedance/seedance-2"]
        let fixture = try CommandFixture()
        let file = try fixture.write(
            "prompt,input.generate_audio,input.duration\na fox,TRUE,5\na fox,false,5.0\na fox,no,\"5,0\"\na fox,FALSCH,\n",
            "b.csv"
        )
        let outcome = try await fixture.run(["import", file] + model)
        #expect(outcome.code == 0, "\(outcome.talk)")
        #expect(
            try fixture.jobs().reversed().map(\.input) == [
                #"{"duration":5,"generate_audio":true}"#, #"{"duration":5,"generate_audio":false}"#,
                #"{"duration":5,"generate_audio":false}"#, #"{"generate_audio":false}"#,
            ]
        )
        #expect(outcome.talk.contains("\(file): duration: \"5,0\" is taken for 5 (line 4)"))
        #expect(!outcome.talk.joined().contains("\"5.0\""), "that is no guess")
        // A comma may part thousands.
        let wrong = try fixture.write("prompt,input.duration\na,\"5,000\"\na,5s\n", "w.csv")
        #expect(
            try await fixture.run(["import", wrong] + model).talk.contains(
                "2 of 2 lines are wrong; nothing was imported."
            )
        )
    }

    @Test func `typographic quotes are named where JSON is wanted, and kept in prompts`() async throws {
        let sheet = try await imported("prompt,input\na “fox”,{“resolution”:“2K”}\n")
        #expect(sheet.outcome.talk.first == "\(sheet.file):2: input: \(CellReader.typographicQuotes)")
        let lines = try await imported("{“prompt”:“a fox”}\n", "p.jsonl")
        #expect(lines.outcome.talk.first == "\(lines.file):1: \(CellReader.typographicQuotes)")
        #expect(try await imported("prompt\na “fox”\n").jobs.map(\.prompt) == ["a “fox”"])
    }

    @Test func `a time without a zone is local time, and the zone is said`() async throws {
        let sheet = try await imported("prompt,run_at\na fox,2026-12-01 9:00\na cow,2026-12-01T09:00:30\n", zone: 3_600)
        #expect(
            sheet.jobs.map(\.runAt) == [
                Instant(iso8601: "2026-12-01T08:00Z"), Instant(iso8601: "2026-12-01T08:00:30Z"),
            ]
        )
        let said = "run_at has no zone, and is read in local time, UTC+01:00 (lines 2, 3)"
        #expect(sheet.outcome.talk.first == "\(sheet.file): \(said)")
    }

    @Test func `a local time that clocks show twice or never is refused`() throws {
        // An hour more from the second on, and less from the third.
        let (forward, back) = (Instant(iso8601: "2026-03-29T01:00Z"), Instant(iso8601: "2026-10-25T01:00Z"))
        func seconds(_ instant: Instant) -> Int64 {
            guard let forward, let back else { return 0 }
            return instant >= forward && instant < back ? 7_200 : 3_600
        }
        #expect(LocalTime("2026-03-29 02:30")?.instants(seconds) == [])
        #expect(LocalTime("2026-10-25 02:30")?.instants(seconds).count == 2)
        let summer = LocalTime("2026-07-01 02:30")
        #expect(summer?.instants(seconds) == [Instant(iso8601: "2026-07-01T00:30Z")].compactMap(\.self))
        #expect(LocalTime("01.12.2026 09:00") == nil)
    }

    @Test func `an input may be a text, or stand beside the prompt`() async throws {
        let text = """
            {"prompt":"a fox","input":"{\\"resolution\\":\\"2K\\"}"}
            {"prompt":"b fox","resolution":"2K"}
            {"prompt":"c fox","resolution":"2K","input":{"aspect_ratio":"1:1"}}
            {"prompt":"d fox","input.resolution":"2K","label.sku":7}
            """
        let good = try await imported(text, "p.jsonl")
        #expect(good.outcome.code == 0, "\(good.outcome.talk)")
        #expect(
            good.jobs.map(\.input) == [
                #"{"resolution":"2K"}"#, #"{"resolution":"2K"}"#, #"{"aspect_ratio":"1:1","resolution":"2K"}"#,
                #"{"resolution":"2K"}"#,
            ]
        )
        #expect(good.jobs.last?.labels == #"{"sku":7}"#)
    }

    @Test(arguments: [
        (
            #"{"prompt":"a","resolution":"1K","input":{"resolution":"2K"}}"#,
            "resolution: is there twice, in input and beside it"
        ),
        (#"{"prompt":"a","input":{"resolution":"1K","resolution":"2K"}}"#, #"input: has the key "resolution" twice"#),
        (#"{"prompt":"a","Prompt":"b"}"#, "Prompt: is there twice; leave one out"),
        (#"{"prompt":"a","duration":5}"#, "duration: is no field of flux-2/flex-text-to-image; name it input.duration"),
        (#"{"prompt":"a","sku":5}"#, #""sku" is no column; There are"#),
    ])
    func `of two meanings none is chosen`(line: String, problem: String) async throws {
        let refused = try await imported(line + "\n", "p.jsonl")
        #expect(refused.outcome.code == 65)
        #expect(refused.outcome.talk.first?.contains(problem) == true, "\(refused.outcome.talk)")
    }

    @Test func `a template makes prompts of columns and of the matrix`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("Colour,product,unique_key\nred, mug ,k1\nblue,{jug},k2\n", "p.csv")
        let outcome = try await fixture.run(
            "import",
            file,
            "--template",
            "a {colour} {product}, {{{size}}}",
            "--matrix",
            "size=small,big",
            "--matrix",
            "aspect_ratio=1:1,16:9",
            "--matrix",
            "label.v=1"
        )
        #expect(outcome.code == 0, "\(outcome.talk)")
        let jobs = try fixture.jobs().reversed()
        #expect(
            jobs.map(\.prompt) == [
                "a red mug, {small}", "a red mug, {small}", "a red mug, {big}", "a red mug, {big}",
                "a blue {jug}, {small}", "a blue {jug}, {small}", "a blue {jug}, {big}", "a blue {jug}, {big}",
            ]
        )
        #expect(jobs.first?.input == #"{"aspect_ratio":"1:1"}"#, "a value that no model takes is for the template only")
        #expect(jobs.first?.labels == #"{"v":"1"}"#)
        #expect(jobs.first?.uniqueKey == "k1 size=small aspect_ratio=1:1 label.v=1")
        #expect(outcome.talk.first?.contains("Colour → the template, product → the template, unique_key") == true)
        #expect(outcome.talk.first?.contains("first job: \"a red mug, {small}\"") == true)
    }

    @Test func `a template that wraps prompts works for every format`() async throws {
        let texts = [
            ("p.txt", "a fox\n"), ("p.csv", "prompt\na fox\n"), ("p.jsonl", #"{"prompt":"a fox"}"#),
            ("l.json", #"[{"prompt":"a fox"}]"#),
        ]
        for (name, text) in texts {
            let made = try await imported(
                text,
                name,
                "--template",
                "{Prompt}, in {aspect ratio}",
                "--matrix",
                "aspect_ratio=1:1"
            )
            #expect(made.jobs.map(\.prompt) == ["a fox, in 1:1"], "\(name): \(made.outcome.talk)")
            #expect(made.jobs.map(\.input) == [#"{"aspect_ratio":"1:1"}"#])
        }
    }

    @Test func `a line without a value for the template is refused, with the column named`() async throws {
        let sheet = try await imported("colour,product\nred,mug\n,cup\n", "p.csv", "--template", "a {colour} {product}")
        #expect(sheet.outcome.talk.first == "\(sheet.file):3: colour: is missing or empty, and --template needs it")
        #expect(sheet.jobs.isEmpty)
        let unused = try await imported("prompt,colour\na fox,red\n", "p.csv", "--template", "a {colour} cat")
        #expect(unused.outcome.talk.first?.contains("prompt: is not used by --template") == true)
        let missing = try await imported("colour\nred\n", "p.csv", "--template", "a {color} mug", "--extra", "ignore")
        #expect(missing.outcome.talk.first?.hasSuffix(":1: has no column \"color\", which --template names") == true)
        for template in ["a {colour", "a colour}", "a {} mug", "a mug"] {
            #expect(
                try await imported("colour\nred\n", "p.csv", "--template", template).outcome.code == 64,
                "\(template)"
            )
        }
    }

    @Test func `the same prompts go to several models`() async throws {
        let models = "flux-2/flex-text-to-image,flux-2/pro-text-to-image"
        let sheet = try await imported("prompt\na fox\n", "p.csv", "--matrix", "model=\(models)")
        #expect(sheet.jobs.map(\.model) == models.split(separator: ",").map(String.init))
        #expect(sheet.jobs.map(\.input) == ["{}", "{}"])
        let twice = try await imported("prompt,model\na fox,x\n", "p.csv", "--matrix", "model=\(models)")
        #expect(twice.outcome.talk.first?.contains("model: is given by the line and by --matrix") == true)
        #expect(try await imported("prompt\na\n", "p.csv", "--matrix", "queue=a,b").outcome.code == 64)
    }

    @Test func `a dry run shows what was understood, and needs no database`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("prompt,unique_key\na fox,k\na dog,k\n", "p.csv")
        let missing = fixture.directory + "/none.sqlite"
        let outcome = try await fixture.run("--database", missing, "import", file, "--dry-run", "--skip-duplicates")
        #expect(outcome.code == 0)
        #expect(outcome.output == ["1 job for default: 14 credits (estimated). 1 duplicate skipped."])
        #expect(
            outcome.talk == [
                "\(missing): is not there; checked against the built-in catalogue, without budgets and keys of jobs",
                "\(file): read 2 lines as CSV: prompt, unique_key; first job: \"a fox\"",
            ]
        )
        #expect(!FileManager.default.fileExists(atPath: missing))
        #expect(try await fixture.run("--database", missing, "import", file).code != 0)
    }
}

extension Console {
    /// Says nothing to anybody.
    static var silent: Console {
        Console(
            environment: [:],
            now: { Instant(milliseconds: 1_795_000_000_000) },
            sleep: { _ in },
            writeOutput: { _ in },
            writeError: { _ in }
        )
    }
}
