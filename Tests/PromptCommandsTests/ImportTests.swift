import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

struct ImportTests {
    @Test func `spaces around the cells of a CSV file are not taken for names`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(
            "prompt,queue,batch,priority\n a fox,shop,tea,1\na dog, shop, tea , 2\na cow,\" \", ,\n",
            "spaces.csv"
        )
        #expect(try await fixture.run("import", file).code == 0)
        let jobs = try fixture.jobs().reversed()
        #expect(jobs.map(\.queue) == ["shop", "shop", "default"])
        #expect(jobs.map(\.batch) == ["tea", "tea", nil])
        #expect(jobs.map(\.priority) == [1, 2, 0])
        #expect(jobs.first?.prompt == " a fox", "a prompt is taken as it is")
    }

    @Test func `a header that comes again is left out, and said`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("prompt\na fox\nprompt\na heron\nprompt\n", "two.csv")
        let outcome = try await fixture.run("import", file)
        #expect(
            outcome.talk == [
                "\(file): lines 3, 5 repeat the header and are left out",
                "imported 2 jobs into default: 28 credits (estimated).",
            ]
        )
        #expect(try fixture.jobs().map(\.prompt) == ["a heron", "a fox"])
    }

    @Test(arguments: [
        ("a fox in the sn\u{F8}w\na “heron” – 🦊\n", TextEncoding.utf16LittleEndian, true),
        ("a fox in the snow\r\na heron\r\n", .utf16BigEndian, true),
        ("a fox in the snow\na heron\n", .utf16LittleEndian, false),
        ("a fox in the snow\na heron\n", .utf16BigEndian, false),
    ])
    func `UTF-16 is found out`(text: String, encoding: TextEncoding, hasMark: Bool) async throws {
        let fixture = try CommandFixture()
        let bytes = ((hasMark ? "\u{FEFF}" : "") + text).utf16.flatMap { unit -> [UInt8] in
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            return encoding == .utf16BigEndian ? [high, low] : [low, high]
        }
        #expect(try await fixture.run("import", try fixture.write(bytes, "p.txt")).code == 0)
        let wanted = text.split(whereSeparator: \.isNewline).map(String.init)
        #expect(try fixture.jobs().reversed().map(\.prompt) == wanted)
        let cut = try fixture.write(Array(bytes.dropLast()), "cut.txt")
        let outcome = try await fixture.run("import", cut)
        #expect(outcome.code == 65)
        #expect(outcome.talk.last?.contains("ends a character that has only begun") == true, "\(outcome.talk)")
    }

    /// `a café, “smart”` and a line end.
    private static let windows: [UInt8] =
        Array("a caf".utf8) + [0xE9, 0x2C, 0x20, 0x93] + Array("smart".utf8) + [0x94, 0x0A]

    @Test func `Windows-1252 is read with a warning that shows it`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(Self.windows, "p.txt")
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 0)
        let warning =
            "is not UTF-8, and is read as Windows-1252: \"a café, “smart”\"; if that is wrong, give --encoding"
        #expect(outcome.talk.first == "warning: \(file): \(warning)")
        #expect(try fixture.jobs().map(\.prompt) == ["a café, “smart”"])
        // Who says so needs no warning.
        let said = try await fixture.run("import", file, "--encoding", "cp1252", "--dry-run")
        #expect(said.code == 0)
        #expect(!said.talk.joined().contains("warning"))
        let wrong = try await fixture.run("import", file, "--encoding", "utf-8")
        #expect(wrong.talk.first == "\(file):1: prompt: \(ImportRow.notUTF8)")
    }

    @Test func `an encoding that may be one or the other is not guessed`() async throws {
        let fixture = try CommandFixture()
        let old = try fixture.write(Array("a caf".utf8) + [0x8E, 0x0D] + Array("a heron".utf8) + [0x0D], "mac.txt")
        let refused = try await fixture.run("import", old)
        #expect(refused.code == 65)
        #expect(refused.talk.first?.contains("--encoding windows-1252 or --encoding macintosh") == true)
        #expect(try await fixture.run("import", old, "--encoding", "macintosh").code == 0)
        #expect(try fixture.jobs().last?.prompt == "a café")
        // Both encodings in one file: its lines say so.
        let both = try fixture.write(Array("a café\n".utf8) + Self.windows, "both.txt")
        #expect(try await fixture.run("import", both).talk.first == "\(both):2: prompt: \(ImportRow.notUTF8)")
        let neither = try fixture.write(Array("a caf".utf8) + [0x81, 0x0A], "neither.txt")
        #expect(try await fixture.run("import", neither).talk.first?.contains("neither UTF-8 nor Windows-1252") == true)
    }

    @Test(arguments: [
        ([0x50, 0x4B, 0x03, 0x04, 0x14], "an Excel workbook (.xlsx)"),
        ([0x50, 0x4B, 0x03, 0x04] + Array("...mimetypeapplication/vnd.oasis.opendocument.spreadsheet".utf8), "(.ods)"),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0], "an old Excel workbook (.xls)"),
        (Array("{\\rtf1\\ansi a fox}".utf8), "a formatted text (RTF)"),
    ])
    func `a workbook is refused with the way out, whatever its name`(bytes: [UInt8], kind: String) async throws {
        let fixture = try CommandFixture()
        for name in ["p.csv", "p.txt", "p.xlsx"] {
            let outcome = try await fixture.run("import", try fixture.write(bytes, name))
            #expect(outcome.code == 65)
            #expect(outcome.talk.joined().contains(kind), "\(outcome.talk)")
            #expect(outcome.talk.joined().contains("File > Save As > CSV UTF-8"))
        }
    }

    @Test(arguments: ["prompt\na fox\n", "Prompt\tinput.aspect_ratio\na fox\t1:1\n", "{\"prompt\":\"a fox\"}\n"])
    func `a table or JSON by the name of a text is not paid line by line`(text: String) async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(text, "prompts.txt")
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 65)
        #expect(outcome.talk.first?.contains("or --format txt if each line is a prompt") == true)
        #expect(try fixture.jobs().isEmpty)
    }

    @Test(arguments: [
        "\"https://img.example/1.png, https://img.example/2.png\"", "photo.png (https://img.example/1.png)",
        "\"https://img.example/1.png\nhttps://img.example/2.png\"", "/home/user/cat.png", "#N/A", "cat.png",
        "file:///cat.png", "http://", "C:\\cat.png", "reference",
    ])
    func `a cell that is no web address is refused where one is wanted`(cell: String) async throws {
        let fixture = try CommandFixture()
        let model = "flux-2/flex-image-to-image"
        let file = try fixture.write("prompt,input.input_urls\na red fox,\(cell)\n", "urls.csv")
        let outcome = try await fixture.run("import", "--model", model, file)
        #expect(outcome.code == 65)
        #expect(outcome.talk.joined().contains("takes one http:// or https:// URL"), "\(outcome.talk)")
        #expect(try fixture.jobs().isEmpty)
        for good in ["https://img.example/1.png?a=1,2", "asset://abc-1"] {
            let file = try fixture.write("prompt,input.input_urls\na red fox,\"\(good)\"\n", "good.csv")
            #expect(try await fixture.run("import", "--model", model, "--dry-run", file).code == 0, "\(good)")
        }
    }

    @Test func `a header of thousands of columns, and a line of megabytes, are refused at once`() async throws {
        let fixture = try CommandFixture()
        let columns = (0..<20_000).map { "input.c\($0)" }.joined(separator: ",")
        let wide = try fixture.write("prompt,\(columns)\nx\n", "wide.csv")
        let refused = try await fixture.run("import", wide)
        #expect(refused.code == 65)
        #expect(refused.talk.joined().contains("20,001 columns; there may be 1,000"), "\(refused.talk)")
        for name in ["long.csv", "long.jsonl", "long.txt"] {
            let long = try fixture.write("prompt\n\"" + String(repeating: "x", count: 5 << 20), name)
            let format = String(name.suffix(from: name.index(name.startIndex, offsetBy: 5)))
            let outcome = try await fixture.run("import", long, "--format", format)
            #expect(outcome.code == 65)
            #expect(outcome.talk.joined().contains("more than 4 MiB"), "\(outcome.talk)")
        }
    }

    @Test func `a CSV file becomes jobs with their columns and inputs`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(
            """
            prompt,queue,priority,run_at,unique_key,batch,labels,max_attempts,input.aspect_ratio,input.resolution
            a red fox,ads,5,2026-12-24T18:00Z,k1,b,"{""sku"":""A-1""}",7,16:9,2K
            a blue fox,,,,,,,,,
            """,
            "p.csv"
        )
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 0)
        #expect(outcome.output == [])
        #expect(outcome.talk == ["imported 2 jobs into several queues: 38 credits (estimated)."])
        let jobs = try fixture.jobs()
        let first = try #require(jobs.last)
        #expect(first.prompt == "a red fox")
        #expect(first.queue == "ads")
        #expect(first.priority == 5)
        #expect(first.runAt == Instant(iso8601: "2026-12-24T18:00Z"))
        #expect(first.uniqueKey == "k1")
        #expect(first.batch == "b")
        #expect(first.labels == #"{"sku":"A-1"}"#)
        #expect(first.maxAttempts == 7)
        #expect(first.input == #"{"aspect_ratio":"16:9","resolution":"2K"}"#)
        #expect(first.estimated == Credits(millicredits: 24_000))
        #expect(first.createdAt == fixture.instant)
        let second = try #require(jobs.first)
        #expect(second.queue == "default")
        #expect(second.input == "{}")
        #expect(second.estimated == Credits(millicredits: 14_000))
        #expect(second.runAt == nil)
    }

    @Test func `every bad line is reported with its number, and nothing is imported`() async throws {
        let fixture = try CommandFixture()
        var text = "prompt,input.aspect_ratio\n"
        for line in 2...500 { text += line == 41 ? "a fox,16/9\n" : line == 388 ? "ab,1:1\n" : "a fox,1:1\n" }
        let file = try fixture.write(text, "prompts.csv")
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 65)
        #expect(
            outcome.talk == [
                "\(file):41: aspect_ratio: \"16/9\" is not one of 1:1 4:3 3:4 16:9 9:16 3:2 2:3; did you mean 16:9?",
                "\(file):388: prompt: 2 characters; flux-2/flex-text-to-image takes 3 to 5,000",
                "2 of 499 lines are wrong; nothing was imported.",
            ]
        )
        #expect(try fixture.jobs().isEmpty)
    }

    @Test func `no more than a hundred problems are printed, and the rest is counted`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(String(repeating: "ab\n", count: 250), "p.txt")
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 65)
        #expect(outcome.talk.count == 102)
        #expect(outcome.talk.suffix(2) == ["… and 150 more", "250 of 250 lines are wrong; nothing was imported."])
    }

    @Test func `an unknown model is refused with the nearest name`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(#"{"prompt":"a fox","model":"flux-2/flex-text-to-imag"}"#, "p.jsonl")
        let outcome = try await fixture.run("import", file)
        #expect(outcome.code == 65)
        #expect(outcome.talk.first?.contains("did you mean flux-2/flex-text-to-image") == true)
    }

    @Test func `a matrix makes a job for every combination`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(#"{"prompt":"a fox","unique_key":"k"}"#, "p.jsonl")
        let outcome = try await fixture.run(
            "import",
            file,
            "--matrix",
            "aspect_ratio=1:1,16:9",
            "--matrix",
            "resolution=1K,2K",
            "--queue",
            "m"
        )
        #expect(outcome.talk == ["imported 4 jobs into m: 76 credits (estimated)."])
        let jobs = try fixture.jobs()
        #expect(
            jobs.map(\.input).reversed() == [
                #"{"aspect_ratio":"1:1","resolution":"1K"}"#, #"{"aspect_ratio":"1:1","resolution":"2K"}"#,
                #"{"aspect_ratio":"16:9","resolution":"1K"}"#, #"{"aspect_ratio":"16:9","resolution":"2K"}"#,
            ]
        )
        #expect(jobs.last?.uniqueKey == "k aspect_ratio=1:1 resolution=1K")
    }

    @Test(arguments: [
        ["--matrix", "aspect_ratio=1:1,1:1"], ["--matrix", "aspect_ratio=1:1,"],
        ["--matrix", "resolution=1K", "--matrix", "resolution=2K"], ["--matrix", "resolution"],
    ])
    func `a matrix that makes no sense is a usage error`(options: [String]) async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("a fox\n", "p.txt")
        let code = await Console.$current.withValue(.silent) {
            await PromptctlCommand.run(["--database", fixture.database, "import", file] + options)
        }
        #expect(code == 64)
        #expect(try fixture.jobs().isEmpty)
    }

    @Test func `a field that both the line and the matrix give is a problem`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("prompt,input.resolution\na fox,2K\n", "p.csv")
        let outcome = try await fixture.run("import", file, "--matrix", "resolution=1K,2K")
        #expect(outcome.talk.first == "\(file):2: resolution: is given by the line and by --matrix")
    }

    @Test func `a dry run prints the count and the cost and changes nothing`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("a fox\na dog\n", "p.txt")
        let outcome = try await fixture.run("import", file, "--dry-run")
        #expect(outcome.code == 0)
        #expect(outcome.output == ["2 jobs for default: 28 credits (estimated)."])
        #expect(try fixture.jobs().isEmpty)
    }

    @Test func `a key that is taken is a problem, in the database and in the file`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "--unique", "k1")
        let file = try fixture.write("prompt,unique_key\na fox,k1\na dog,k2\na cat,k2\na cow,k3\n", "p.csv")
        let outcome = try await fixture.run("import", file)
        #expect(
            outcome.talk == [
                "\(file):2: unique_key: \"k1\" belongs to job 1 (queued) already",
                "\(file):4: unique_key: \"k2\" belongs to line 3 already",
                "2 of 4 lines are wrong; nothing was imported.",
                "--skip-duplicates leaves out what is there already.",
            ]
        )
        let skipping = try await fixture.run("import", file, "--skip-duplicates", "--json")
        #expect(skipping.code == 0)
        let report = try JSONValue(parsing: try #require(skipping.output.first)).objectValue
        #expect(report?["jobs"] == 2)
        #expect(report?["skipped"] == 2)
        #expect(try fixture.jobs().map(\.uniqueKey) == ["k3", "k2", "k1"])
    }

    @Test func `standard input needs a format and is read to its end`() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run("import", "-", input: "a fox\n").code == 64)
        let outcome = try await fixture.run(
            "import",
            "-",
            "--format",
            "txt",
            "--batch",
            "b",
            "--label",
            "sku=1",
            "--priority",
            "2",
            "--input",
            "resolution=2K",
            "--at",
            "2h",
            input: "a fox\na dog\n"
        )
        #expect(outcome.code == 0)
        let job = try #require(try fixture.jobs().first)
        #expect(job.batch == "b")
        #expect(job.labels == #"{"sku":"1"}"#)
        #expect(job.priority == 2)
        #expect(job.input == #"{"resolution":"2K"}"#)
        #expect(job.runAt == fixture.instant + .seconds(7_200))
        // The temporary copy is gone.
        let left = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!left.contains { $0.hasPrefix("promptctl-import") })
    }

    @Test func `fields that the model does not list are sent, with a warning`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("prompt,input.fps\na fox,24\na dog,24\n", "p.csv")
        let outcome = try await fixture.run("import", file)
        #expect(
            outcome.talk.first
                == "warning: flux-2/flex-text-to-image does not list the field fps; it is sent as it is"
        )
        #expect(try fixture.jobs().first?.input == #"{"fps":24}"#)
    }

    @Test(arguments: [
        ["import", "/nonexistent/p.csv"], ["import", "/dev/null", "--format", "txt"],
        ["import", "/tmp", "--format", "csv"],
    ])
    func `a file that cannot be read is bad data`(arguments: [String]) async throws {
        let fixture = try CommandFixture()
        let code = await Console.$current.withValue(.silent) {
            await PromptctlCommand.run(["--database", fixture.database] + arguments)
        }
        #expect(code == 65)
    }

    @Test func `the cost of a long text counts its characters, line by line`() async throws {
        let model = try #require(
            Catalogue.builtIn.models.values.first { model in
                model.promptField == "text"
                    && model.priceRules.contains { if case .thousandCharacters = $0.measure { true } else { false } }
            }
        )
        let fixture = try CommandFixture()
        let file = try fixture.write("short words\n\(String(repeating: "word ", count: 300))\n", "p.txt")
        let outcome = try await fixture.run("import", file, "--model", model.name, "--dry-run", "--json")
        try #require(outcome.code == 0, "\(outcome.talk)")
        let text = String(repeating: "word ", count: 300)
        let expected = [("short words"), text].reduce(Credits.zero) { sum, prompt in
            guard
                case .ready(let prepared) = Catalogue.builtIn.prepare(model: model.name, prompt: prompt, input: [:])
            else { return sum }
            return sum + (prepared.estimate?.credits ?? .zero)
        }
        let report = try JSONValue(parsing: try #require(outcome.output.first)).objectValue
        #expect(report?["estimated_credits"]?.doubleValue == expected.doubleValue)
        #expect(expected > .zero)
    }
}

/// Files as spreadsheets and their people make them.
struct SheetTests {
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
