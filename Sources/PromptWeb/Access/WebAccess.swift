import Crypto
package import PromptQueue
import Synchronization

/// Who may change what the pages show: whoever knows the token (`web.tokenFile`).
///
/// The token itself is not kept, only what a right one is known by. Sessions are signed with a key that is derived from it and
/// from a number that each process draws: they end with the process, and with another token.
package final class WebAccess: Sendable {
    private struct Keys {
        let token: [UInt8]
        let sessions: SymmetricKey
        let forms: SymmetricKey

        init(_ token: String, _ salt: [UInt8]) {
            let secret = SymmetricKey(data: Array(token.utf8))
            func key(_ purpose: String) -> SymmetricKey {
                HKDF<SHA256>.deriveKey(
                    inputKeyMaterial: secret,
                    salt: salt,
                    info: Array("promptd \(purpose)".utf8),
                    outputByteCount: 32
                )
            }
            self.token = WebAccess.digest(token, salt)
            sessions = key("session")
            forms = key("form")
        }
    }

    /// Who tries a token: those who try at the one do not keep people from the other.
    package enum Door: String, Sendable { case page, program }

    private struct State {
        var salt: [UInt8]
        var keys: Keys?
        var hadToken = false
        var readsNeedToken = false
        var attempts: [Door: LoginAttempts] = [:]
        /// Until they would have expired.
        var ended: [String: Instant] = [:]
    }

    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    /// - Parameter salt: what makes the keys those of this process.
    package init(salt: [UInt8] = WebAccess.random(32), now: @escaping @Sendable () -> Instant) {
        self.now = now
        state = Mutex(State(salt: salt))
    }

    package static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// - Parameters:
    ///   - token: nil: nobody may change anything.
    ///   - readsNeedToken: whether pages are shown to those alone who know it.
    package func replace(token: String?, readsNeedToken: Bool) {
        let fresh = Self.random(32)
        state.withLock { state in
            defer { state.readsNeedToken = readsNeedToken && state.keys != nil }
            if let token, let keys = state.keys, Self.isEqual(keys.token, Self.digest(token, state.salt)) { return }
            // A token that comes back brings no login back.
            if state.hadToken { state.salt = fresh }
            let salt = state.salt
            state.keys = token.map { Keys($0, salt) }
            state.hadToken = state.hadToken || token != nil
        }
    }

    /// Whether there is a token at all.
    var hasToken: Bool { state.withLock { $0.keys != nil } }
    var readsNeedToken: Bool { state.withLock { $0.readsNeedToken } }

    /// Whether it is the token, without counting who tries.
    func isToken(_ token: String) -> Bool {
        state.withLock { state in
            state.keys.map { Self.isEqual($0.token, Self.digest(token, state.salt)) } ?? false
        }
    }

    /// - Throws: `PageProblem` for a wrong token, and another when too many were tried. The right one always passes: nobody keeps
    ///   people out by trying.
    func check(_ token: String, at door: Door) throws(PageProblem) {
        let now = now()
        let problem = state.withLock { state -> PageProblem? in
            guard let keys = state.keys else { return .readOnly }
            if Self.isEqual(keys.token, Self.digest(token, state.salt)) { return nil }
            if let until = state.attempts[door, default: LoginAttempts()].closedUntil(now) {
                return .tooManyAttempts(until - now)
            }
            state.attempts[door, default: LoginAttempts()].noteFailure(now)
            return PageProblem(.unauthorized, "That is not the token.")
        }
        if let problem { throw problem }
    }

    /// - Returns: what the cookie holds.
    /// - Throws: `PageProblem` for a wrong token.
    func logIn(_ token: String) throws(PageProblem) -> String {
        try check(token, at: .page)
        let session = Session(id: Hex.text(Self.random(16)), expiresAt: now() + Session.lifetime)
        guard let mark = sign(session.text, \.sessions) else { throw .readOnly }
        return "\(session.text).\(mark)"
    }

    /// The session of a cookie; nil if it is none of ours, has expired, or was ended.
    func session(_ cookie: String) -> Session? {
        guard cookie.utf8.count < 200, let dot = cookie.lastIndex(of: "."),
            let session = Session(text: String(cookie[..<dot])), session.expiresAt > now(),
            isSigned(session.text, String(cookie[cookie.index(after: dot)...]), \.sessions),
            state.withLock({ $0.ended[session.id] == nil })
        else { return nil }
        return session
    }

    func end(_ session: Session) {
        let now = now()
        state.withLock { state in
            state.ended = state.ended.filter { $0.value > now }
            state.ended[session.id] = session.expiresAt
        }
    }

    /// What a form of this session bears: another site cannot know it.
    func mark(of session: Session) -> String { sign(session.id, \.forms) ?? "" }

    func isMark(_ text: String, of session: Session) -> Bool { isSigned(session.id, text, \.forms) }

    private func sign(_ text: String, _ key: any KeyPath<Keys, SymmetricKey> & Sendable) -> String? {
        guard let key = state.withLock({ $0.keys?[keyPath: key] }) else { return nil }
        return Hex.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    private func isSigned(_ text: String, _ mark: String, _ key: any KeyPath<Keys, SymmetricKey> & Sendable) -> Bool {
        guard let key = state.withLock({ $0.keys?[keyPath: key] }), let code = Hex.bytes(mark) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(text.utf8), using: key)
    }

    /// Of equal length, whatever was given; every byte is looked at.
    private static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func digest(_ token: String, _ salt: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(token.utf8), using: SymmetricKey(data: salt)))
    }
}

extension PageProblem {
    static let readOnly = PageProblem(
        .forbidden,
        "Nothing can be changed here: promptd has no token for its pages. Put one into a file and name that in web.tokenFile, or "
            + "give systemd the credential web-token."
    )

    static func tooManyAttempts(_ wait: Duration) -> PageProblem {
        PageProblem(
            .tooManyRequests,
            "That is not the token, and too many wrong ones were tried. Wait for \(max(wait, .seconds(1)).inWords)."
        )
    }
}
