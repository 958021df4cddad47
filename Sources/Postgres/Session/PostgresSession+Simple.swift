import CPostgres

/// What goes outside of pipeline mode: scripts of several statements, and COPY.
extension PostgresSession {
    /// Ends the transaction; closes the connection if that does not work.
    func rollBack() async {
        guard lossReason == nil, transactionState != .none else { return }
        do {
            let reply = await run([try Statement("ROLLBACK")])
            if reply.failure != nil || transactionState != .none { lose("a transaction could not be rolled back") }
        } catch {
            lose("a transaction could not be rolled back")
        }
    }

    /// Carries out a script: all of it, or, if one fails, nothing of what is not committed by the script itself.
    func runScript(_ sql: String) async throws(PostgresError) {
        beginWork()
        defer { endWork() }
        guard unsafe PQsendQuery(try open(), sql) == 1 else { throw refuse() }
        try await flush()
        var failure: PostgresError?
        while let result = try await nextResult() {
            if let error = try problem(result) { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Sends what libpq holds, and reads meanwhile.
    func flush() async throws(PostgresError) {
        while true {
            let hasUnsent = unsafe PQflush(try open())
            if hasUnsent == 0 { return }
            guard hasUnsent > 0, try await receive(orSend: true) else { throw broken() }
        }
    }

    /// - Returns: nil when the answer is complete.
    func nextResult() async throws(PostgresError) -> ResultMemory? {
        var isAlive = true
        while unsafe PQisBusy(try open()) != 0 {
            guard isAlive else { throw broken() }
            isAlive = try await receive(orSend: false)
        }
        return unsafe PQgetResult(try open()).map { unsafe ResultMemory($0) }
    }

    /// - Returns: what the server refused; nil if it did not.
    /// - Throws: `PostgresError` if the connection is lost.
    func problem(_ result: ResultMemory) throws(PostgresError) -> PostgresError? {
        switch unsafe PQresultStatus(result.pointer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return nil
        case PGRES_FATAL_ERROR:
            guard let message = unsafe ServerMessage(result.pointer) else { throw broken() }
            if message.state.endsConnection { lose(message.shown) }
            return PostgresError(server: message)
        default:
            lose("COPY was sent as a query")
            throw PostgresError(.misuse, "COPY goes through copyIn and copyOut; the connection was closed")
        }
    }

    /// Reads to the end of the answer.
    ///
    /// - Returns: the rows that were copied.
    private func finishCopy() async throws(PostgresError) -> Int {
        var failure: PostgresError?
        var count = 0
        while let result = try await nextResult() {
            if let error = try problem(result) { failure = failure ?? error } else { count = result.affected }
        }
        if let failure { throw failure }
        return count
    }

    // MARK: COPY

    /// Sends the statement.
    func beginCopy(_ sql: String, isInto: Bool) async throws(PostgresError) {
        beginWork()
        hasCopiedAll = false
        guard unsafe PQsendQuery(try open(), sql) == 1 else { throw refuse() }
        try await flush()
        guard let result = try await nextResult() else { throw refuse() }
        let status = unsafe PQresultStatus(result.pointer)
        guard status == (isInto ? PGRES_COPY_IN : PGRES_COPY_OUT) else {
            let error = status == PGRES_COPY_IN || status == PGRES_COPY_OUT ? nil : try problem(result)
            if error == nil, status == PGRES_COPY_IN || status == PGRES_COPY_OUT { lose("COPY went the other way") }
            if lossReason == nil { _ = try await finishCopy() }
            throw error ?? PostgresError(.misuse, "the statement is no COPY \(isInto ? "FROM STDIN" : "TO STDOUT")")
        }
    }

    /// Sends a portion, and waits until libpq holds none of it any more.
    func copy(_ bytes: [UInt8]) async throws(PostgresError) {
        let connection = unsafe try open()
        let isTaken = unsafe bytes.withUnsafeBytes { bytes in
            unsafe PQputCopyData(
                connection,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(truncatingIfNeeded: bytes.count)
            )
        }
        guard isTaken == 1 else { throw refuse() }
        try await flush()
    }

    /// - Parameter failure: why nothing is to be kept; nil to keep it.
    /// - Returns: the rows that were copied.
    func endCopyIn(_ failure: String?) async throws(PostgresError) -> Int {
        defer { endWork() }
        let connection = unsafe try open()
        let isTaken =
            if let failure { unsafe PQputCopyEnd(connection, failure) } else { unsafe PQputCopyEnd(connection, nil) }
        guard isTaken == 1 else { throw refuse() }
        try await flush()
        return try await finishCopy()
    }

    /// - Returns: some rows, about `size` bytes of them; nil at the end.
    func copiedRows(_ size: Int) async throws(PostgresError) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < size, !hasCopiedAll {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = unsafe PQgetCopyData(try open(), &buffer, 1)
            guard length != 0 else {
                if !bytes.isEmpty { break }
                guard try await receive(orSend: false) else { throw broken() }
                continue
            }
            guard length > 0, let taken = unsafe buffer else {
                guard length == -1 else { throw refuse() }
                hasCopiedAll = true
                break
            }
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: taken, count: Int(length)))
            unsafe PQfreemem(taken)
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// - Returns: the rows that were copied.
    func endCopyOut() async throws(PostgresError) -> Int {
        defer { endWork() }
        return try await finishCopy()
    }

    /// The operation ended with an error before it was complete.
    func endFailedCopy() {
        endWork()
    }
}
