import Concurrency
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PromptQueue

extension Dashboard {
    /// No form of ours and no list of jobs is longer.
    static let mostOfBody = 256 * 1_024
    private static let bodyTime: Duration = .seconds(10)

    /// Who asks, if he may read.
    ///
    /// - Throws: `PageProblem` for whoever may not.
    @discardableResult
    func admit(_ request: Request) throws(PageProblem) -> Visitor {
        guard isLocal else {
            throw PageProblem(
                .forbidden,
                "Prompts and pictures are shown on this machine's own address only: set web.listen to 127.0.0.1:8787, and "
                    + "come over ssh -L 8787:127.0.0.1:8787."
            )
        }
        guard let access = changes?.access, access.hasToken else { return Visitor() }
        let session = session(of: request)
        if session == nil, access.readsNeedToken {
            if let token = Self.bearer(request) {
                try checkBearer(token, access)
            } else {
                throw PageProblem(.unauthorized, "Log in first: web.readWithToken is set.")
            }
        }
        return Visitor(
            canLogIn: true,
            session: session,
            mark: session.map(access.mark) ?? "",
            place: Self.address(of: request)
        )
    }

    /// Whether whoever was admitted may go on reading: not when his login has ended, or the token is another.
    func mayStay(_ request: Request, _ visitor: Visitor) -> Bool {
        if let session = visitor.session { return self.session(of: request) == session }
        guard let access = changes?.access, access.readsNeedToken else { return true }
        return Self.bearer(request).map(access.isToken) == true
    }

    func session(of request: Request) -> Session? {
        guard let access = changes?.access else { return nil }
        return SessionCookie.values(in: request.headers[values: .cookie]).lazy.compactMap(access.session).first
    }

    /// The token of a program.
    static func bearer(_ request: Request) -> String? {
        guard let text = request.headers[.authorization], text.count > 7, text.prefix(7).lowercased() == "bearer "
        else {
            return nil
        }
        return String(text.dropFirst(7).drop { $0 == " " })
    }

    func checkBearer(_ token: String, _ access: WebAccess) throws(PageProblem) {
        do throws(PageProblem) {
            try access.check(token, at: .program)
        } catch {
            noteWrongToken(at: .program, error)
            throw error
        }
    }

    /// A log is not filled by trying.
    private func noteWrongToken(at door: WebAccess.Door, _ problem: PageProblem) {
        guard problem.code != .tooManyRequests else { return }
        logger.warning(
            "a wrong token was tried",
            metadata: ["by": "\(door.rawValue)", "code": "\(problem.code.rawValue)"]
        )
    }

    /// What changes something may come from whoever knows the token.
    ///
    /// - Throws: `PageProblem` while nobody can.
    func changer() throws(PageProblem) -> WebChanges {
        guard isLocal, let changes, changes.access.hasToken else { throw .readOnly }
        return changes
    }

    /// The fields of a form that one of our own pages has sent.
    func fields(_ request: Request) async throws -> FormFields {
        guard RequestOrigin.isOwn(request) else {
            throw PageProblem(
                .forbidden,
                "That did not come from a page of promptd: open the page itself, with the address as promptd gives it."
            )
        }
        let fields = FormFields(String(buffer: try await Self.body(request, "application/x-www-form-urlencoded")))
        guard !fields.hasNull else { throw PageProblem.hasNull }
        return fields
    }

    static func body(_ request: Request, _ type: String) async throws -> ByteBuffer {
        let given = request.headers[.contentType]?.split(separator: ";").first?.lowercased()
        guard given?.filter({ $0 != " " }) == type else {
            throw PageProblem(.unsupportedMediaType, "Send \(type).")
        }
        let tooLarge = PageProblem(.contentTooLarge, "That is more than \(mostOfBody / 1_024) KiB.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > mostOfBody { throw tooLarge }
        do {
            return try await withDeadline(bodyTime, clock: .continuous) {
                try await request.body.collect(upTo: mostOfBody)
            }
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch is DeadlineExceeded {
            throw PageProblem.badRequest("The request did not come to its end in time.")
        }
    }

    /// Adds what a page sends. Nothing else changes anything: no GET does.
    func post(
        _ router: Router<BasicRequestContext>,
        _ path: RouterPath,
        _ act: @escaping @Sendable (Dashboard, WebChanges, FormFields, Session, Parameters) async throws -> Response
    ) {
        router.post(path) { request, context in
            var visitor = Visitor()
            do {
                let changes = try changer()
                visitor = Visitor(canLogIn: true, place: Self.page(of: request))
                guard let session = session(of: request) else {
                    throw PageProblem(.unauthorized, "Log in first; nothing was changed.")
                }
                visitor = Visitor(canLogIn: true, session: session, mark: changes.access.mark(of: session))
                let fields = try await fields(request)
                guard changes.access.isMark(fields["csrf"] ?? "", of: session) else {
                    throw PageProblem(.forbidden, "The page was not of this login: open it again, and try once more.")
                }
                return try await Visitor.$current.withValue(visitor) {
                    try await act(self, changes, fields, session, context.parameters)
                }
            } catch {
                return Visitor.$current.withValue(visitor) { problemPage(Self.told(error)) }
            }
        }
    }

    func addLogin(to router: Router<BasicRequestContext>) {
        router.get("login") { request, _ in
            do {
                guard isLocal, changes?.access.hasToken == true else {
                    throw PageProblem.notFound(PageProblem.readOnly.message)
                }
                let next = Self.place(FormFields(request.uri.query ?? "")["next"])
                guard session(of: request) == nil else { return Self.seeOther(next) }
                return html(.ok, PageContent("login", LoginView(next: next, problem: nil)))
            } catch {
                return problemPage(error)
            }
        }
        router.post("login") { request, _ in
            do {
                let changes = try changer()
                let fields = try await fields(request)
                let next = Self.place(fields["next"])
                let isSecure = request.headers[.origin]?.lowercased().hasPrefix("https://") == true
                do throws(PageProblem) {
                    let cookie = try changes.access.logIn((fields["token"] ?? "").trimmingSpaces())
                    logger.notice("somebody has logged in to the pages")
                    return Self.seeOther(next, cookie: SessionCookie.setting(cookie, isSecure: isSecure))
                } catch {
                    noteWrongToken(at: .page, error)
                    return html(error.status, PageContent("login", LoginView(next: next, problem: error.message)))
                }
            } catch {
                return problemPage(error)
            }
        }
        post(router, "logout") { pages, changes, _, session, _ in
            changes.access.end(session)
            pages.logger.notice("somebody has logged out of the pages")
            return Self.seeOther("/", cookie: SessionCookie.removal)
        }
    }

    static func seeOther(_ place: String, cookie: String? = nil) -> Response {
        var headers: HTTPFields = [.location: place, .cacheControl: "no-store"]
        if let cookie { headers[.setCookie] = cookie }
        return Response(status: .seeOther, headers: headers)
    }

    /// The page that a form was sent from or leads to, to come back to.
    private static func page(of request: Request) -> String {
        let path = request.uri.path
        return path == "/add" || path.hasPrefix("/changes/") ? place(path) : "/"
    }

    static func address(of request: Request) -> String {
        place(request.uri.path + (request.uri.query.map { "?\($0)" } ?? ""))
    }

    /// A page of our own to go to; the overview for anything else.
    static func place(_ text: String?) -> String {
        guard let text, text.utf8.count < 4_096, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }
}

struct LoginView {
    let frame = Frame("Log in", at: "/login")
    let next: String
    let problem: String?
}
