import Logging
import PromptQueue

/// Says in the log what operators should know, once.
struct NoticeLogger: Sendable {
    let logger: Logger

    func recovered(_ recovery: Recovery) {
        for job in recovery.lost {
            logger.warning(
                "unconfirmed: promptd ended before the answer came; the task may exist and may have been charged",
                metadata: ["job.id": "\(job)"]
            )
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
        logger.critical("stopping: the database refuses what has to be recorded: \(error)")
    }

    func kept(_ change: LedgerChange, _ error: LedgerError) {
        logger.error(
            "the answer to a paid request cannot be recorded now (\(error)); it is kept beside the database for the next start",
            metadata: metadata(of: change)
        )
    }

    func notKept(_ change: LedgerChange, _ error: LedgerError) {
        logger.critical(
            "the answer to a paid request can neither be recorded nor kept beside the database: \(error); note its task",
            metadata: metadata(of: change)
        )
    }

    func refused(_ change: LedgerChange, _ error: LedgerError) {
        logger.error(
            "left alone until the next start, the database refuses what happened: \(error)",
            metadata: metadata(of: change)
        )
    }

    private func metadata(of change: LedgerChange) -> Logger.Metadata {
        guard let (attempt, task) = change.outcome else {
            return change.attempt.map { ["attempt.id": "\($0)"] } ?? [:]
        }
        var metadata: Logger.Metadata = ["attempt.id": "\(attempt)"]
        if let task { metadata["task.id"] = "\(task)" }
        return metadata
    }

    func graceOver(_ grace: Duration) {
        logger.warning("stopping: cutting off what is still under way after \(grace.text)")
    }

    func notRemoved(_ file: SavedFile, of result: ResultID, _ error: any Error) {
        logger.warning(
            "a file of a cancelled job could not be removed: \(error)",
            metadata: ["job.id": "\(result.job)", "path": "\(file.path)"]
        )
    }

    func claimed(_ claim: Claim, in duration: Duration) {
        guard !claim.jobs.isEmpty else { return }
        let milliseconds = (duration.seconds * 100_000).rounded() / 100
        logger.debug("claimed \(claim.jobs.count) job\(claim.jobs.count == 1 ? "" : "s") in \(milliseconds) ms")
    }

    func announce(_ notice: Notice) {
        switch notice {
        case .gateClosed(let kind, let message):
            logger.warning("submitting stopped: \(message); \(kind.advice)", metadata: ["gate": "\(kind.name)"])
        case .gateOpened(let kind):
            logger.notice("submitting goes on", metadata: ["gate": "\(kind.name)"])
        case .rateShrunk(let before, let now): rateShrunk(from: before, to: now)
        case .rateWhole(let limit): rateWhole(limit)
        case .budgetHeld(let hold, let job): budgetHeld(hold, job)
        case .budgetReleased(let hold): budgetReleased(hold)
        case .reserveHeld(let message): reserveHeld(message)
        case .reserveReleased: reserveReleased()
        case .accountDiffers(let standing): accountDiffers(standing)
        case .jobCleared(let job, let evidence):
            logger.notice(
                "its lost request was not charged, so it is queued again: \(evidence)",
                metadata: ["job.id": "\(job)"]
            )
        case .jobGivenUp(let job, let state):
            logger.warning(
                "nothing was heard of its lost request, which counts as spent; the job \(state == .queued ? "is sent again" : "has failed")",
                metadata: metadata(job, .answerLost)
            )
        case .jobRefused(let job):
            logger.warning("failed before it was sent: \(job.message)", metadata: metadata(job.job, job.code))
        case .jobSetAside(let job):
            logger.error(
                "left alone until the next start, the database refuses to have it claimed: \(job.reason)",
                metadata: ["job.id": "\(job.job)"]
            )
        case .resultAwaited(let task):
            logger.info(
                "the provider reports success and shows no result yet; it is asked again",
                metadata: ["job.id": "\(task.job)", "task.id": "\(task.task)"]
            )
        case .attemptFailed(_, let job, let failure, let then):
            logger.info("refused: \(failure.message)\(suffix(then))", metadata: metadata(job, failure.code))
        case .jobUnconfirmed(_, let job, let failure):
            logger.warning(
                "unconfirmed: \(failure.message); \(Advice.seeWhatToDo(job))",
                metadata: metadata(job, failure.code)
            )
        case .jobConfirmed(_, let job):
            logger.notice(
                "no longer unconfirmed: a callback named the task, and the provider knows it",
                metadata: ["job.id": "\(job)"]
            )
        case .hintDropped(_, let job, let reason):
            logger.warning(
                "a callback named a task that is not taken for the job's: \(reason)",
                metadata: ["job.id": "\(job)"]
            )
        case .taskMissing(let task):
            logger.warning(
                "the provider does not know this job's task; it is asked about for two months, and its credits stay reserved",
                metadata: ["job.id": "\(task.job)", "task.id": "\(task.task)"]
            )
        case .taskSucceeded(let task, let charged):
            logger.info(
                "task succeeded",
                metadata: [
                    "job.id": "\(task.job)", "task.id": "\(task.task)",
                    "credits": "\(charged.map(\.description) ?? "?")",
                ]
            )
        case .taskFailed(let task, let failure, let then):
            logger.warning("task failed: \(failure.message)\(suffix(then))", metadata: metadata(task.job, failure.code))
        case .resultSaved(let result, let file):
            logger.info(
                "result saved",
                metadata: ["job.id": "\(result.job)", "path": "\(file.path)", "bytes": "\(file.bytes)"]
            )
        case .resultDelayed(let result, let message):
            logger.warning(
                "a result could not be fetched yet, it is tried again: \(message)",
                metadata: ["job.id": "\(result.job)"]
            )
        case .resultFailed(let result, let message):
            logger.error("a result could not be downloaded: \(message)", metadata: ["job.id": "\(result.job)"])
        }
    }

    private func metadata(_ job: JobID, _ code: FailureCode) -> Logger.Metadata {
        ["job.id": "\(job)", "code": "\(code.rawValue)"]
    }

    private func suffix(_ then: FailureDisposition) -> String {
        if case .retry = then { "; it is tried again" } else { "" }
    }
}
