import KieSandbox
import PromptQueue
import Testing

struct ModelsTests {
    @Test func `the list holds every model that is still documented`() {
        var fixture = ProviderFixture()
        let data = fixture.get("/api/v1/models")["data"]
        let names = data["models"].arrayValue?.compactMap { $0["model"].stringValue }
        #expect(names == Catalogue.builtIn.models.values.filter(\.isDocumented).map(\.name).sorted())
        #expect(data["total"].integerValue.map(Int.init) == names?.count)
    }

    @Test func `a schema lists the fields, what they take and which are required`() {
        var fixture = ProviderFixture()
        let data = fixture.get("/api/v1/models/flux-2/flex-text-to-image/schema")["data"]
        #expect(data["model"] == "flux-2/flex-text-to-image")
        let body = data["openapi"]["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]
        let input = body["content"]["application/json"]["schema"]["properties"]["input"]
        #expect(input["required"] == .array(["prompt", "aspect_ratio", "resolution"]))
        #expect(input["properties"]["prompt"]["maxLength"] == 5_000)
        #expect(input["properties"]["resolution"]["enum"] == .array(["1K", "2K"]))
        #expect(input["properties"]["resolution"]["default"] == "1K")
    }

    @Test func `every schema is valid JSON, or null where no fields are published`() {
        var fixture = ProviderFixture()
        for model in Catalogue.builtIn.models.values {
            let data = fixture.get("/api/v1/models/\(model.name)/schema")["data"]
            #expect(data["model"].stringValue == model.name)
            #expect((data["openapi"] == .null) == (model.fields == nil), "\(model.name)")
        }
    }

    @Test func `prices and success rates belong to a model`() {
        var fixture = ProviderFixture()
        let price = fixture.get("/api/v1/models/flux-2/flex-text-to-image/price")["data"]["pricingDesc"]
        #expect(price.stringValue?.hasPrefix("14 credits") == true)
        let rate = fixture.get("/api/v1/models/flux-2/flex-text-to-image/success-rate")["data"]["points"]
        #expect(rate.arrayValue?.count == 6)
        #expect(fixture.send("GET", "/api/v1/models/flux-9/price").code == 404)
    }
}
