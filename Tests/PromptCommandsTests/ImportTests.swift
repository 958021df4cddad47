import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct ImportTests {
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
        let messages = [
            "takes one http:// or https:// URL", "is no URL with https:// before it", "/cat.png: No such file",
        ]
        #expect(messages.contains { outcome.talk.joined().contains($0) }, "\(outcome.talk)")
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
