/// What jobs that are added to one queue cost, and what that leaves.
package struct AddedCost: Sendable {
    package let price: Price
    private let jobs: [NewJob]
    private let outlook: Outlook
    private let now: Instant

    /// - Parameter before: as it was before they are added.
    package init(_ jobs: [NewJob], before: StatusRecord, now: Instant) {
        self.jobs = jobs
        self.now = now
        price = Price(jobs.compactMap(\.estimate))
        var added = NewCredits(before.budgets)
        for job in jobs { added.add(job) }
        outlook = Outlook(before, adding: added, now: now)
    }

    /// `queued 1 job in ads: flux-2/flex-text-to-image, 24 credits. Budget ads/day: 100 → 76 of 500 left after the backlog.`
    ///
    /// - Parameters:
    ///   - money: what stands behind a sum of credits: ` (3.60 USD)`, or nothing.
    ///   - time: an instant, as its reader knows it.
    package func sentence(
        _ verb: String,
        money: (Credits) -> String,
        time: (Instant) -> String
    ) -> String {
        guard let first = jobs.first else { return "\(verb) nothing" }
        var text =
            "\(verb) \(count(jobs.count, "job")) in \(first.queue): \(first.model), \(price.inWords)\(money(price.total))"
        if let runAt = first.runAt {
            text += ", not before \(time(runAt))"
            if runAt <= now { text += ", which is past: \(jobs.count == 1 ? "it starts" : "they start") at once" }
        }
        text += "."
        for line in outlook.sentences { text += " " + line }
        return text
    }

    /// For programs, of jobs that are not added.
    package var object: JSONObject {
        let own: JSONObject = [
            "dry_run": true,
            "jobs": .integer(Int64(jobs.count)),
            "estimated_credits": JSONValue(price.total),
            "estimated_credits_by_basis": .object(price.object),
        ]
        return own.merging(outlook.object) { $1 }
    }
}
