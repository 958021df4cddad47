import CPostgres
import Glibc

/// A connection as its loop's thread sees it: one operation at a time, which the caller sees to.
actor PostgresSession {
    /// Statements are handed to libpq in portions of so many bytes, so that its buffer does not grow with the pipeline.
    private static let portion = 256 * 1_024

    nonisolated let loop: SocketLoop
    nonisolated let handle: ConnectionHandle
    nonisolated let limits: PostgresLimits
    nonisolated let inbox: NotificationInbox
    nonisolated let cancelKey: CancelKey?

    let notices = NoticeLog()
    private var prepared = PreparedStatements()
    /// Why the connection is gone.
    private(set) var lossReason: String?
    /// When a cancelled operation has to have ended.
    private var cancellationEnds: ContinuousClock.Instant?
    private var isWorking = false
    /// Whether the server has sent the last row of a COPY.
    var hasCopiedAll = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(_ handle: ConnectionHandle, loop: SocketLoop, limits: PostgresLimits, inbox: NotificationInbox) {
        self.handle = handle
        self.loop = loop
        self.limits = limits
        self.inbox = inbox
        cancelKey = unsafe handle.pointer.flatMap { unsafe CancelKey($0) }
    }

    /// Once it is closed, its socket's number may be another's.
    deinit { if handle.isOpen { loop.disarm(handle.socket) } }

    /// The state of the server's transaction, as of the last answer.
    var transactionState: TransactionState {
        guard let connection = unsafe handle.pointer else { return .unknown }
        switch unsafe PQtransactionStatus(connection) {
        case PQTRANS_IDLE: return .none
        case PQTRANS_INTRANS: return .open
        case PQTRANS_INERROR: return .failed
        default: return .unknown
        }
    }

    // MARK: Life

    /// What libpq knows of the server's process, which a pooler makes up.
    func begin() -> Int32 {
        guard let connection = unsafe handle.pointer else { return 0 }
        unsafe notices.attach(to: connection)
        return unsafe PQbackendPID(connection)
    }

    func close(_ reason: String) {
        lose(reason)
    }

    /// Closes the connection for good; whoever waits for it is told.
    func lose(_ reason: String) {
        guard lossReason == nil else { return }
        lossReason = reason
        // Before it is closed: afterwards its socket's number may be another's.
        loop.disarm(handle.socket)
        handle.close()
        inbox.close(.lost(reason))
    }

    /// Closes it, with what libpq says about it.
    func loseByLibrary(_ otherwise: String) {
        var reason = otherwise
        if let connection = unsafe handle.pointer {
            let text = unsafe String(cString: PQerrorMessage(connection)).trimmed
            if !text.isEmpty { reason = text }
            // Between two operations libpq takes the server's last words for a notice.
            if let last = notices.lastWords { reason = last.shown }
        }
        lose(reason)
    }

    var loss: PostgresError { .lost(lossReason ?? "it was closed") }

    /// The open connection.
    /// - Throws: `PostgresError` with `connectionLost`.
    func open() throws(PostgresError) -> OpaquePointer {
        guard let connection = unsafe handle.pointer else { throw loss }
        return unsafe connection
    }

    // MARK: Work

    func beginWork() {
        isWorking = true
        cancellationEnds = nil
        notices.begin()
        if handle.isOpen { loop.disarm(handle.socket) }
    }

    func endWork() {
        isWorking = false
        cancellationEnds = nil
        listenIdly()
    }

    /// The operation under way was cancelled: it may take so long to end, and no longer.
    func cancellationBegan() {
        guard isWorking, handle.isOpen, cancellationEnds == nil else { return }
        let end = ContinuousClock.now + limits.cancellation
        cancellationEnds = end
        loop.hasten(handle.socket, until: end)
    }

    /// Sends all statements, ended by one Sync, and reads what comes while it writes, so that neither side waits for the other with
    /// full buffers. What follows a failure is not carried out.
    func run(_ statements: [Statement]) async -> PipelineReply {
        beginWork()
        defer { endWork() }
        var reply = PipelineReply()
        do throws(PostgresError) {
            try await run(statements, &reply)
        } catch {
            reply.failure = reply.failure ?? error
        }
        prepared.endPipeline()
        reply.notices = notices.entries
        return reply
    }

    private func run(_ statements: [Statement], _ reply: inout PipelineReply) async throws(PostgresError) {
        var feed = PipelineFeed(statements)
        var isAlive = true
        guard unsafe PQenterPipelineMode(try open()) == 1 else { throw refuse() }
        while true {
            var hasUnsent = unsafe PQflush(try open())
            while hasUnsent == 0, !feed.isAllSent {
                reply.isSent = true
                guard unsafe feed.send(Self.portion, to: try open(), &prepared) else { throw refuse() }
                hasUnsent = unsafe PQflush(try open())
            }
            // What cannot be written may have its reason in what can be read.
            if hasUnsent < 0 { isAlive = false }
            try read(&feed, &reply)
            if feed.isOver { break }
            guard isAlive else { throw broken() }
            isAlive = try await receive(orSend: hasUnsent == 1)
        }
        guard unsafe PQexitPipelineMode(try open()) == 1 else { throw refuse() }
    }

    /// Takes what has arrived.
    private func read(_ feed: inout PipelineFeed, _ reply: inout PipelineReply) throws(PostgresError) {
        var silent = 0
        while let head = feed.head {
            notices.statement = feed.position
            guard unsafe PQisBusy(try open()) == 0 else { return }
            guard let result = unsafe PQgetResult(try open()) else {
                if unsafe PQstatus(try open()) == CONNECTION_BAD { throw broken() }
                silent += 1
                // An error that comes with the end of a pipeline, where it is committed, has the end behind it.
                if head.hasAnswered, head.kind != .end {
                    feed.settle()
                    silent = 0
                }
                if silent > 2 { throw refuse() }
                continue
            }
            silent = 0
            try unsafe take(ResultMemory(result), for: head, &feed, &reply)
        }
    }

    private func take(
        _ result: ResultMemory,
        for head: PipelineFeed.Owed,
        _ feed: inout PipelineFeed,
        _ reply: inout PipelineReply
    ) throws(PostgresError) {
        switch (unsafe PQresultStatus(result.pointer), head.kind) {
        case (PGRES_PIPELINE_SYNC, _):
            feed.settle()
            return
        case (PGRES_COMMAND_OK, .preparation(let key, let name)): prepared.isPrepared(key, as: name)
        case (PGRES_COMMAND_OK, _), (PGRES_TUPLES_OK, _), (PGRES_EMPTY_QUERY, _):
            reply.rows.append(PostgresRows(result))
        case (PGRES_PIPELINE_ABORTED, _): break
        case (PGRES_FATAL_ERROR, _):
            guard let message = unsafe ServerMessage(result.pointer) else { throw broken() }
            if message.state == "26000" || message.state == "0A000" { prepared.forget() }
            reply.failure = reply.failure ?? PostgresError(server: message)
            if message.state.endsConnection { lose(message.shown) }
        default:
            lose("COPY was sent as a query")
            throw PostgresError(.misuse, "COPY goes through copyIn and copyOut; the connection was closed")
        }
        feed.answered()
    }

    /// Waits until something can be read, or written if there is something to write, and reads it.
    ///
    /// - Returns: false if that was the last: what the server said before it went can still be taken.
    /// - Throws: `PostgresError` with `connectionLost`.
    func receive(orSend isSending: Bool) async throws(PostgresError) -> Bool {
        let connection = unsafe try open()
        let quiet = limits.silence.map { ContinuousClock.now + $0 }
        let deadline = [quiet, cancellationEnds].compactMap { $0 }.min()
        let wakeup = await withCheckedContinuation { continuation in
            loop.arm(handle.socket, events: isSending ? POLLIN | POLLOUT : POLLIN, until: deadline) {
                continuation.resume(returning: $0)
            }
        }
        switch wakeup {
        case .closed: throw loss
        case .timedOut:
            lose(
                cancellationEnds == nil
                    ? "the server did not answer in time" : "the server did not end a cancelled statement in time"
            )
            throw loss
        case .ready:
            // Closed meanwhile by somebody else on this thread.
            guard unsafe handle.pointer == connection else { throw loss }
            var isAlive = unsafe PQconsumeInput(connection) == 1
            // What was decrypted and not taken makes the socket readable no more: a record of TLS has up to 16 KB, and libpq takes 8 KB or
            // more at a time.
            if unsafe isAlive && (PQsslInUse(connection) != 0 || PQgssEncInUse(connection) != 0) {
                isAlive = unsafe PQconsumeInput(connection) == 1 && PQconsumeInput(connection) == 1
            }
            collectNotifications()
            return isAlive
        }
    }

    /// libpq does not take what it is given: nobody knows any more where the conversation stands.
    func refuse() -> PostgresError {
        loseByLibrary("libpq refused an operation")
        return loss
    }

    func broken() -> PostgresError {
        loseByLibrary("the server closed the connection")
        return loss
    }

    // MARK: Between operations

    /// Notices between two operations that the server says something, or is gone.
    private func listenIdly() {
        guard unsafe handle.pointer != nil else { return }
        loop.arm(handle.socket, events: POLLIN) { [weak self] wakeup in
            guard wakeup == .ready, let self else { return }
            Task { await self.heardIdly() }
        }
    }

    private func heardIdly() {
        guard !isWorking, let connection = unsafe handle.pointer else { return }
        guard unsafe PQconsumeInput(connection) == 1 else { return loseByLibrary("the server closed the connection") }
        collectNotifications()
        listenIdly()
    }

    func collectNotifications() {
        guard let connection = unsafe handle.pointer else { return }
        while let note = unsafe PQnotifies(connection) {
            inbox.add(
                PostgresNotification(
                    channel: unsafe String(cString: note.pointee.relname),
                    payload: unsafe String(cString: note.pointee.extra)
                )
            )
            unsafe PQfreemem(note)
        }
    }
}

/// Whether the server has a transaction open.
enum TransactionState: Sendable {
    case none, open, failed, unknown
}
