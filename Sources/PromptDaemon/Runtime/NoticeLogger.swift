import Logging
import PromptQueue

/// Says in the log what operators should know, once. Messages are constant: what differs is in their fields.
struct NoticeLogger: Sendable {
    let logger: Logger

    func recovered(_ recovery: Recovery) {
        let origins = Dictionary(recovery.unknown.map { ($0.job, $0.origin) }) { first, _ in first }
        for job in recovery.lost {
            unconfirmed(job, origins[job] ?? nil, .answerLost, reason: "promptd ended before the answer came")
        }
        guard !recovery.tasks.isEmpty || !recovery.downloads.isEmpty else { return }
        logger.info(
            "taking up what was under way",
            metadata: ["tasks": "\(recovery.tasks.count)", "downloads": "\(recovery.downloads.count)"]
        )
    }

    func draining(_ grace: Duration) {
        logger.info("stopping: finishing what is under way", metadata: ["grace": "\(grace.text)"])
    }

    func failed(_ error: LedgerError) {
        // What follows is said by whoever begins anew.
        if error.code == .fenced { return }
        logger.critical(
            "stopping: the database refuses what has to be recorded",
            metadata: ["reason": "\(error)"]
        )
    }

    func kept(_ change: LedgerChange, _ error: LedgerError) {
        logger.error(
            "the answer to a paid request cannot be recorded now; it is kept beside the database for the next start",
            metadata: metadata(of: change, error)
        )
    }

    func notKept(_ change: LedgerChange, _ error: LedgerError) {
        logger.critical(
            "the answer to a paid request can neither be recorded nor kept beside the database: note its task",
            metadata: metadata(of: change, error)
        )
    }

    func refused(_ change: LedgerChange, _ error: LedgerError) {
        logger.error(
            "left alone until the next start: the database refuses what happened",
            metadata: metadata(of: change, error)
        )
    }

