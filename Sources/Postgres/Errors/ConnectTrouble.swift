/// Why no connection came about. libpq gives words for it and no codes, so this one place matches texts; a text that it does not know, or
/// a server that speaks another language, gets no advice.
struct ConnectTrouble {
    private static let known: [(text: String, advice: String, isTransient: Bool)] = [
        (
            "password authentication failed",
            "check the password in ~/.pgpass or the file that PGPASSFILE names (mode 0600, HOST:PORT:DATABASE:USER:PASSWORD)",
            false
        ),
        (
            "no password supplied",
            "put it into ~/.pgpass or the file that PGPASSFILE names (mode 0600, HOST:PORT:DATABASE:USER:PASSWORD)",
            false
        ),
        ("no pg_hba.conf entry", "let pg_hba.conf on the server allow this user, database and host", false),
        (
            "Peer authentication failed",
            "name the user that the server knows this account by, or allow passwords in pg_hba.conf", false
        ),
        ("role \"", "create it on the server with CREATE ROLE, or name another user", false),
        ("database \"", "create it with createdb, or name another one", false),
        (
            "certificate", "check sslrootcert, and that the server's certificate has the name by which it is reached",
            false
        ),
        ("definition of service", "define it in ~/.pg_service.conf or the file that PGSERVICEFILE names", false),
        ("session is read-only", "only standbys answered: name the primary as well, or promote one", true),
        ("server is in hot standby mode", "only standbys answered: name the primary as well, or promote one", true),
        ("Connection refused", "start the server, or correct host and port", true),
        ("No such file or directory", "start the server, or correct the socket's directory (host) and the port", true),
        ("could not translate host name", "correct the host's name, or mend the name server", true),
        ("too many clients", "raise max_connections, or end other programs' connections", true),
        ("remaining connection slots", "raise max_connections, or end other programs' connections", true),
        ("timeout expired", "see whether the server can be reached from here", true),
        ("unsupported startup parameter", "a pooler answered: connect to PostgreSQL itself", false),
    ]

    let error: PostgresError

    init(_ text: String, plan: ConnectionPlan) {
        let reason = Redaction.without(plan.secrets.value, text.trimmed)
        let match = Self.known.first { reason.contains($0.text) }
        let advice = match.map { ". What helps: \($0.advice)" } ?? ""
        error = PostgresError(
            .cannotConnect,
            "there is no connection to \(plan.place): \(reason)\(advice)",
            isTransient: match?.isTransient ?? true
        )
    }
}
