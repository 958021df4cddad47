import PromptQueue
import Testing

@testable import PromptCommands

/// What the commands say of jobs that take the results of others.
@Suite(.bothStores) struct ChainCommandTests {
    private let video = "bytedance/v1-lite-image-to-video"

    @Test func `add takes a result, says its price, and list and show say what is waited for`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a red fox", "--unique", "shots/7")
        let outcome = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=key:shots/7/0")
        #expect(outcome.code == 0)
        #expect(outcome.talk.count == 1)
        #expect(try fixture.jobs().first?.waitsFor == [JobID(1)])
        #expect(try fixture.jobs().first?.estimated != nil)
        let list = try await fixture.run("list")
        #expect(list.output.contains { $0.contains("for job 1") })
        let shown = try await fixture.run("show", "2").output
        #expect(shown.contains("  job 1  queued  flux-2/flex-text-to-image"))
        #expect(shown.contains("    job 2  queued  \(video)  takes key:shots/7/0  (this job)"))
        #expect(shown.contains("It waits for job 1, whose result it takes."))
        let first = try await fixture.run("show", "1").output
        #expect(first.contains("  job 1  queued  flux-2/flex-text-to-image  (this job)"))
        #expect(first.contains { $0.hasPrefix("    job 2") })
    }

    @Test(arguments: [
        ("job:9", "job:9: there is no job 9"),
        (
            "key:shots/7",
            #"key:shots/7: there is no job with the unique key "shots"; of a key that ends in /7 write key:shots/7/0"#
        ),
        ("job:2", "job:2: job 2 was cancelled; promptctl retry 2 first"),
        ("job:1x", "job:1x: is no job's id; write job:12, or job:12/1 for its second result"),
    ])
    func `add says what cannot be taken, and adds nothing`(reference: String, message: String) async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a red fox", "--unique", "shots/7")
        _ = try await fixture.run("add", "a heron at dawn")
        _ = try await fixture.run("cancel", "2")
        for arguments in [[], ["--dry-run"]] {
            let outcome = try await fixture.run(
                ["add", "it runs", "-m", video, "-i", "image_url=\(reference)"] + arguments
            )
            #expect(outcome.code == 65)
            #expect(outcome.talk.first == "promptctl: \(message)")
        }
        #expect(try fixture.jobs().count == 2)
    }

    @Test func `a result of another kind is only warned about, and one in another field is refused`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a running fox", "-m", "kling/v2-1-master-text-to-video")
        let other = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=job:1")
        #expect(other.code == 0)
        #expect(
            other.talk.first?.contains("image_url: job 1 makes a video, and the field seems to take an image") == true
        )
        let wrong = try await fixture.run("add", "a fox", "-i", "resolution=job:1")
        #expect(wrong.code == 65)
        #expect(wrong.talk.first?.contains("takes no URL here") == true)
    }

    @Test func `lines of an import name earlier lines, and a bad reference is reported with its line`() async throws {
        let fixture = try CommandFixture()
        let good = try fixture.write(
            """
            {"prompt":"a red fox","unique_key":"shot-1"}
            {"prompt":"it runs","model":"\(video)","input":{"image_url":"key:shot-1"}}
            """,
            "good.jsonl"
        )
        #expect(try await fixture.run("import", good).code == 0)
        #expect(try fixture.jobs().first?.waitsFor == [JobID(1)])
        let bad = try fixture.write(
            """
            {"prompt":"it runs","model":"\(video)","input":{"image_url":"key:shot-3"}}
            {"prompt":"a red fox","unique_key":"shot-3"}
            """,
            "bad.jsonl"
        )
        let outcome = try await fixture.run("import", bad)
        #expect(outcome.code == 65)
        #expect(
            outcome.talk.contains {
                $0.contains(#"bad.jsonl:1: key:shot-3: there is no job with the unique key "shot-3""#)
            }
        )
        #expect(try fixture.jobs().count == 2)
    }

    @Test func `cancel says how many wait, and a batch of a chain is cancelled and retried as one`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a red fox", "-b", "film")
        _ = try await fixture.run("add", "it runs", "-m", video, "-i", "image_url=job:1", "-b", "film")
        let dry = try await fixture.run("cancel", "1", "--dry-run")
        #expect(dry.talk == ["would cancel 1 job: 1 job that waits for its result would fail with it"])
        let one = try await fixture.run("cancel", "1")
        #expect(one.talk == ["cancelled 1 job: 1 job that waits for its result has failed with it"])
        #expect(try fixture.jobs().map(\.errorCode) == ["input_failed", nil])
        #expect(try await fixture.run("retry", "2").code == 65)
        #expect(try await fixture.run("retry", "2", "1").code == 0)
        #expect(try fixture.jobs().map(\.state) == [.queued, .queued])
        let all = try await fixture.run("cancel", "-b", "film")
        #expect(all.code == 0)
        #expect(try fixture.jobs().map(\.state) == [.cancelled, .cancelled])
        let again = try await fixture.run("retry", "-b", "film", "--state", "failed,cancelled")
        #expect(again.code == 0)
        #expect(try fixture.jobs().map(\.state) == [.queued, .queued])
    }
}
