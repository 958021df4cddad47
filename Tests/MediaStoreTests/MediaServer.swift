import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KieAPI
import Logging
import NIOCore
import PromptQueue
import Synchronization

@testable import MediaStore

/// A media server on this machine that does what it is told, and remembers what it was asked.
final class MediaServer: Sendable {
    struct Asked: Sendable, Equatable {
        var path: String
        var range: String?
        var ifRange: String?
    }

    struct Reply: Sendable {
        var status = 200
        var headers: HTTPFields = [:]
        var body: [UInt8] = []
        /// The connection is cut after so many bytes of the body.
        var cut: Int?
        /// Without a length ahead.
        var isChunked = false

        static func json(_ text: String, status: Int = 200) -> Reply { Reply(status: status, body: Array(text.utf8)) }
        static func redirect(_ target: String) -> Reply { Reply(status: 302, headers: [.location: target]) }

        /// The file `bytes` from `offset` on, with a tag.
        static func file(_ bytes: [UInt8], from offset: Int = 0, tag: String? = "\"v1\"", cut: Int? = nil) -> Reply {
            var reply = Reply(body: Array(bytes.dropFirst(offset)), cut: cut)
            reply.headers[.eTag] = tag
            guard offset > 0 else { return reply }
            reply.status = 206
            reply.headers[.contentRange] = "bytes \(offset)-\(bytes.count - 1)/\(bytes.count)"
            return reply
        }
    }

    private let answer: @Sendable (Asked, _ number: Int) -> Reply
    /// What the provider answers when it is asked for a fresh URL; told where this server is.
    private let api: @Sendable (_ base: String) -> Reply
    private let log = Mutex<[Asked]>([])
    private let apiLog = Mutex(0)

    /// - Parameter answer: told what is asked, and how many media requests came before.
    init(
        api: @escaping @Sendable (_ base: String) -> Reply = { _ in .json(#"{"code":422,"msg":"url is wrong"}"#) },
        _ answer: @escaping @Sendable (Asked, _ number: Int) -> Reply
    ) {
        self.api = api
        self.answer = answer
    }

    /// Requests for media, in order.
    var asked: [Asked] { log.withLock { $0 } }

    /// How often the provider was asked for a fresh URL.
    var freshURLsAsked: Int { apiLog.withLock { $0 } }

    fileprivate func reply(to asked: Asked, at authority: String) -> Reply {
        if asked.path.hasPrefix("/api/") {
            apiLog.withLock { $0 += 1 }
            return api("http://\(authority)")
        }
        let number = log.withLock { log in
            log.append(asked)
            return log.count - 1
        }
        return answer(asked, number)
    }

    /// Runs the server, and a fetcher with a media directory of its own, for as long as `body` does.
    func run(
        maximumBytes: Int64 = 1 << 30,
        mediaPath: String? = nil,
        resolve: (@Sendable (String) throws -> [String])? = nil,
        pace: TransferPace.Rule = TransferPace.Rule(),
        uptime: @escaping @Sendable () -> Duration = { .zero },
        _ body: @escaping @Sendable (Fixture) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            responder: Responder(server: self),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: logger
        )
        try await application.test(.live) { @concurrent client in
            let path = mediaPath ?? "/tmp/promptd-test-\(UUID().uuidString)"
            defer { if mediaPath == nil { try? FileManager.default.removeItem(atPath: path) } }
            let url = "http://127.0.0.1:\(client.port ?? 0)"
            let media = try MediaDirectory(path: path)
            let mediaClient = MediaClient(userAgent: "promptd-tests/1", stallTimeout: .seconds(5))
            let provider = KieClient(KieSettings(baseURL: url), key: Secret("key"))
            var policy = URLPolicy(allowsLoopback: true, maximumBytes: maximumBytes)
            if let resolve { policy.resolve = resolve }
            let fetcher = MediaFetcher(
                media: media,
                client: mediaClient,
                provider: provider,
                policy: policy,
                pace: pace,
                uptime: uptime
            )
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(Fixture(url: url, path: path, media: media, fetcher: fetcher)))
            } catch {
                result = .failure(error)
            }
            await mediaClient.shutdown()
            try await provider.shutdown()
            try result.get()
        }
    }

    struct Fixture: Sendable {
        let url: String
        let path: String
        let media: MediaDirectory
        let fetcher: MediaFetcher

        func download(_ target: String, job: Int64 = 7, folder: String = "ads") -> PendingDownload {
            PendingDownload(
                result: ResultID(job: JobID(job), ordinal: 0),
                output: .file(url: target.contains("://") ? target : url + target),
                origin: JobOrigin(queue: folder),
                createdAt: Instant(milliseconds: 0)
            )
        }

        func fetch(_ target: String, job: Int64 = 7, asksForFreshURL: Bool = false) async -> DownloadOutcome {
            var download = download(target, job: job)
            download.asksForFreshURL = asksForFreshURL
            return await fetcher.fetch(download)
        }

        /// What lies in a folder; nothing if it is not there.
        func names(in folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
        }

        func contents(_ name: String) -> [UInt8]? {
            FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init)
        }
    }
}

private struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

private struct Responder: HTTPResponder {
    struct Cut: Error {}

    let server: MediaServer

    @concurrent
    func respond(to request: Request, context: ServerContext) async throws -> Response {
        let asked = MediaServer.Asked(
            path: request.uri.path,
            range: request.headers[.range],
            ifRange: request.headers[.ifRange]
        )
        let reply = server.reply(to: asked, at: request.head.authority ?? "")
        var response = Response(status: .init(code: reply.status), headers: reply.headers)
        if reply.isChunked {
            response.body = ResponseBody { @concurrent writer in
                try await writer.write(ByteBuffer(bytes: reply.body))
                try await writer.finish(nil)
            }
            return response
        }
        guard let cut = reply.cut else {
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body))
            return response
        }
        let channel = context.channel
        response.body = ResponseBody(contentLength: reply.body.count) { @concurrent writer in
            try await writer.write(ByteBuffer(bytes: reply.body.prefix(cut)))
            try await channel.close()
            throw Cut()
        }
        return response
    }
}