    private func metadata(of change: LedgerChange, _ error: LedgerError) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["reason": "\(error)"]
        guard let (attempt, task) = change.outcome else {
            if let attempt = change.attempt { metadata["attempt.id"] = "\(attempt)" }
            return metadata
        }
        metadata["attempt.id"] = "\(attempt)"
        if let task { metadata["task.id"] = "\(task)" }
        return metadata
    }

    func graceOver(_ grace: Duration) {
        logger.warning("stopping: cutting off what is still under way", metadata: ["grace": "\(grace.text)"])
    }

    func notRemoved(_ file: SavedFile, of result: ResultID, _ error: any Error) {
        logger.warning(
            "a file of a cancelled job could not be removed",
            metadata: .job(result.job, nil, ["path": "\(file.path)", "reason": "\(error)"])
        )
    }

    func claimed(_ claim: Claim, in duration: Duration) {
        guard !claim.jobs.isEmpty else { return }
        let milliseconds = (duration.seconds * 100_000).rounded() / 100
        logger.debug(
            "jobs were claimed",
            metadata: ["jobs": "\(claim.jobs.count)", "milliseconds": "\(milliseconds)"]
        )
    }

    func announce(_ notice: Notice) {
        switch notice {
        case .gateClosed(let kind, let message): gateClosed(kind, message)
        case .gateOpened(let kind): submittingGoesOn(kind.reason)
        case .rateShrunk(let before, let now): rateShrunk(from: before, to: now)
        case .rateWhole(let limit): rateWhole(limit)
        case .budgetHeld(let hold, let job): budgetHeld(hold, job)
        case .budgetReleased(let hold): budgetReleased(hold)
        case .budgetNearlyUsed(let budget): budgetNearlyUsed(budget)
        case .reserveHeld(let message): submittingStopped(.credits, ["reason": "\(message)"])
        case .reserveReleased: submittingGoesOn(.credits)
        case .accountDiffers(let standing): accountDiffers(standing)
        case .jobCleared(let job, let origin, let evidence):
            logger.notice(
                "its lost request was not charged, so it is queued again",
                metadata: .job(job, origin, ["evidence": "\(evidence)"])
            )
        case .jobGivenUp(let job, let origin, let state):
            logger.warning(
                "nothing was heard of its lost request, which counts as spent",
                metadata: .job(
                    job,
                    origin,
                    ["code": "\(FailureCode.answerLost.rawValue)", "state": "\(state.rawValue)"]
                )
            )
        case .jobRefused(let job):
            logger.warning(
                "failed before it was sent",
                metadata: .job(job.job, job.origin, ["code": "\(job.code.rawValue)", "reason": "\(job.message)"])
            )
        case .jobSetAside(let job):
            logger.error(
                "left alone until the next start: the database refuses to have it claimed",
                metadata: .job(job.job, job.origin, ["reason": "\(job.reason)"])
            )
        case .resultAwaited(let task):
            logger.info(
                "the provider reports success and shows no result yet; it is asked again",
                metadata: .task(task)
            )
        case .attemptFailed(let job, let failure, let then):
            logger.info("request refused", metadata: .job(job.job, job.origin, .failure(failure, then)))
        case .jobUnconfirmed(let job, let failure):
            unconfirmed(job.job, job.origin, failure.code, reason: failure.message)
        case .jobConfirmed(let task):
            logger.notice(
                "no longer unconfirmed: a callback named the task, and the provider knows it",
                metadata: .task(task)
            )
        case .hintDropped(let task, let reason):
            logger.warning(
                "a callback named a task that is not taken for the job's",
                metadata: .task(task, ["reason": "\(reason)"])
            )
        case .taskMissing(let task):
            logger.warning(
                "the provider does not know this job's task; it is asked about for two months, and its credits stay reserved",
                metadata: .task(task)
            )
        case .taskSucceeded(let task, let charged):
            logger.info(
                "task succeeded",
                metadata: .task(task, ["credits": "\(charged.map(\.description) ?? "?")"])
            )
        case .taskFailed(let task, let failure, let then):
            logger.warning("task failed", metadata: .task(task, .failure(failure, then)))
        case .resultSaved(let result, let origin, let file):
            logger.info(
                "result saved",
                metadata: .job(result.job, origin, ["path": "\(file.path)", "bytes": "\(file.bytes)"])
            )
        case .resultDelayed(let result, let origin, let message):
            logger.warning(
                "a result could not be fetched yet; it is tried again",
                metadata: .job(result.job, origin, ["reason": "\(message)"])
            )
        case .resultFailed(let result, let origin, let message):
            logger.error(
                "a result could not be downloaded",
                metadata: .job(
                    result.job,
                    origin,
                    ["code": "\(FailureCode.downloadFailed.rawValue)", "reason": "\(message)"]
                )
            )
        }
    }

    private func unconfirmed(_ job: JobID, _ origin: JobOrigin?, _ code: FailureCode, reason: String) {
        logger.warning(
            "unconfirmed: the task may exist and may have been charged",
            metadata: .job(
                job,
                origin,
                ["code": "\(code.rawValue)", "reason": "\(reason)", "remedy": "\(Advice.seeWhatToDo(job))"]
            )
        )
    }
}

extension Logger.Metadata {
    /// What people look for a job by, and more.
    static func job(_ job: JobID, _ origin: JobOrigin?, _ more: Self = [:]) -> Self {
        var metadata = more
        metadata["job.id"] = "\(job)"
        if let origin { metadata["queue"] = "\(origin.queue)" }
        if let batch = origin?.batch { metadata["batch"] = "\(batch)" }
        return metadata
    }

    fileprivate static func task(_ task: OpenTask, _ more: Self = [:]) -> Self {
        var metadata = job(task.job, task.origin, more)
        metadata["task.id"] = "\(task.task)"
        return metadata
    }

    fileprivate static func failure(_ failure: Failure, _ then: FailureDisposition) -> Self {
        let isRetried = if case .retry = then { true } else { false }
        return ["code": "\(failure.code.rawValue)", "reason": "\(failure.message)", "retried": "\(isRetried)"]
    }
}
