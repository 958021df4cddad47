/// The sum of estimates, with what they rest on.
package struct Price: Sendable {
    /// Of all together.
    package private(set) var total = Credits.zero
    private var credits: [Estimate.Kind: Credits] = [:]
    private var jobs: [Estimate.Kind: Int] = [:]
    /// How many tasks the medians are of; more than one number where several models are concerned.
    private var medians: Set<Int> = []

    package init(_ estimates: [Estimate] = []) {
        for estimate in estimates { add(estimate) }
    }

    package mutating func add(_ estimate: Estimate) {
        total += estimate.credits
        credits[estimate.kind, default: .zero] += estimate.credits
        jobs[estimate.kind, default: 0] += 1
        if case .observed(let tasks) = estimate.basis { medians.insert(tasks) }
    }

    /// How many jobs have an estimate of this kind.
    package func count(of kind: Estimate.Kind) -> Int { jobs[kind] ?? 0 }

    /// `24 credits`, `20 credits by default: no price is known`, `44 credits (24 listed; 20 by default: …)`.
    package var inWords: String {
        let kinds = present
        guard kinds.count > 1 else { return total.inWords + (kinds.first.map { reason($0) } ?? "") }
        return "\(total.inWords) (\(parts))"
    }

    /// The same, said to be an estimate: `24 credits (estimated)`.
    package var asEstimate: String {
        let kinds = present
        guard kinds.count > 1 else { return inWords + " (estimated)" }
        return "\(total.inWords) (estimated: \(parts))"
    }

    /// Credits by kind of basis, for JSON.
    package var object: JSONObject {
        credits.reduce(into: [:]) { $0[$1.key.rawValue] = JSONValue($1.value) }
    }

    private var present: [Estimate.Kind] { Estimate.Kind.allCases.filter { jobs[$0] != nil } }

    private var parts: String {
        present.map { kind in
            (credits[kind] ?? .zero).grouped + (kind == .listed ? " listed" : reason(kind))
        }
        .joined(separator: "; ")
    }

    private func reason(_ kind: Estimate.Kind) -> String {
        switch kind {
        case .listed: ""
        case .override: " by override"
        case .observed:
            if medians.count == 1, let tasks = medians.first {
                " by the median of \(PromptQueue.count(tasks, "task"))"
            } else {
                " by the medians of past tasks"
            }
        case .default: " by default: no price is known"
        }
    }
}

extension Estimate.Kind {
    /// What to add to an amount that is an estimate: nothing if the catalogue lists it.
    package var remark: String {
        switch self {
        case .listed: ""
        case .override: " by override"
        case .observed: " by the median of past tasks"
        case .default: " by default"
        }
    }
}
