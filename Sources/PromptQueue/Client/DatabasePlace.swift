/// Where a queue is kept, as a configuration or a command line names it: a file of SQLite, or a database of a PostgreSQL server.
package enum DatabasePlace: Sendable, Hashable {
    case file(String)
    /// What libpq takes: `postgresql://…`, `host=… dbname=…` or `service=NAME`. There may be a password in it: it is shown as
    /// `description` alone.
    case postgres(String)

    /// A text that begins with `postgresql://` or `postgres://`, or with a key of libpq's and `=`, is an address; everything else is
    /// a file's path. (A file that is called like that is named with `./` before it.)
    package init(_ text: String) {
        let isAddress =
            Self.schemes.contains { text.hasPrefix($0) }
            || ConnectionText.firstKey(text).map(Self.leading.contains) == true
        self = isAddress ? .postgres(text) : .file(text)
    }

    /// Nil for a server.
    package var path: String? {
        if case .file(let path) = self { path } else { nil }
    }

    /// Whether a password stands in the address itself, where lists of processes, histories of shells and files show it.
    package var holdsPassword: Bool {
        guard case .postgres(let text) = self else { return false }
        return ConnectionText(text).holdsPassword
    }

    static let schemes = ["postgresql://", "postgres://"]

    /// With which keys an address may begin (libpq, "Parameter Key Words").
    private static let leading: Set<String> = [
        "service", "host", "hostaddr", "dbname", "port", "user", "password", "passfile", "sslmode", "application_name",
        "connect_timeout", "target_session_attrs",
    ]
}

extension DatabasePlace: CustomStringConvertible {
    /// The path; or the address without what may be secret, so that it can be shown and logged.
    package var description: String {
        switch self {
        case .file(let path): path
        case .postgres(let text): ConnectionText(text).shown
        }
    }
}
