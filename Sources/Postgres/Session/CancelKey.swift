import CPostgres

/// What it takes to ask the server, on a connection of its own, to end the statement that a session is carrying out.
///
/// It may be used by any thread at any time (libpq, PQcancel), also after the session is closed.
@safe final class CancelKey: @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let pointer = unsafe PQgetCancel(connection) else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit { unsafe PQfreeCancel(pointer) }

    /// Blocks until the server has taken the request, or cannot be reached.
    func use() {
        var reason = [CChar](repeating: 0, count: 256)
        // What came of it is seen by the statement's own result.
        _ = unsafe PQcancel(pointer, &reason, Int32(clamping: reason.count))
    }
}
