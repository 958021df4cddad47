/// Something that happened and has to be in the ledger before anyone acts on it.
package enum LedgerChange: Sendable {
    /// The provider made a task.
    case accepted(AttemptID, task: TaskID, httpStatus: Int)
    /// The provider made no task, or the request never left.
    case rejected(AttemptID, Failure, then: FailureDisposition)
    /// The answer was lost: a task may exist. The job becomes `unconfirmed`; the reservation stays.
    case unknown(AttemptID, Failure)
    /// The provider moved the task to another state that is not final.
    case progressed(AttemptID, providerState: String)
    /// The task ended well. `charged` is nil when the provider did not say.
    /// `fetch`: whether the results are to be downloaded; if not, the job has succeeded at once.
    /// `took`: how long it took, if that is known. `unread`: see `PollOutcome`.
    case taskSucceeded(
        AttemptID,
        [TaskOutput],
        charged: Credits?,
        fetch: Bool,
        took: Duration? = nil,
        unread: String? = nil
    )
    case taskFailed(AttemptID, Failure, charged: Credits?, then: FailureDisposition, took: Duration? = nil)
    /// A result could not be fetched yet, for a reason that was not known.
    case resultDelayed(ResultID, message: String)
    /// A file is on disk. If nobody waits for it any more, the ledger says so instead of taking it.
    case resultSaved(ResultID, SavedFile)
    case resultFailed(ResultID, message: String)
    /// The gates that are closed now, instead of those in the ledger.
    case gates([GateNote])
    /// The account's balance. What it tells of attempts whose answer was lost is noted; with `settles`, those that it shows
    /// to have cost nothing are settled by it.
    case balance(BalanceReading, settles: Bool = false)
    /// No news of a lost answer came in time: its reservation counts as spent, and its job, if it is still
    /// `unconfirmed`, goes back to the queue, counted, or fails when its attempts are used up.
    case gaveUp(AttemptID)
    /// The provider has answered that a task which a callback named for a lost request is not that request's.
    case hintRefuted(AttemptID, TaskID)
    /// The ledger refuses what happened to an attempt: its job is left alone until the next start, with the reason.
    case setAside(AttemptID, reason: String)
    /// The limits that hold from now on.
    case limits(RateLimit, running: Int)
    case rules(AccountRules)
    /// Something an operator should see in `daemon_status`.
    case trouble(String)
}

extension LedgerChange {
    /// The attempt that it is about; nil if it is about none, or about a result.
    package var attempt: AttemptID? {
        switch self {
        case .accepted(let attempt, _, _), .rejected(let attempt, _, _), .unknown(let attempt, _),
            .progressed(let attempt, _), .taskSucceeded(let attempt, _, _, _, _, _),
            .taskFailed(let attempt, _, _, _, _), .gaveUp(let attempt), .hintRefuted(let attempt, _),
            .setAside(let attempt, _):
            attempt
        case .resultDelayed, .resultSaved, .resultFailed, .gates, .balance, .limits, .rules, .trouble: nil
        }
    }

    /// The result that it is about; nil if it is about none.
    package var result: ResultID? {
        switch self {
        case .resultDelayed(let result, _), .resultSaved(let result, _), .resultFailed(let result, _): result
        case .accepted, .rejected, .unknown, .progressed, .taskSucceeded, .taskFailed, .gaveUp, .hintRefuted, .setAside,
            .gates, .balance, .limits, .rules, .trouble:
            nil
        }
    }
}

/// How an attempt failed.
package struct Failure: Sendable, Hashable {
    package var code: FailureCode
    /// For people: no prompt, no key, no body.
    package var message: String
    package var httpStatus: Int?
    /// The `code` of the provider's JSON answer.
    package var apiCode: Int?
    /// How long the provider wants to be left alone, as its answer said.
    package var retryAfter: Duration?
    /// Of a success whose result could not be read: the result as the provider gave it.
    package var unread: String?
    /// Of such a success: what may be its results all the same, when nothing better comes.
    package var elsewhere: [TaskOutput] = []

    package init(_ code: FailureCode, _ message: String, httpStatus: Int? = nil, apiCode: Int? = nil) {
        self.code = code
        self.message = message
        self.httpStatus = httpStatus
        self.apiCode = apiCode
    }
}

/// What becomes of a job whose attempt failed.
package enum FailureDisposition: Sendable, Hashable {
    /// Back to the queue, not before `at`. An attempt that is not `counted` leaves `attempt_count` as it was. A ledger fails
    /// a job instead whose attempts are used up by a counted one.
    case retry(at: Instant, counted: Bool)
    case fail
}

/// One thing that a task produced.
package struct TaskOutput: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// A file at the provider.
        case file(url: String)
        /// JSON that came in the answer itself.
        case object(json: String)
    }

    package var content: Content
    /// What it is: the provider's field without `Url`, such as `firstFrame`; `result` for what was asked for.
    package var role = Self.result

    package static let result = "result"

    package static func file(url: String, role: String = result) -> TaskOutput {
        TaskOutput(content: .file(url: url), role: role)
    }

    package static func object(json: String) -> TaskOutput {
        TaskOutput(content: .object(json: json))
    }
}

/// Names a row of `results`.
package struct ResultID: Sendable, Hashable, CustomStringConvertible {
    package var job: JobID
    package var ordinal: Int

    package init(job: JobID, ordinal: Int) {
        self.job = job
        self.ordinal = ordinal
    }

    package var description: String { "\(job)-\(ordinal)" }
}

/// A result on disk: written, synced and renamed.
package struct SavedFile: Sendable, Hashable {
    /// Relative to the media directory.
    package var path: String
    package var contentType: String
    package var bytes: Int64
    /// 64 lower-case hexadecimal digits.
    package var sha256: String

    package init(path: String, contentType: String, bytes: Int64, sha256: String) {
        self.path = path
        self.contentType = contentType
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// A closed gate, as `gates` keeps it.
package struct GateNote: Sendable, Hashable {
    /// The account that it holds; nil for all. Of what an engine notes, its own.
    package var account: AccountName?
    /// `credits`, `provider`, `key`, `rate`, `model:NAME`, `disk` or `budget:NAME`.
    package var name: String
    /// The queue that it holds; empty for all.
    package var queue: String
    package var closedAt: Instant
    package var reopensAt: Instant?
    package var message: String

    package init(name: String, queue: String = "", closedAt: Instant, reopensAt: Instant?, message: String) {
        self.name = name
        self.queue = queue
        self.closedAt = closedAt
        self.reopensAt = reopensAt
        self.message = message
    }
}

/// A `Failure` that can be thrown.
package struct FailureError: Error, Sendable, CustomStringConvertible {
    package let failure: Failure

    package init(_ failure: Failure) { self.failure = failure }

    package var description: String { failure.message }
}

extension Failure {
    /// A refusal of a request for which a callback has named a task: it proves nothing.
    package func contradicted(by task: TaskID) -> Failure {
        var failure = self
        failure.code = .answerLost
        failure.message = "the answer says that nothing was made, but a callback has named its task \(task): \(message)"
        return failure
    }
}
