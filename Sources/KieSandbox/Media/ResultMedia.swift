import PromptQueue

/// The files that a task results in.
package struct ResultMedia: Sendable, Hashable {
    /// What the files are.
    package enum Kind: Sendable, Hashable {
        case image(width: Int, height: Int)
        case audio
        case video
    }

    package let kind: Kind
    /// How many files.
    package let count: Int
    /// What their content depends on: equal seeds, equal files.
    package let seed: UInt64
    /// Whether the first and the last frame come with it, as pictures of their own.
    package let hasFrames: Bool

    package init(kind: Kind, count: Int, seed: UInt64, hasFrames: Bool = false) {
        self.kind = kind
        self.count = count
        self.seed = seed
        self.hasFrames = hasFrames
    }

    /// The two frames, if there are any.
    var frames: ResultMedia? {
        hasFrames ? ResultMedia(kind: .image(width: 1_280, height: 720), count: Self.frameNames.count, seed: seed) : nil
    }

    static let frameNames = ["firstFrame", "lastFrame"]

    /// The end of a file's name, without a dot.
    package var fileExtension: String {
        switch kind {
        case .image: "png"
        case .audio: "wav"
        case .video: "avi"
        }
    }

    /// The media type that a file is served with.
    package var contentType: String {
        switch kind {
        case .image: "image/png"
        case .audio: "audio/wav"
        case .video: "video/x-msvideo"
        }
    }

    /// The bytes of file `ordinal`, made again each time.
    package func file(_ ordinal: Int) -> [UInt8] {
        let seed = seed &+ UInt64(ordinal) &* 0x9E37_79B9
        return switch kind {
        case .image(let width, let height): Landscape(width: width, height: height, seed: seed).png().encoded()
        case .audio: WAVE(seed: seed).encoded()
        case .video: AVI(seed: seed).encoded()
        }
    }
}

extension ResultMedia {
    /// What the service would make of `input`: the media of the model, in the size and the number asked for.
    init(model: CatalogueModel, input: JSONObject) {
        let kind: Kind =
            switch model.media {
            case .image: Self.image(input)
            case .audio: .audio
            case .video: .video
            }
        let count = ["n", "num_images", "max_images"].lazy.compactMap { input[$0]?.wholeNumber }.first ?? 1
        let words = (input["prompt"]?.stringValue ?? JSONValue.object(input).json) + (input["seed"]?.json ?? "")
        let hasFrames = kind == .video && input["return_last_frame"] == .bool(true)
        self.init(kind: kind, count: min(max(count, 1), 6), seed: words.fnv1a, hasFrames: hasFrames)
    }

    private static func image(_ input: JSONObject) -> Kind {
        let longSide =
            switch input["resolution"]?.stringValue?.uppercased() {
            case "2K": 2_048
            case "4K": 4_096
            default: 1_024
            }
        let names = ["aspect_ratio", "image_size"].lazy.compactMap { input[$0]?.stringValue }
        let (across, down) = names.compactMap(ratio).first ?? (1, 1)
        return across >= down
            ? .image(width: longSide, height: max(1, longSide * down / across))
            : .image(width: max(1, longSide * across / down), height: longSide)
    }

    /// `16:9`, `landscape_16_9`, `portrait_4_3` (which is 3:4), `square_hd`.
    private static func ratio(_ text: String) -> (across: Int, down: Int)? {
        let numbers = text.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 2, (1...100).contains(numbers[0]), (1...100).contains(numbers[1]) else { return nil }
        let (first, second) = (numbers[0], numbers[1])
        if text.hasPrefix("portrait") { return (min(first, second), max(first, second)) }
        if text.hasPrefix("landscape") { return (max(first, second), min(first, second)) }
        return (first, second)
    }
}

extension JSONValue {
    /// A whole number, or a text of digits: the service takes either.
    fileprivate var wholeNumber: Int? {
        integerValue.flatMap { Int(exactly: $0) } ?? stringValue.flatMap { Int($0) }
    }
}
