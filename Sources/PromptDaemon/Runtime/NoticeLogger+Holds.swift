import Logging
import PromptQueue

extension NoticeLogger {
    /// What keeps jobs from being submitted beside the gates, and what the account says.
    func rateShrunk(from before: RateLimit, to now: RateLimit) {
        logger.warning(
            "the provider answered that there were too many requests: waiting a whole window, then \(now) instead of \(before) for a while",
            metadata: ["gate": "rate"]
        )
    }

    func rateWhole(_ limit: RateLimit) {
        logger.notice("the rate limit is back to normal: \(limit)", metadata: ["gate": "rate"])
    }

    func budgetHeld(_ hold: BudgetHold, _ job: BudgetSkip) {
        logger.warning(
            "a queue waits for its budget: \(job)",
            metadata: ["gate": "\(hold.reason.rawValue)", "queue": "\(hold.queue)"]
        )
    }

    func budgetReleased(_ hold: BudgetHold) {
        logger.notice(
            "a queue no longer waits for its budget",
            metadata: ["gate": "\(hold.reason.rawValue)", "queue": "\(hold.queue)"]
        )
    }

    func reserveHeld(_ message: String) {
        logger.warning("submitting stopped: \(message)", metadata: ["gate": "credits"])
    }

    func reserveReleased() {
        logger.notice("submitting goes on", metadata: ["gate": "credits"])
    }

    func accountDiffers(_ standing: AccountStanding) {
        let amount = standing.unexplained
        let metadata: Logger.Metadata = ["unexplained": "\(amount)", "unconfirmed": "\(standing.unknown)"]
        if amount == .zero {
            logger.notice("the account and the ledger agree again", metadata: metadata)
            return
        }
        if amount > .zero, amount <= standing.unknown {
            logger.notice(
                "requests without an answer seem to have cost \(amount) credits; \(standing.unknown) are set aside for them",
                metadata: metadata
            )
            return
        }
        let message =
            amount > .zero
            ? "the account lost \(amount) credits that the ledger does not know of: requests without an answer that were "
                + "charged after all, or somebody else who uses the account"
            : "the account lost \(Credits.zero - amount) credits less than the ledger has booked: charges or refunds that "
                + "the provider did not report"
        logger.warning("\(message); \(Advice.compareAccount)", metadata: metadata)
    }
}
