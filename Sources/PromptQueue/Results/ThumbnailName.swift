/// What a small picture of a result is called: a file in a folder of `ThumbnailName.folder`, in the media directory.
package struct ThumbnailName: Sendable, Hashable {
    /// For pages; and for what is drawn, by programs that know no WebP.
    package enum Format: String, Sendable, CaseIterable {
        case webp
        case jpeg = "jpg"

        package var contentType: String { self == .webp ? "image/webp" : "image/jpeg" }
    }

    /// Hidden, and promptd's own: what is in it can be made again.
    package static let folder = ".promptd-thumbnails"
    /// In pixels: for a tile of a page, and for one on a dense screen.
    package static let widths = [320, 640]
    private static let shards: Int64 = 100

    package let result: ResultID
    /// Differs where the file does.
    package let mark: String
    package let width: Int
    package let format: Format

    /// - Parameter mark: letters and digits.
    package init(_ result: ResultID, mark: String, width: Int, format: Format = .webp) {
        self.result = result
        self.mark = mark
        self.width = width
        self.format = format
    }

    /// - Returns: nil for what is no such name.
    package init?(file: String) {
        guard let format = Format.allCases.first(where: { file.hasSuffix(".\($0.rawValue)") }) else { return nil }
        let parts = file.dropLast(format.rawValue.utf8.count + 1)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, let job = Int64(parts[0]), let ordinal = Int(parts[1]), let width = Int(parts[3]),
            Self.widths.contains(width)
        else { return nil }
        self.init(ResultID(job: JobID(job), ordinal: ordinal), mark: String(parts[2]), width: width, format: format)
        guard self.file == file else { return nil }
    }

    /// `12-0-ab12cd34ef56ab78-320.webp`.
    package var file: String {
        "\(result.job)-\(result.ordinal)-\(mark)-\(width).\(format.rawValue)"
    }

    /// One of a hundred folders, so that none gets long.
    package static func shard(of job: JobID) -> String { "\(job.rawValue % shards)" }

    /// Whether a file in a shard is of a job.
    package static func isFile(_ name: String, of job: JobID) -> Bool { name.hasPrefix("\(job)-") }
}
