import PromptQueue

/// Somebody who has logged in with a browser.
struct Session: Sendable, Hashable {
    static let lifetime: Duration = .seconds(12 * 3_600)

    /// Unguessable.
    let id: String
    let expiresAt: Instant

    /// What is signed, and stands in the cookie.
    var text: String { "\(expiresAt.milliseconds).\(id)" }

    init(id: String, expiresAt: Instant) {
        self.id = id
        self.expiresAt = expiresAt
    }

    init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), parts[1].utf8.count == 32,
            Hex.bytes(parts[1]) != nil
        else { return nil }
        self.init(id: String(parts[1]), expiresAt: Instant(milliseconds: milliseconds))
        // A number can be written in more ways than one.
        guard self.text == text else { return nil }
    }
}

/// The cookie that a session is known by.
///
/// Not `__Host-`, which a browser takes over https alone: promptd itself speaks plain http, to this machine.
enum SessionCookie {
    static let name = "promptd_session"

    /// - Parameter isSecure: whether the page came over https, from a proxy.
    static func setting(_ value: String, isSecure: Bool) -> String {
        "\(name)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(Session.lifetime.components.seconds)"
            + (isSecure ? "; Secure" : "")
    }

    static let removal = "\(name)=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"

    /// - Parameter headers: the values of all `Cookie` fields.
    static func values(in headers: [String]) -> [String] {
        headers.flatMap { $0.split(separator: ";") }.compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].trimmingPrefix(while: { $0 == " " }) == name else { return nil }
            return String(parts[1])
        }
    }
}
