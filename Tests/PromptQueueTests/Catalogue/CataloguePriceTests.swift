import PromptQueue
import Testing

/// What tasks are estimated to cost.
struct CataloguePriceTests {
    private let catalogue = Catalogue.builtIn

    @Test(arguments: [
        ("flux-2/flex-text-to-image", "", 14.0), ("flux-2/flex-text-to-image", #""resolution":"1K""#, 14),
        ("flux-2/flex-text-to-image", #""resolution":"2K""#, 24), ("flux-2/pro-text-to-image", "", 5),
        ("flux-2/pro-text-to-image", #""resolution":"2K""#, 7),
        ("flux-2/flex-image-to-image", #""input_urls":["https://u"]"#, 14),
        ("flux-2/flex-image-to-image", #""input_urls":["https://u"],"resolution":"2K""#, 24),
        ("flux-2/pro-image-to-image", #""input_urls":["https://u"]"#, 5),
        ("flux-2/pro-image-to-image", #""input_urls":["https://u","https://v"],"resolution":"2K""#, 7),
    ])
    func `flux 2 costs what the provider lists`(model: String, input: String, credits: Double) throws {
        #expect(try catalogue.price(model, "{\(input)}") == credits)
    }

    @Test(arguments: [
        // The dearest one where the input does not tell.
        ("gpt-image-2-text-to-image", "", 16.0), ("gpt-image-2-text-to-image", #""resolution":"1K""#, 6),
        ("ideogram/v3-text-to-image", "", 10), ("wan/2-5-text-to-video", #""duration":"5""#, 100),
        ("topaz/image-upscale", #""image_url":"https://u","upscale_factor":"1""#, 20),
        // By number.
        ("ideogram/character", #""reference_image_urls":["https://u"]"#, 18),
        ("ideogram/character", #""reference_image_urls":["https://u"],"num_images":"3","rendering_speed":"TURBO""#, 36),
        ("wan/2-7-image", "", 4.8), ("wan/2-7-image", #""n":4"#, 19.2), ("4o-image-api", #""nVariants":2"#, 12),
        // By length.
        ("kling-3.0/video", "", 90), ("kling-3.0/video", #""sound":true,"mode":"std","duration":"10""#, 200),
        ("kling-3.0/video", #""sound":true,"mode":"4K","duration":3"#, 201),
        ("bytedance/seedance-1.5-pro", #""duration":4,"resolution":"480p""#, 7),
        ("bytedance/seedance-1.5-pro", #""duration":4,"resolution":"480p","generate_audio":true"#, 14),
        ("bytedance/seedance-2", "", 205), ("kling/v3-turbo-text-to-video", "", 90),
        ("wan/2-6-text-to-video", #""duration":15"#, 315), ("kling-2.6/text-to-video", #""sound":false"#, 55),
        ("kling-2.6/text-to-video", #""sound":true,"duration":"10""#, 220),
        ("runway", #""duration":5,"quality":"720P""#, 12),
        // With and without inputs.
        ("seedream/5-pro-image-to-image", #""image_urls":["https://u"]"#, 7),
        ("seedream/5-pro-image-to-image", #""image_urls":["https://u","https://v","https://w"],"quality":"high""#, 15),
        ("qwen3/image-to-image", #""image_urls":["https://u","https://v"]"#, 5.8),
        ("minimax-h3/text-to-video", #""aspect_ratio":"1:1""#, 78),
        ("minimax-h3/image-to-video", #""first_frame_url":"https://u""#, 102),
        ("gemini-omni-video", #""duration":"4""#, 63), ("gemini-omni-video", #""duration":"4","video_list":[]"#, 63),
        ("gemini-omni-video", #""duration":"4","resolution":"4k""#, 147),
        ("gemini-omni-video", #""duration":"4","video_list":[{"url":"https://u","start":0,"ends":1}]"#, 168),
        ("grok-imagine/text-to-image", "", 4), ("grok-imagine/text-to-image", #""enable_pro":true"#, 5),
        ("grok-imagine/extend", #""task_id":"t","extend_times":6"#, 27), ("ai-music-api/cover-generate", "", 0),
    ])
    func `prices follow the input`(model: String, input: String, credits: Double) throws {
        #expect(try catalogue.price(model, "{\(input)}") == credits)
    }

    @Test(arguments: [(1, 6.0), (1_000, 6), (1_001, 12), (5_000, 30)])
    func `speech is charged by each thousand characters begun`(length: Int, credits: Double) throws {
        let text = String(repeating: "é", count: length)
        let prepared = try catalogue.ready("elevenlabs/text-to-speech-turbo-2-5", prompt: text)
        #expect(prepared.estimate?.credits.doubleValue == credits)
    }

    @Test func `a dialogue is charged by the text of all its turns`() throws {
        let turn: JSONValue = .object([
            "text": .string(String(repeating: "a", count: 501)), "voice": "EkK5I93UQWFDigLMpZcX",
        ])
        let dialogue: JSONObject = ["dialogue": .array([turn, turn])]
        let prepared = try catalogue.ready("elevenlabs/text-to-dialogue-v3", prompt: nil, dialogue)
        #expect(prepared.estimate?.credits == Credits(28))
    }

    @Test(arguments: [
        ("bytedance/seedream", ""), ("nano-banana-2-1", ""), ("qwen/text-to-image", ""),
        ("kling-2.6/motion-control", #""input_urls":["https://u"],"video_urls":["https://v"]"#),
        ("bytedance/seedance-2", #""reference_video_urls":["https://v"]"#), ("bytedance/seedance-2", #""duration":-1"#),
        ("bytedance/seedance-2", #""duration":0"#),
        ("grok-imagine/text-to-video", ""), ("grok-imagine-video-1-5-preview", #""resolution":"1080p""#),
        ("wan/2-7-r2v", #""reference_video":["https://v"]"#), ("happyhorse/video-edit", #""video_url":"https://v""#),
        ("wan/3-0-video", ""), ("wan/3-0-video", #""duration":"long""#), ("4o-image-api", #""nVariants":0"#),
        ("4o-image-api", #""nVariants":1e300"#),
        ("kling-3.0/motion-control", #""input_urls":["https://u"],"video_urls":["https://v"]"#),
    ])
    func `what the input does not tell is unlisted`(model: String, input: String) throws {
        let json = try #require(try JSONValue(parsing: "{\(input)}").objectValue)
        let estimate = try catalogue.ready(model, json).estimate
        #expect(estimate == nil)
    }

    @Test func `an estimate tells which price it is`() throws {
        let estimate = try catalogue.ready("flux-2/pro-text-to-image").estimate
        let rule = "5 credits per image (black forest labs flux 2 pro / text to image 1k)"
        #expect(estimate?.basis == .listed(rule))
    }
}
