import FoundationEssentials
import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// Files of jobs: listed, opened, and shown together.
@Suite(.bothStores) struct FileTests {
    static func fixture(
        _ configure: @escaping @Sendable (inout Console) -> Void = { _ in }
    ) async throws -> CommandFixture {
        let fixture = try CommandFixture(configure)
        _ = try await fixture.run("add", "a red fox", "-b", "b", "--label", "sku=A-1", "-i", "seed=7")
        _ = try await fixture.run("add", "a grey hen", "-b", "b")
        _ = try await fixture.run("add", "a black cat")
        // The batches take turns.
        try await fixture.submit(.succeeded, .failed, .succeeded)
        return fixture
    }

    @Test func `files are listed with their whole paths, as other programs take them`() async throws {
        let fixture = try await Self.fixture()
        let media = ["PROMPTD_MEDIA": "/srv/media/"]
        let plain = try await fixture.run(["list", "--files"], environment: media)
        #expect(plain.code == 0)
        #expect(plain.output == ["/srv/media/default/1-0.png", "/srv/media/default/2-0.png"])
        let ended = try await fixture.run(["list", "--files", "-0", "--limit", "1"], environment: media)
        #expect(ended.output == ["/srv/media/default/1-0.png\0"])
        let csv = try await fixture.run(["list", "--files", "--csv", "-b", "b"], environment: media)
        // A CSV line's end is one character.
        #expect(
            csv.output == [
                "job_id,ordinal,path,content_type,bytes\r\n1,0,/srv/media/default/1-0.png,image/png,1234\r\n"
                    + "2,0,/srv/media/default/2-0.png,image/png,1234\r\n"
            ]
        )
        let json = try await fixture.run(["list", "--files", "--json"], environment: media)
        #expect(
            json.output.first
                == #"{"bytes":1234,"content_type":"image/png","job_id":1,"ordinal":0,"path":"/srv/media/default/1-0.png"}"#
        )
        let table = try await fixture.run(["list", "--files"], environment: media, terminal: true)
        #expect(table.output.first == "ID  NO  TYPE         SIZE  PATH")
        #expect(table.output.last?.hasSuffix("1.2 kB  /srv/media/default/2-0.png") == true)
        let none = try await fixture.run("list", "--files", "--state", "failed")
        #expect(none.output.isEmpty && none.talk == ["no job that matches has a file"])
    }

    @Test(arguments: [
        ["--columns", "id"], ["--sort", "charged"], ["--reverse"], ["-0", "--json"], ["-0", "--csv"],
    ])
    func `what does not go with files is refused`(arguments: [String]) async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run(["list", "--files"] + arguments).code == 64)
        #expect(try await fixture.run(["list", "-0"]).code == 64)
    }

    @Test(arguments: [
        ("/m/a/1.png", "/m", "a/1.png"), ("/m/a/1.png", "/o/p", "../../m/a/1.png"), ("/m/a.png", "/m/b", "../a.png"),
        ("/m/./x/../a.png", "/", "m/a.png"),
    ])
    func `a way between two places is as short as it can be`(file: String, folder: String, way: String) {
        #expect(AbsolutePath.relative(file, from: folder) == way)
    }

    // MARK: - Opening

    @Test func `a result is opened by the program that one names`() async throws {
        let fixture = try await Self.fixture()
        let opener = try fixture.write("#!/bin/sh\necho \"$@\" >>\"$0.log\"\n", "opener")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: opener)
        let environment = ["PROMPTD_MEDIA": "/srv/media", "PROMPTD_OPENER": opener]
        let outcome = try await fixture.run(["open", "1", "2/0"], environment: environment)
        #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.talk.isEmpty)
        let log = String(decoding: FileManager.default.contents(atPath: opener + ".log") ?? Data(), as: UTF8.self)
        #expect(log == "/srv/media/default/1-0.png\n/srv/media/default/2-0.png\n")

        try fixture.write("#!/bin/sh\necho no such viewer >&2\nexit 3\n", "opener")
        let failed = try await fixture.run(["open", "1"], environment: environment)
        #expect(failed.code == 69)
        #expect(failed.talk.first?.contains("no such viewer; the file is /srv/media/default/1-0.png") == true)
        let absent = try await fixture.run(
            ["open", "1"],
            environment: ["PROMPTD_OPENER": "no-such-program", "PATH": "/usr/bin"]
        )
        #expect(absent.code == 69 && absent.talk == ["promptctl: PROMPTD_OPENER: there is no program no-such-program"])
    }

    @Test func `where there is no desktop the path is said`() async throws {
        let fixture = try await Self.fixture()
        let media = ["PROMPTD_MEDIA": "/srv/media"]
        let outcome = try await fixture.run(["open", "1"], environment: media)
        #expect(outcome.code == 0 && outcome.output == ["/srv/media/default/1-0.png"] && outcome.talk.count == 1)
        let path = try await fixture.run(["open", "-p", "1"], environment: media)
        #expect(path.output == ["/srv/media/default/1-0.png"] && path.talk.isEmpty)
    }

    @Test(arguments: [
        ("9", 65, "job 9: there is none"), ("3", 65, "job 3 is failed and has no file"),
        ("1/4", 65, "job 1 has no file 4; there are 1/0"), ("x", 64, ""), ("1/x", 64, ""), ("1/0/0", 64, ""),
    ])
    func `what cannot be opened is said`(argument: String, code: Int32, message: String) async throws {
        let fixture = try await Self.fixture()
        let outcome = try await fixture.run("open", argument)
        #expect(outcome.code == code)
        #expect(outcome.talk.joined().contains(message), "\(outcome.talk)")
    }

    @Test func `a program that does not end is ended`() async throws {
        let sleep = try #require(ExternalProgram("sleep", environment: [:]))
        let failure = await #expect(throws: ExternalProgram.Failure.self) {
            try await sleep.run(["60"], within: .milliseconds(50))
        }
        #expect(failure?.description == "sleep: took longer than 50 ms and was ended")
    }
}
