import Concurrency
import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
package import PromptQueue

/// The pages, the interface for programs behind them, and the files of results.
package struct Dashboard: Sendable {
    let source: PageSource
    let files: MediaFiles
    let library: PageLibrary
    let processID: Int32
    let isLocal: Bool
    let now: @Sendable () -> Instant
    let logger: Logger
    let feed: LiveFeed
    let thumbnailFiles: ThumbnailFiles
    let thumbnails: Thumbnails?
    let sheets = Places(Self.mostSheets)
    /// nil: nothing can be changed.
    let changes: WebChanges?

    /// - Parameters:
    ///   - source: what is shown.
    ///   - media: the directory in which results are.
    ///   - databaseID: whose results those are; nil: that is not looked at.
    ///   - processID: the daemon's own.
    ///   - isLocal: whether this machine alone is served.
    ///   - thumbnailer: makes small pictures; nil: the files themselves are shown.
    ///   - changes: by what things are changed, for whoever knows the token; nil: nobody can.
    /// - Throws: what is wrong with a template.
    package init(
        source: PageSource,
        media: String,
        databaseID: String? = nil,
        processID: Int32,
        isLocal: Bool,
        thumbnailer: (any ThumbnailMaker)? = nil,
        logger: Logger,
        changes: WebChanges? = nil,
        now: @escaping @Sendable () -> Instant
    ) throws {
        self.source = source
        let files = MediaFiles(directory: media, databaseID: databaseID)
        self.files = files
        let thumbnailFiles = ThumbnailFiles(files)
        self.thumbnailFiles = thumbnailFiles
        thumbnails = thumbnailer.map { Thumbnails(thumbnailFiles, $0, now: now, logger: logger) }
        library = try PageLibrary()
        self.processID = processID
        self.isLocal = isLocal
        self.now = now
        self.logger = logger
        self.changes = changes
        feed = LiveFeed { known in try await Self.snapshot(known: known, source, processID, now) }
    }

    /// The status for those who look; what is known, if nobody has committed since.
    static func snapshot(
        known: LiveFeed.Snapshot?,
        _ source: PageSource,
        _ processID: Int32,
        _ now: @Sendable () -> Instant
    ) async throws -> LiveFeed.Snapshot {
        let now = now()
        return try await source.read { reader in
            let version = try reader.dataVersion()
            if let known, known.version == version { return known }
            let status = Status(try reader.status(sample: 200), processID: processID, now: now)
            let latest = try reader.eventRange().latest
            var events: [JobEvent] = []
            if let known, known.latest.rawValue < latest.rawValue {
                events = try reader.events(EventQuery(after: known.latest, limit: LiveFeed.mostEvents))
            }
            // With more than that, there would be a hole.
            let isWhole = events.last.map { $0.sequence.rawValue >= latest.rawValue } ?? true
            return LiveFeed.Snapshot(
                version: version,
                text: JSONValue.object(status.object).json,
                latest: latest,
                events: isWhole ? Array(((known?.events ?? []) + events).suffix(LiveFeed.mostEvents)) : []
            )
        }
    }

    func add(to router: Router<BasicRequestContext>) {
        router.get("assets/:name") { request, context in
            let version = FormFields(request.uri.query ?? "")["v"]
            return try Assets.response(context.parameters.require("name"), version: version)
                ?? { throw HTTPError(.notFound) }()
        }
        page(router, "/") { pages, _, _ in try await pages.overview() }
        page(router, "jobs") { pages, fields, _ in try await pages.jobs(fields) }
        page(router, "jobs/:id") { pages, _, parameters in try await pages.job(parameters) }
        page(router, "gallery") { pages, fields, _ in try await pages.gallery(fields) }
        page(router, "batches") { pages, fields, _ in try await pages.batches(fields) }
        page(router, "schedules") { pages, _, _ in try await pages.schedules() }
        page(router, "budgets") { pages, _, _ in try await pages.budgets() }
        page(router, "models") { pages, fields, _ in try await pages.models(fields) }
        addMedia(to: router)
        addSheets(to: router)
        addChanges(to: router)
        API(self).add(to: router)
        addRefusals(to: router)
    }

    func page(
        _ router: Router<BasicRequestContext>,
        _ path: RouterPath,
        _ make: @escaping @Sendable (Dashboard, FormFields, Parameters) async throws -> PageContent
    ) {
        router.get(path) { request, context in
            do {
                let visitor = try admit(request)
                return await Visitor.$current.withValue(visitor) {
                    do {
                        let fields = FormFields(request.uri.query ?? "")
                        return html(.ok, try await make(self, fields, context.parameters))
                    } catch {
                        return problemPage(error)
                    }
                }
            } catch let problem as PageProblem where problem.code == .unauthorized {
                return Self.seeOther("/login?next=" + URLText.encoded(Self.address(of: request)))
            } catch {
                return problemPage(error)
            }
        }
    }

    /// An error as a page; what is wrong here goes to the log.
    func problemPage(_ error: any Error) -> Response {
        let problem = problem(error)
        let frame = Frame(problem.title)
        let loginHref = problem.code == .unauthorized ? frame.loginHref : nil
        let view = MessageView(frame: frame, message: problem.message, loginHref: loginHref)
        return html(problem.status, PageContent("message", view))
    }

    func problem(_ error: any Error) -> PageProblem {
        let problem = PageProblem(error)
        if problem.code == .failed || problem.code == .unavailable {
            logger.warning("a page could not be made", metadata: ["reason": "\(error)"])
        }
        return problem
    }

    func html(_ status: HTTPResponse.Status, _ content: PageContent) -> Response {
        guard let text = library.render(content.template, content.view) else {
            return Response(status: .internalServerError)
        }
        return Response(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

/// A template, and what it shows.
struct PageContent {
    let template: String
    let view: Any

    init(_ template: String, _ view: Any) {
        self.template = template
        self.view = view
    }
}

struct MessageView {
    let frame: Frame
    let message: String
    /// Where to do what is needed first.
    var loginHref: String?
}

extension PageProblem {
    var status: HTTPResponse.Status {
        switch code {
        case .badRequest: .badRequest
        case .forbidden: .forbidden
        case .unauthorized: .unauthorized
        case .notFound: .notFound
        case .conflict: .conflict
        case .methodNotAllowed: .methodNotAllowed
        case .contentTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .tooManyRequests: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .failed: .internalServerError
        }
    }

    var title: String {
        switch code {
        case .badRequest: "That was not understood"
        case .forbidden: "Not allowed"
        case .unauthorized: "A token is needed"
        case .notFound: "Not found"
        case .conflict, .methodNotAllowed: "That cannot be done"
        case .contentTooLarge, .unsupportedMediaType: "That was not understood"
        case .tooManyRequests: "Too many tries"
        case .unavailable: "Not now"
        case .failed: "Something went wrong"
        }
    }
}
