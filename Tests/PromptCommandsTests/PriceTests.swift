import JobStore
import PromptQueue
import Testing

@testable import PromptCommands

/// What commands say of prices.
@Suite(.bothStores) struct PriceTests {
    private let allow = ["PROMPTD_CATALOGUE_UNKNOWN_MODELS": "allow"]

    @Test func `a price by default is said to be one`() async throws {
        let fixture = try CommandFixture()
        let outcome = try await fixture.run("add", "a fox", "--model", "new/model", environment: allow)
        #expect(outcome.talk == ["queued 1 job in default: new/model, 20 credits by default: no price is known."])
        let job = try #require(try fixture.jobs().first)
        #expect(job.estimated == Credits(20))
        #expect(job.estimateBasis == .default)
        #expect(try await fixture.run("show", "1").output.first?.hasSuffix("20 credits estimated by default") == true)
    }

    @Test func `the default is the daemon's, as it has left it in the database`() async throws {
        let fixture = try CommandFixture()
        let ledger = try await fixture.ledger()
        try await ledger.setPrices([], defaultPrice: Credits(millicredits: 7_500))
        try await ledger.close()
        let outcome = try await fixture.run("add", "a fox", "--model", "new/model", environment: allow)
        #expect(outcome.talk.first?.contains("7.5 credits by default") == true)
    }

    @Test func `a model without a price costs the median of what its tasks were charged`() async throws {
        let fixture = try CommandFixture()
        try await fixture.settle("new/model", [17_000, 18_000, 30_000])
        let outcome = try await fixture.run("add", "a fox", "--model", "new/model", environment: allow)
        #expect(outcome.talk == ["queued 1 job in default: new/model, 18 credits by the median of 3 tasks."])
    }

    @Test func `a price of one's own counts at once, and is removed again`() async throws {
        let fixture = try CommandFixture()
        let model = "flux-2/flex-text-to-image"
        let set = try await fixture.run("models", "price", model, "9.5", "--when", "resolution=2K", "--note", "agreed")
        #expect(set.talk == ["\(model): 9.5 credits per task, if resolution is 2K (operator)"])
        let dear = try await fixture.run("add", "a fox", "--dry-run", "--input", "resolution=2K")
        #expect(dear.output == ["would queue 1 job in default: \(model), 9.5 credits by override."])
        let plain = try await fixture.run("add", "a fox", "--dry-run")
        #expect(plain.output == ["would queue 1 job in default: \(model), 14 credits."])
        #expect(try fixture.jobs().isEmpty)
        let page = try await fixture.run("models", model)
        #expect(page.output.contains("  9.5 credits per task, if resolution is 2K (operator): agreed"))
        #expect(try await fixture.run("models", "price", model, "8", "--when", "resolution=2K").code == 0)
        #expect(try await fixture.run("models", "price", model, "--remove").code == 65)
        #expect(try await fixture.run("models", "price", model, "--remove", "--when", "resolution=2k").code == 65)
        #expect(try await fixture.run("models", "price", model, "--remove", "--when", "resolution=2K").code == 0)
        let after = try await fixture.run("add", "a fox", "--dry-run", "--input", "resolution=2K")
        #expect(after.output.first?.contains("24 credits.") == true)
    }

    static let wrong: [([String], Int32)] = [
        (["models", "price", "flux-2/flex-text-to-image"], 64),
        (["models", "price", "flux-2/flex-text-to-image", "5", "--remove"], 64),
        (["models", "price", "flux-2/flex-text-to-image", "many"], 64),
        (["models", "price", "nonsense", "5"], 65),
        (["models", "price", "flux-2/flex-text-to-image", "5", "--per", "a b"], 65),
    ]

