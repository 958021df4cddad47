import PromptQueue

/// A saved result, as a command shows it.
struct ResultFile: Sendable, Hashable {
    let job: JobID
    let ordinal: Int
    /// From the root, whatever directory a command runs in.
    let path: String
    let contentType: String
    let bytes: Int64

    static let columns = ["job_id", "ordinal", "path", "content_type", "bytes"]

    var object: JSONObject {
        [
            "job_id": .integer(job.rawValue), "ordinal": .integer(Int64(ordinal)), "path": .string(path),
            "content_type": .string(contentType), "bytes": .integer(bytes),
        ]
    }

    /// Those of a job that are in the media directory.
    static func all(of job: ExportedJob, in media: String) -> [ResultFile] {
        let folder = AbsolutePath.of(media)
        return job.results.compactMap { result in
            guard result.state == .saved, let path = result.path else { return nil }
            return ResultFile(
                job: job.job.id,
                ordinal: result.ordinal,
                path: "\(folder == "/" ? "" : folder)/\(path)",
                contentType: result.contentType ?? "application/octet-stream",
                bytes: result.bytes ?? 0
            )
        }
    }
}
