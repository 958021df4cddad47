import FoundationEssentials
import Glibc
import JobStore
import PromptQueue
import StateFiles
import Testing

@testable import PromptCommands

/// `prune`, `export` and `backup`.
@Suite(.bothStores) struct CareTests {
    private func fixture() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        _ = try await fixture.run(
            "add",
            "a \"fox\", red",
            "--batch",
            "b",
            "--label",
            "sku=A-1",
            "--input",
            "seed=7"
        )
        _ = try await fixture.run("add", "a hen", "--unique", "k")
        _ = try await fixture.run("add", "a cat")
        try await fixture.submit(.succeeded, .failed)
        return fixture
    }

    // MARK: - Pruning

    @Test func `what is pruned has to be said`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("prune").code == 64)
        let open = try await fixture.run("prune", "--state", "failed,queued,running")
        #expect(open.code == 64 && open.talk.joined().contains("--state: queued, running: not finished."))
        #expect(try await fixture.run("prune", "--older-than", "soon").code == 64)
        #expect(try fixture.jobs().count == 3)
    }

    @Test func `finished jobs go, the others stay`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("prune", "--older-than", "1h").talk == ["removed 0 jobs"])
        let dry = try await fixture.run("prune", "--older-than", "0s", "--dry-run")
        #expect(dry.talk == ["would remove 0 jobs"], "what ends this very millisecond is not older than that")
        let all = ["prune", "--state", "succeeded,failed,cancelled"]
        #expect(try await fixture.run(all + ["--dry-run"]).talk == ["would remove 2 jobs; 1 file of theirs stay"])
        #expect(try await fixture.run(all).talk == ["removed 2 jobs; 1 file of theirs stay"])
        #expect(try fixture.jobs().map(\.state) == [.queued])
        #expect(try await fixture.run(all).talk == ["removed 0 jobs"])
    }

    @Test func `files go when that is said, with what lies beside them`() async throws {
        let fixture = try await fixture()
        let media = fixture.directory + "/media"
        let folder = media + "/default"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["1-0.png", "1.json", "9-0.png"] { try fixture.write("x", "media/default/\(name)") }
        try fixture.own("media")
        let outcome = try await fixture.run(
            "prune",
            "--state",
            "succeeded",
            "--files",
            environment: ["PROMPTD_MEDIA": media]
        )
        #expect(outcome.talk == ["removed 1 job; 1 file with them"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["9-0.png"])
    }

    @Test func `nothing is removed behind a link`() async throws {
        let fixture = try await fixture()
        let media = fixture.directory + "/media"
        let elsewhere = fixture.directory + "/elsewhere"
        for folder in [media, elsewhere] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try fixture.write("x", "elsewhere/1-0.png")
        try fixture.own("media")
        try FileManager.default.createSymbolicLink(atPath: media + "/default", withDestinationPath: elsewhere)
        let prune = ["prune", "--state", "succeeded", "--files"]
        let outcome = try await fixture.run(prune, environment: ["PROMPTD_MEDIA": media])
        #expect(
            outcome.talk.last == "some files are left for promptd to remove: \(media)/default: is not a directory"
        )
        #expect(FileManager.default.fileExists(atPath: elsewhere + "/1-0.png"))
    }

    @Test func `files that cannot be reached are left for promptd`() async throws {
        let fixture = try await fixture()
        let outcome = try await fixture.run(
            "prune",
            "--state",
            "succeeded",
            "--files",
            environment: ["PROMPTD_MEDIA": "/none"]
        )
        #expect(outcome.code == 0)
        #expect(outcome.talk.last == "their files are left for promptd to remove: /none: No such file or directory")
    }

    // MARK: - Exporting

    @Test func `JSON Lines have the job and its results, the oldest first`() async throws {
        let fixture = try await fixture()
        let lines = try await fixture.run("export").output
        let jobs = try lines.map { try JSONValue(parsing: $0).objectValue ?? [:] }
        #expect(jobs.map { $0["id"] } == [.integer(1), .integer(2), .integer(3)])
        #expect(jobs[0]["prompt"] == "a \"fox\", red")
        #expect(jobs[0]["input"]?.objectValue?["seed"] != nil)
        #expect(jobs[0]["charged_credits"] == .integer(14))
        let result = jobs[0]["results"]?.arrayValue?.first?.objectValue
        #expect(result?["path"] == "default/1-0.png")
        #expect(result?["sha256"] == .string(String(repeating: "a", count: 64)))
        #expect(try await fixture.run("export", "--batch", "b").output.count == 1)
        #expect(try await fixture.run("export", "--state", "queued").output.count == 1)
    }

    @Test func `CSV has a heading and the same, and is read back as what it was`() async throws {
        let fixture = try await fixture()
        let path = fixture.directory + "/out.csv"
        #expect(try await fixture.run("export", "-o", path).talk == ["wrote 3 jobs to \(path)"])
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5 && lines.last == "")
        #expect(lines[0].hasPrefix("id,state,queue,batch,model,prompt,input,labels,unique_key,task_id,attempts,"))
        #expect(lines[1].hasPrefix(#"1,succeeded,default,b,flux-2/flex-text-to-image,"a ""fox"", red","{""#))
        #expect(lines[1].contains(",14,default/1-0.png,image/png,1234,\(String(repeating: "a", count: 64)),,,"))
        #expect(lines[2].contains(",content_refused,the content was refused,"))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!names.contains { $0.hasSuffix(".partial") })
    }

    @Test(arguments: [
        (["plain", "", "x y"], "plain,,x y"), (["a,b", "say \"hi\""], #""a,b","say ""hi""""#),
        (["two\nlines", "\r"], "\"two\nlines\",\"\r\""), ([" edge"], "\" edge\""), (["\"\u{301}"], "\"\"\"\u{301}\""),
    ])
    func `a field is quoted where it has to be`(fields: [String], record: String) {
        #expect(Array(CSVWriter.record(fields).utf8) == Array(record.utf8))
    }

    @Test func `an export into a directory that is not there says so`() async throws {
        let outcome = try await fixture().run("export", "-o", "/none/out.csv")
        #expect(outcome.code == 73)
        #expect(outcome.talk.joined().contains("/none/out.csv.partial: cannot be made: No such file or directory"))
    }

    // MARK: - Backups

    @Test(.filesOnly) func `in a directory copies get the time as their name, and the oldest go`() async throws {
        let fixture = try await fixture()
        let directory = fixture.directory + "/backups"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in ["promptd-20000101T000000Z.sqlite", "promptd-20010101T000000Z.sqlite", "promptd-notes.sqlite"] {
            try fixture.write("x", "backups/\(name)")
        }
        let outcome = try await fixture.run("backup", directory, "--keep", "2")
        #expect(outcome.code == 0)
        #expect(outcome.talk.last == "removed \(directory)/promptd-20000101T000000Z.sqlite")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        #expect(
            names.count == 3 && names.contains("promptd-notes.sqlite") && names[0] == "promptd-20010101T000000Z.sqlite"
        )
        #expect(try await fixture.run("show", "1", "--database", directory + "/" + names[1]).code == 0)
    }

    @Test(.filesOnly) func `copies are kept in a directory only, and at least one`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("backup", fixture.directory + "/c.sqlite", "--keep", "2").code == 64)
        #expect(try await fixture.run("backup", fixture.directory, "--keep", "0").code == 64)
        #expect(try await fixture.run("backup", fixture.directory + "/none/").code == 73)
    }
}

