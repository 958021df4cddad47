import GRDB
package import PromptQueue

extension QueueFile {
    /// Changes the jobs that can be changed; the others are named with the reason, in the database's own words.
    package func apply(_ change: JobChange, to ids: [JobID]) throws(LedgerError) -> ChangeOutcome {
        try write { db in
            var outcome = ChangeOutcome()
            for id in ids {
                let state = try String.fetchOne(
                    db.cachedStatement(sql: "SELECT state FROM jobs WHERE id = ?"),
                    arguments: [id.rawValue]
                )
                guard let state else {
                    outcome.refused.append((id, "there is no such job"))
                    continue
                }
                guard state != change.target.rawValue else {
                    outcome.refused.append((id, "is \(state) already"))
                    continue
                }
                if change == .retry, state == JobState.running.rawValue, try SQLiteLedger.release(id, db) {
                    outcome.changed += 1
                    continue
                }
                if let state = JobState(rawValue: state), !change.origins.contains(state), state != .submitting {
                    let reason = change == .retry ? Self.reason(state) : "has \(state.rawValue) already"
                    outcome.refused.append((id, reason))
                    continue
                }
                do {
                    try db.inSavepoint {
                        try db.cachedStatement(sql: "UPDATE jobs SET state = ? WHERE id = ?")
                            .execute(arguments: [change.target.rawValue, id.rawValue])
                        return .commit
                    }
                    outcome.changed += 1
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    outcome.refused.append((id, error.message ?? "refused by the database"))
                }
            }
            return outcome
        }
    }

    /// Changes all jobs that match and that can be changed.
    ///
    /// - Returns: how many were changed, and how many could not be because their request is under way just now.
    package func apply(
        _ change: JobChange,
        matching filter: JobFilter
    ) throws(LedgerError) -> (changed: Int, beingSent: Int) {
        var sent = filter
        sent.states = filter.states.isEmpty ? [.submitting] : filter.states.intersection([.submitting])
        var filter = filter
        filter.states = filter.states.isEmpty ? change.origins : filter.states.intersection(change.origins)
        if change == .retry { sent.states = [] }
        return try write { [filter, sent] db in
            var beingSent = 0
            if !sent.states.isEmpty {
                let (condition, arguments) = sent.condition
                let sql = "SELECT count(*) FROM jobs WHERE \(condition)"
                beingSent = try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0
            }
            guard !filter.states.isEmpty else { return (0, beingSent) }
            let (condition, arguments) = filter.condition
            try db.execute(
                sql: "UPDATE jobs SET state = '\(change.target.rawValue)' WHERE \(condition)",
                arguments: arguments
            )
            return (db.changesCount, beingSent)
        }
    }

    private static func reason(_ state: JobState) -> String {
        switch state {
        case .unconfirmed:
            "is unconfirmed: an earlier request may have made a task; \(Advice.settle)"
        case .succeeded: "has succeeded; add a new job to make another"
        case .queued, .submitting, .running, .failed, .cancelled:
            "is \(state.rawValue); only failed and cancelled jobs can be tried again"
        }
    }
}