    @Test(arguments: wrong)
    func `a wrong price is refused`(arguments: [String], code: Int32) async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run(arguments).code == code)
    }

    @Test func `the backlog is estimated by today's prices`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("add", "a fox", "a dog")
        #expect(try await fixture.backlog() == 28)
        _ = try await fixture.run("models", "price", "flux-2/flex-text-to-image", "3")
        #expect(try await fixture.backlog() == 6)
    }

    @Test func `budgets and account are shown before and after`() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run("budget", "set", "all", "--limit", "100", "--period", "total")
        let ledger = try await fixture.ledger()
        let reading = BalanceReading(
            balance: Credits(millicredits: 50_500),
            askedAt: fixture.instant,
            isQuiet: true
        )
        _ = try await ledger.record(.balance(reading), now: fixture.instant)
        try await ledger.close()
        _ = try await fixture.run("add", "a fox")
        let file = try fixture.write("a dog\n", "p.txt")
        let dry = try await fixture.run("import", file, "--dry-run")
        #expect(
            dry.output == [
                "1 job for default: 14 credits (estimated). Budget all: 100 → 72 of 100 left after the backlog."
                    + " Account: 50.5 → 22.5 credits after the backlog."
            ]
        )
        let report = try JSONValue(
            parsing: try #require(try await fixture.run("import", file, "--dry-run", "--json").output.first)
        ).objectValue
        #expect(report?["balance_after_backlog_credits"]?.doubleValue == 22.5)
        #expect(report?["estimated_credits_by_basis"] == .object(["listed": 14]))

        let keeper = try await fixture.ledger()
        var rules = AccountRules()
        rules.creditReserve = Credits(millicredits: 30_000)
        _ = try await keeper.record(.rules(rules), now: fixture.instant)
        let held = try await fixture.run("import", file, "--dry-run")
        #expect(
            held.output.first?.hasSuffix(
                " Account: 50.5 credits, of which 30 are its reserve, and 28 queued; what the rest cannot pay waits for a top-up."
            ) == true
        )
        _ = try await keeper.record(.rules(AccountRules()), now: fixture.instant)
        try await keeper.close()

        _ = try await fixture.run("import", file)
        let last = try await fixture.run("add", "a cat", "a cow")
        #expect(
            last.talk.first?.hasSuffix(" Account: 50.5 credits and 56 queued; what it cannot pay waits for a top-up.")
                == true
        )
    }

    @Test func `an import says what its prices rest on`() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("prompt,model\na fox,\na dog,new/model\n", "p.csv")
        let outcome = try await fixture.run("import", file, environment: allow)
        #expect(
            outcome.talk.first
                == "imported 2 jobs into default: 34 credits (estimated: 14 listed; 20 by default: no price is known)."
        )
        #expect(try fixture.jobs().map(\.estimateBasis) == [.default, .listed])
    }

    @Test func `the models' list shows estimates beside charges, and marks where they differ`() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.run("models").output.first?.hasSuffix("CREDITS") == true)
        try await fixture.settle("flux-2/flex-text-to-image", [18_000, 14_000])
        try await fixture.settle("flux-2/pro-text-to-image", [5_000, 5_100])
        try await fixture.settle("new/model", [4_000])
        let list = try await fixture.run("models")
        let words = { (model: String) in
            list.output.first { $0.hasPrefix(model + " ") }?.split(separator: " ").suffix(4).joined(separator: " ")
        }
        #expect(list.output.first?.hasSuffix("ESTIMATED  OBSERVED") == true)
        #expect(
            list.output.first { $0.hasPrefix("flux-2/flex-text-to-image") }?.hasSuffix(
                "14        16  ! 14 % more expensive"
            )
                == true
        )
        #expect(words("flux-2/pro-text-to-image")?.hasSuffix("5 5.05") == true)
        #expect(words("new/model") == "! 80 % cheaper")
        #expect(list.output.contains { $0.hasPrefix("new/model") && $0.contains("  –  ") })
        let page = try await fixture.run("models", "new/model")
        #expect(page.output.contains("  default      1         20         4  ! 80 % cheaper"), "\(page.output)")
        let json = try JSONValue(
            parsing: try #require(try await fixture.run("models", "flux-2/flex-text-to-image", "--json").output.first)
        ).objectValue
        #expect(json?["charges"]?.objectValue?["observed_credits"] == 16)
        #expect(json?["charges_by_basis"]?.objectValue?["listed"]?.objectValue?["tasks"] == 2)
    }

    @Test func `without a database the models are listed all the same`() async throws {
        let fixture = try CommandFixture()
        let nowhere = ["PROMPTD_DATABASE": fixture.directory + "/none.sqlite"]
        let outcome = try await fixture.run(["models"], environment: nowhere)
        #expect(outcome.code == 0)
        #expect(outcome.talk == [])
        let broken = ["PROMPTD_DATABASE": try fixture.write("no database at all, but long enough", "broken.sqlite")]
        let warned = try await fixture.run(["models"], environment: broken)
        #expect(warned.output == outcome.output)
        #expect(warned.talk.first?.hasPrefix("warning: the database is left out: ") == true)
    }
}

extension CommandFixture {
    /// Sends a job for each charge as the daemon would, and books it.
    fileprivate func settle(_ model: String, _ charges: [Int64]) async throws {
        let ledger = try await ledger()
        for charge in charges {
            _ = try await run(
                "add",
                "a red fox",
                "--model",
                model,
                environment: ["PROMPTD_CATALOGUE_UNKNOWN_MODELS": "allow"]
            )
            let request = ClaimRequest(
                limit: 1,
                rate: RateLimit(count: 1_000, window: .seconds(10)),
                runningLimit: 1_000,
                now: instant
            )
            let claim = try await ledger.claim(request) { job in
                Catalogue.builtIn.prepare(model: job.model, prompt: job.prompt, input: [:], unknownModels: .allow)
            }
            for job in claim.jobs {
                _ = try await ledger.record(
                    .accepted(job.attempt, task: TaskID("t\(job.job)"), httpStatus: 200),
                    now: instant
                )
                let charged = Credits(millicredits: charge)
                _ = try await ledger.record(
                    .taskSucceeded(job.attempt, [.file(url: "https://m/1.png")], charged: charged, fetch: false),
                    now: instant
                )
            }
        }
        try await ledger.close()
    }

    fileprivate func backlog() async throws -> Double? {
        let line = try await run("status", "--json").output.first
        let status = try line.map { try JSONValue(parsing: $0) }?.objectValue
        return status?["backlog"]?.objectValue?["estimated_credits"]?.doubleValue
    }
}

/// Finding a model.
@Suite struct ModelSearchTests {
    @Test func `a word lists the models that have it in their names`() async throws {
        let fixture = try CommandFixture()
        let lines = try await fixture.run("models", "Seedream").output
        #expect(lines.count > 2 && lines.dropFirst().allSatisfy { $0.contains("seedream") })
        let images = try await fixture.run("models", "kling", "--media", "image")
        #expect(images.code == 65)
        let none = try await fixture.run("models", "no-such-model")
        #expect(none.code == 65 && none.talk.joined().contains("is not in the catalogue"))
    }
}
