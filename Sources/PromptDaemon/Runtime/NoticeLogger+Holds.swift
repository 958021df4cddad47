import Logging
import PromptQueue

extension NoticeLogger {
    // MARK: - What keeps jobs from being submitted

    func gateClosed(_ kind: GateKind, _ message: String) {
        submittingStopped(kind.reason, ["reason": "\(message)", "remedy": "\(kind.advice)"])
    }

    func submittingStopped(_ gate: BlockReason, _ why: Logger.Metadata) {
        logger.warning(
            "submitting stopped",
            metadata: why.merging(["gate": "\(gate.rawValue)"]) { $1 }
        )
    }

    func submittingGoesOn(_ gate: BlockReason) {
        logger.notice("submitting goes on", metadata: ["gate": "\(gate.rawValue)"])
    }

    func rateShrunk(from before: RateLimit, to now: RateLimit) {
        logger.warning(
            "the provider answered that there were too many requests: waiting a whole window, then sending fewer for a while",
            metadata: ["gate": "\(BlockReason.rate.rawValue)", "before": "\(before)", "now": "\(now)"]
        )
    }

    func rateWhole(_ limit: RateLimit) {
        logger.notice(
            "the rate limit is back to normal",
            metadata: ["gate": "\(BlockReason.rate.rawValue)", "now": "\(limit)"]
        )
    }

    func budgetHeld(_ hold: BudgetHold, _ job: BudgetSkip) {
        logger.warning(
            "a queue waits for its budget",
            metadata: ["gate": "\(hold.reason.rawValue)", "queue": "\(hold.queue)", "reason": "\(job)"]
        )
    }

    func budgetReleased(_ hold: BudgetHold) {
        logger.notice(
            "a queue no longer waits for its budget",
            metadata: ["gate": "\(hold.reason.rawValue)", "queue": "\(hold.queue)"]
        )
    }

    func budgetNearlyUsed(_ budget: BudgetHeadroom) {
        logger.warning(
            "a budget is nearly used up",
            metadata: [
                "budget": "\(budget.name)", "left": "\(budget.left)", "limit": "\(budget.limit)",
                "resets": "\(budget.resetsAt.map { "\($0)" } ?? "never")",
            ]
        )
    }

    // MARK: - What the account says

    func accountDiffers(_ standing: AccountStanding) {
        let amount = standing.unexplained
        var metadata: Logger.Metadata = ["unexplained": "\(amount)", "unconfirmed": "\(standing.unknown)"]
        if amount == .zero {
            logger.notice("the account and the ledger agree again", metadata: metadata)
            return
        }
        if amount > .zero, amount <= standing.unknown {
            logger.notice(
                "requests without an answer seem to have cost credits, which are set aside for them",
                metadata: metadata
            )
            return
        }
        metadata["remedy"] = "\(Advice.compareAccount)"
        if amount > .zero {
            logger.warning(
                """
                the account lost credits that the ledger does not know of: requests without an answer that were charged \
                after all, or somebody else who uses the account
                """,
                metadata: metadata
            )
        } else {
            logger.warning(
                """
                the account lost less than the ledger has booked: charges or refunds that the provider did not report
                """,
                metadata: metadata
            )
        }
    }
}
