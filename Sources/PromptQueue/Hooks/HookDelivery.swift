/// The row id of a delivery.
package struct HookDeliveryID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    package var description: String { String(rawValue) }

    package static func < (left: HookDeliveryID, right: HookDeliveryID) -> Bool { left.rawValue < right.rawValue }
}

/// One thing that one hook is told.
package struct HookDelivery: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        case pending, delivered
        /// Given up.
        case dead
    }

    package var id: HookDeliveryID
    package var hook: String
    package var event: HookEvent
    package var job: JobID?
    /// The batch, the gate or the budget.
    package var subject: String?
    package var message: String?
    package var at: Instant
    package var state: State
    /// How often it was tried.
    package var attempts: Int
    package var nextTry: Instant
    package var lastError: String?
    package var endedAt: Instant?

    package init(
        id: HookDeliveryID,
        hook: String,
        event: HookEvent,
        job: JobID?,
        subject: String?,
        message: String?,
        at: Instant,
        state: State,
        attempts: Int,
        nextTry: Instant,
        lastError: String?,
        endedAt: Instant?
    ) {
        self.id = id
        self.hook = hook
        self.event = event
        self.job = job
        self.subject = subject
        self.message = message
        self.at = at
        self.state = state
        self.attempts = attempts
        self.nextTry = nextTry
        self.lastError = lastError
        self.endedAt = endedAt
    }

    package var object: JSONObject {
        [
            "id": .integer(id.rawValue), "hook": .string(hook), "event": .string(event.rawValue),
            "job_id": JSONValue(job.map { Int($0.rawValue) }), "subject": JSONValue(subject),
            "message": JSONValue(message), "at": JSONValue(at), "state": .string(state.rawValue),
            "attempts": .integer(Int64(attempts)),
            "next_try": state == .pending ? JSONValue(nextTry) : .null, "last_error": JSONValue(lastError),
            "ended_at": JSONValue(endedAt),
        ]
    }
}

/// What became of one try.
package enum HookOutcome: Sendable, Hashable {
    case delivered
    /// To be tried again.
    case failed(String)
    /// Not to be tried again: the receiver says that it wants no more.
    case refused(String)

    /// As metrics name it.
    package var label: String {
        switch self {
        case .delivered: "delivered"
        case .failed: "failed"
        case .refused: "refused"
        }
    }
}

/// When a delivery is tried again, and when it is given up.
package enum HookSchedule {
    /// With these delays it is given up after two days as a rule, and after four at most.
    package static let attempts = 24

    private static let policy: RetryPolicy = {
        var policy = RetryPolicy()
        policy.base = .seconds(5)
        policy.maximum = .seconds(6 * 3_600)
        return policy
    }()

    /// - Parameter attempts: how many have failed.
    /// - Returns: nil when it is time to give up.
    package static func next(
        attempts: Int,
        now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Instant? {
        guard attempts < Self.attempts else { return nil }
        return now + max(.seconds(1), policy.delay(attempts: attempts, using: &generator))
    }
}
