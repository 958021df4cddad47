import Concurrency
import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue
import Synchronization

// The files of results, by what the ledger says of them: a path never comes from a request.
extension Dashboard {
    func addMedia(to router: Router<BasicRequestContext>) {
        router.get("media/:job/:ordinal") { request, context in
            try await media(request, context.parameters) { _, result, file, isKept in
                MediaResponse(result, file, try FileReads.shared.enter(), isKept: isKept).response(to: request)
            }
        }
        router.get("media/:job/:ordinal/small") { request, context in
            try await media(request, context.parameters) { id, result, file, isKept in
                try await small(request, id, result, file, isKept: isKept)
            }
        }
        router.get("gallery.zip") { request, _ in
            do {
                try admit(request)
                return try await zip(FormFields(request.uri.query ?? ""))
            } catch {
                return problemPage(error)
            }
        }
    }

    private func media(
        _ request: Request,
        _ parameters: Parameters,
        _ answer: (ResultID, ResultRecord, MediaFile, _ isKept: Bool) async throws -> Response
    ) async throws -> Response {
        do {
            try admit(request)
            let id = ResultID(
                job: JobID(try parameters.require("job", as: Int64.self)),
                ordinal: try parameters.require("ordinal", as: Int.self)
            )
            let files = files
            let found = try await source.read { reader -> (ResultRecord, MediaFile)? in
                guard let result = try reader.result(id), result.state == .saved, let path = result.path,
                    let file = try files.open(path)
                else { return nil }
                return (result, file)
            }
            guard let (result, file) = found else {
                throw PageProblem.notFound("Result \(id) is not here: it was not saved, or its file was removed.")
            }
            let isKept = FormFields(request.uri.query ?? "")["v"].map { result.sha256?.hasPrefix($0) == true } ?? false
            return try await answer(id, result, file, isKept)
        } catch let error as HTTPError {
            throw error
        } catch {
            return problemPage(error)
        }
    }

    /// At most so many files go into an archive.
    private static let mostEntries = 10_000

    private func zip(_ fields: FormFields) async throws -> Response {
        let (choice, files) = (try ResultChoice(fields), files)
        let results = try await choice.jobs(source, most: Self.mostEntries).flatMap(\.results)
        let parts = try await source.read { _ in
            try results.prefix(Self.mostEntries).compactMap { result -> ZipStream.Part? in
                guard let path = result.path, let file = try files.open(path) else { return nil }
                return ZipStream.Part(
                    entry: .init(name: path, size: file.size, date: result.savedAt ?? result.createdAt),
                    path: path
                )
            }
        }
        guard !parts.isEmpty else { throw PageProblem.notFound("None of these results has a file.") }
        return ZipStream(parts: parts, files: files, place: try FileReads.shared.enter()).response(
            named: choice.fileName
        )
    }
}

/// A file as it is sent.
struct MediaResponse {
    private let result: ResultRecord
    private let file: MediaFile
    private let place: Place
    private let isKept: Bool

    /// - Parameter isKept: whether the address names what is in it, so that a browser need not ask again.
    init(_ result: ResultRecord, _ file: MediaFile, _ place: Place, isKept: Bool) {
        self.result = result
        self.file = file
        self.place = place
        self.isKept = isKept
    }

    func response(to request: Request) -> Response {
        let kind = MediaKind(result.contentType)
        let tag = result.sha256.map { "\"\($0)\"" } ?? "\"\(file.size)\""
        var headers: HTTPFields = [
            .contentType: kind == .file ? "application/octet-stream" : result.contentType ?? "application/octet-stream",
            .eTag: tag,
            .acceptRanges: "bytes",
            .cacheControl: isKept ? "private, max-age=31536000, immutable" : "private, no-cache",
        ]
        // Nothing in it may run, whatever it is.
        if let policy = HTTPField.Name("Content-Security-Policy") {
            headers[policy] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        }
        let name = FilePathParts.split(result.path ?? "").name
            .map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.~".contains($0)) ? $0 : "_" }
        headers[.contentDisposition] = "\(kind == .file ? "attachment" : "inline"); filename=\"\(String(name))\""
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop(while: { $0 == " " }) } ?? []
        if known.contains(where: { $0 == tag || $0 == "W/" + tag || $0 == "*" }) {
            return Response(status: .notModified, headers: headers)
        }
        let condition = request.headers[.ifRange]
        let range = condition == nil || condition == tag ? request.headers[.range] : nil
        switch ByteRange(range, size: file.size) {
        case .all: return Response(status: .ok, headers: headers, body: body(0..<file.size))
        case .none:
            headers[.contentRange] = "bytes */\(file.size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        case .part(let part):
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(file.size)"
            return Response(
                status: .partialContent,
                headers: headers,
                body: body(part.lowerBound..<part.upperBound + 1)
            )
        }
    }

    private func body(_ range: Range<Int64>) -> ResponseBody { FileReads.shared.body(file, range, place) }
}

/// Reads files for responses, a few pieces at a time in all, off the threads that everything else runs on.
final class FileReads: Sendable {
    static let shared = FileReads()
    static let piece = 64 << 10

    private let executor = BlockingExecutor()
    private let places = AsyncSemaphore(places: 8)
    /// Answers that are being sent. Each may have some pieces in memory, if it is read slowly.
    private let bodies = Mutex(0)
    static let mostBodies = 48

    /// A place among the answers that are being sent, for as long as it is held.
    ///
    /// - Throws: `PageProblem` when there is none.
    func enter() throws(PageProblem) -> Place {
        let isFree = bodies.withLock { count in
            guard count < Self.mostBodies else { return false }
            count += 1
            return true
        }
        guard isFree else { throw PageProblem(.unavailable, "\(Self.mostBodies) files are being sent already") }
        return Place { [self] in bodies.withLock { $0 -= 1 } }
    }

    /// A range of a file, piece by piece.
    ///
    /// - Parameter place: held until the answer is sent.
    func body(_ file: MediaFile, _ range: Range<Int64>, _ place: Place) -> ResponseBody {
        ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { [self] writer in
            defer { withExtendedLifetime(place) {} }
            var offset = range.lowerBound
            while offset < range.upperBound {
                let buffer = try await next(file, at: offset, until: range.upperBound)
                offset += Int64(buffer.readableBytes)
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
    }

    /// The next piece of a range of a file.
    ///
    /// - Throws: if there is none: the file was that long when the answer began.
    func next(_ file: MediaFile, at offset: Int64, until end: Int64) async throws -> ByteBuffer {
        let count = Int(min(Int64(Self.piece), end - offset))
        let buffer = try await places.pass {
            try await withTaskExecutorPreference(executor) { try await Self.read(file, offset, count) }
        }
        guard buffer.readableBytes > 0 else { throw PageProblem(.failed, "a file became shorter while it was sent") }
        return buffer
    }

    /// On the caller's executor.
    private static nonisolated func read(_ file: MediaFile, _ offset: Int64, _ count: Int) async throws -> ByteBuffer {
        try file.read(at: offset, count: count)
    }

    func open(_ path: String, _ files: MediaFiles) async throws -> MediaFile? {
        try await places.pass {
            try await withTaskExecutorPreference(executor) { try await Self.open(path, files) }
        }
    }

    private static nonisolated func open(_ path: String, _ files: MediaFiles) async throws -> MediaFile? {
        try files.open(path)
    }
}
