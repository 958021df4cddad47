/// What each task will probably cost, by everything that is known: an override, else the catalogue's price, else what the
/// model's tasks were charged lately, else a default.
package struct PriceBook: Sendable {
    /// Of `catalogue.defaultPrice`.
    package static let fallbackPrice = Credits(millicredits: 20_000)

    /// For a model of which no price is known.
    package var defaultPrice: Credits
    /// By model; the first that is about an input counts.
    private var overridesByModel: [String: [PriceOverride]] = [:]
    private var observedByModel: [String: ObservedPrice] = [:]

    package init(
        overrides: [PriceOverride] = [],
        observed: [String: ObservedPrice] = [:],
        defaultPrice: Credits = PriceBook.fallbackPrice
    ) {
        self.defaultPrice = defaultPrice
        observedByModel = observed
        add(overrides)
    }

    /// The overrides of a model, the one that counts first.
    package func overrides(of model: String) -> [PriceOverride] { overridesByModel[model] ?? [] }

    package mutating func add(_ overrides: [PriceOverride]) {
        for override in overrides { overridesByModel[override.model, default: []].append(override) }
        for model in Set(overrides.map(\.model)) { overridesByModel[model]?.sort { $0.precedes($1) } }
    }

    package mutating func setObserved(_ price: ObservedPrice?, model: String) { observedByModel[model] = price }

    /// What a task will cost.
    ///
    /// - Parameters:
    ///   - input: complete, with its defaults.
    ///   - listed: what the catalogue says.
    package func estimate(model: String, input: JSONObject, listed: Estimate?) -> Estimate {
        for override in overridesByModel[model] ?? [] {
            guard let credits = override.credits(for: input) else { continue }
            return Estimate(credits: credits, basis: .override(override.description))
        }
        if let listed { return listed }
        if let observed = observedByModel[model] {
            return Estimate(credits: observed.median, basis: .observed(tasks: observed.tasks))
        }
        return Estimate(credits: defaultPrice, basis: .default)
    }

    package func estimate(of prepared: PreparedInput, model: String) -> Estimate {
        estimate(model: model, input: prepared.input, listed: prepared.estimate)
    }
}

/// What the latest tasks of a model were charged.
package struct ObservedPrice: Sendable, Hashable {
    /// So many of the latest charges are looked at; odd, so that the median is one of them.
    package static let sampleSize = 101
    /// Fewer say too little.
    package static let minimumTasks = 3

    package let median: Credits
    package let tasks: Int

    /// `nil` for too few charges. The median of an even number is the mean of the middle two, rounded up to a thousandth.
    package init?(charges: [Credits]) {
        guard charges.count >= Self.minimumTasks else { return nil }
        let sorted = charges.map(\.millicredits).sorted()
        let upper = sorted[sorted.count / 2]
        let lower = sorted[(sorted.count - 1) / 2]
        median = Credits(millicredits: lower + (upper - lower + 1) / 2)
        tasks = charges.count
    }
}
