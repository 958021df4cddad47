import Glibc
import PromptQueue

/// What a sidecar says of the files that it belongs to.
struct SidecarFiles {
    private static let maximumBytes = 8 << 20

    let job: JobID
    /// Relative to the media directory.
    let paths: [String]

    /// Nil if there is none at `path`, or if it is something else.
    init?(path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= Self.maximumBytes
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, let object = JSONValue.object(in: String(decoding: bytes, as: UTF8.self)),
            let job = object["job"]?.integerValue, object["format"] != nil
        else { return nil }
        self.job = JobID(job)
        paths = object["results"]?.arrayValue?.compactMap { $0.objectValue?["path"]?.stringValue } ?? []
    }
}
