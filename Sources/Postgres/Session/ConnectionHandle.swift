import CPostgres

/// A connection of libpq's, closed with its last owner.
///
/// It may be passed between threads, because libpq lets any thread use a connection that no other uses (libpq, "Behavior in threaded
/// programs"): the thread that connects hands it to one `PostgresSession`, and only that one's actor uses it from then on.
@safe final class ConnectionHandle: @unchecked Sendable {
    /// nil once it is closed.
    private(set) var pointer: OpaquePointer?
    let socket: Int32

    /// Connects, which blocks: names are looked up, several hosts may be tried.
    ///
    /// - Throws: `PostgresError` with `cannotConnect`.
    init(_ plan: ConnectionPlan) throws(PostgresError) {
        let connection = unsafe CStrings.withPairs(plan.keywords.value) { unsafe PQconnectdbParams($0, $1, 1) }
        guard let connection = unsafe connection else {
            throw PostgresError(.cannotConnect, "there is no memory for a connection to PostgreSQL")
        }
        guard unsafe PQstatus(connection) == CONNECTION_OK, unsafe PQsetnonblocking(connection, 1) == 0 else {
            let text = unsafe String(cString: PQerrorMessage(connection))
            unsafe PQfinish(connection)
            throw ConnectTrouble(text, plan: plan).error
        }
        unsafe pointer = unsafe connection
        socket = unsafe PQsocket(connection)
    }

    deinit { close() }

    var isOpen: Bool { unsafe pointer != nil }

    func close() {
        guard let open = unsafe pointer else { return }
        unsafe pointer = nil
        unsafe PQfinish(open)
    }
}
