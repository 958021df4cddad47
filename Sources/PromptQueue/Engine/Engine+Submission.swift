extension Engine {
    private static var claimPause: Duration { .milliseconds(100) }
    /// How often to look whether a slot that a lost request keeps is free.
    private static var lostSlotPause: Duration { .seconds(60) }

    /// All periods of budgets begin with an hour of UTC. Ten minutes at most, in case somebody sets the clock.
    private static func budgetPause(at instant: Instant) -> Duration {
        let hour: Int64 = 3_600_000
        return min(.milliseconds(hour - instant.milliseconds % hour), .seconds(600))
    }

    mutating func claimed(_ claim: Claim, now: Moment, _ effects: inout [EngineEffect]) {
        isClaiming = false
        open(.disk, &effects)
        mayHaveDue = claim.hasMore || dueWhileClaiming
        nextRunAt = [claim.nextRunAt, runAtWhileClaiming].compactMap(\.self).min()
        dueWhileClaiming = false
        runAtWhileClaiming = nil
        waitsForPlace = claim.waitsForPlace
        waitsForBudget = claim.waitsForBudget
        nextBudgetLook = waitsForBudget ? now.uptime + Self.budgetPause(at: now.instant) : nil
        if let slot = claim.nextSlotAt {
            // Longer than a window only lost requests keep their slots; and when one of them is settled, it is free.
            let wait = max(slot - now.instant, .milliseconds(1))
            waitsForLostSlot = wait > window.limit.window
            claimNotBefore =
                now.uptime
                + min(wait, waitsForLostSlot ? max(Self.lostSlotPause, window.limit.window) : window.limit.window)
        } else {
            waitsForLostSlot = false
        }
        if claim.jobs.isEmpty, claim.refused.isEmpty, claim.hasMore {
            // The ledger sees no room where the engine saw some: ask again, but not at once.
            claimNotBefore = max(claimNotBefore, now.uptime + Self.claimPause)
        }
        hold(claim, now: now, &effects)
        holdForReserve(claim, now: now, &effects)
        for job in claim.setAside { effects.append(.notify(.jobSetAside(job))) }
        for refused in claim.refused { effects.append(.notify(.jobRefused(refused))) }
        for job in claim.jobs {
            lastClaimed = max(lastClaimed, job.attempt)
            if let reason = reasonToGiveBack(job, now: now) {
                // Not sent yet, and it will not be: give the job back.
                let failure = Failure(.notSent, reason)
                record(.rejected(job.attempt, failure, then: .retry(at: now.instant, counted: false)), &effects)
                continue
            }
            submissions[job.attempt] = job
            window.send()
            disturbBalance()
            for kind in gates.keys where kind.concerns(model: job.model) && gates[kind]?.probe == nil {
                gates[kind]?.probe = job.attempt
            }
            effects.append(.submit(job))
        }
    }

    /// Why a job that is claimed must not be sent: promptd is stopping, or a gate has closed while the claim was out.
    private func reasonToGiveBack(_ job: ClaimedJob, now: Moment) -> String? {
        if isDraining { return "promptd was stopped before it was sent" }
        if now.uptime < window.shutUntil { return "the provider has said 429 before it was sent" }
        let isHeld = gates.contains { kind, gate in
            guard kind.concerns(model: job.model) else { return false }
            return kind == .media || nextProbe(kind, gate).map { $0 > now.uptime } ?? true
        }
        return isHeld ? "submitting stopped before it was sent" : nil
    }

    mutating func submitted(
        _ attempt: AttemptID,
        _ outcome: SubmissionOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        guard let job = submissions.removeValue(forKey: attempt) else { return }
        window.answer(at: now.uptime)
        account.hasActivity = true
        let wasHealthy = gates[.provider] == nil
        judge(job, outcome, now: now, &effects)
        let meaning = self.outcome(outcome, of: attempt)
        switch outcome {
        case .accepted, .rejected: ramp.answered(at: now.uptime)
        case .unknown: ramp.lost()
        case .notSent: break
        }
        switch meaning {
        case .accepted(let task, let httpStatus):
            tasks[attempt] = OpenTask(
                attempt: attempt,
                job: job.job,
                task: task,
                model: job.model,
                acceptedAt: now.instant,
                attemptCount: job.attemptCount,
                maxAttempts: job.maxAttempts,
                profile: CompletionProfile.text(of: job.input)
            )
            record(.accepted(attempt, task: task, httpStatus: httpStatus), &effects)
        case .rejected(let failure):
            let then = disposition(of: failure, job: job, providerWasHealthy: wasHealthy, now: now)
            effects.append(.notify(.attemptFailed(attempt, job.job, failure, then: then)))
            record(.rejected(attempt, failure, then: then), &effects)
        case .notSent(let failure):
            record(.rejected(attempt, failure, then: .retry(at: now.instant, counted: false)), &effects)
        case .unknown(let failure):
            effects.append(.notify(.jobUnconfirmed(attempt, job.job, failure)))
            record(.unknown(attempt, failure), &effects)
        }
    }

    /// What becomes of a job after a request that made no task.
    private mutating func disposition(
        of failure: Failure,
        job: ClaimedJob,
        providerWasHealthy: Bool,
        now: Moment
    ) -> FailureDisposition {
        let isLast = job.attemptCount >= job.maxAttempts
        switch failure.code.consequence.retry {
        case .never: return .fail
        case .uncounted: return .retry(at: now.instant, counted: false)
        case .counted: return disposition(of: failure, attempts: job.attemptCount, of: job.maxAttempts, now: now)
        case .deferredInOutage where providerWasHealthy && isLast: return .fail
        case .deferred, .deferredInOutage:
            let counted = failure.code.consequence.retry == .deferredInOutage && providerWasHealthy
            let delay = retries.delay(attempts: job.attemptCount, using: &random)
            return .retry(at: now.instant + delay, counted: counted)
        }
    }

    /// What becomes of a job whose task failed, or whose request did for a reason of its own.
    mutating func disposition(of failure: Failure, attempts: Int, of maximum: Int, now: Moment) -> FailureDisposition {
        guard failure.code.consequence.retry.isAnotherAttempt, attempts < maximum else { return .fail }
        return .retry(at: now.instant + retries.delay(attempts: attempts, using: &random), counted: true)
    }
}
