/// A model as the provider lists it, kept over what the catalogue was built with.
package struct ProviderModel: Sendable, Hashable {
    /// The id that `createTask` takes.
    package let name: String
    /// Whether it was in the provider's list when that was last read.
    package var isListed: Bool
    package let title: String?
    /// What it does, in the provider's words: `text-to-image`.
    package let taskTypes: [String]
    /// What it costs, in the provider's words.
    package var pricing: String?
    /// The JSON schema of `input`, without references; `nil` if it is not published, or was not to be had.
    package var inputSchema: JSONObject?
    package let readAt: Instant

    package init(
        name: String,
        isListed: Bool = true,
        title: String? = nil,
        taskTypes: [String] = [],
        pricing: String? = nil,
        inputSchema: JSONObject? = nil,
        readAt: Instant
    ) {
        self.name = name
        self.isListed = isListed
        self.title = title
        self.taskTypes = taskTypes
        self.pricing = pricing
        self.inputSchema = inputSchema
        self.readAt = readAt
    }

    /// Whether `createTask` could take such a name, and a path of the API hold it.
    package static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !["", ".", ".."].contains($0)
            }
    }

    /// What it makes, by the words for what it does, and by its name.
    var media: CatalogueModel.Media {
        let words = Set(
            (taskTypes + [name]).flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map(String.init)
        )
        // `image-to-video` makes a video, `speech-to-video` too.
        if !words.isDisjoint(with: ["video", "animate", "avatar"]) { return .video }
        if !words.isDisjoint(with: ["audio", "music", "speech", "sound", "voice", "song", "dialogue"]) {
            return .audio
        }
        return .image
    }
}
