/// What a file is, by its first bytes: what a server says of it is not believed.
package struct FileType: Sendable, Equatable {
    package var contentType: String
    package var fileExtension: String

    package static let unknown = FileType(contentType: "application/octet-stream", fileExtension: "bin")
    package static let json = FileType(contentType: "application/json", fileExtension: "json")

    /// How many bytes `init(sniffing:)` looks at.
    package static let sniffedBytes = 32

    package init(contentType: String, fileExtension: String) {
        self.contentType = contentType
        self.fileExtension = fileExtension
    }

    /// Whether it is something to look at, to listen to or to read: what a model may take.
    package var isMedia: Bool {
        ["image/", "audio/", "video/", "model/", "application/pdf"].contains { contentType.hasPrefix($0) }
    }

    package init(sniffing head: some Sequence<UInt8>) {
        let bytes = Array(head.prefix(Self.sniffedBytes))
        func has(_ text: String, at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: text.utf8)
        }
        self =
            if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
                .init(contentType: "image/png", fileExtension: "png")
            } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
                .init(contentType: "image/jpeg", fileExtension: "jpg")
            } else if has("GIF8") {
                .init(contentType: "image/gif", fileExtension: "gif")
            } else if has("RIFF"), has("WEBP", at: 8) {
                .init(contentType: "image/webp", fileExtension: "webp")
            } else if has("RIFF"), has("WAVE", at: 8) {
                .init(contentType: "audio/wav", fileExtension: "wav")
            } else if has("RIFF"), has("AVI ", at: 8) {
                .init(contentType: "video/x-msvideo", fileExtension: "avi")
            } else if has("ftypavif", at: 4) {
                .init(contentType: "image/avif", fileExtension: "avif")
            } else if has("ftypM4A", at: 4) {
                .init(contentType: "audio/mp4", fileExtension: "m4a")
            } else if has("ftypqt", at: 4) {
                .init(contentType: "video/quicktime", fileExtension: "mov")
            } else if has("ftyp", at: 4) {
                .init(contentType: "video/mp4", fileExtension: "mp4")
            } else if bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
                .init(contentType: "video/webm", fileExtension: "webm")
            } else if has("ID3") || bytes.starts(with: [0xFF, 0xFB]) || bytes.starts(with: [0xFF, 0xF3]) {
                .init(contentType: "audio/mpeg", fileExtension: "mp3")
            } else if bytes.starts(with: [0xFF, 0xF1]) || bytes.starts(with: [0xFF, 0xF9]) {
                .init(contentType: "audio/aac", fileExtension: "aac")
            } else if bytes.starts(with: [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) {
                .init(contentType: "audio/x-ms-wma", fileExtension: "wma")
            } else if has("OggS") {
                .init(contentType: "audio/ogg", fileExtension: "ogg")
            } else if has("fLaC") {
                .init(contentType: "audio/flac", fileExtension: "flac")
            } else if has("glTF") {
                .init(contentType: "model/gltf-binary", fileExtension: "glb")
            } else if has("PK\u{3}\u{4}") {
                .init(contentType: "application/zip", fileExtension: "zip")
            } else if has("%PDF-") {
                .init(contentType: "application/pdf", fileExtension: "pdf")
            } else if bytes.starts(with: [0x1F, 0x8B]) {
                .init(contentType: "application/gzip", fileExtension: "gz")
            } else if has("<svg") {
                .init(contentType: "image/svg+xml", fileExtension: "svg")
            } else if has("{") || has("[") {
                .json
            } else {
                .unknown
            }
    }
}
