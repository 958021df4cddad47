import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

@Suite(.bothStores) struct ChangeTests {
    /// Jobs 1 succeeded, 2 failed, 3 unconfirmed, 4 running, 5 queued.
    private func fixture() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "fox 1", "fox 2", "fox 3", "fox 4", "fox 5", "--batch", "b")
        try await fixture.submit(.succeeded, .failed, .unconfirmed, .running)
        return fixture
    }

    private func states(_ fixture: CommandFixture) throws -> [String] {
        try fixture.jobs().reversed().map(\.state.rawValue)
    }

    @Test func `cancelling by id says why some jobs stay`() async throws {
        let fixture = try await fixture()
        let outcome = try await fixture.run("cancel", "1", "2", "3", "4", "5", "9")
        #expect(outcome.code == 65)
        #expect(
            outcome.talk == [
                "job 1: has succeeded already",
                "job 2: has failed already",
                "job 9: there is no such job",
                "cancelled 3 jobs: 2 are at the provider: 28 credits stay charged",
            ]
        )
        #expect(try states(fixture) == ["succeeded", "failed", "cancelled", "cancelled", "cancelled"])
        #expect(try await fixture.run("cancel", "5").talk.first == "job 5: is cancelled already")
    }

    @Test func `cancelling by filter takes what can be cancelled`() async throws {
        let fixture = try await fixture()
        let outcome = try await fixture.run("cancel", "--batch", "b")
        #expect(outcome.code == 0)
        #expect(outcome.talk == ["cancelled 3 jobs: 2 are at the provider: 28 credits stay charged"])
    }

    @Test func `retrying takes failed and cancelled jobs only`() async throws {
        let fixture = try await fixture()
        let refused = try await fixture.run("retry", "1", "3", "4")
        #expect(refused.code == 65)
        #expect(
            refused.talk == [
                "job 1: has succeeded; add a new job to make another",
                "job 3: is unconfirmed: an earlier request may have made a task; settle it with promptctl resolve",
                "job 4: is running; only failed and cancelled jobs can be tried again",
                "retried 0 jobs",
            ]
        )
        #expect(
            try await fixture.run("retry", "--state", "failed").talk
                == [
                    "retried 1 job: 1 is asked about once more, and paid for if it has really failed, 14 credits (estimated)"
                ]
        )
        // Its task is asked about once more before another one is paid for.
        #expect(try states(fixture) == ["succeeded", "running", "unconfirmed", "running", "queued"])
    }

    @Test(arguments: ["cancel", "retry"])
    func `neither ids nor filters, or both, is a usage error`(command: String) async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run(command).code == 64)
        #expect(try await fixture.run(command, "1", "--batch", "b").code == 64)
    }

    @Test func `a task that was found is followed`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("resolve", "3", "--task", "found").code == 0)
        let job = try #require(try fixture.jobs().first { $0.id == JobID(3) })
        #expect(job.state == .running)
        #expect(job.taskID == TaskID("found"))
        let ledger = try await fixture.ledger()
        // A daemon at work takes it up; on a server it takes over what the one kept that has died as well.
        #expect(try await ledger.takeResumed(now: fixture.instant).tasks.map(\.task).contains(TaskID("found")))
        try await ledger.close()
        let taken = try await fixture.run("resolve", "3", "--task", "found")
        #expect(taken.talk == ["promptctl: job 3: is running; only unconfirmed jobs need to be settled"])
    }

    @Test func `a task of another job is refused`() async throws {
        let fixture = try await fixture()
        let outcome = try await fixture.run("resolve", "3", "--task", "task-1")
        #expect(outcome.code == 65)
        #expect(outcome.talk == ["promptctl: task task-1: belongs to job 1 already"])
        #expect(try states(fixture)[2] == "unconfirmed")
    }

    @Test func `a job without a task is sent again, and its reservation is released`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("resolve", "3", "--resubmit").code == 0)
        let details = try #require(try self.details(3, fixture))
        #expect(details.job.state == .queued)
        #expect(details.attempts.map(\.state) == [.rejected])
        #expect(details.attempts.first?.errorCode == "settled_by_operator")
        #expect(details.attempts.first?.reserved == .zero)
    }

    @Test func `several jobs are settled at once, by ids or by filters`() async throws {
        let fixture = try await fixture()
        let some = try await fixture.run("resolve", "--fail", "3", "1", "99")
        #expect(some.code == 65)
        #expect(
            some.talk == [
                "job 1: is succeeded; only unconfirmed jobs need to be settled", "job 99: there is no such job",
                "gave up 1 job; 14 credits count as spent",
            ]
        )
        #expect(try states(fixture)[2] == "failed")

        let other = try await self.fixture()
        let stranger = try await other.run("resolve", "--resubmit", "--queue", "nobody's")
        #expect(stranger.code == 65)
        #expect(stranger.talk == ["promptctl: queue nobody's: there is none of that name; there is default"])
        let none = try await other.run("resolve", "--resubmit", "--state", "failed")
        #expect(none.talk == ["queued 0 jobs again: 0 credits (estimated)"])
        let tried = try await other.run("resolve", "--resubmit", "--batch", "b", "--dry-run")
        #expect(tried.talk == ["would queue 1 job again: 14 credits (estimated)"])
        #expect(try states(other)[2] == "unconfirmed")
        let again = try await other.run("resolve", "--resubmit", "--batch", "b")
        #expect(again.talk == ["queued 1 job again: 14 credits (estimated)"])
        #expect(try states(other) == ["succeeded", "failed", "queued", "running", "queued"])
        #expect(try await other.run("resolve", "--task", "t", "--batch", "b").code == 64)
        #expect(try await other.run("resolve", "--task", "t", "1", "3").code == 64)
        #expect(try await other.run("resolve", "--fail").code == 64)
        #expect(try await other.run("resolve", "--fail", "3", "--batch", "b").code == 64)
    }

    @Test func `a job that is given up is booked as charged`() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.run("resolve", "3", "--fail").code == 0)
        let details = try #require(try self.details(3, fixture))
        #expect(details.job.state == .failed)
        #expect(details.job.errorCode == "settled_by_operator")
        #expect(details.job.charged == Credits(millicredits: 14_000))
        #expect(details.attempts.map(\.state) == [.unknown])
        #expect(details.attempts.first?.charged == Credits(millicredits: 14_000))
        #expect(details.attempts.first?.reserved == .zero)
        #expect(details.attempts.first?.finishedAt == fixture.instant)
    }

    private func details(_ id: Int64, _ fixture: CommandFixture) throws -> JobDetails? {
        let file = try fixture.queue()
        let details = try file.details(of: JobID(id))
        try file.close()
        return details
    }

    @Test func `budgets and queues are set, listed and removed`() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run("budget", "set", "b", "--limit", "0.5", "--period", "week").code == 0)
        #expect(
            try await fixture.run("budget", "list").output
                == [
                    "BUDGET  FOR         PERIOD  LIMIT  RESERVED  SPENT  LEFT",
                    "b       all queues  week      0.5         0      0   0.5",
                ]
        )
        let set = ["budget", "set", "acme", "--period", "month", "--limit"]
        let narrow = try await fixture.run(set + ["20", "--label", "client=acme", "-m", "z-image"])
        #expect(
            narrow.talk == ["budget acme: 20 credits each month for model z-image, label client=acme"]
        )
        #expect(try await fixture.run(set + ["30"]).code == 0)
        let added = try await fixture.run(
            "add",
            "-m",
            "z-image",
            "a fox in snow",
            "--label",
            "client=acme",
            "--dry-run"
        )
        #expect(added.output.joined().contains("Budget acme/month: 30 → 29.2 of 30 left after these."))
        let other = try await fixture.run("add", "-m", "z-image", "a fox in snow", "--label", "client=b", "--dry-run")
        #expect(!other.output.joined().contains("Budget acme"))
        #expect(
            try await fixture.run("budget", "list", "--json").output.first?.contains(#""label":"client=acme""#) == true
        )
        let money = try await fixture.run(
            set + ["30"],
            environment: ["PROMPTD_CREDITS_PRICE": "0.005 USD"]
        )
        #expect(money.talk.first?.hasPrefix("budget acme: 30 credits (0.15 USD) each month for ") == true)
        #expect(try await fixture.run("budget", "remove", "acme").code == 0)
        #expect(try await fixture.run("budget", "remove", "b").code == 0)
        #expect(try await fixture.run("budget", "remove", "b").code == 65)
        #expect(try await fixture.run("budget", "set", "b", "--limit", "-1", "--period", "day").code == 64)
        let typo = try await fixture.run("queue", "pause", "defalt", "night")
        #expect(typo.code == 65)
        #expect(
            typo.talk == ["promptctl: queue defalt: there is none of that name; there is default. --create makes it"]
        )
        #expect(try await fixture.run("queue", "set", "night", "--max-running", "8").code == 65)
        let paused = try await fixture.run("queue", "pause", "night", "--create")
        #expect(paused.code == 0)
        #expect(paused.talk == ["paused night, a new queue"])
        #expect(try await fixture.run("queue", "pause", "night").talk == ["paused night"])
        #expect(try await fixture.run("queue", "set", "night", "--max-running", "8").code == 0)
        #expect(
            try await fixture.run("queue", "list").output.last
                == "night    paused        8       0        0"
        )
        let account = try await fixture.run("queue", "set", "night", "--account", "acne")
        #expect(account.code == 65)
        #expect(
            account.talk.first?.hasPrefix("promptctl: account acne: there is none of that name; there is default.")
                == true
        )
        try fixture.sql("INSERT INTO accounts (name) VALUES ('acme')")
        #expect(
            try await fixture.run("queue", "set", "night", "--account", "acme").talk == ["night: account acme"]
        )
        #expect(
            try await fixture.run("queue", "list").output.last
                == "night    paused        8       0        0  acme"
        )
        #expect(try await fixture.run("queue", "set", "night").code == 64)
        #expect(
            try await fixture.run("budget", "set", "a", "--limit", "5", "--period", "day", "--account", "acme").talk
                == ["budget a: 5 credits each day for account acme"]
        )
        #expect(try await fixture.run("status").output.contains { $0.hasPrefix("account acme") })
        #expect(try await fixture.run("queue", "set", "night", "--account", "default").code == 0)
        #expect(try await fixture.run("queue", "resume", "night").code == 0)
        #expect(try await fixture.run("queue", "resume", "nihgt").code == 65)
        #expect(try await fixture.run("queue", "set", "night", "--max-running", "none").code == 0)
    }

    // MARK: - What costs, before it does

    /// Jobs 1 failed, 2 to 4 cancelled before they were sent, 5 queued.
    private func halfCancelled() async throws -> CommandFixture {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "fox 1", "fox 2", "fox 3", "fox 4", "fox 5", "--batch", "b")
        try await fixture.submit(.failed)
        _ = try await fixture.run("cancel", "2", "3", "4")
        return fixture
    }

    @Test func `a filter retries what failed, and says what stays cancelled`() async throws {
        let fixture = try await halfCancelled()
        let outcome = try await fixture.run("retry", "--batch", "b")
        #expect(
            outcome.talk == [
                "retried 1 job: 1 is asked about once more, and paid for if it has really failed, 14 credits (estimated)",
                "3 cancelled jobs stayed; --state cancelled retries what was cancelled",
            ]
        )
        #expect(try states(fixture) == ["running", "cancelled", "cancelled", "cancelled", "queued"])
        let dry = try await fixture.run("retry", "--batch", "b", "--state", "cancelled", "--dry-run")
        #expect(dry.talk == ["would retry 3 jobs: 3 will be paid for, 42 credits (estimated)"])
        #expect(try states(fixture) == ["running", "cancelled", "cancelled", "cancelled", "queued"])
        let json = try await fixture.run("retry", "--batch", "b", "--state", "cancelled", "--json")
        let object = try #require(try JSONValue(parsing: json.output.joined()).objectValue)
        #expect(object["changed"] == 3 && object["estimated_credits"] == 42 && object["dry_run"] == false)
        #expect(try states(fixture) == ["running", "queued", "queued", "queued", "queued"])
    }

    @Test func `a cancellation says first what stays charged`() async throws {
        let fixture = try await fixture()
        let outcome = try await fixture.run("cancel", "--batch", "b", "--dry-run")
        #expect(outcome.talk == ["would cancel 3 jobs: 2 are at the provider: 28 credits stay charged"])
        #expect(try states(fixture) == ["succeeded", "failed", "unconfirmed", "running", "queued"])
    }

    @Test(arguments: ["cancel", "retry", "list", "export", "prune"])
    func `a queue or a batch that is not there is named, with those that are`(command: String) async throws {
        let fixture = try await fixture()
        for (option, kind, there) in [("--batch", "batch", "b"), ("--queue", "queue", "default")] {
            let outcome = try await fixture.run(command, option, "typo")
            let sentence = "\(kind) typo: there is none of that name; there is \(there)"
            #expect(outcome.talk == [command == "list" ? sentence : "promptctl: \(sentence)"])
            #expect(outcome.code == (command == "list" ? 0 : 65))
        }
        #expect(try states(fixture) == ["succeeded", "failed", "unconfirmed", "running", "queued"])
    }

    @Test func `after a refusal of its content a job is retried as something else`() async throws {
        let fixture = try await fixture()
        let misspelt = try await fixture.run("retry", "2", "--input", "resolutoin=2K")
        #expect(misspelt.code == 65)
        #expect(misspelt.talk.first?.contains("did you mean resolution?") == true)
        #expect(try states(fixture)[1] == "failed")
        let outcome = try await fixture.run("retry", "2", "--prompt", "a tame fox", "--input", "resolution=2K")
        #expect(outcome.talk == ["retried 1 job: 1 will be paid for, 24 credits (estimated)"])
        let job = try #require(try fixture.jobs().first { $0.id == JobID(2) })
        #expect(job.state == .queued && job.prompt == "a tame fox" && job.input == #"{"resolution":"2K"}"#)
        // One that has a result, or may get one, stays what it is.
        #expect(try await fixture.run("retry", "1", "--prompt", "a wild fox").code == 65)
        #expect(try await fixture.run("retry", "--batch", "b", "--prompt", "a wild fox").code == 64)
    }

    @Test func `a result that is paid for is taken up again for nothing, and a lost request is for a person`()
        async throws
    {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "fox 1", "fox 2", "--batch", "b")
        try await fixture.submit(.undownloaded, .unconfirmed)
        _ = try await fixture.run("cancel", "2")
        let outcome = try await fixture.run("retry", "1", "2")
        #expect(
            outcome.talk == [
                "retried 2 jobs: 1 is taken up again and not paid for twice, 1 is unconfirmed: settle it with promptctl resolve"
            ]
        )
    }

    @Test func `the cost of many jobs that nobody has estimated is told whole, by the price that holds now`()
        async throws
    {
        let fixture = try CommandFixture()
        try fixture.sql(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
            INSERT INTO jobs (prompt, batch) SELECT 'a red fox', 'big' FROM n
            """
        )
        _ = try await fixture.run("cancel", "--batch", "big")
        let many = try await fixture.run("retry", "--batch", "big", "--state", "cancelled", "--dry-run")
        #expect(many.talk == ["would retry 12,000 jobs: 12,000 will be paid for, 168,000 credits (estimated)"])
        _ = try await fixture.run("models", "price", "flux-2/flex-text-to-image", "99")
        let dear = try await fixture.run("retry", "1", "--dry-run")
        #expect(dear.talk == ["would retry 1 job: 1 will be paid for, 99 credits (estimated)"])
    }

    @Test func `what was asked for in other words and cancelled is not given the old task's result`() async throws {
        let fixture = try await fixture()
        _ = try await fixture.run("retry", "2", "--prompt", "a tame fox")
        #expect(try fixture.jobs().first { $0.id == JobID(2) }?.taskID == nil)
        #expect(try fixture.jobs().first { $0.id == JobID(2) }?.estimated == nil)
        _ = try await fixture.run("cancel", "2")
        _ = try await fixture.run("retry", "2")
        #expect(try states(fixture)[1] == "queued")
    }
}
