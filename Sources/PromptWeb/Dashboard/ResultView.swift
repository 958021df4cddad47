import PromptQueue

/// A result, as pages show it.
struct ResultView {
    /// `12-0`.
    let item: String
    let href: String
    let small: String
    /// For dense screens; nil where the file itself is shown.
    let dense: String?
    let jobHref: String
    let job: String
    let alt: String
    let name: String
    let isImage: Bool
    let isVideo: Bool
    let isAudio: Bool
    let isFile: Bool
    let isMissing: Bool
    let type: String
    let size: String?
    let role: String?
    /// Why there is no file.
    let reason: String?
    let url: String?
    let content: String?

    /// - Parameter isLarge: whether the file itself is shown, and not a small picture of it.
    init(_ result: ResultRecord, of job: JobRecord, isLarge: Bool = false) {
        item = "\(job.id)-\(result.ordinal)"
        let mark = result.sha256.map { "?v=\($0.prefix(12))" } ?? ""
        href = "/media/\(job.id)/\(result.ordinal)\(mark)"
        let small = "/media/\(job.id)/\(result.ordinal)/small\(mark)"
        self.small = isLarge ? href : small
        dense = isLarge ? nil : small + (mark.isEmpty ? "?w=640" : "&w=640")
        jobHref = "/jobs/\(job.id)"
        self.job = job.id.description
        alt = job.prompt.map { PlainText.oneLine(String($0.prefix(300))) } ?? "Result of job \(job.id)"
        name = result.path.map { FilePathParts.split($0).name } ?? item
        let isSaved = result.state == .saved && result.path != nil && result.content == nil
        let kind = isSaved ? MediaKind(result.contentType) : nil
        isImage = kind == .image
        isVideo = kind == .video
        isAudio = kind == .audio
        isFile = kind == .file
        isMissing = !isSaved && result.content == nil
        type = result.contentType ?? ""
        size = result.bytes.map { PromptQueue.size($0) }
        role = result.role == TaskOutput.result ? nil : result.role
        switch result.state {
        case .saved: reason = nil
        case .pending:
            reason =
                result.errorMessage.map { "Waiting, tried again: \($0)" }
                ?? (job.state == .succeeded ? "Not downloaded: downloads were off." : "Being downloaded.")
        case .failed: reason = "Not saved: \(result.errorMessage ?? "unknown")"
        }
        url = result.url
        content = result.content
    }
}

/// How a browser shows a file. What is not of a type known here is only handed over: a drawing or a page may hold scripts.
enum MediaKind: Equatable {
    case image, video, audio, file

    init(_ contentType: String?) {
        self =
            switch contentType {
            case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif": .image
            case "video/mp4", "video/webm", "video/quicktime": .video
            case "audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "audio/mp4": .audio
            default: .file
            }
    }
}
