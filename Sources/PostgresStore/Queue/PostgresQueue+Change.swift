import Postgres
package import PromptQueue

extension PostgresQueue {
    /// Changes the jobs that can be changed; the others are named with the reason, in the database's own words.
    package func apply(_ change: JobChange, to ids: [JobID], dryRun: Bool) throws(LedgerError) -> ChangeOutcome {
        try self.change(dryRun: dryRun) { connection in
            var outcome = ChangeOutcome()
            if case .cancel = change { outcome.followers = try JobChanges.followers(of: ids, connection) }
            // Whatever follows from a change locks its job before its attempts and its results.
            let states = try JobChanges.locked(ids, connection)
            var wanted: [JobID] = []
            var seen: Set<JobID> = []
            for id in JobChanges.ordered(ids, change) where seen.insert(id).inserted {
                guard let state = states[id] else {
                    outcome.refused.append((id, "there is no such job"))
                    continue
                }
                guard state != change.target.rawValue else {
                    outcome.refused.append((id, "is \(state) already"))
                    continue
                }
                if case .retry(nil) = change, state == JobState.running.rawValue,
                    try JobChanges.release(id, connection)
                {
                    outcome.changed += 1
                    outcome.resumed += 1
                    continue
                }
                if let state = JobState(rawValue: state), !change.origins.contains(state), state != .submitting {
                    outcome.refused.append((id, JobChanges.reason(change, state)))
                    continue
                }
                wanted.append(id)
            }
            let changed = try JobChanges.apply(change, wanted, connection, &outcome)
            try JobChanges.note(again: ids, connection, &outcome)
            try JobChanges.count(changed, change, connection, &outcome)
            let order = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
            outcome.refused.sort { (order[$0.job] ?? 0, $0.job.rawValue) < (order[$1.job] ?? 0, $1.job.rawValue) }
            return outcome
        }
    }

    /// Changes all jobs that match and that can be changed.
    package func apply(
        _ change: JobChange,
        matching filter: JobFilter,
        dryRun: Bool
    ) throws(LedgerError) -> ChangeOutcome {
        var own = filter
        own.states = filter.states.isEmpty ? change.usualOrigins : filter.states.intersection(change.origins)
        return try self.change(dryRun: dryRun) { [own] connection in
            var outcome = ChangeOutcome()
            // Before the change, which makes some of these.
            switch change {
            case .cancel:
                outcome.beingSent = try JobChanges.count(filter, .submitting, connection)
            case .retry:
                if filter.states.isEmpty {
                    outcome.leftCancelled = try JobChanges.count(filter, .cancelled, connection)
                }
            }
            guard !own.states.isEmpty else { return outcome }
            var jobs = JobChanges.ordered(try MatchingJobs.ids(own, connection, isLocking: true), change)
            if case .cancel = change { outcome.followers = try JobChanges.followers(of: jobs, connection) }
            if try JobChanges.applyToAll(change, jobs, connection) {
                outcome.changed = jobs.count
            } else {
                jobs = try JobChanges.apply(change, jobs, connection, &outcome)
            }
            try JobChanges.count(jobs, change, connection, &outcome)
            return outcome
        }
    }
}
