import JobStore
import PromptQueue
import Testing

/// What the provider says of its models, in the database.
@Suite struct ProviderModelTests {
    private static let now = Catalogue.builtInDate + .seconds(60)

    private let model = ProviderModel(
        name: "flux-3/text-to-image",
        title: "Flux 3",
        taskTypes: ["text-to-image"],
        pricing: "12 credits per image",
        inputSchema: ["properties": .object(["prompt": .object(["type": "string"])])],
        readAt: now
    )

    @Test func `what is kept is found again, by the ledger and by a command`() async throws {
        let fixture = try LedgerFixture()
        #expect(try await fixture.ledger.catalogueReadAt() == nil)
        try await fixture.ledger.keep([model])
        #expect(try await fixture.ledger.providerModels() == [model])
        #expect(try await fixture.ledger.catalogueReadAt() == Self.now)
        #expect(fixture.ledger.catalogue.model(named: model.name)?.title == "Flux 3")
        let file = try QueueFile(path: fixture.path)
        #expect(try file.providerModels() == [model])
        #expect(try file.catalogue().model(named: model.name)?.pricing == model.pricing)
        #expect(try file.removeProviderModels(named: "other") == 0)
        #expect(try file.removeProviderModels(named: nil) == 1)
        #expect(try file.catalogue().model(named: model.name) == nil)
        try file.close()
    }

    @Test func `a claim knows a model that a command has just kept, and one that it has just forgotten`() async throws {
        let fixture = try LedgerFixture()
        let file = try QueueFile(path: fixture.path)
        for isKept in [true, false, true] {
            if isKept { try file.keep([model]) } else { _ = try file.removeProviderModels(named: nil) }
            _ = try file.add([NewJob(prompt: "a fox", model: model.name, input: "{}", queue: "default")], now: Self.now)
            let claim = try await fixture.ledger.claim(
                ClaimRequest(limit: 1, rate: RateLimit(count: 20, window: .seconds(10)), runningLimit: 9, now: Self.now)
            ) { [ledger = fixture.ledger] job in job.prepared(by: ledger.catalogue, unknownModels: .refuse) }
            #expect(claim.jobs.count == (isKept ? 1 : 0))
            #expect(claim.refused.count == (isKept ? 0 : 1))
        }
        try file.close()
    }

    @Test(arguments: [
        "INSERT INTO provider_models (model, read_at) VALUES ('', 1)",
        "INSERT INTO provider_models (model, read_at, input_schema) VALUES ('a', 1, '[]')",
        "INSERT INTO provider_models (model, read_at, input_schema) VALUES ('a', 1, 'no')",
        "INSERT INTO provider_models (model, read_at, task_types) VALUES ('a', 1, '{}')",
        "INSERT INTO provider_models (model, read_at, listed) VALUES ('a', 1, 2)",
        "INSERT INTO provider_models (model, read_at) VALUES ('a', -1)",
    ])
    func `the table refuses what is no model`(_ sql: String) throws {
        let fixture = try LedgerFixture()
        #expect(fixture.refusal(sql)?.contains("provider_models.") == true)
    }
}
