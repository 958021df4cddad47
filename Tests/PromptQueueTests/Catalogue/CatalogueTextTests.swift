import PromptQueue
import Testing

/// How `KEY=VALUE` is read.
struct CatalogueTextTests {
    @Test(arguments: [
        ("flux-2/flex-text-to-image", "prompt", "5", #""5""#),
        ("flux-2/flex-text-to-image", "aspect_ratio", "16:9", #""16:9""#),
        ("flux-2/flex-text-to-image", "nsfw_checker", "true", "true"),
        ("flux-2/flex-text-to-image", "nsfw_checker", "yes", #""yes""#),
        ("kling-3.0/video", "duration", "5", #""5""#),
        ("happyhorse/text-to-video", "duration", "5", "5"),
        ("happyhorse/text-to-video", "duration", "4.5", "4.5"),
        ("happyhorse/text-to-video", "duration", "long", #""long""#),
        ("happyhorse/text-to-video", "duration", "true", #""true""#),
        ("flux-2/pro-image-to-image", "input_urls", #"["a","b"]"#, #"["a","b"]"#),
        ("flux-2/pro-image-to-image", "input_urls", "https://a/b,c", #"["https://a/b,c"]"#),
        ("grok-imagine-image-2-0/segment-edit", "mask_indexs", "3", "[3]"),
        ("kling-3.0/video", "multi_prompt", #"{"prompt":"a","duration":3}"#, #"[{"duration":3,"prompt":"a"}]"#),
        ("flux-2/flex-text-to-image", "zoom", "2", "2"),
        ("flux-2/flex-text-to-image", "zoom", "-0.5", "-0.5"),
        ("flux-2/flex-text-to-image", "zoom", "false", "false"),
        ("flux-2/flex-text-to-image", "zoom", "[1]", "[1]"),
        ("flux-2/flex-text-to-image", "zoom", "null", #""null""#),
        ("flux-2/flex-text-to-image", "zoom", #""2""#, #""\"2\"""#),
        ("flux-2/flex-text-to-image", "zoom", "", #""""#),
        ("runway", "duration", "5", "5"),
        ("runway", "quality", "720p", #""720p""#),
    ])
    func `a value is read as its field takes it`(name: String, field: String, text: String, json: String) throws {
        let model = try #require(Catalogue.builtIn.model(named: name))
        #expect(model.value(forField: field, text: text).json == json)
    }
}
