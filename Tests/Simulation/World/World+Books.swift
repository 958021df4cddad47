import PromptQueue

// What each commit means for the money, and what it must not do.

extension World {
    func book(_ claim: Claim, _ request: ClaimRequest) throws {
        if let aside = claim.setAside.first {
            throw Violation(.recording, "job \(aside.job) could not be claimed: \(aside.reason)")
        }
        // What was due once stays due when the clock is set back.
        latestClaim = max(latestClaim, instant(of: request))
        try checkWindowKnown(claim, request)
        for job in claim.jobs {
            trace.note(now, "claimed", job.attempt.rawValue, job.job.rawValue, job.reserved.millicredits)
            try checkClaimed(job, request)
            books.open(
                Books.Entry(
                    attempt: job.attempt,
                    job: job.job,
                    queue: job.queue,
                    model: job.model,
                    owner: life,
                    client: try client(of: job.job),
                    sentAt: instant(of: request),
                    estimate: job.reserved.millicredits,
                    amount: job.reserved.millicredits,
                    rate: request.rate
                )
            )
        }
        guard !claim.jobs.isEmpty else { return }
        lastStir = now
        try checkBudgets(claim, request)
        try checkPlaces(claim, request)
        try checkTotal()
    }

    /// Whether it is not known yet what became of a request: another daemon, or a person, may have known before this one did.
    private func isOpen(_ attempt: AttemptID) -> Bool {
        guard hasSeveral else { return true }
        return books[attempt].map { [.sending, .unknown].contains($0.state) } ?? true
    }

    /// When the ledger takes a claim to have been made.
    func instant(of request: ClaimRequest) -> Instant { place.hasOwnClock ? ledgerNow : request.now }

    private func client(of job: JobID) throws -> String? {
        let labels = place.dialect.readable("labels")
        return try place.rows(
            "SELECT CAST(\(labels) ->> 'client' AS TEXT) AS client FROM jobs WHERE id = ?",
            [job.rawValue]
        )
        .first?["client"]
    }

    /// Books what was committed, and what the ledger settled by it.
    func book(_ change: LedgerChange, _ recorded: CommitResult) throws {
        switch change {
        case .accepted(let attempt, let task, _):
            trace.note(now, "accepted", attempt.rawValue, text: "\(task)")
            // The ledger does not take a task that a callback named for an attempt that is settled.
            guard recorded.refusal == nil, isOpen(attempt) else { return }
            books.move(attempt, to: .accepted)
            books.polled(attempt, at: now)
        case .rejected(let attempt, let failure, let then):
            trace.note(now, "rejected", attempt.rawValue, text: "\(failure.code) \(then)")
            guard isOpen(attempt) else { return }
            if let task = provider.task(of: attempt) {
                throw Violation(.taskHasAttempt, "attempt \(attempt) was rejected, but \(task.id) was made for it")
            }
            books.move(attempt, to: .rejected, amount: 0)
        case .unknown(let attempt, _):
            trace.note(now, "unknown", attempt.rawValue)
            guard isOpen(attempt) else { return }
            books.move(attempt, to: .unknown)
            callBackAtTheLastMoment(attempt)
        case .taskSucceeded(let attempt, let outputs, let charged, _, _, _):
            trace.note(now, "succeeded", attempt.rawValue, Int64(outputs.count), charged?.millicredits ?? -1)
            try end(attempt, charged)
        case .taskFailed(let attempt, let failure, let charged, let then, _):
            trace.note(now, "failed", attempt.rawValue, charged?.millicredits ?? -1, text: "\(failure.code) \(then)")
            try end(attempt, charged)
        case .balance:
            for settled in recorded.settled { try clear(settled) }
        case .gaveUp(let attempt):
            // Paying twice is what the policy risks; the reservation counts as spent.
            guard hasResubmitted || recorded.settled.isEmpty else {
                throw Violation(.nothingPaidTwice, "attempt \(attempt) was given up under the policy hold")
            }
            for settled in recorded.settled where settled.attempt == attempt {
                slotFreedAt = now
                trace.note(now, "given up", attempt.rawValue)
                let named = try place.rows("SELECT hinted_task_id FROM attempts WHERE id = ?", [attempt.rawValue])
                if let name: String = named.first?[0] {
                    throw Violation(
                        .nothingPaidTwice,
                        "attempt \(attempt) was given up although a callback has named \(name) for it"
                    )
                }
                books.move(attempt, to: .givenUp)
            }
        case .progressed, .resultDelayed, .resultSaved, .resultFailed, .gates, .hintRefuted, .limits, .rules, .setAside,
            .trouble:
            return
        }
        try checkTotal()
    }

    /// The balance was taken as proof that a request was not charged.
    private func clear(_ settled: SettledUnknown) throws {
        slotFreedAt = now
        trace.note(now, "cleared", settled.attempt.rawValue)
        guard hasTrustedBalance else {
            throw Violation(
                .nothingPaidTwice,
                "attempt \(settled.attempt) was settled by the balance under a policy that leaves that to people"
            )
        }
        // A task that failed and was given back, or one that was free, has cost nothing either.
        if let task = provider.task(of: settled.attempt), task.hasEnded ? task.bill != 0 : task.price != 0 {
            throw Violation(
                .evidence,
                "attempt \(settled.attempt) was cleared, but \(task.id) was made for it: \(settled.evidence ?? "")"
            )
        }
        books.move(settled.attempt, to: .cleared, amount: 0)
    }

    /// A task is over only when the provider says so, or has not known it for the life of a record.
    private func end(_ attempt: AttemptID, _ charged: Credits?) throws {
        guard let entry = books[attempt], entry.state == .accepted else { return }
        guard let task = provider.task(of: attempt) else {
            throw Violation(.taskHasAttempt, "attempt \(attempt) was settled, but the provider made no task for it")
        }
        let isLost = task.vanishesAt.map { now >= $0 } ?? false
        guard task.endsAt <= now || isLost else {
            throw Violation(.results, "attempt \(attempt) was settled while \(task.id) is still running")
        }
        books.move(attempt, to: .ended, amount: charged?.millicredits ?? entry.estimate)
    }
}
