/// What two readings of the balance tell of the requests between them whose answer was lost.
///
/// It is evidence and no proof: a request may arrive, and be charged, when nobody looks any more. Neither reading has a
/// request under way or a task open, and the later one comes at least a minute after the last answer was lost. If the balance
/// fell by exactly what the provider reported for all other requests in between, then none of the lost ones was charged.
/// docs/decisions/0012-balance-as-evidence.md has the reasoning.
package struct Evidence: Sendable, Hashable {
    /// The requests whose answer was lost.
    package var lost: [AttemptID]
    /// Whether they were charged, all of them; or none.
    package var wasCharged: Bool
    /// By how much the balance fell.
    package var fallen: Credits
    /// What was reserved for them.
    package var reserved: Credits
    /// What the provider reported for all others, and how many those were.
    package var charged: Credits
    package var tasks: Int

    /// How many requests between two readings are looked at; after more the proof is not tried, to keep it short.
    package static let maximumRequests = 5_000
    /// For how long the charge of a failed task may still be given back after the provider reports the failure.
    package static let refundTime: Duration = .seconds(600)
    /// How far back the account must have agreed with the ledger.
    package static let trustTime: Duration = .seconds(86_400)

    /// A request that was sent between the two readings.
    package struct Request: Sendable, Hashable {
        package var attempt: AttemptID
        package var state: AttemptState
        package var isFinished: Bool
        package var reserved: Credits
        package var charged: Credits?
        /// Whether the charge is the provider's figure.
        package var isChargeReported: Bool

        package init(
            attempt: AttemptID,
            state: AttemptState,
            isFinished: Bool,
            reserved: Credits,
            charged: Credits?,
            isChargeReported: Bool
        ) {
            self.attempt = attempt
            self.state = state
            self.isFinished = isFinished
            self.reserved = reserved
            self.charged = charged
            self.isChargeReported = isChargeReported
        }
    }

    /// Nil if the two readings tell nothing: one of the requests is not settled, or by a figure that the provider did not
    /// report; the account was topped up; or the balance fell by what nothing explains.
    package init?(from before: AccountReading, to after: AccountReading, _ requests: [Request]) {
        guard after.isSettled, after.topUps == before.topUps, requests.count <= Self.maximumRequests else { return nil }
        (lost, reserved, charged, tasks) = ([], .zero, .zero, 0)
        for request in requests {
            switch request.state {
            case .rejected:
                continue
            case .accepted:
                guard request.isFinished, request.isChargeReported, let charge = request.charged else { return nil }
                charged += charge
                tasks += 1
            case .unknown:
                guard !request.isFinished else { return nil }
                lost.append(request.attempt)
                reserved += request.reserved
            case .sending:
                return nil
            }
        }
        guard !lost.isEmpty else { return nil }
        fallen = before.balance - after.balance
        switch fallen {
        case charged: wasCharged = false
        case charged + reserved: wasCharged = true
        default: return nil
        }
    }

    /// Whether nobody else used the account before a reading: it agreed with the ledger for as long as is looked back.
    ///
    /// - Parameter old: the oldest reading of that time that was taken while no task was open; nil if there is none.
    package static func isAgreed(_ before: AccountReading, since old: AccountReading?) -> Bool {
        guard let old else { return true }
        let unexplained = old.constant - before.constant
        return unexplained >= .zero && unexplained <= before.unknown + before.presumed - old.presumed
    }

    /// For the operator: both readings and the sums between them.
    ///
    /// - Parameter time: how an instant is written.
    package func text(
        _ before: AccountReading,
        _ after: AccountReading,
        time: (Instant) throws -> String
    ) rethrows -> String {
        "balance \(before.balance) at \(try time(before.askedAt)), \(after.balance) at \(try time(after.askedAt)): "
            + "it fell by \(fallen), and the \(tasks) other tasks of that time were charged \(charged), so this "
            + (lost.count == 1 ? "request" : "and \(lost.count - 1) more lost requests")
            + (wasCharged ? " cost \(reserved)" : " had cost nothing by then")
    }
}
