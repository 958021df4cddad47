import CPostgres

/// Notices that the server sent during a pipeline, each with the number of the statement that was under way.
///
/// libpq calls it from within its own functions, on the thread of the session that owns it; so nothing else is running there.
@safe final class NoticeLog {
    struct Entry: Sendable {
        let statement: Int
        let message: ServerMessage
    }

    /// Triggers can send one for each row.
    private static let most = 100

    /// Which statement's answer comes next.
    var statement = 0
    private(set) var entries: [Entry] = []
    /// What the server said before it closed the connection, when nobody had asked it anything. It is kept: the end of the connection may be
    /// heard an operation later.
    private(set) var lastWords: ServerMessage?

    func begin() {
        statement = 0
        entries.removeAll()
    }

    /// Has the connection's notices come here, as long as this object lives.
    func attach(to connection: OpaquePointer) {
        unsafe PQsetNoticeReceiver(
            connection,
            { log, result in
                guard let log = unsafe log, let result = unsafe result, let message = unsafe ServerMessage(result)
                else { return }
                unsafe Unmanaged<NoticeLog>.fromOpaque(log).takeUnretainedValue().add(message)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func add(_ message: ServerMessage) {
        if message.severity == "FATAL" { lastWords = message }
        // The last ones count: among them is what a COMMIT has to say.
        if entries.count == Self.most { entries.removeFirst() }
        entries.append(Entry(statement: statement, message: message))
    }
}
