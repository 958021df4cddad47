/// An address as libpq takes it, read only so far that it can be shown without its secrets (libpq, "Connection Strings"). It may be
/// one that libpq refuses: then rather too much is left out.
struct ConnectionText {
    /// Without passwords, and without values of keys that are not known to be harmless.
    let shown: String
    let holdsPassword: Bool

    private static let harmless: Set<String> = [
        "service", "host", "hostaddr", "port", "dbname", "user", "sslmode", "sslrootcert", "application_name",
        "connect_timeout", "target_session_attrs", "load_balance_hosts",
    ]
    private static let secret: Set<String> = ["password", "sslpassword"]

    init(_ text: String) {
        if let scheme = DatabasePlace.schemes.first(where: { text.hasPrefix($0) }) {
            self.init(scheme: scheme, rest: text.dropFirst(scheme.count))
        } else {
            self.init(pairs: text)
        }
    }

    /// The name before the first `=`, if there is one.
    static func firstKey(_ text: String) -> String? {
        guard let sign = text.firstIndex(of: "=") else { return nil }
        return String(text[..<sign].drop(while: \.isWhitespace)).trimmingEnd
    }

    private init(scheme: String, rest: Substring) {
        // libpq's own rule: who and how stands before the first "@", if no "/" comes before.
        let head = rest.prefix { $0 != "@" && $0 != "/" }
        let names = head.endIndex < rest.endIndex && rest[head.endIndex] == "@" ? head : ""
        var hasPassword = names.firstIndex(of: ":").map { names.index(after: $0) < names.endIndex } ?? false
        // A password with a "/" is refused by libpq, and not shown all the same.
        var place = rest
        var shown = scheme
        if let end = rest.lastIndex(of: "@"), let colon = rest[..<end].firstIndex(of: ":") {
            shown += rest[..<colon] + ":…"
            place = rest[end...]
        }
        let mark = place.firstIndex(of: "?") ?? place.endIndex
        shown += place[..<mark]
        if mark < place.endIndex {
            let parts = place[place.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
            shown += "?" + parts.map { Self.shown($0, &hasPassword) }.joined(separator: "&")
        }
        self.shown = shown
        holdsPassword = hasPassword
    }

    private static func shown(_ parameter: Substring, _ hasPassword: inout Bool) -> String {
        guard let sign = parameter.firstIndex(of: "=") else { return parameter.isEmpty ? "" : "…" }
        let name = String(parameter[..<sign])
        if secret.contains(name) { hasPassword = true }
        return harmless.contains(name) ? String(parameter) : "\(name)=…"
    }

    private init(pairs text: String) {
        var rest = Substring(text)
        var parts: [String] = []
        var hasPassword = false
        while true {
            rest = rest.drop(while: \.isWhitespace)
            guard !rest.isEmpty else { break }
            guard let sign = rest.firstIndex(of: "=") else {
                parts.append("…")
                break
            }
            let name = String(rest[..<sign]).trimmingEnd
            rest = rest[rest.index(after: sign)...].drop(while: \.isWhitespace)
            let value = Self.value(&rest)
            if Self.secret.contains(name), !value.isEmpty { hasPassword = true }
            // What is no word was not read as libpq reads it.
            let isWord = name.allSatisfy { $0.isLetter || $0 == "_" }
            parts.append(isWord ? name + (Self.harmless.contains(name) ? "=\(value)" : "=…") : "…")
        }
        shown = parts.joined(separator: " ")
        holdsPassword = hasPassword
    }

    /// As it is written, quotation marks and all.
    private static func value(_ rest: inout Substring) -> Substring {
        let start = rest.startIndex
        let isQuoted = rest.first == "'"
        var index = isQuoted ? rest.index(after: start) : start
        while index < rest.endIndex {
            let character = rest[index]
            if isQuoted ? character == "'" : character.isWhitespace { break }
            index = rest.index(after: index)
            if character == "\\", index < rest.endIndex { index = rest.index(after: index) }
        }
        if isQuoted, index < rest.endIndex { index = rest.index(after: index) }
        defer { rest = rest[index...] }
        return rest[start..<index]
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        String(self[..<(lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex)])
    }
}
