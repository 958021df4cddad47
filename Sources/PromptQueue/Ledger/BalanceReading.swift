/// One answer of the provider to the question for the account's balance.
package struct BalanceReading: Sendable, Hashable {
    package var balance: Credits
    /// When the question was sent: whatever was charged before is in the balance. It is recorded when it was answered.
    package var askedAt: Instant
    /// Whether no request for a task was between sending and answer while the question was, and no answer was lost
    /// within the last minute: only such readings can be compared.
    package var isQuiet: Bool

    /// For how long a request whose answer was lost may still be charged.
    package static let settlingTime: Duration = .seconds(60)
    /// A balance older than this says nothing about what is left.
    package static let lifetime: Duration = .seconds(600)

    package init(balance: Credits, askedAt: Instant, isQuiet: Bool) {
        self.balance = balance
        self.askedAt = askedAt
        self.isQuiet = isQuiet
    }
}

/// How the account compares with the ledger at one reading.
package struct AccountStanding: Sendable, Hashable {
    /// What the account lost and the ledger does not know of; negative if it lost less than was booked.
    package var unexplained: Credits
    /// By how much `unexplained` may be wrong: what is reserved for tasks that have not ended.
    package var uncertainty: Credits
    /// What is reserved for requests whose answer was lost, and what was booked for those that were given up: they may
    /// have been charged or not.
    package var unknown: Credits
    /// The reading that the comparison began with.
    package var since: Instant

    package init(
        unexplained: Credits,
        uncertainty: Credits,
        unknown: Credits,
        since: Instant
    ) {
        self.unexplained = unexplained
        self.uncertainty = uncertainty
        self.unknown = unknown
        self.since = since
    }
}

/// An attempt whose answer was lost, and which is settled now.
package struct SettledUnknown: Sendable {
    package var attempt: AttemptID
    /// Nil if the job's row is gone.
    package var job: RecordedJob?
    package var origin: JobOrigin?
    /// The readings and sums that prove that nothing was charged; nil if it was given up.
    package var evidence: String?

    package init(attempt: AttemptID, job: RecordedJob?, origin: JobOrigin? = nil, evidence: String?) {
        self.attempt = attempt
        self.job = job
        self.origin = origin
        self.evidence = evidence
    }
}

/// An attempt whose answer was lost, as a start finds it.
package struct UnknownAttempt: Sendable, Hashable {
    package var attempt: AttemptID
    package var job: JobID
    package var origin: JobOrigin?
    package var lostAt: Instant
    /// The attempt with the task that a callback named; nil if none did.
    package var hinted: OpenTask?

    package init(
        attempt: AttemptID,
        job: JobID,
        origin: JobOrigin? = nil,
        lostAt: Instant,
        hinted: OpenTask? = nil
    ) {
        self.attempt = attempt
        self.job = job
        self.origin = origin
        self.lostAt = lostAt
        self.hinted = hinted
    }
}

/// Why a claim left jobs for the sake of `credits.reserve`.
package enum ReserveHold: Sendable, Hashable {
    /// The balance is not known, or was read too long ago.
    case balanceUnknown
    /// The next job costs more than is left above the reserve; `left` may be negative.
    case short(left: Credits, price: Credits)
}
