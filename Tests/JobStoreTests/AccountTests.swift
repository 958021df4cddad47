import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// Several accounts in one ledger: what is of one says nothing of another.
@Suite struct AccountTests {
    private static let acme = AccountName(stored: "acme")
    private static let rate = RateLimit(count: 20, window: .seconds(10))

    private func fixture(
        _ rules: AccountRules = AccountRules(),
        with names: [AccountName] = [.standard, acme]
    ) async throws
        -> LedgerFixture
    {
        let fixture = try LedgerFixture()
        try await begin(fixture, names, rules)
        if names.contains(Self.acme) { try fixture.run("INSERT INTO queues (name, account) VALUES ('a', 'acme')") }
        return fixture
    }

    private func begin(
        _ fixture: LedgerFixture,
        _ names: [AccountName],
        _ rules: AccountRules = AccountRules()
    ) async throws {
        let accounts = names.map { AccountLimits(name: $0, rate: Self.rate, runningLimit: 100, rules: rules) }
        try await fixture.ledger.begin(
            DaemonIdentity(processID: 1, version: "v", accounts: accounts),
            now: fixture.now
        )
    }

    private func claim(_ fixture: LedgerFixture, _ request: ClaimRequest) async throws -> Claim {
        try await fixture.ledger.ledger(of: Self.acme).claim(request) { job in
            .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))
                )
            )
        }
    }

    private func claim(_ fixture: LedgerFixture, at seconds: Int64 = 0) async throws -> Claim {
        try await claim(fixture, fixture.request(5, at: fixture.now + .seconds(seconds)))
    }

    private func read(_ fixture: LedgerFixture, _ credits: Int64, at seconds: Int64) async throws -> CommitResult {
        let instant = fixture.now + .seconds(seconds)
        let reading = BalanceReading(
            balance: Credits(millicredits: credits * 1_000),
            askedAt: instant,
            isQuiet: true
        )
        return try await fixture.ledger.ledger(of: Self.acme)
            .record(.balance(reading, settles: true), now: instant + .milliseconds(100))
    }

    @Test func `a queue names an account that there is`() async throws {
        let fixture = try await fixture()
        let refusal = fixture.refusal("INSERT INTO queues (name, account) VALUES ('b', 'acne')")
        #expect(refusal?.hasPrefix("queues.account: there is no such account") == true)
        #expect(fixture.refusal("UPDATE queues SET account = 'acne'")?.hasPrefix("queues.account:") == true)
        try fixture.run("UPDATE queues SET account = NULL")
        #expect(try fixture.rows("SELECT account FROM queue_status WHERE queue = 'a'") == ["default"])
    }

    @Test(arguments: [
        "DELETE FROM accounts", "UPDATE accounts SET name = 'x'",
        "INSERT OR REPLACE INTO accounts (name) VALUES ('acme')",
        "INSERT INTO accounts (name) VALUES ('a b')", "INSERT INTO accounts (name) VALUES ('')",
        "INSERT INTO accounts (name) VALUES (CAST(x'64656661756c740078' AS TEXT))",
        "UPDATE attempts SET account = 'default'",
        "UPDATE accounts SET balance_millicredits = 9000000000000000000",
        "INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, account) "
            + "VALUES (9, lower(hex(randomblob(16))), 'q', 'm', 1, 1, 'nobody')",
    ])
    func `accounts and what was sent under them stay`(statement: String) async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')")
        _ = try await claim(fixture)
        #expect(fixture.refusal(statement) != nil)
    }

    @Test func `a queue that somebody replaces keeps its account, and one that is made anew has none`() async throws {
        let fixture = try await fixture()
        for statement in [
            "INSERT OR REPLACE INTO queues (name, paused) VALUES ('a', 1)",
            "INSERT OR IGNORE INTO queues (name) VALUES ('a')",
            "INSERT INTO queues (name) VALUES ('a') ON CONFLICT (name) DO UPDATE SET paused = 0",
            "INSERT INTO jobs (prompt, queue) VALUES ('x', 'a')",
            "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO queues (name, paused) VALUES ('a', 0)",
        ] {
            _ = fixture.refusal(statement)
            #expect(try fixture.rows("SELECT account FROM queues WHERE name = 'a'") == ["acme"], "\(statement)")
        }
        try fixture.run(
            "PRAGMA recursive_triggers = OFF; INSERT OR REPLACE INTO queues (name, account) VALUES ('a', 'default')"
        )
        #expect(try fixture.rows("SELECT account FROM queues WHERE name = 'a'") == ["default"])
        try fixture.run("UPDATE queues SET account = 'acme'; DELETE FROM jobs; DELETE FROM queues")
        try fixture.run("INSERT INTO queues (name) VALUES ('a')")
        #expect(try fixture.rows("SELECT account FROM queues WHERE name = 'a'") == [""])
    }

    @Test func `a backup can be made, and is whole, while a gate is closed`() async throws {
        let fixture = try await fixture()
        let gate = GateNote(name: "credits", closedAt: fixture.now, reopensAt: nil, message: "none left")
        try await fixture.record(.gates([gate]))
        #expect(try fixture.rows("PRAGMA integrity_check") == ["ok"])
    }

    @Test
    func `paid work of an account that is gone is not taken up, and the same job is sent anew for something else`()
        async throws
    {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')")
        let job = try #require(try await claim(fixture).jobs.first)
        try await fixture.accept(job, at: 1)
        let failure = Failure(.contentRefused, "no")
        try await fixture.record(.taskFailed(job.attempt, failure, charged: nil, then: .fail))
        try await begin(fixture, [.standard])
        let retry = "UPDATE jobs SET state = 'queued'"
        #expect(fixture.refusal(retry)?.contains("an account that is not in the configuration") == true)
        try fixture.run(retry + ", prompt = 'y'")
        #expect(try fixture.rows("SELECT state, is_resumed FROM jobs") == ["queued|0"])
    }

    @Test func `a refusal that was kept beside the ledger shuts the account that it is of`() async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')")
        let job = try #require(try await claim(fixture).jobs.first)
        var failure = Failure(.rateLimited, "slower")
        failure.retryAfter = .seconds(60)
        let then = FailureDisposition.retry(at: fixture.now, counted: false)
        try await fixture.record(.rejected(job.attempt, failure, then: then))
        #expect(
            try fixture.rows("SELECT name FROM accounts WHERE shut_until IS NOT NULL") == ["acme"]
        )
    }

    @Test func `evidence counts the requests of the account alone`() async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')", "(prompt) VALUES ('y')")
        _ = try await read(fixture, 1_000, at: -700)
        let lost = try #require(try await claim(fixture).jobs.first)
        let ledger = fixture.ledger.ledger(of: Self.acme)
        _ = try await ledger.record(.unknown(lost.attempt, Failure(.answerLost, "cut")), now: fixture.now)
        // What the other account does, a request under way included, does not disturb it, nor is it charged here.
        let other = try await fixture.claimOne()
        try await fixture.accept(other, at: 1)
        try await fixture.end(other, charged: 14, at: 2)
        try fixture.insert("(prompt) VALUES ('z')")
        _ = try await fixture.claim(1, at: fixture.now + .seconds(100))
        let result = try await read(fixture, 1_000, at: 200)
        #expect(result.settled.map(\.attempt) == [lost.attempt])
        #expect(try fixture.state(lost.job) == "queued")
        #expect(
            try fixture.rows("SELECT account, ledger_spend, account_spend, unexplained FROM account_status")
                == ["acme|0.0|0.0|0.0"]
        )
        #expect(
            try fixture.rows("SELECT name, charged_millicredits FROM accounts ORDER BY name")
                == ["acme|0", "default|14000"]
        )
    }

    @Test func `the reserve is kept from the account's own balance`() async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')", "(prompt) VALUES ('y')")
        _ = try await read(fixture, 110, at: 0)
        try await fixture.read(1_000, at: 0)
        var request = fixture.request(5, at: fixture.now + .seconds(1))
        request.creditReserve = Credits(millicredits: 100_000)
        #expect(try await fixture.claim(request).jobs.count == 1)
        let held = try await claim(fixture, request)
        #expect(
            held.reserveHold == .short(left: Credits(millicredits: 10_000), price: Credits(millicredits: 14_000))
        )
    }

    @Test func `gates hold the queues of their account`() async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')", "(prompt) VALUES ('y')")
        let gate = GateNote(name: "credits", closedAt: fixture.now, reopensAt: nil, message: "none left")
        _ = try await fixture.ledger.ledger(of: Self.acme).record(.gates([gate]), now: fixture.now)
        try await fixture.record(.gates([]))
        let blocked = "SELECT queue, blocked_by FROM queue_status ORDER BY queue"
        #expect(try fixture.rows(blocked) == ["a|credits", "default|"])
        try await fixture.record(.gates([gate]))
        _ = try await fixture.ledger.ledger(of: Self.acme).record(.gates([]), now: fixture.now)
        #expect(try fixture.rows(blocked) == ["a|", "default|credits"])
        #expect(try fixture.rows("SELECT provider FROM daemon_status") == ["credits"])
    }

    @Test func `a full window or all places taken block the queues of their account`() async throws {
        let fixture = try await fixture()
        for _ in 0..<21 { try fixture.insert("(prompt, queue) VALUES ('x', 'a')") }
        try fixture.insert("(prompt) VALUES ('y')")
        let count = try await claim(fixture, fixture.request(30)).jobs.count
        #expect(count == 20)
        #expect(
            try fixture.rows("SELECT queue, blocked_by FROM queue_status ORDER BY queue") == ["a|rate", "default|"]
        )
        #expect(
            try fixture.rows("SELECT account, rate_used, running FROM account_load ORDER BY account")
                == ["acme|20|20", "default|0|0"]
        )
        #expect(try fixture.rows("SELECT rate_used, rate_limit FROM daemon_load") == ["20|40"])
    }

    @Test func `a queue whose account is gone from the configuration is held, and nothing of it is claimed`()
        async throws
    {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')")
        try await begin(fixture, [.standard])
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status WHERE queue = 'a'") == ["account"])
        #expect(try await fixture.claim(5).jobs.isEmpty)
        try await begin(fixture, [.standard, Self.acme])
        #expect(try fixture.rows("SELECT blocked_by FROM queue_status WHERE queue = 'a'") == [""])
    }

    @Test func `a budget of an account counts and holds what is sent under it`() async throws {
        let fixture = try await fixture()
        let file = try QueueFile(path: fixture.path)
        try fixture.insert(
            "(prompt, queue) VALUES ('x', 'a')",
            "(prompt, queue) VALUES ('x', 'a')",
            "(prompt) VALUES ('y')"
        )
        let first = try #require(try await claim(fixture, fixture.request(1)).jobs.first)
        // What was sent before it was made counts.
        try file.setBudget(
            "b",
            scope: BudgetScope(account: Self.acme),
            period: .total,
            limit: Credits(millicredits: 20_000)
        )
        let reserved = "SELECT reserved, spent, account FROM budget_status"
        #expect(try fixture.rows(reserved) == ["14.0|0.0|acme"])
        let held = try await claim(fixture)
        #expect(held.jobs.isEmpty && held.budgetHolds.map(\.budget) == ["b"])
        #expect(try await fixture.claim(5).jobs.count == 1)
        #expect(try fixture.rows(reserved) == ["14.0|0.0|acme"])
        try await fixture.accept(first, at: 1)
        try await fixture.end(first, charged: 4, at: 2)
        #expect(try fixture.rows(reserved) == ["0.0|4.0|acme"])
        #expect(try await claim(fixture, at: 3).jobs.count == 1)
        #expect(try file.sumFaults().isEmpty)
        try file.close()
    }

    @Test func `paid work is taken up again by the account that paid for it`() async throws {
        let fixture = try await fixture()
        try fixture.insert("(prompt, queue) VALUES ('x', 'a')")
        let job = try #require(try await claim(fixture).jobs.first)
        try await fixture.accept(job, at: 1)
        try await fixture.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1")], charged: nil, fetch: true)
        )
        try await fixture.record(.resultFailed(ResultID(job: job.job, ordinal: 0), message: "gone"))
        try fixture.run("UPDATE jobs SET state = 'queued'; UPDATE queues SET account = NULL")
        #expect(try await fixture.ledger.takeResumed(now: fixture.now).downloads.isEmpty)
        let resumed = try await fixture.ledger.ledger(of: Self.acme).takeResumed(now: fixture.now)
        #expect(resumed.downloads.map(\.result) == [ResultID(job: job.job, ordinal: 0)])
        #expect(try await fixture.ledger.recover(now: fixture.now, rate: Self.rate).downloads.isEmpty)
        let recovery = try await fixture.ledger.ledger(of: Self.acme).recover(now: fixture.now, rate: Self.rate)
        #expect(recovery.downloads.map(\.result) == [ResultID(job: job.job, ordinal: 0)])
        #expect(try await fixture.ledger.accountsUnderWay() == [Self.acme: 1])
        let target = try await fixture.ledger.hintTarget(token: job.token)
        #expect(target?.account == Self.acme)
    }
}
