// What becomes of requests whose answer was lost.
extension Engine {
    mutating func takeOver(_ unknown: [UnknownAttempt], now: Moment) {
        for attempt in unknown where lostAnswers[attempt.attempt] == nil {
            let age = max(.zero, now.instant - attempt.lostAt)
            lostAnswers[attempt.attempt] = LostAnswer(lostAt: now.uptime - age)
            // A callback named its task to the process before this one, and the provider will not call again.
            if let hinted = attempt.hinted { self.hinted(attempt.attempt, hinted, now: now) }
        }
    }

    /// Gives up those of which there was no news for `unconfirmed.window`, if that is the policy.
    mutating func giveUpLostAnswers(now: Moment, _ effects: inout [EngineEffect]) {
        guard settings.account.unconfirmedPolicy == .resubmit else { return }
        // A task that a callback named may be the one: the provider has to say.
        let due = lostAnswers.filter {
            !$0.value.isClosing && givenUpAt($0.value) <= now.uptime && hints[$0.key] == nil
        }.keys
        for attempt in due.sorted() {
            lostAnswers[attempt]?.isClosing = true
            record(.gaveUp(attempt), &effects)
        }
    }

    /// When the next lost answer is given up.
    var nextGivenUp: Duration? {
        guard settings.account.unconfirmedPolicy == .resubmit else { return nil }
        return lostAnswers.filter { !$0.value.isClosing && hints[$0.key] == nil }.values.map(givenUpAt).min()
    }

    /// How long to wait before giving up is tried again while the ledger holds a task that a callback named.
    private static var namedPause: Duration { .seconds(60) }

    private func givenUpAt(_ lost: LostAnswer) -> Duration {
        max(lost.lostAt + settings.account.unconfirmedWindow, lost.notBefore)
    }

    mutating func unconfirmedRecorded(
        _ change: LedgerChange,
        _ recorded: CommitResult,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        switch change {
        case .unknown(let attempt, _):
            lostAnswers[attempt] = LostAnswer(lostAt: now.uptime)
        case .accepted(let attempt, _, _), .rejected(let attempt, _, _):
            lostAnswers[attempt] = nil
        case .gaveUp(let attempt):
            if let settled = recorded.settled.first(where: { $0.attempt == attempt }) {
                lostAnswers[attempt] = nil
                guard let job = settled.job else { return }
                effects.append(.notify(.jobGivenUp(job.id, state: job.state)))
                if job.state == .queued { noteDue() }
            } else if recorded.job?.state == .cancelled {
                // Its reservation stays until somebody settles it; the job may also be taken up again.
                lostAnswers[attempt]?.isClosing = false
                lostAnswers[attempt]?.notBefore = now.uptime + settings.account.unconfirmedWindow
            } else if recorded.job?.state == .unconfirmed {
                // A callback has named a task meanwhile.
                lostAnswers[attempt]?.isClosing = false
                lostAnswers[attempt]?.notBefore = now.uptime + Self.namedPause
            } else {
                // Settled otherwise meanwhile; or this is the second time that it is recorded.
                lostAnswers[attempt] = nil
                if recorded.job?.state == .queued { noteDue() }
            }
        case .balance:
            // When it is recorded a second time, what it has settled is no longer told.
            if !lostAnswers.isEmpty { noteDue() }
            for settled in recorded.settled {
                lostAnswers[settled.attempt] = nil
                guard let job = settled.job, let evidence = settled.evidence else { continue }
                effects.append(.notify(.jobCleared(job.id, evidence: evidence)))
                if job.state == .queued { noteDue() }
            }
        default:
            break
        }
    }
}
