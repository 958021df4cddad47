import PromptQueue
import Testing

/// Which inputs are refused, and in which words.
struct CatalogueValidationTests {
    private let catalogue = Catalogue.builtIn
    private static let flex = "flux-2/flex-text-to-image"

    @Test(arguments: [
        (
            flex, #"{"aspect_ratio":"16/9"}"#,
            #"aspect_ratio: "16/9" is not one of 1:1 4:3 3:4 16:9 9:16 3:2 2:3; did you mean 16:9?"#
        ),
        (flex, #"{"resolution":"1k"}"#, #"resolution: "1k" is not one of 1K 2K; did you mean 1K?"#),
        (flex, #"{"resolution":"4K"}"#, #"resolution: "4K" is not one of 1K 2K"#),
        (
            flex, #"{"aspect_ratio":"1:01:00"}"#,
            #"aspect_ratio: "1:01:00" is not one of 1:1 4:3 3:4 16:9 9:16 3:2 2:3; did you mean 1:1?"#
        ),
        (flex, #"{"resolution":1}"#, "resolution: 1 is not one of 1K 2K"),
        (flex, #"{"resolution":true}"#, "resolution: is true or false; \(flex) takes a text"),
        (flex, #"{"nsfw_checker":"true"}"#, #"nsfw_checker: "true" is not true or false"#),
        (flex, #"{"nsfw_checker":1}"#, "nsfw_checker: 1 is not true or false"),
        ("flux-2/pro-image-to-image", "{}", "input_urls: is required by flux-2/pro-image-to-image"),
        ("flux-2/pro-image-to-image", #"{"input_urls":null}"#, "input_urls: is required by flux-2/pro-image-to-image"),
        (
            "flux-2/pro-image-to-image", #"{"input_urls":[]}"#,
            "input_urls: 0 items; flux-2/pro-image-to-image takes 1 to 8"
        ),
        (
            "flux-2/pro-image-to-image", #"{"input_urls":[1,2,3,4,5,6,7,8,9]}"#,
            "input_urls: 9 items; flux-2/pro-image-to-image takes 1 to 8"
        ),
        (
            "flux-2/pro-image-to-image", #"{"input_urls":"u"}"#,
            "input_urls: is a text; flux-2/pro-image-to-image takes a list"
        ),
        (
            "flux-2/pro-image-to-image", #"{"input_urls":["https://u",1]}"#,
            "input_urls[1]: is a number; flux-2/pro-image-to-image takes a text"
        ),
        ("flux-2/pro-image-to-image", #"{"input_urls":[null]}"#, "input_urls: item 1 is null"),
        ("happyhorse/text-to-video", #"{"duration":2}"#, "duration: 2; happyhorse/text-to-video takes 3 to 15"),
        ("happyhorse/text-to-video", #"{"duration":"16"}"#, #"duration: "16"; happyhorse/text-to-video takes 3 to 15"#),
        ("happyhorse/text-to-video", #"{"duration":4.5}"#, "duration: 4.5 is not a whole number"),
        ("happyhorse/text-to-video", #"{"duration":"long"}"#, #"duration: "long" is not a whole number"#),
        ("nano-banana-2", #"{"image_input":{}}"#, "image_input: is an object; nano-banana-2 takes a list"),
        ("bytedance/seedream", #"{"guidance_scale":true}"#, "guidance_scale: true is not a number"),
        (
            "kling-3.0/video", #"{"multi_prompt":[{"prompt":"a","duration":13}]}"#,
            "multi_prompt[0].duration: 13; kling-3.0/video takes 1 to 12"
        ),
        ("kling-3.0/video", #"{"multi_prompt":[1]}"#, "multi_prompt[0]: is a number; kling-3.0/video takes an object"),
        (
            "minimax-h3/image-to-video", #"{"first_frame_url":"ftp://u"}"#,
            "first_frame_url: does not have the form ^(https?|oss)://"
        ),
    ])
    func `what does not fit is named with what would`(model: String, json: String, message: String) throws {
        let input = try #require(try JSONValue(parsing: json).objectValue)
        let refusal = try catalogue.refusal(model, input)
        #expect(refusal.code == .invalidInput)
        #expect(refusal.description == message)
    }

    @Test(arguments: [
        ("no" as String?, InputProblem.Kind.tooShort, "prompt: 2 characters; \(flex) takes 3 to 5,000"),
        ("", .tooShort, "prompt: 0 characters; \(flex) takes 3 to 5,000"),
        ("x", .tooShort, "prompt: 1 character; \(flex) takes 3 to 5,000"),
        (String(repeating: "x", count: 5_001), .tooLong, "prompt: 5,001 characters; \(flex) takes 3 to 5,000"),
        (nil, .missing, "prompt: is required by \(flex)"),
    ])
    func `a prompt that does not fit is not repeated`(prompt: String?, kind: InputProblem.Kind, message: String) throws
    {
        let refusal = try catalogue.refusal(Self.flex, prompt: prompt)
        #expect(refusal.problems.map(\.kind) == [kind])
        #expect(refusal.description == message)
    }

    @Test func `a required text or list may not be empty, an optional one may`() throws {
        let text = try catalogue.refusal("google/nano-banana", prompt: "")
        #expect(text.description == "prompt: 0 characters; google/nano-banana takes 1 to 5,000")
        let list = try catalogue.refusal("google/nano-banana-edit", ["image_urls": .array([])])
        #expect(list.description == "image_urls: 0 items; google/nano-banana-edit takes 1 to 10")
        _ = try catalogue.ready("nano-banana-2", ["image_input": .array([])])
        _ = try catalogue.ready("google/imagen4", ["negative_prompt": ""])
    }

    @Test(arguments: [3, 5_000])
    func `bounds are included and count Unicode scalars`(length: Int) throws {
        _ = try catalogue.ready(Self.flex, prompt: String(repeating: "é", count: length))
        let family = "👨‍👩‍👧"
        #expect(family.count == 1)
        _ = try catalogue.ready(Self.flex, prompt: family)
    }

    @Test func `every problem is told, in the order of the fields`() throws {
        let refusal = try catalogue.refusal(Self.flex, prompt: nil, ["resolution": "8K", "aspect_ratio": 1])
        #expect(refusal.problems.map(\.field) == ["prompt", "aspect_ratio", "resolution"])
        #expect(refusal.problems.map(\.kind) == [.missing, .notAllowed, .notAllowed])
        #expect(refusal.description.split(separator: "; ").count == 3)
    }

    @Test func `long values are not quoted and long lists of values are cut`() throws {
        let long = String(repeating: "z", count: 61)
        let refusal = try catalogue.refusal(Self.flex, ["resolution": .string(long)])
        #expect(refusal.description == "resolution: a text of 61 characters is not one of 1K 2K")
        let dialogue = try JSONValue(parsing: #"[{"text":"a","voice":"EkK5I93UQWFDigLMpZcX"}]"#)
        let input: JSONObject = ["language_code": "xx", "dialogue": dialogue]
        let language = try catalogue.refusal("elevenlabs/text-to-dialogue-v3", prompt: nil, input)
        #expect(language.description.hasPrefix(#"language_code: "xx" is not one of af ar hy"#))
        #expect(language.description.hasSuffix("more"))
    }

    @Test(arguments: [
        ("kling-3.0/video", #"{"duration":5}"#), ("kling-3.0/video", #"{"duration":"5"}"#),
        ("minimax-h3/image-to-video", #"{"duration":"6"}"#), ("minimax-h3/image-to-video", #"{"duration":6}"#),
        ("happyhorse/text-to-video", #"{"duration":"5"}"#), ("google/imagen4", #"{"seed":7}"#),
        ("happyhorse/text-to-video", #"{"duration":5.0}"#),
    ])
    func `numbers and numeric texts are both fine and stay as they are`(model: String, json: String) throws {
        let input = try #require(try JSONValue(parsing: json).objectValue)
        let prepared = try catalogue.ready(model, input)
        for (field, value) in input { #expect(prepared.input[field] == value) }
    }
}
