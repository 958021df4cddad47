import PromptQueue

/// A file that a client has uploaded, to be named in an input.
package struct SandboxUpload: Sendable {
    /// The ways in which files come.
    package enum Form: String, Sendable, CaseIterable {
        /// `multipart/form-data`.
        case stream = "/api/file-stream-upload"
        /// JSON with the file in Base64.
        case base64 = "/api/file-base64-upload"
        /// JSON with a URL that the service fetches; the sandbox fetches its own only.
        case url = "/api/file-url-upload"

        package init?(path: String) { self.init(rawValue: path) }
    }

    /// Bytes.
    package static let largest = 100 * 1_024 * 1_024
    /// Where its URL points to, below the sandbox's.
    static let folder = "/uploads/"

    let name: String
    let path: String
    let contentType: String
    package let content: [UInt8]
    let uploadedAt: Instant
}

/// The fields of a form, as the service reads them.
struct UploadForm {
    var content: [UInt8]?
    var fileName: String?
    var uploadPath: String?
    var contentType: String?

    /// - Returns: nil for a body that is none.
    init?(multipart body: [UInt8], contentType header: String) {
        guard header.lowercased().hasPrefix("multipart/form-data"),
            let start = header.firstRange(of: "boundary=")
        else { return nil }
        var boundary = String(header[start.upperBound...].prefix { $0 != ";" })
        if boundary.hasPrefix("\""), boundary.hasSuffix("\""), boundary.count > 1 {
            boundary = String(boundary.dropFirst().dropLast())
        }
        guard !boundary.isEmpty else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var rest = body[...]
        guard let first = rest.firstRange(of: delimiter) else { return nil }
        rest = rest[first.upperBound...]
        while !rest.starts(with: "--".utf8) {
            guard let end = rest.firstRange(of: Array("\r\n".utf8) + delimiter),
                let head = rest[..<end.lowerBound].firstRange(of: Array("\r\n\r\n".utf8))
            else { return nil }
            add(
                String(decoding: rest[..<head.lowerBound], as: UTF8.self),
                Array(rest[head.upperBound..<end.lowerBound])
            )
            rest = rest[end.upperBound...]
        }
    }

    init(json: JSONObject) {
        fileName = json["fileName"]?.stringValue
        uploadPath = json["uploadPath"]?.stringValue
    }

    private mutating func add(_ head: String, _ value: [UInt8]) {
        func parameter(_ name: String) -> String? {
            guard let start = head.firstRange(of: " \(name)=\"") else { return nil }
            return String(head[start.upperBound...].prefix { $0 != "\"" })
        }
        switch parameter("name") {
        case "file":
            content = value
            fileName = fileName ?? parameter("filename")
            contentType = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-type:") }
                .map { String($0.dropFirst("content-type:".count)).trimmingSpaces() }
        case "uploadPath": uploadPath = String(decoding: value, as: UTF8.self)
        case "fileName": fileName = String(decoding: value, as: UTF8.self)
        default: break
        }
    }
}
