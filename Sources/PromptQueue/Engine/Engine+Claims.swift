// From a queue that may hold jobs to requests for tasks.
extension Engine {
    mutating func claim(now: Moment) {
        guard claiming.isDue(now: now), let admission = gates.admission(at: now.uptime, account) else { return }
        var limit = min(settings.running - runningCount, settings.claimLimit)
        limit = min(limit, submissions.available(at: now.uptime))
        if admission.isProbe { limit = min(limit, 1) }
        guard limit > 0 else { return }
        claiming.begin()
        var request = ClaimRequest(
            limit: limit,
            rate: submissions.window.current,
            runningLimit: settings.running,
            closedModels: admission.closedModels,
            probedModels: admission.probedModels,
            creditReserve: settings.account.creditReserve,
            now: now.instant
        )
        request.clockShift = drift.shift(at: now.uptime, window: settings.rate.window)
        outbox.send(.claim(request))
    }

    mutating func claimed(_ claim: Claim, now: Moment) {
        claiming.end()
        open(.disk)
        claiming.take(claim, window: settings.rate.window, now: now)
        noteBudgets(gates.take(claim, now: now))
        note(account.take(claim, isShort: gates.isClosed(.credits), now: now))
        for job in claim.setAside { outbox.notify(.jobSetAside(job)) }
        for refused in claim.refused { outbox.notify(.jobRefused(refused)) }
        for job in claim.jobs {
            if let reason = reasonToGiveBack(job, at: now.uptime) {
                // Not sent yet, and it will not be: give the job back. The ledger counts its slot all the same.
                submissions.occupy(until: now.uptime + settings.rate.window)
                let failure = Failure(.notSent, reason)
                outbox.record(.rejected(job.attempt, failure, then: .retry(at: now.instant, counted: false)))
                continue
            }
            submissions.begin(job)
            account.disturb()
            gates.probe(job.attempt, model: job.model)
            outbox.send(.submit(job))
        }
    }

    /// Why a job that is claimed must not be sent: promptd is stopping, or a gate has closed while the claim was out.
    private func reasonToGiveBack(_ job: ClaimedJob, at uptime: Duration) -> String? {
        if isDraining { return "promptd was stopped before it was sent" }
        if submissions.isShut(at: uptime) { return "the provider has said 429 before it was sent" }
        return gates.holds(model: job.model, at: uptime, account) ? "submitting stopped before it was sent" : nil
    }

    mutating func submitted(_ attempt: AttemptID, _ outcome: SubmissionOutcome, now: Moment) {
        // What it means if a callback has named a task for it meanwhile.
        let meaning = outcome.contradicted(by: hints[attempt]?.candidate?.task)
        defer { ask(attempt, hints.requestEnded(attempt, meaning, at: now.uptime), now: now) }
        guard let job = submissions.end(attempt, outcome, at: now.uptime) else { return }
        account.noteActivity()
        let providerWasHealthy = !gates.isClosed(.provider)
        judge(job, outcome, now: now)
        switch meaning {
        case .accepted(let task, let httpStatus):
            tasks.add(
                OpenTask(
                    attempt: attempt,
                    job: job.job,
                    origin: job.origin,
                    task: task,
                    model: job.model,
                    acceptedAt: now.instant,
                    attemptCount: job.attemptCount,
                    maxAttempts: job.maxAttempts,
                    profile: CompletionProfile.text(of: job.input)
                )
            )
            outbox.record(.accepted(attempt, task: task, httpStatus: httpStatus))
        case .rejected(let failure):
            let then = disposition(of: failure, job: job, providerWasHealthy: providerWasHealthy, now: now)
            outbox.notify(.attemptFailed(job, failure, then: then))
            outbox.record(.rejected(attempt, failure, then: then))
        case .notSent(let failure):
            outbox.record(.rejected(attempt, failure, then: .retry(at: now.instant, counted: false)))
        case .unknown(let failure):
            outbox.notify(.jobUnconfirmed(job, failure))
            outbox.record(.unknown(attempt, failure))
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

extension SubmissionOutcome {
    /// What an answer means if a callback has named a task for its request: a refusal that is contradicted proves nothing.
    func contradicted(by named: TaskID?) -> SubmissionOutcome {
        guard let named else { return self }
        switch self {
        case .rejected(let failure), .notSent(let failure): return .unknown(failure.contradicted(by: named))
        case .accepted, .unknown: return self
        }
    }
}
