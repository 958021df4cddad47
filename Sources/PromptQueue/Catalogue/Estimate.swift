/// What a task will probably cost: what is reserved for it.
package struct Estimate: Sendable, Hashable {
    /// Where the number comes from.
    package enum Basis: Sendable, Hashable {
        /// A price of the catalogue, described.
        case listed(String)
        /// A price of the operator's own, described.
        case override(String)
        /// The median of what so many tasks of the model were charged.
        case observed(tasks: Int)
        /// Nothing is known of the model's price.
        case `default`
    }

    /// The basis as the ledger's column `estimate_basis` has it.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case listed, override, observed, `default`
    }

    package let credits: Credits
    package let basis: Basis

    package init(credits: Credits, basis: Basis) {
        self.credits = credits
        self.basis = basis
    }

    package var kind: Kind {
        switch basis {
        case .listed: .listed
        case .override: .override
        case .observed: .observed
        case .default: .default
        }
    }
}
