import CPostgres

/// The settings as libpq takes them: the user's own, and ours where they say nothing.
struct ConnectionPlan: Sendable {
    /// Those that yield to the user's, the user's, and those that do not yield.
    let keywords: Hidden<[(String, String)]>
    /// What must never be shown.
    let secrets: Hidden<[String]>
    /// Host, port, database and user, for messages.
    let place: String

    /// Reads the user's text as libpq does, and the service and environment that it names.
    ///
    /// - Throws: `PostgresError` with `settings`, without any part of the text that could be a password.
    init(_ settings: PostgresSettings) throws(PostgresError) {
        var forced: [(String, String)] = [("client_encoding", "UTF8")]
        if let file = settings.passwordFile { forced.append(("passfile", file)) }
        let given = try Self.effective(settings.conninfo.value)
        secrets = Hidden(["password", "sslpassword"].compactMap { given[$0] }.filter { !$0.isEmpty })
        place = Self.place(given)

        let seconds = max(2, settings.limits.connect.components.seconds)
        let network = settings.limits.network.components
        let ours = [
            ("fallback_application_name", settings.applicationName),
            ("connect_timeout", "\(seconds)"),
            ("tcp_user_timeout", "\(network.seconds * 1_000 + network.attoseconds / 1_000_000_000_000_000)"),
            ("keepalives_idle", "10"), ("keepalives_interval", "3"), ("keepalives_count", "3"),
            ("target_session_attrs", settings.needsPrimary ? "read-write" : "any"),
        ]
        let unset = ours.filter { name, _ in Self.isUnset(given[name], name) }
        keywords = Hidden(unset + [("dbname", settings.conninfo.value)] + forced)
    }

    /// Nothing was said of it, or only what libpq takes when nothing is said.
    private static func isUnset(_ value: String?, _ name: String) -> Bool {
        guard let value, !value.isEmpty else { return true }
        return name == "target_session_attrs" && value == "any"
    }

    /// All that libpq would connect with, from the text, a service file and the environment. libpq tells only a connection's, so one
    /// is begun that fails at once and on this machine, because its address is none.
    private static func effective(_ conninfo: String) throws(PostgresError) -> [String: String] {
        let connection = unsafe CStrings.withPairs([
            ("dbname", conninfo), ("host", "/dev/null"), ("hostaddr", "none"),
        ]) { unsafe PQconnectStartParams($0, $1, 1) }
        guard let connection = unsafe connection else {
            throw PostgresError(.cannotConnect, "there is no memory for a connection to PostgreSQL")
        }
        defer { unsafe PQfinish(connection) }
        let probed = unsafe options(PQconninfo(connection))
        let said = unsafe String(cString: PQerrorMessage(connection))
        // A value that is none is told as such; everything else is the address of the probe.
        guard probed["hostaddr"] == "none", !said.contains("invalid ") else {
            let reason = Redaction.withoutQuotations(said)
            throw PostgresError(
                .settings,
                """
                the database's address is not one that libpq can read: \(reason.trimmed). Write postgresql://USER@HOST/DATABASE, \
                host=HOST dbname=DATABASE, or service=NAME with NAME in pg_service.conf
                """
            )
        }
        var merged = probed
        // The place itself was overridden for the probe.
        let text = unsafe conninfo.withCString { unsafe options(PQconninfoParse($0, nil)) }
        let defaults = unsafe options(PQconndefaults())
        for name in ["host", "hostaddr"] { merged[name] = text[name] ?? defaults[name] }
        return merged
    }

    private static func options(_ list: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
        guard let list = unsafe list else { return [:] }
        defer { unsafe PQconninfoFree(list) }
        var found: [String: String] = [:]
        var place = unsafe list
        while let keyword = unsafe place.pointee.keyword {
            if let value = unsafe place.pointee.val {
                found[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe place = unsafe place.successor()
        }
        return found
    }

    private static func place(_ options: [String: String]) -> String {
        var text = "database \(options["dbname"] ?? "?") at "
        if let service = options["service"], options["host"] == nil, options["hostaddr"] == nil {
            text += "service \(service)"
        } else {
            text += options["host"] ?? options["hostaddr"] ?? "the standard socket"
        }
        if let port = options["port"], port != "5432" { text += ", port \(port)" }
        if let user = options["user"] { text += ", as \(user)" }
        return text
    }
}