/// `restore` and `restored`.
@Suite(.filesOnly) struct RestoreCommandTests {
    /// A backup, after which one of its two waiting jobs was sent and another one was added; restored, and held as a start of
    /// promptd holds it.
    private func restored() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        for prompt in ["a fox", "a hen"] { _ = try await fixture.run("add", prompt) }
        let backup = fixture.directory + "/backup.sqlite"
        #expect(try await fixture.run("backup", backup).code == 0)
        try await fixture.submit(.succeeded)
        let outcome = try await fixture.run("restore", backup)
        #expect(outcome.code == 0)
        #expect(
            outcome.talk.first?.hasPrefix("the database that was there is now \(fixture.database).replaced-") == true
        )
        let ledger = try SQLiteLedger(path: fixture.database)
        _ = try await ledger.checkAge(marks: [fixture.database + "-requests"], now: fixture.instant)
        try ledger.close()
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/media",
            withIntermediateDirectories: true
        )
        try fixture.own("media")
        for name in ["1-0.png", "1.json", "77-0.png", "x.png"] {
            try FileManager.default.createDirectory(
                atPath: fixture.directory + "/media/default",
                withIntermediateDirectories: true
            )
            try fixture.write("x", "media/default/\(name)")
        }
        return fixture
    }

    private func run(_ fixture: CommandFixture, _ arguments: String...) async throws -> CommandFixture.Outcome {
        try await fixture.run(["restored"] + arguments, environment: ["PROMPTD_MEDIA": fixture.directory + "/media"])
    }

    @Test func `it is said what is known, which jobs are paid for, and how to go on`() async throws {
        let fixture = try await restored()
        let outcome = try await run(fixture)
        #expect(outcome.output.count == 3)
        #expect(outcome.output[1] == "nothing is submitted; 2 jobs of the copy would be sent once it is released")
        #expect(outcome.output[2] == "the media directory has files of 1 of them, which are paid for: 1")
        #expect(outcome.talk.contains { $0.hasPrefix("promptctl restored --cancel-paid --release") })
        let json = try JSONValue(parsing: #require(try await run(fixture, "--json").output.first)).objectValue
        #expect(json?["restored"] == true)
        #expect(json?["waiting_jobs_with_files"] == .array([.integer(1)]))
        let status = try await fixture.run("status").output.joined(separator: "\n")
        #expect(status.contains("restored"), "\(status)")
    }

    @Test func `those that are paid for are cancelled, and the rest goes on`() async throws {
        let fixture = try await restored()
        let outcome = try await run(fixture, "--cancel-paid", "--release")
        #expect(
            outcome.talk == [
                "cancelled 1 job", "released: promptd submits 1 waiting job of the copy, and what comes later",
            ]
        )
        #expect(try fixture.jobs().map(\.state) == [.queued, .cancelled])
        #expect(try await run(fixture).talk == ["no copy is held; nothing has to be done"])
    }

    @Test func `without any job of the copy nothing can be paid for twice`() async throws {
        let fixture = try await restored()
        #expect(try await run(fixture, "--cancel-waiting").talk.first == "cancelled 2 jobs")
        #expect(try fixture.jobs().map(\.state) == [.cancelled, .cancelled])
    }

    @Test func `where it cannot be told which are paid for, nothing is released`() async throws {
        let fixture = try await restored()
        for media in ["/none", fixture.directory] {
            let outcome = try await fixture.run(
                "restored",
                "--cancel-paid",
                "--release",
                environment: ["PROMPTD_MEDIA": media]
            )
            #expect(outcome.code == 73, "\(outcome.talk)")
            #expect(outcome.talk.joined().contains("it is not known which jobs are paid for; nothing was done"))
        }
        #expect(try await run(fixture, "--json").output.first?.contains("\"restored\":true") == true)
    }

    @Test func `a half-fetched result proves that its job is paid for`() async throws {
        let fixture = try await restored()
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/media/.partial",
            withIntermediateDirectories: true
        )
        try fixture.write("x", "media/.partial/2-0")
        #expect(
            try await run(fixture).output[2] == "the media directory has files of 2 of them, which are paid for: 1 2"
        )
    }

    @Test func `before promptd was started on it nothing can be released`() async throws {
        let fixture = try CommandFixture()
        let backup = fixture.directory + "/backup.sqlite"
        _ = try await fixture.run("backup", backup)
        _ = try await fixture.run("restore", backup)
        let outcome = try await fixture.run("restored", "--release")
        #expect(outcome.code == 75)
        #expect(outcome.talk.joined().contains("is a copy that promptd has not been started on yet"))
    }

    @Test func `a running promptd keeps its database`() async throws {
        let fixture = try await restored()
        let lock = try OwnerLock(database: fixture.database)
        let outcome = try await fixture.run("restore", fixture.directory + "/backup.sqlite")
        #expect(outcome.code == 75)
        #expect(
            outcome.talk.joined().contains("another promptd (pid \(getpid())) works on this database; stop it first")
        )
        withExtendedLifetime(lock) {}
    }
}
