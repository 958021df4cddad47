import Concurrency
import Logging
import PromptQueue
import ServiceLifecycle

/// Adds the jobs of schedules when their time has come.
struct ScheduleKeeper: Service {
    let ledger: any ScheduleStore & CatalogueStore
    /// The clocks of a zone by its name.
    let zones: @Sendable (String) -> (any LocalClock)?
    /// Asked each time, because a reload may change it.
    let unknownModels: @Sendable () -> UnknownModelPolicy
    let clock: ClockCheck
    /// Tells whoever submits that there are new jobs: this process's own commits are no news to it.
    let onAdded: @Sendable () async throws -> Void
    let time: any TimeSource
    let logger: Logger

    /// In between somebody may change a schedule, or set the clock.
    private static let longestWait: Duration = .seconds(5)
    /// A run that is later than this may be due by a clock that was set wrong.
    private static let lateness: Duration = .seconds(3_600)

    func run() async throws {
        try await untilShutdown {
            // Not while a start has more important things to do.
            var wait = Duration.seconds(1)
            while !Task.isCancelled {
                try await time.sleep(until: time.now.uptime + wait)
                do {
                    wait = try await look()
                } catch let error as LedgerError where error.code != .cancelled {
                    logger.warning("the schedules could not be looked at", metadata: ["reason": "\(error)"])
                    wait = .seconds(60)
                }
            }
        }
    }

    /// Once.
    ///
    /// - Returns: how long nothing is due.
    func look() async throws -> Duration {
        for schedule in try await ledger.enabledSchedules() { try await take(schedule) }
        let now = time.now.instant
        // What is due still waits for something else than time.
        let next = try await ledger.enabledSchedules().compactMap(\.nextRunAt).filter { $0 > now }.min()
        return min(Self.longestWait, next.map { $0 - now } ?? Self.longestWait)
    }

    private func take(_ schedule: ScheduleRecord) async throws {
        let now = time.now.instant
        let expression: CronExpression
        do throws(CronExpression.Problem) {
            expression = try CronExpression(schedule.cron)
        } catch {
            return try await stop(schedule, "cron: \(error)")
        }
        guard let zone = zones(schedule.timeZone) else {
            return try await stop(schedule, "time_zone: this machine knows no zone \(schedule.timeZone)")
        }
        if let last = schedule.lastRunAt, last > now, let due = schedule.nextRunAt, due > now {
            // The clock was set back since. What has run has its key, and does not run again.
            guard let next = expression.next(after: now, in: zone), next < due else { return }
            try await carryOut(ScheduleStep(schedule, next: next))
            return
        }
        if let due = schedule.nextRunAt, due > now { return }
        if let due = schedule.nextRunAt, now - due > Self.lateness, await clock.believedInstant() == nil { return }
        let plan = SchedulePlan(expression, in: zone, due: schedule.nextRunAt, now: now, catchUp: schedule.catchUp)
        if plan.next == nil, plan.runs.isEmpty { return try await stop(schedule, "cron: it never comes again") }
        var step = ScheduleStep(schedule, next: plan.next, lastRun: plan.runs.last)
        step.waitsForLast = schedule.catchUp != .all
        do {
            step.jobs = try await jobs(schedule, plan.runs, zone)
        } catch let error as Refused {
            step.error = error.reason
        }
        if plan.missed > 0 {
            logger.notice(
                "runs of a schedule were missed",
                metadata: [
                    "schedule": "\(schedule.name)", "missed": "\(plan.missed)", "made_up": "\(plan.runs.count)",
                    "catch_up": "\(schedule.catchUp.rawValue)",
                ]
            )
        }
        try await carryOut(step)
    }

    /// Why a run makes no job.
    private struct Refused: Error {
        let reason: String
    }

    private func jobs(_ schedule: ScheduleRecord, _ runs: [Instant], _ zone: any LocalClock) async throws -> [NewJob] {
        guard !runs.isEmpty else { return [] }
        let template = schedule.job
        let queued = QueuedJob(
            id: JobID(0),
            queue: template.queue,
            model: template.model,
            prompt: template.prompt,
            input: template.input,
            allowsUnknownFields: template.allowsUnknownFields
        )
        let prepared: PreparedInput
        switch queued.prepared(by: ledger.catalogue, unknownModels: unknownModels()) {
        case .refused(let refusal): throw Refused(reason: refusal.problems.map(\.description).joined(separator: "; "))
        case .ready(let ready): prepared = ready
        }
        let estimate = try await ledger.currentPrices().estimate(of: prepared, model: template.model)
        if let limit = schedule.limit, estimate.credits > limit {
            throw Refused(reason: "a run would cost about \(estimate.credits) credits, more than its limit of \(limit)")
        }
        return runs.map { run in
            var job = schedule.job(at: run, in: zone)
            job.estimate = estimate
            return job
        }
    }

    /// Nothing can come of it until somebody changes it.
    private func stop(_ schedule: ScheduleRecord, _ reason: String) async throws {
        guard schedule.nextRunAt != nil || schedule.lastError != reason else { return }
        try await carryOut(ScheduleStep(schedule, next: nil, error: reason))
    }

    private func carryOut(_ step: ScheduleStep) async throws {
        var step = step
        let outcome: ScheduleOutcome
        do throws(LedgerError) {
            outcome = try await ledger.take(step, now: time.now.instant)
        } catch {
            guard error.code == .constraint, !step.jobs.isEmpty else { throw error }
            // Somebody's own rule refuses the job: the schedule goes on to its next run.
            step.jobs = []
            step.error = error.message
            _ = try await ledger.take(step, now: time.now.instant)
            return warn(step, error.message)
        }
        switch outcome {
        case .done(let jobs):
            if let error = step.error, error != step.schedule.lastError { warn(step, error) }
            if !jobs.isEmpty { try await onAdded() }
            for job in jobs {
                logger.info(
                    "a schedule has added its job",
                    metadata: [
                        "schedule": "\(step.schedule.name)", "job.id": "\(job)", "queue": "\(step.schedule.job.queue)",
                    ]
                )
            }
        case .waits(let job):
            logger.notice(
                "a run of a schedule is left out, because the job of the last one still waits",
                metadata: ["schedule": "\(step.schedule.name)", "job.id": "\(job)"]
            )
        case .held:
            guard !step.jobs.isEmpty else { return }
            logger.warning(
                "a run of a schedule is left out, because this database is an older copy",
                metadata: ["schedule": "\(step.schedule.name)", "remedy": "\(Advice.lookAtRestored)"]
            )
        case .changed:
            break
        }
    }

    private func warn(_ step: ScheduleStep, _ reason: String) {
        logger.warning(
            "a schedule has added no job",
            metadata: ["schedule": "\(step.schedule.name)", "reason": "\(reason)"]
        )
    }
}
