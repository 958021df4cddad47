/// What the database knows of models and their prices.
package struct ModelPrices: Sendable {
    package let catalogue: Catalogue
    package let book: PriceBook
    private let charges: [String: [ObservedCharge]]

    /// Whether any task has been charged for, so that there is something to compare.
    package var hasObservations: Bool { !charges.isEmpty }

    /// Nothing is known.
    package init() {
        catalogue = .builtIn
        book = PriceBook()
        charges = [:]
    }

    package init(_ file: any QueueReader) throws(LedgerError) {
        catalogue = try file.catalogue()
        book = try file.priceBook()
        charges = try file.charges()
    }

    /// Models that the ledger has seen.
    package var observedModels: [String] { charges.keys.sorted() }

    package func comparison(of model: String) -> PriceComparison? {
        charges[model].map { PriceComparison($0) }
    }

    /// By what the estimates rested on; tasks of which that is not known are left out.
    package func comparisonsByKind(of model: String) -> [(kind: Estimate.Kind, comparison: PriceComparison)] {
        let charges = charges[model] ?? []
        return Estimate.Kind.allCases.compactMap { kind in
            let own = charges.filter { $0.basis == kind }
            return own.isEmpty ? nil : (kind, PriceComparison(own))
        }
    }
}

extension PriceComparison {
    /// `! 20 % more expensive`, if it is more than a twentieth.
    package var mark: String? {
        guard let deviation, abs(deviation) > 0.05 else { return nil }
        guard deviation.isFinite else { return "! more expensive" }
        let percent = grouped(Int(Int64(saturated: abs(deviation) * 100)))
        return "! \(percent) % \(deviation > 0 ? "more expensive" : "cheaper")"
    }

    package var object: JSONObject {
        [
            "tasks": .integer(Int64(tasks)),
            "estimated_credits": JSONValue(estimated),
            "observed_credits": JSONValue(observed),
            "differs": .bool(mark != nil),
        ]
    }
}

extension PriceOverride {
    package var object: JSONObject {
        [
            "credits": JSONValue(credits),
            "per": JSONValue(measure.text),
            "when": .object(conditions),
            "source": .string(source.rawValue),
            "note": JSONValue(note),
        ]
    }
}

extension ModelPrices {
    /// A model that the catalogue does not know and the ledger has seen; `nil` if it has not.
    package func stranger(named name: String) -> CatalogueModel? {
        guard comparison(of: name) != nil || !book.overrides(of: name).isEmpty else { return nil }
        return CatalogueModel(name: name, media: .image, fields: nil, source: CatalogueModel.unlistedSource)
    }
}
