import Postgres
import PromptQueue

/// A change as the call of a function of the database, `record_accepted` and its like: one round trip, and many in one pipeline.
struct FactCall: Sendable {
    let sql: SQL
    let arguments: [PostgresValue]
    /// Makes what the ledger says of what the function answered.
    let read: @Sendable (RecordedFact) -> CommitResult

    private init(
        _ sql: SQL,
        _ arguments: [PostgresValue],
        read: @escaping @Sendable (RecordedFact) -> CommitResult = { $0.result }
    ) {
        self.sql = sql
        self.arguments = arguments
        self.read = read
    }

    /// Nil for what is no fact of an attempt or a result, but the daemon's own.
    init?(_ change: LedgerChange, _ context: FactContext) {
        switch change {
        case .accepted(let attempt, let task, let status):
            self.init(
                "SELECT record_accepted($1, $2, $3, $4)",
                [.int(context.epoch.rawValue), .int(attempt.rawValue), .text(task.rawValue), .int(Int64(status))],
                read: { $0.acceptance(of: attempt) }
            )
        case .rejected(let attempt, let failure, let then):
            self = Self.rejected(attempt, failure, then, context)
        case .unknown(let attempt, let failure):
            self.init(
                "SELECT record_unknown($1, $2, $3, $4, $5, $6)",
                [.int(attempt.rawValue)] + Self.columns(of: failure) + [.int(context.lateArrival.milliseconds)]
            )
        case .progressed(let attempt, let state):
            self.init("SELECT record_progressed($1, $2)", [.int(attempt.rawValue), .text(BoundedText.word(state))])
        case .taskSucceeded(let attempt, let outputs, let charged, let fetch, let took, let unread):
            self.init(
                "SELECT record_succeeded($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    .int(context.epoch.rawValue), .int(attempt.rawValue), .text(Self.json(outputs)),
                    .int(charged?.millicredits), .bool(fetch), .int(took?.milliseconds),
                    .text(unread.map(BoundedText.document)), .text(LedgerMessages.cancelledBeforeDownload),
                ]
            )
        case .taskFailed(let attempt, let failure, let charged, let then, let took):
            self.init(
                "SELECT record_failed($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    .int(attempt.rawValue), .text(failure.code.rawValue), .text(BoundedText.message(failure.message)),
                    .int(charged?.millicredits),
                ] + context.disposition(then) + [
                    .int(took?.milliseconds), .text(failure.unread.map(BoundedText.document)),
                ]
            )
        case .resultSaved(let result, let file):
            self.init(
                "SELECT record_saved($1, $2, $3, $4, $5, $6, $7)",
                Self.key(of: result) + [
                    .text(file.path), .text(file.contentType), .int(file.bytes), .text(file.sha256),
                    Self.notDownloaded(result.job),
                ]
            )
        case .resultDelayed(let result, let message):
            self.init("SELECT record_delayed($1, $2, $3)", Self.key(of: result) + [.text(BoundedText.message(message))])
        case .resultFailed(let result, let message):
            self.init(
                "SELECT record_lost($1, $2, $3, $4)",
                Self.key(of: result) + [.text(BoundedText.message(message)), Self.notDownloaded(result.job)]
            )
        case .gaveUp(let attempt):
            self.init(
                "SELECT record_gave_up($1, $2, $3, $4)",
                [
                    .int(attempt.rawValue), .text(FailureCode.answerLost.rawValue),
                    .text(LedgerMessages.presumedSpent(mayRetry: true)),
                    .text(LedgerMessages.presumedSpent(mayRetry: false)),
                ],
                read: { $0.givenUp(attempt) }
            )
        case .hintRefuted(let attempt, let task):
            self.init("SELECT record_hint_refuted($1, $2)", [.int(attempt.rawValue), .text(task.rawValue)])
        case .setAside(let attempt, let reason):
            self.init("SELECT record_set_aside($1, $2)", [.int(attempt.rawValue), .text(BoundedText.message(reason))])
        case .gates(let notes):
            self.init(
                "SELECT record_gates($1, $2, $3)",
                [.int(context.epoch.rawValue), .text(context.account.rawValue), .text(Self.json(notes, context))]
            )
        case .limits(let rate, let running):
            self.init(
                "SELECT record_limits($1, $2, $3, $4)",
                [
                    .text(context.account.rawValue), .int(Int64(rate.count)), .int(rate.window.milliseconds),
                    .int(Int64(running)),
                ]
            )
        case .rules(let rules):
            self.init(
                "SELECT record_rules($1, $2, $3, $4)",
                [
                    .text(context.account.rawValue), .int(rules.creditReserve.millicredits),
                    .text(rules.unconfirmedPolicy.rawValue), .int(rules.unconfirmedWindow.milliseconds),
                ]
            )
        case .trouble(let message):
            self.init("SELECT record_trouble($1)", [.text(BoundedText.message(message))])
        case .balance:
            return nil
        }
    }

    // MARK: - Arguments

    /// What a function replaces by what only it knows: the task that a callback named, or how many results are missing.
    static let placeholder = "\u{1}"

    private static func rejected(
        _ attempt: AttemptID,
        _ failure: Failure,
        _ then: FailureDisposition,
        _ context: FactContext
    ) -> FactCall {
        let shut = failure.retryAfter.map { min($0, RateLimit.longestRetryAfter).milliseconds }
        let contradicted = failure.contradicted(by: TaskID(placeholder))
        return FactCall(
            "SELECT record_rejected($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            [.int(attempt.rawValue)] + columns(of: failure) + context.disposition(then) + [
                .int(shut), .text(contradicted.code.rawValue), .text(BoundedText.message(contradicted.message)),
                .int(context.lateArrival.milliseconds),
            ]
        )
    }

    /// Code, message, HTTP status and the provider's code.
    private static func columns(of failure: Failure) -> [PostgresValue] {
        [
            .text(failure.code.rawValue), .text(BoundedText.message(failure.message)),
            .int(failure.httpStatus.map { Int64($0) }), .int(failure.apiCode.map { Int64($0) }),
        ]
    }

    private static func key(of result: ResultID) -> [PostgresValue] {
        [.int(result.job.rawValue), .int(Int64(result.ordinal))]
    }

    private static func notDownloaded(_ job: JobID) -> PostgresValue {
        .text(LedgerMessages.notDownloaded(placeholder, of: job))
    }

    private static func json(_ outputs: [TaskOutput]) -> String {
        let objects = outputs.map { output -> JSONValue in
            let role = JSONValue.string(BoundedText.word(output.role))
            return switch output.content {
            case .file(let url): .object(["role": role, "url": .string(url)])
            case .object(let json): .object(["role": role, "content": .string(json)])
            }
        }
        return JSONValue.array(objects).json
    }

    /// Instants as milliseconds from now.
    private static func json(_ notes: [GateNote], _ context: FactContext) -> String {
        let objects = notes.map { note in
            JSONValue.object([
                "name": .string(note.name), "queue": .string(note.queue),
                "closed_in": .integer(context.until(note.closedAt)),
                "reopens_in": note.reopensAt.map { .integer(context.until($0)) } ?? .null,
                "message": .string(note.message),
                "is_ordinary": .bool(BlockReason(rawValue: note.name).isOrdinary),
            ])
        }
        return JSONValue.array(objects).json
    }
}

/// What a change is recorded with, beside what it says.
struct FactContext: Sendable {
    let account: AccountName
    /// Whose process records it.
    let epoch: Epoch
    /// For how long a request whose answer was lost keeps its slot.
    let lateArrival: Duration
    /// This machine's instant at which the change was made: the instants in it are told from there.
    let now: Instant

    /// In how many milliseconds an instant comes; negative: it was so long ago.
    func until(_ instant: Instant) -> Int64 { (instant - now).milliseconds }

    /// The arguments `retry_after` and `counted`.
    func disposition(_ then: FailureDisposition) -> [PostgresValue] {
        switch then {
        case .retry(let at, let counted): [.int(max(0, until(at))), .bool(counted)]
        case .fail: [.null, .bool(false)]
        }
    }
}
