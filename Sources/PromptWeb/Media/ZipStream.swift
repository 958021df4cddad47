import HTTPTypes
import Hummingbird
import NIOCore

/// Files as one archive, made while it is sent.
struct ZipStream {
    struct Part: Sendable {
        let entry: ZipArchive.Entry
        let path: String
    }

    let parts: [Part]
    let files: MediaFiles
    let place: Place

    func response(named name: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/zip",
                .contentDisposition: "attachment; filename=\"\(name).zip\"",
            ],
            body: ResponseBody(contentLength: Int(ZipArchive.size(of: parts.map(\.entry)))) { writer in
                defer { withExtendedLifetime(place) {} }
                var archive = ZipArchive()
                for part in parts {
                    guard let file = try await FileReads.shared.open(part.path, files), file.size == part.entry.size
                    else {
                        // The length is announced already: the connection ends, and the reader sees that it is not whole.
                        throw PageProblem(.failed, "a file went away while the archive was sent")
                    }
                    try await writer.write(archive.begin(part.entry))
                    var checksum = CRC32()
                    var offset: Int64 = 0
                    while offset < file.size {
                        let buffer = try await FileReads.shared.next(file, at: offset, until: file.size)
                        offset += Int64(buffer.readableBytes)
                        checksum.update(buffer.readableBytesView)
                        archive.wrote(buffer.readableBytes)
                        try await writer.write(buffer)
                    }
                    try await writer.write(archive.end(checksum: checksum.value))
                }
                try await writer.write(archive.finish())
                try await writer.finish(nil)
            }
        )
    }
}
