import MediaStore
import PromptQueue

/// What files a model takes in a field, by the words of the catalogue: `jpeg, png or webp, at most 10 MB`.
struct FileLimits {
    private let megabytes: Int64?
    private let taken: [String]

    /// As the catalogue names them.
    static let kinds: Set<String> = [
        "jpeg", "jpg", "png", "webp", "gif", "avif", "mp4", "mov", "mkv", "webm", "avi", "mp3", "wav", "ogg", "m4a",
        "flac",
        "aac", "wma", "pdf",
    ]

    init(_ note: String?) {
        let words = (note ?? "").lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        megabytes = words.indices.dropFirst().first { words[$0] == "mb" }.flatMap { Int64(words[$0 - 1]) }
        taken = words.filter { Self.kinds.contains($0) }
    }

    /// Why a file is not taken; nil if it is, as far as that is known.
    func problem(_ type: FileType, bytes: Int64) -> String? {
        if !type.isMedia { return "is neither an image nor a sound or video that promptd knows, by its first bytes" }
        let kind = Self.name(type.fileExtension)
        // Matroska and WebM begin alike.
        let isTaken = taken.contains { Self.name($0) == kind || ($0 == "mkv" && kind == "webm") }
        if !taken.isEmpty, !isTaken {
            return "is \(kind) by its first bytes; the model takes \(taken.joined(separator: ", ")): convert it first"
        }
        if let megabytes, case let limit = megabytes.multipliedSaturated(by: 1_048_576), bytes > limit {
            return "has \(grouped(Int(clamping: bytes))) bytes; the model takes at most \(megabytes) MB, "
                + "\(grouped(Int(clamping: limit))): make it smaller"
        }
        return nil
    }

    private static func name(_ kind: String) -> String { kind == "jpg" ? "jpeg" : kind }
}
