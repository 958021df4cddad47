import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue

// Small pictures of results.
extension Dashboard {
    /// Removes small pictures of results that are gone, and the oldest if they are too many.
    ///
    /// - Returns: how many.
    package func sweepThumbnails() async throws -> Int {
        let source = source
        return try await thumbnailFiles.sweep(
            { names in
                try await source.read { reader in
                    Set(
                        try names.filter { name in
                            guard let result = try reader.result(name.result), result.state == .saved else {
                                return false
                            }
                            return result.sha256.map { $0.hasPrefix(name.mark) } ?? true
                        }
                    )
                }
            },
            now: now()
        )
    }

    /// - Parameter isKept: whether the address names what is in it, so that a browser need not ask again.
    func small(
        _ request: Request,
        _ id: ResultID,
        _ result: ResultRecord,
        _ file: MediaFile,
        isKept: Bool
    ) async throws -> Response {
        guard let thumbnails, Self.isReduced(result.contentType) else { return try original(request, result, file) }
        let width = FormFields(request.uri.query ?? "")["w"] == "640" ? 640 : 320
        let mark = Self.mark(result.sha256, file)
        switch try await thumbnails.picture(ThumbnailName(id, mark: mark, width: width), of: file) {
        case .picture(let bytes):
            return Self.picture(bytes, tag: "\"\(mark)-\(width)\"", isKept: isKept, request)
        case .original: return try original(request, result, file)
        case .failed:
            return Response(
                status: .ok,
                headers: [.contentType: "image/svg+xml", .cacheControl: "private, max-age=600"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Self.placeholder))
            )
        }
    }

    /// Not for long: a small picture may come.
    private func original(_ request: Request, _ result: ResultRecord, _ file: MediaFile) throws -> Response {
        MediaResponse(result, file, try FileReads.shared.enter(), isKept: false).response(to: request)
    }

    /// Differs where the file does.
    static func mark(_ sha256: String?, _ file: MediaFile) -> String {
        sha256.map { String($0.prefix(16)) } ?? "\(file.size)t\(file.changed)"
    }

    static func isReduced(_ contentType: String?) -> Bool {
        ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(contentType)
    }

    private static func picture(_ bytes: ByteBuffer, tag: String, isKept: Bool, _ request: Request) -> Response {
        let headers: HTTPFields = [
            .contentType: "image/webp", .eTag: tag,
            .cacheControl: isKept ? "private, max-age=31536000, immutable" : "private, no-cache",
        ]
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }

    /// For a file of which no small picture can be made: a browser might fare no better with the file.
    static let placeholder = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320"><path fill="none" stroke="#8a8f98" stroke-width="6" \
        d="M110 110h100v100h-100zM110 190l32-34 26 26 18-18 24 24M96 224L224 96"/></svg>
        """
}
