/// What one task that went well was charged, with what was expected of it.
package struct ObservedCharge: Sendable, Hashable {
    package let charged: Credits
    /// `nil` if it was claimed by a version that did not note it.
    package let estimated: Credits?
    package let basis: Estimate.Kind?

    package init(charged: Credits, estimated: Credits?, basis: Estimate.Kind?) {
        self.charged = charged
        self.estimated = estimated
        self.basis = basis
    }
}

/// What tasks were estimated to cost beside what they were charged.
package struct PriceComparison: Sendable, Hashable {
    package let tasks: Int
    /// The mean; `nil` if no estimate was noted.
    package let estimated: Credits?
    /// The mean; of the tasks with estimates if there are any.
    package let observed: Credits

    package init(_ charges: [ObservedCharge]) {
        let noted = charges.filter { $0.estimated != nil }
        let compared = noted.isEmpty ? charges : noted
        tasks = compared.count
        estimated = noted.isEmpty ? nil : Self.mean(noted.compactMap(\.estimated))
        observed = Self.mean(compared.map(\.charged))
    }

    private static func mean(_ amounts: [Credits]) -> Credits {
        let sum = amounts.reduce(Credits.zero, +).millicredits
        return Credits(millicredits: amounts.isEmpty ? 0 : (sum + Int64(amounts.count / 2)) / Int64(amounts.count))
    }

    /// How far the charges are from the estimates, as a share of these: 0.2 for a fifth more. `nil` if that is not known.
    package var deviation: Double? {
        guard let estimated else { return nil }
        guard estimated > .zero else { return observed > .zero ? .infinity : 0 }
        return (observed - estimated).doubleValue / estimated.doubleValue
    }
}

/// Notices models whose charges have moved away from their estimates, each once.
package struct PriceDrift: Sendable {
    /// So many of the latest tasks are compared, and no fewer.
    package static let tasks = 20
    /// A difference beyond this share is worth a word.
    package static let tolerance = 0.2

    private var noticed: Set<String> = []

    package init() {}

    /// The models that are noticed for the first time, by name.
    ///
    /// - Parameter charges: of each model, the newest first.
    package mutating func notice(
        in charges: [String: [ObservedCharge]]
    ) -> [(model: String, comparison: PriceComparison)] {
        var found: [(model: String, comparison: PriceComparison)] = []
        for (model, charges) in charges.sorted(by: { $0.key < $1.key }) where !noticed.contains(model) {
            let latest = charges.filter { $0.estimated != nil }.prefix(Self.tasks)
            let comparison = PriceComparison(Array(latest))
            guard latest.count == Self.tasks, let deviation = comparison.deviation, abs(deviation) > Self.tolerance
            else {
                continue
            }
            noticed.insert(model)
            found.append((model, comparison))
        }
        return found
    }
}
