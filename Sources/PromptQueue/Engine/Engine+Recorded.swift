// What is in the ledger now, and what the ledger refuses.
extension Engine {
    mutating func recorded(_ change: LedgerChange, _ result: CommitResult, now: Moment) {
        if result.feedsOthers { claiming.noteDue() }
        switch change {
        case .accepted(let attempt, _, _):
            if let task = tasks[attempt] {
                polls.add(attempt, key: task.key, age: task.age(at: now), at: now.uptime)
            }
            acceptanceRecorded(attempt, result.refusal, now: now)
            lostAnswers.settle(attempt)
        case .rejected(let attempt, _, let then):
            comeBack(then, now: now)
            claiming.noteRoom()
            lostAnswers.settle(attempt)
        case .unknown(let attempt, _):
            claiming.noteRoom()
            lostAnswers.add(attempt, at: now.uptime)
        case .taskSucceeded(let attempt, _, _, _, _, _):
            forget(attempt)
            for download in result.downloads { downloads.add(download, at: now.uptime) }
        case .taskFailed(let attempt, _, _, let then, _):
            forget(attempt)
            comeBack(then, now: now)
        case .resultSaved(let saved, let file) where result.isUnwanted:
            downloads.wasUnwanted(saved)
            outbox.send(.discard(saved, file))
            downloadRecorded()
        case .resultSaved(let result, _), .resultFailed(let result, _):
            downloads.finish(result)
            downloadRecorded()
        case .balance:
            balanceRecorded(result, now: now)
        case .gaveUp(let attempt):
            gaveUpRecorded(attempt, result, now: now)
        case .progressed, .resultDelayed, .gates, .hintRefuted, .setAside, .limits, .rules, .trouble:
            break
        }
    }

    /// A task has ended, and that is in the ledger.
    private mutating func forget(_ attempt: AttemptID) {
        tasks.remove(attempt)
        hints.forget(attempt)
        account.noteActivity()
        claiming.noteRoom()
    }

    private mutating func comeBack(_ then: FailureDisposition, now: Moment) {
        if case .retry(let instant, _) = then { claiming.comeBack(at: instant, now: now) }
    }

    private mutating func downloadRecorded() {
        openMediaIfFree()
        claiming.notePlace()
    }

    private mutating func balanceRecorded(_ result: CommitResult, now: Moment) {
        claiming.readingEnded()
        // The ledger knows the balance now; before, it would have answered as it did. And what it has settled is no longer
        // told when the change is recorded a second time.
        if account.isHolding || !lostAnswers.isEmpty { claiming.noteDue() }
        if let standing = result.account, account.isNews(standing, at: now.uptime) {
            outbox.notify(.accountDiffers(standing))
        }
        for settled in result.settled {
            lostAnswers.settle(settled.attempt)
            guard let job = settled.job, let evidence = settled.evidence else { continue }
            outbox.notify(.jobCleared(job.id, settled.origin, evidence: evidence))
            if job.state == .queued { claiming.noteDue() }
        }
    }

    private mutating func gaveUpRecorded(_ attempt: AttemptID, _ result: CommitResult, now: Moment) {
        guard let settled = result.settled.first(where: { $0.attempt == attempt }) else {
            let window = settings.account.unconfirmedWindow
            lostAnswers.wasKept(attempt, state: result.job?.state, window: window, at: now.uptime)
            if result.job?.state == .queued { claiming.noteDue() }
            return
        }
        lostAnswers.settle(attempt)
        guard let job = settled.job else { return }
        outbox.notify(.jobGivenUp(job.id, settled.origin, state: job.state))
        if job.state == .queued { claiming.noteDue() }
    }

    // MARK: - What the ledger refuses

    /// A change was refused by a rule of the ledger: one attempt or result is left alone, and everything else goes on. What
    /// the ledger said is in the log, and in the journal of outcomes; the next start tries again.
    mutating func recordRefused(_ change: LedgerChange, _ error: LedgerError) {
        switch change {
        case .accepted(let attempt, _, _), .rejected(let attempt, _, _), .unknown(let attempt, _),
            .taskSucceeded(let attempt, _, _, _, _, _), .taskFailed(let attempt, _, _, _, _), .gaveUp(let attempt),
            .hintRefuted(let attempt, _), .progressed(let attempt, _):
            polls.remove(attempt)
            tasks.remove(attempt)
            lostAnswers.settle(attempt)
            hints.end(attempt)
            outbox.record(.setAside(attempt, reason: error.message))
        case .resultSaved(let result, _), .resultFailed(let result, _), .resultDelayed(let result, _):
            downloads.setAside(result)
        case .balance:
            claiming.readingEnded()
        case .setAside, .gates, .limits, .rules, .trouble:
            return
        }
        outbox.record(.trouble("the ledger refused what happened: \(error.message)"))
    }
}
