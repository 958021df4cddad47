import PromptQueue

/// A result in a gallery, with what it came from.
struct GalleryItem: Sendable {
    enum Kind: Sendable {
        case image, video, sound, other
    }

    let job: JobRecord
    let file: ResultFile

    var kind: Kind {
        switch file.contentType.prefix(while: { $0 != "/" }) {
        case "image": .image
        case "video": .video
        case "audio": .sound
        default: .other
        }
    }

    /// `41`, or `41/1` for another than the first result.
    var number: String { file.ordinal == 0 ? "\(job.id)" : "\(job.id)/\(file.ordinal)" }

    /// Name and value, by name.
    var labels: [(name: String, value: String)] { Self.pairs(job.labels) }

    /// The fields of the input but for the prompt, as the job was added.
    var input: [(name: String, value: String)] { Self.pairs(job.input).filter { $0.name != "prompt" } }

    private static func pairs(_ json: String?) -> [(name: String, value: String)] {
        guard let object = json.flatMap(JSONValue.object(in:)) else { return [] }
        return object.sorted { $0.key < $1.key }.map { name, value in (name, text(value)) }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .array(let items): items.map(text).joined(separator: ", ")
        default: value.json
        }
    }
}
