import FoundationEssentials
import Testing

@testable import PromptQueue

/// The data that is compiled in.
struct CatalogueDataTests {
    private let catalogue = Catalogue.builtIn

    @Test func `the embedded data is whole`() throws {
        let parsed = try Catalogue(modelsJSON: PackageResources.models_json, pricesJSON: PackageResources.prices_json)
        #expect(parsed.models == catalogue.models)
        #expect(catalogue.models.count == 191)
        #expect(catalogue.models.values.count { $0.fields != nil } == 166)
        #expect(catalogue.models.values.count { $0.media == .image } == 66)
        #expect(catalogue.models.allSatisfy { $0 == $1.name && $1.source.hasPrefix("https://") })
    }

    @Test func `data that is no catalogue is an error`() {
        #expect(throws: DecodingError.self) { try Catalogue(modelsJSON: [], pricesJSON: PackageResources.prices_json) }
        #expect(throws: DecodingError.self) {
            try Catalogue(modelsJSON: PackageResources.models_json, pricesJSON: Array("{}".utf8))
        }
    }

    @Test func `the default model is described to the letter`() throws {
        let model = try #require(catalogue.model(named: "flux-2/flex-text-to-image"))
        #expect(model.media == .image)
        #expect(model.isDocumented)
        #expect(model.fields?.map(\.name) == ["prompt", "aspect_ratio", "resolution", "nsfw_checker"])
        #expect(model.fields?.map(\.isRequired) == [true, true, true, false])
        #expect(model.field(named: "prompt")?.bounds == Bounds(3, 5_000))
        #expect(model.field(named: "aspect_ratio")?.defaultValue == "1:1")
        #expect(model.field(named: "resolution")?.allowedValues == ["1K", "2K"])
        #expect(model.field(named: "nsfw_checker")?.type == .boolean)
        #expect(catalogue.model(named: "sora-2-text-to-video")?.isDocumented == false)
    }

    @Test func `field names are unique and every field of a list is described at most once`() {
        for model in catalogue.models.values {
            let names = model.fields?.map(\.name) ?? []
            #expect(Set(names).count == names.count, "\(model.name)")
            #expect(names.allSatisfy { !$0.isEmpty }, "\(model.name)")
        }
    }

    @Test func `every default fits its own field`() {
        for model in catalogue.models.values {
            for field in model.fields ?? [] {
                guard let value = field.defaultValue else { continue }
                #expect(field.problems(with: value, at: field.name, model: model.name).isEmpty)
            }
        }
    }

    @Test func `no default fixes a seed or is an empty list`() {
        for field in catalogue.models.values.flatMap({ $0.fields ?? [] }) {
            #expect(field.name != "seed" || field.defaultValue == nil)
            #expect(field.defaultValue?.arrayValue == nil)
        }
    }

    @Test func `every pattern compiles`() throws {
        var fields = catalogue.models.values.flatMap { $0.fields ?? [] }
        var patterns = 0
        while let field = fields.popLast() {
            if let pattern = field.pattern {
                _ = try Regex(pattern)
                patterns += 1
            }
            fields += field.properties
            if let element = field.element { fields.append(element) }
        }
        #expect(patterns > 10)
    }
}
