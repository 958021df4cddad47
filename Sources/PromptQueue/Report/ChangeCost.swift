/// What a change of jobs means for money.
package struct ChangeCost: Sendable {
    package let toPay: Credits
    /// Jobs whose price is not known, or that will be refused and cost nothing.
    private var unknown = 0
    /// Of the first job that the catalogue refuses.
    package private(set) var problem: String?

    package init(
        _ outcome: ChangeOutcome,
        _ catalogue: Catalogue,
        _ prices: PriceBook,
        _ unknownModels: UnknownModelPolicy
    ) {
        var sum = outcome.toPay
        for group in outcome.unpriced {
            let job = group.first
            switch job.prepared(by: catalogue, unknownModels: unknownModels) {
            case .ready(let prepared):
                let credits = prices.estimate(of: prepared, model: job.model).credits
                sum += Credits(millicredits: credits.millicredits.multipliedSaturated(by: Int64(group.jobs)))
            case .refused(let refusal):
                unknown += group.jobs
                problem = problem ?? "job \(job.id): \(refusal)"
            }
        }
        toPay = sum
    }

    /// `retried 4 jobs: 1 is taken up again and not paid for twice, 3 will be paid for, 42 credits (estimated)`.
    ///
    /// - Parameter money: what stands behind a sum of credits: ` (3.60 USD)`, or nothing.
    package func sentence(
        _ change: JobChange,
        _ outcome: ChangeOutcome,
        dryRun: Bool,
        money: (Credits) -> String
    ) -> String {
        let (verb, done) =
            switch change {
            case .cancel: ("cancel", "cancelled")
            case .retry: ("retry", "retried")
            }
        let parts = parts(outcome, dryRun: dryRun, money: money)
        return (dryRun ? "would \(verb) " : "\(done) ") + count(outcome.changed, "job")
            + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))
    }

    private func parts(_ outcome: ChangeOutcome, dryRun: Bool, money: (Credits) -> String) -> [String] {
        var parts: [String] = []
        if outcome.resumed > 0 {
            let verb = outcome.resumed == 1 ? "is" : "are"
            parts.append("\(grouped(outcome.resumed)) \(verb) taken up again and not paid for twice")
        }
        if outcome.unconfirmed > 0 {
            let verb = outcome.unconfirmed == 1 ? "is" : "are"
            parts.append("\(grouped(outcome.unconfirmed)) \(verb) unconfirmed: \(Advice.settle)")
        }
        if outcome.askedAgain > 0 {
            let (verb, they) = outcome.askedAgain == 1 ? ("is", "it has") : ("are", "they have")
            parts.append(
                "\(grouped(outcome.askedAgain)) \(verb) asked about once more, and paid for if \(they) really failed"
            )
        }
        if outcome.jobsToPay > 0 {
            parts.append("\(grouped(outcome.jobsToPay)) will be paid for")
        }
        if outcome.jobsToPay + outcome.askedAgain > 0 {
            parts.append("\(toPay.inWords)\(money(toPay)) (estimated)")
        }
        if unknown > 0 {
            parts.append("\(grouped(unknown)) of them will be refused again, and cost nothing")
        }
        if outcome.atProvider > 0 {
            let (verb, stay) = outcome.atProvider == 1 ? ("is", "stay") : ("are", "stay")
            parts.append(
                "\(grouped(outcome.atProvider)) \(verb) at the provider: \(outcome.staysCharged.inWords) \(stay) charged"
            )
        }
        if outcome.followers > 0 {
            let verb =
                dryRun ? "would fail with it" : outcome.followers == 1 ? "has failed with it" : "have failed with it"
            parts.append(
                "\(count(outcome.followers, "job")) that \(outcome.followers == 1 ? "waits" : "wait") for its result \(verb)"
            )
        }
        return parts
    }

    package func object(_ outcome: ChangeOutcome, dryRun: Bool) -> JSONObject {
        [
            "dry_run": .bool(dryRun),
            "changed": .integer(Int64(outcome.changed)),
            "resumed": .integer(Int64(outcome.resumed)),
            "asked_again": .integer(Int64(outcome.askedAgain)),
            "unconfirmed": .integer(Int64(outcome.unconfirmed)),
            "to_pay": .integer(Int64(outcome.jobsToPay)),
            "estimated_credits": JSONValue(toPay),
            "at_provider": .integer(Int64(outcome.atProvider)),
            "charged_credits": JSONValue(outcome.staysCharged),
            "followers": .integer(Int64(outcome.followers)),
            "being_sent": .integer(Int64(outcome.beingSent)),
            "left_cancelled": .integer(Int64(outcome.leftCancelled)),
            "refused": .array(
                outcome.refused.map { .object(["id": .integer($0.job.rawValue), "reason": .string($0.reason)]) }
            ),
        ]
    }
}
