import PromptQueue
import Testing

/// How an input is completed.
struct CataloguePreparationTests {
    private let catalogue = Catalogue.builtIn
    private let flex = "flux-2/flex-text-to-image"

    @Test func `a prompt is enough`() throws {
        let prepared = try catalogue.ready(flex)
        #expect(prepared.input == ["prompt": "a red fox in the snow", "aspect_ratio": "1:1", "resolution": "1K"])
        #expect(prepared.unknownFields.isEmpty)
    }

    @Test func `optional fields get their defaults too, as the price depends on them`() throws {
        #expect(try catalogue.ready("happyhorse/text-to-video").input["resolution"] == "1080p")
        #expect(try catalogue.ready("wan/2-7-image").input["n"] == 1)
        #expect(try catalogue.ready("bytedance/seedance-2").input["generate_audio"] == true)
    }

    @Test func `what is given is kept, and null counts as left out`() throws {
        let prepared = try catalogue.ready(flex, ["aspect_ratio": "16:9", "resolution": .null, "nsfw_checker": .null])
        #expect(prepared.input["aspect_ratio"] == "16:9")
        #expect(prepared.input["resolution"] == "1K")
        #expect(prepared.input["nsfw_checker"] == nil)
    }

    @Test func `unknown fields are passed on and named in order`() throws {
        let prepared = try catalogue.ready(flex, ["zoom": 2, "camera": .null])
        #expect(prepared.unknownFields == ["camera", "zoom"])
        #expect(prepared.input["zoom"] == 2)
        #expect(prepared.input["camera"] == .null)
    }

    @Test func `the prompt may be in the input, even twice if both are equal`() throws {
        #expect(try catalogue.ready(flex, prompt: nil, ["prompt": "a fox"]).input["prompt"] == "a fox")
        #expect(try catalogue.ready(flex, prompt: "a fox", ["prompt": "a fox"]).input["prompt"] == "a fox")
        #expect(try catalogue.ready(flex, prompt: "a fox", ["prompt": .null]).input["prompt"] == "a fox")
    }

    @Test(arguments: ["flux-2/flex-text-to-image", "nano-banana-2-1"])
    func `two different prompts are refused without repeating them`(model: String) throws {
        let refusal = try catalogue.refusal(model, prompt: "a fox", ["prompt": "a wolf"])
        let message = "prompt: is given twice, as the job's prompt and in its input, and the two differ"
        #expect(refusal.code == .invalidInput)
        #expect(refusal.problems.map(\.kind) == [.notAllowed])
        #expect(refusal.description == message)
    }

    @Test func `a model that reads aloud gets the prompt as its text`() throws {
        let prepared = try catalogue.ready("elevenlabs/text-to-speech-turbo-2-5", prompt: "Hello")
        #expect(prepared.input["text"] == "Hello")
        #expect(prepared.input["prompt"] == nil)
        #expect(prepared.unknownFields.isEmpty)
    }

    @Test func `a model without a field for it gets the prompt as an unknown field`() throws {
        let prepared = try catalogue.ready("recraft/remove-background", ["image": "https://u"])
        #expect(prepared.unknownFields == ["prompt"])
        #expect(prepared.input["prompt"] == "a red fox in the snow")
    }

    @Test func `without published fields everything is passed on`() throws {
        let prepared = try catalogue.ready("runway/gen4-aleph", ["anything": .null, "n": 3])
        #expect(prepared.input == ["prompt": "a red fox in the snow", "anything": .null, "n": 3])
        #expect(prepared.unknownFields.isEmpty)
        #expect(prepared.estimate?.credits == Credits(110))
    }

    @Test func `an unknown model is refused with the names it may have meant`() throws {
        let refusal = try catalogue.refusal("flux-2/flex-text2image")
        #expect(refusal.code == .unknownModel)
        #expect(refusal.problems.map(\.kind) == [.unknownModel])
        #expect(refusal.description.hasPrefix(#"model: "flux-2/flex-text2image" is not in the catalogue; "#))
        #expect(refusal.description.hasSuffix("; did you mean flux-2/flex-text-to-image?"))
        let nothingNear = try catalogue.refusal("midjourney/v9")
        #expect(nothingNear.description == #"model: "midjourney/v9" is not in the catalogue"#)
        let names = "google/nano-banana, google/nano-banana-edit or nano-banana-2"
        let several = try catalogue.refusal("nano-bananna")
        #expect(several.description.hasSuffix("; did you mean \(names)?"))
    }

    @Test func `an unknown model may be allowed, and costs what nobody knows`() {
        let preparation = catalogue.prepare(
            model: "midjourney/v9",
            prompt: "a fox",
            input: ["stylize": 5],
            unknownModels: .allow
        )
        #expect(preparation == .ready(PreparedInput(input: ["prompt": "a fox", "stylize": 5], estimate: nil)))
    }

    @Test(arguments: [
        ("flex-text-to-image", "flux-2/flex-text-to-image"), ("Flux-2/Flex_Text.To-Image", "flux-2/flex-text-to-image"),
        ("flux-2/felx-text-to-image", "flux-2/flex-text-to-image"), ("seedance2", "bytedance/seedance-2"),
        ("kling-2.6-text-to-video", "kling-2.6/text-to-video"), ("z-imgae", "z-image"), ("runaway", "runway"),
    ])
    func `the nearest name comes first`(typed: String, meant: String) {
        #expect(catalogue.nearestNames(to: typed).first == meant)
    }

    @Test func `near names are few, near, and the same each time`() {
        #expect(catalogue.nearestNames(to: "wan2.7").allSatisfy { $0.hasPrefix("wan/2-7") })
        #expect(catalogue.nearestNames(to: "gpt-image-3").count == 3)
        #expect(catalogue.nearestNames(to: "flux-2", limit: 2).count == 2)
        #expect(catalogue.nearestNames(to: "flux-2") == catalogue.nearestNames(to: "flux-2"))
        #expect(catalogue.nearestNames(to: "flux-2/flex-text-to-imag") == ["flux-2/flex-text-to-image"])
        let lite = "bytedance/v1-lite-image-to-video"
        #expect(catalogue.nearestNames(to: String(lite.dropLast())) == [lite])
        #expect(catalogue.nearestNames(to: "z-miaeg") == ["z-image"])
        #expect(catalogue.nearestNames(to: "").isEmpty)
        #expect(catalogue.nearestNames(to: "sdxl").isEmpty)
        #expect(catalogue.nearestNames(to: String(repeating: "flux", count: 1_000)).isEmpty)
    }
}
