package import PromptQueue

/// A result in a gallery, with what it came from.
package struct GalleryItem: Sendable {
    package enum Kind: Sendable {
        case image, video, sound, other
    }

    package var job: JobRecord
    package let ordinal: Int
    /// Where the file is.
    package let path: String
    package let contentType: String
    package let bytes: Int64

    package init(job: JobRecord, ordinal: Int, path: String, contentType: String, bytes: Int64) {
        self.job = job
        self.ordinal = ordinal
        self.path = path
        self.contentType = contentType
        self.bytes = bytes
    }

    package var kind: Kind {
        switch contentType.prefix(while: { $0 != "/" }) {
        case "image": .image
        case "video": .video
        case "audio": .sound
        default: .other
        }
    }

    /// `41`, or `41/1` for another than the first result.
    package var number: String { ordinal == 0 ? "\(job.id)" : "\(job.id)/\(ordinal)" }

    /// Name and value, by name.
    package var labels: [(name: String, value: String)] { Self.pairs(job.labels) }

    /// The fields of the input but for the prompt, as the job was added.
    package var input: [(name: String, value: String)] { Self.pairs(job.input).filter { $0.name != "prompt" } }

    /// What is known of all together, in a line: `24 results of 24 jobs, the last of 2026-11-30; 336 credits`.
    ///
    /// - Parameter date: the day of an instant.
    package static func summary(_ items: [GalleryItem], date: (Instant) -> String) -> String {
        let jobs = Dictionary(items.map { ($0.job.id, $0.job.charged ?? .zero) }) { first, _ in first }
        let credits = jobs.values.reduce(Credits.zero, +)
        let day = items.map(\.job.createdAt).max().map { ", the last of \(date($0))" } ?? ""
        return "\(count(items.count, "result")) of \(count(jobs.count, "job"))\(day); \(credits.inWords)"
    }

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
