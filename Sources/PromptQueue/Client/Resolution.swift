/// How an operator settles a job whose answer was lost.
package enum Resolution: Sendable {
    /// The provider has made this task for it.
    case task(TaskID)
    /// The provider has made no task: it may be sent again.
    case resubmit
    /// Nobody knows: the job is given up, and its reservation is booked as if it had been charged.
    case fail
}

extension ChangeOutcome {
    /// A job was settled so, for whose lost request `credits` were held back.
    package mutating func settled(_ resolution: Resolution, holding credits: Credits) {
        changed += 1
        switch resolution {
        case .task: resumed += 1
        case .resubmit:
            jobsToPay += 1
            toPay += credits
        case .fail:
            atProvider += 1
            staysCharged += credits
        }
    }
}

extension JobFilter {
    /// Those of the jobs that are unconfirmed; nil if it asks for other states alone.
    package var unconfirmed: JobFilter? {
        var filter = self
        filter.states = states.isEmpty ? [.unconfirmed] : states.intersection([.unconfirmed])
        return filter.states.isEmpty ? nil : filter
    }
}

/// Why a job is not settled, in the same words whatever it is stored in.
extension LedgerError {
    /// - Parameter state: as it is stored; nil if there is no such job.
    /// - Returns: nil if the job's lost request may be settled. A job that was cancelled while unconfirmed still has one.
    package static func notToSettle(_ job: JobID, state: String?) -> LedgerError? {
        guard let state else { return LedgerError(.constraint, "job \(job): there is no such job") }
        let states: [JobState] = [.unconfirmed, .cancelled]
        guard !states.map(\.rawValue).contains(state) else { return nil }
        return LedgerError(.constraint, "job \(job): is \(state); only unconfirmed jobs need to be settled")
    }

    package static func nothingLost(of job: JobID) -> LedgerError {
        LedgerError(.constraint, "job \(job): has no attempt whose answer was lost; \(Advice.see(job))")
    }

    package static func taken(_ task: TaskID, by other: JobID) -> LedgerError {
        LedgerError(.constraint, "task \(task): belongs to job \(other) already")
    }

    package static func named(_ task: TaskID, for job: JobID) -> LedgerError {
        LedgerError(
            .constraint,
            "job \(job): a callback named task \(task) for its lost request, and the provider has not said yet "
                + "whose that is; promptd asks while it runs. If it is this job's: \(Advice.adopt(task, job))"
        )
    }
}
