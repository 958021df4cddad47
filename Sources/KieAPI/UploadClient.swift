import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import PromptQueue
import Synchronization

/// The provider's host for files that inputs name. Uploads are free; nothing is ever repeated by itself, and redirects, which would
/// carry the key elsewhere, are not followed.
package final class UploadClient: Sendable {
    /// How an upload ended.
    package enum Outcome: Sendable, Hashable {
        case uploaded(url: String)
        /// The provider does not take this file.
        case refused(String)
        /// Nothing is said about the file: it is tried again later.
        case deferred(Failure)
    }

    private let settings: KieSettings
    private let client: HTTPClient
    private let key: Mutex<Secret>

    /// Where files are put at the provider.
    private static let folder = "promptd"
    private static let mostAnswerBytes = 1 << 20

    /// - Parameter settings: with the upload host as base.
    package init(_ settings: KieSettings, key: Secret) {
        self.settings = settings
        self.key = Mutex(key)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .milliseconds(settings.connectTimeout.milliseconds)
        // From sending the last byte to the answer.
        configuration.timeout.read = .milliseconds(settings.answerTimeout.milliseconds)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = StatusGuard.add(to:)
        client = HTTPClient(
            eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup.any()),
            configuration: configuration
        )
    }

    package func replaceKey(_ new: Secret) { key.withLock { $0 = new } }

    package func shutdown() async throws { try await client.shutdown() }

    /// Uploads a file, a part at a time.
    ///
    /// - Parameters:
    ///   - name: for the provider; of letters, digits and dots.
    ///   - chunk: the bytes at an offset; none at the end.
    package func upload(
        name: String,
        contentType: String,
        bytes: Int64,
        chunk: @escaping @Sendable (Int64) throws -> [UInt8]
    ) async -> Outcome {
        let form = MultipartForm(name: name, contentType: contentType, folder: Self.folder, bytes: bytes, chunk: chunk)
        var request = HTTPClientRequest(url: settings.baseURL + "/api/file-stream-upload")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(key.withLock { $0.value })")
        request.headers.add(name: "User-Agent", value: settings.userAgent)
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "Content-Type", value: "multipart/form-data; boundary=\(form.boundary)")
        request.body = .stream(form, length: .known(form.length))
        do {
            // 64 bytes a millisecond at least.
            let deadline = NIODeadline.now() + .milliseconds(settings.answerTimeout.milliseconds + bytes / 64)
            let response = try await client.execute(request, deadline: deadline)
            let body = try await response.body.collect(upTo: Self.mostAnswerBytes)
            return UploadAnswer.outcome(
                httpStatus: Int(response.status.code),
                body: Array(body.readableBytesView),
                allowsHTTP: WebURL(settings.baseURL)?.scheme == .http
            )
        } catch {
            return .deferred(Failure(.providerUnavailable, TransportError.describe(error)))
        }
    }
}

/// What an answer to an upload means.
package enum UploadAnswer {
    /// What the ledger keeps.
    private static let mostURLBytes = 8_192

    package static func outcome(httpStatus: Int, body: [UInt8], allowsHTTP: Bool) -> UploadClient.Outcome {
        let answer = Answer(httpStatus: httpStatus, body: body)
        if httpStatus == 200, answer.code == 200 {
            guard let text = answer.data?.objectValue?.text("downloadUrl"), text.utf8.count <= mostURLBytes,
                let url = WebURL(text), url.scheme == .https || allowsHTTP
            else {
                let words = "the answer to an upload has no URL that can be used"
                return .deferred(Failure(.providerUnavailable, words, httpStatus: httpStatus, apiCode: 200))
            }
            return .uploaded(url: text)
        }
        switch answer.code ?? httpStatus {
        case 401, 403: return .deferred(answer.failure(.keyRefused))
        case 429: return .deferred(answer.failure(.rateLimited))
        case 400, 413, 415, 422:
            // Only the API's own word is about the file.
            return answer.code == nil ? .deferred(answer.failure(.providerUnavailable)) : .refused(answer.message)
        default: return .deferred(answer.failure(.providerUnavailable))
        }
    }
}

/// A form with one file, as a sequence of parts (RFC 7578).
private struct MultipartForm: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// No file holds it but by a chance of 1 to 10^38.
    let boundary: String
    let length: Int64
    private let head: String
    private let tail: String
    private let chunk: @Sendable (Int64) throws -> [UInt8]
    private let bytes: Int64

    init(
        name: String,
        contentType: String,
        folder: String,
        bytes: Int64,
        chunk: @escaping @Sendable (Int64) throws -> [UInt8]
    ) {
        var generator = SystemRandomNumberGenerator()
        boundary = "promptd-\(generator.next())-\(generator.next())"
        head = [
            "--\(boundary)", "Content-Disposition: form-data; name=\"uploadPath\"", "", folder,
            "--\(boundary)", "Content-Disposition: form-data; name=\"fileName\"", "", name,
            "--\(boundary)", "Content-Disposition: form-data; name=\"file\"; filename=\"\(name)\"",
            "Content-Type: \(contentType)", "", "",
        ]
        .joined(separator: "\r\n")
        tail = "\r\n--\(boundary)--\r\n"
        length = Int64(head.utf8.count) + bytes + Int64(tail.utf8.count)
        self.chunk = chunk
        self.bytes = bytes
    }

    func makeAsyncIterator() -> Iterator { Iterator(form: self) }

    struct Iterator: AsyncIteratorProtocol {
        private enum Part { case head, file(Int64), tail, end }

        private let form: MultipartForm
        private var part = Part.head

        init(form: MultipartForm) { self.form = form }

        mutating func next() async throws -> ByteBuffer? {
            switch part {
            case .head:
                part = .file(0)
                return ByteBuffer(string: form.head)
            case .file(let offset):
                // A file that has changed is not sent as what it was.
                let chunk = try form.chunk(offset).prefix(Int(form.bytes - offset))
                if chunk.isEmpty {
                    part = .end
                    guard offset == form.bytes else { throw FileChanged() }
                    return ByteBuffer(string: form.tail)
                }
                part = .file(offset + Int64(chunk.count))
                return ByteBuffer(bytes: chunk)
            case .tail, .end: return nil
            }
        }
    }
}

/// A file has become shorter while it was sent.
private struct FileChanged: Error {}
