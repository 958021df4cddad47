import Testing

@testable import PromptQueue

/// What the provider says of its models, over what the catalogue was built with.
struct ProviderCatalogueTests {
    private static let now = Catalogue.builtInDate + .seconds(86_400)
    private static let flex = "flux-2/flex-text-to-image"

    private func listed(
        _ name: String = flex,
        pricing: String? = nil,
        at instant: Instant = now,
        _ fields: String? = nil
    ) throws -> ProviderModel {
        let schema = try fields.map { try #require(JSONValue.object(in: #"{"properties":{\#($0)}}"#)) }
        return ProviderModel(name: name, pricing: pricing, inputSchema: schema, readAt: instant)
    }

    private func flex(_ fields: String?) throws -> CatalogueModel {
        let said = try listed(Self.flex, fields)
        return try #require(Catalogue.builtIn.with([said]).model(named: Self.flex))
    }

    @Test func `a new model is checked like any other`() throws {
        let model = try listed(
            "flux-3/text-to-image",
            pricing: "12 credits per image (~$0.06)",
            #""prompt":{"type":"string"},"style":{"type":"string","enum":["S","L"],"default":"S"},"seed":{"type":"integer","default":7}"#
        )
        let catalogue = Catalogue.builtIn.with([model])
        guard case .ready(let prepared) = catalogue.prepare(model: model.name, prompt: "a fox", input: [:]) else {
            Issue.record("refused")
            return
        }
        // A seed for all would give equal prompts equal results.
        #expect(prepared.input == ["prompt": "a fox", "style": "S"])
        #expect(prepared.estimate?.credits == Credits(millicredits: 12_000))
        guard case .refused = catalogue.prepare(model: model.name, prompt: "a fox", input: ["style": "M"]) else {
            Issue.record("a wrong size was taken")
            return
        }
        #expect(catalogue.model(named: model.name)?.media == .image)
    }

    @Test(arguments: [
        ("vendor/image-to-video", CatalogueModel.Media.video), ("vendor/text-to-speech", .audio),
        ("vendor/edit", .image), ("vendor/talking-avatar", .video),
    ])
    func `what a new model makes is told by its name`(_ name: String, _ media: CatalogueModel.Media) throws {
        #expect(try listed(name).media == media)
    }

    @Test func `new values, bounds and fields hold, and the own default stays while it fits`() throws {
        let model = try flex(
            #""prompt":{"type":"string","maxLength":9000},"aspect_ratio":{"type":"string","enum":["1:1","32:9"],"default":"32:9"},"resolution":{"type":"string","enum":["2K","4K"],"default":"2K"},"style":{"type":"string","enum":["dry","wet"],"default":"dry"}"#
        )
        // 3 is known from the service's own answers, and the schema does not contradict.
        #expect(model.field(named: "prompt")?.bounds == Bounds(3, 9_000))
        #expect(model.field(named: "aspect_ratio")?.defaultValue == "1:1")
        #expect(model.field(named: "aspect_ratio")?.allowedValues == ["1:1", "32:9"])
        // 1K is gone.
        #expect(model.field(named: "resolution")?.defaultValue == "2K")
        #expect(model.field(named: "style")?.defaultValue == "dry")
    }

    @Test func `a field that the document leaves out stays while it is sent unless given, or the price goes by it`()
        throws
    {
        let model = CatalogueModel(
            name: Self.flex,
            media: .image,
            fields: [
                Field(name: "prompt", type: .string), Field(name: "kept", type: .string, defaultValue: "a"),
                Field(name: "gone", type: .string),
            ],
            source: ""
        )
        let said = Catalogue(models: [model]).with([try listed(Self.flex, #""prompt":{"type":"string"}"#)])
        #expect(said.model(named: Self.flex)?.fields?.map(\.name) == ["prompt", "kept"])
        #expect(CatalogueDifference(from: Catalogue(models: [model]), to: said).models.map(\.isNarrower) == [true])
        #expect(try flex(#""prompt":{"type":"string"}"#).field(named: "resolution")?.defaultValue == "1K")
    }

    @Test(arguments: ["num_images", "duration", "resolution"])
    func `one price is not taken for a model that makes more, longer or larger things on demand`(_ field: String) throws
    {
        let said = try listed(
            "new/text-to-image",
            pricing: "12 credits per image",
            #""prompt":{"type":"string"},"\#(field)":{"type":"string"}"#
        )
        #expect(Catalogue.builtIn.with([said]).model(named: said.name)?.priceRules == [])
    }

    @Test func `what is not understood, or was corrected by hand, stays as it was`() throws {
        let model = try flex(
            #""prompt":{"type":"string"},"resolution":{"anyOf":[{"type":"object"},{"type":"string"}]}"#
        )
        #expect(
            model.field(named: "resolution") == Catalogue.builtIn.model(named: Self.flex)?.field(named: "resolution")
        )
        let kling = "kling-3.0/video"
        let known = try #require(Catalogue.builtIn.model(named: kling))
        #expect(known.field(named: "multi_prompt")?.isCorrected == true)
        let said = try listed(kling, #""prompt":{"type":"string"},"multi_prompt":{"type":"string"}"#)
        #expect(
            Catalogue.builtIn.with([said]).model(named: kling)?.field(named: "multi_prompt")
                == known.field(named: "multi_prompt")
        )
    }

    @Test(arguments: [nil, #""text":{"type":"string"}"#, ""])
    func `a schema without the prompt's field is none of the model's`(_ fields: String?) throws {
        let model = try flex(fields)
        #expect(model.fields == Catalogue.builtIn.model(named: Self.flex)?.fields)
    }

    @Test func `what was said before the catalogue was built is in it`() throws {
        let old = try listed("flux-3/text-to-image", at: Catalogue.builtInDate - .milliseconds(1))
        #expect(Catalogue.builtIn.with([old]).model(named: "flux-3/text-to-image") == nil)
    }

    @Test func `one price stands against one; of several nobody can tell which is meant`() throws {
        let said = [
            try listed("z-image", pricing: "2.5 credits per image"), try listed(pricing: "99 credits per image"),
        ]
        let catalogue = Catalogue.builtIn.with(said)
        #expect(catalogue.model(named: "z-image")?.priceRules.map(\.credits) == [Credits(millicredits: 2_500)])
        #expect(catalogue.model(named: Self.flex)?.priceRules == Catalogue.builtIn.model(named: Self.flex)?.priceRules)
        let difference = CatalogueDifference(from: .builtIn, to: catalogue)
        #expect(difference.models.map(\.name) == [Self.flex, "z-image"])
        #expect(
            difference.models[0].changes == [
                "the provider's words name 99 credits, which is none of the prices known: 99 credits per image"
            ]
        )
    }

    @Test(arguments: [
        ("14 credits per image (~$0.07)", 14_000, "image"), ("14 credits", 14_000, "task"),
        ("0.8 credits per generation.", 800, "generation"), ("1 credit per task", 1_000, "task"),
    ])
    func `a plain price`(_ text: String, _ millicredits: Int64, _ unit: String) throws {
        let price = try #require(PriceText.flatPrice(text))
        #expect(price.credits == Credits(millicredits: millicredits))
        #expect(price.unit == unit)
    }

    @Test(arguments: [
        "14 credits per second", "from 14 credits per image", "14 credits per 1K image", "14 or 24 credits", "",
        "0 credits", "-3 credits", "12 credits (per second)", "12 credits per image (24 credits at 4K)",
        "1.000 credits",
        "12 credits per video (5s, 10s costs double", "1e9 credits", "Flux costs 14 credits per image, 24 at 2K",
        "($0.07)",
    ])
    func `no plain price`(_ text: String) {
        #expect(PriceText.flatPrice(text) == nil)
    }

    @Test func `the same catalogue differs in nothing, and each difference is said`() throws {
        #expect(CatalogueDifference(from: .builtIn, to: .builtIn).isEmpty)
        let gone = ProviderModel(name: Self.flex, isListed: false, readAt: Self.now)
        let narrower = try listed(
            "z-image",
            #""prompt":{"type":"string"},"aspect_ratio":{"type":"string","enum":["1:1","9:21"]},"tone":{"type":"integer"}"#
        )
        let catalogue = Catalogue.builtIn.with([gone, narrower, try listed("new/text-to-image")])
        let models = CatalogueDifference(from: .builtIn, to: catalogue).models
        #expect(models.map(\.kind) == [.gone, .new, .changed])
        #expect(models.map(\.isNarrower) == [false, false, true])
        #expect(models[2].changes.contains("aspect_ratio: takes 9:21, too"))
        #expect(models[2].changes.contains { $0.hasPrefix("aspect_ratio: no longer takes 4:3") })
        #expect(models[2].changes.contains("tone: new, integer"))
        let back = CatalogueDifference(from: catalogue, to: .builtIn).models.filter { $0.kind == .back }
        #expect(back.map(\.name) == [Self.flex])
    }

    // MARK: - Reading

    private struct Source: ModelSource {
        var list: Result<[ProviderModel], FailureError>
        var schema: @Sendable (String) -> Result<JSONObject?, FailureError> = { _ in .success(nil) }

        func models(now: Instant) async -> Result<[ProviderModel], FailureError> { list }
        func inputSchema(of model: String) async -> Result<JSONObject?, FailureError> { schema(model) }
        func pricing(of model: String) async -> Result<String?, FailureError> { .success("5 credits") }
    }

    private static func failure(_ code: FailureCode = .providerUnavailable) -> FailureError {
        FailureError(Failure(code, "HTTP 500"))
    }

    private func read(_ source: Source) async throws -> ProviderCatalogue {
        try await ProviderCatalogue.read(from: source, now: Self.now, pause: {})
    }

    @Test func `where a schema is not to be had, what was known stays`() async throws {
        let source = Source(list: .success([try listed("a"), try listed("b", pricing: "1 credit")])) { name in
            name == "a"
                ? .failure(Self.failure()) : .success(["properties": .object(["prompt": .object(["type": "string"])])])
        }
        let read = try await read(source)
        #expect(read.unread == ["a": "HTTP 500"])
        #expect(read.models.map(\.pricing) == [nil, "1 credit"])
        let before = try listed("a", #""prompt":{"type":"string"}"#)
        let merged = read.merged(into: [before], builtIn: Catalogue(models: []))
        #expect(merged.models.map(\.inputSchema) == [before.inputSchema, read.models[1].inputSchema])
    }

    @Test func `a provider that is down, or refuses the key, is not asked 200 times`() async throws {
        let names = (0..<20).map { ProviderModel(name: "m\($0)", readAt: Self.now) }
        await #expect(throws: FailureError.self) {
            try await read(Source(list: .success(names)) { _ in .failure(Self.failure()) })
        }
        await #expect(throws: FailureError.self) {
            try await read(Source(list: .success([names[0]])) { _ in .failure(Self.failure(.keyRefused)) })
        }
        await #expect(throws: FailureError.self) { try await read(Source(list: .failure(Self.failure()))) }
    }

    @Test func `a model that the list has lost is gone; a list that has lost many is wrong`() async throws {
        let known = Catalogue(
            models: ["a", "b", "c"].map { CatalogueModel(name: $0, media: .image, fields: nil, source: "") }
        )
        let two = ProviderCatalogue(models: [try listed("a"), try listed("b")], readAt: Self.now)
        let merged = two.merged(into: [], builtIn: known)
        #expect(merged.isShort == false)
        #expect(merged.models.filter { !$0.isListed }.map(\.name) == ["c"])
        #expect(known.with(merged.models).model(named: "c")?.isDocumented == false)
        let one = ProviderCatalogue(models: [try listed("a")], readAt: Self.now).merged(into: [], builtIn: known)
        #expect(one.isShort)
        #expect(one.models.map(\.name) == ["a"])
    }
}
