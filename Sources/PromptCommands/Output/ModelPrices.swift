import PromptQueue

/// What the database knows of models and their prices.
struct ModelPrices {
    let catalogue: Catalogue
    let book: PriceBook
    private let charges: [String: [ObservedCharge]]

    /// Whether any task has been charged for, so that there is something to compare.
    var hasObservations: Bool { !charges.isEmpty }

    /// Nothing is known.
    init() {
        catalogue = .builtIn
        book = PriceBook()
        charges = [:]
    }

    init(_ file: any QueueClient) throws {
        catalogue = try file.catalogue()
        book = try file.priceBook()
        charges = try file.charges()
    }

    /// Without a database there is the catalogue alone; one that cannot be read is worth a warning.
    init(_ database: DatabaseOption, _ console: Console) {
        guard database.exists else {
            self.init()
            return
        }
        do {
            self = try database.open { try ModelPrices($0) }
        } catch {
            console.say("warning: the database is left out: \(error)")
            self.init()
        }
    }

    /// Models that the ledger has seen.
    var observedModels: [String] { charges.keys.sorted() }

    func comparison(of model: String) -> PriceComparison? {
        charges[model].map { PriceComparison($0) }
    }

    /// By what the estimates rested on; tasks of which that is not known are left out.
    func comparisonsByKind(of model: String) -> [(kind: Estimate.Kind, comparison: PriceComparison)] {
        let charges = charges[model] ?? []
        return Estimate.Kind.allCases.compactMap { kind in
            let own = charges.filter { $0.basis == kind }
            return own.isEmpty ? nil : (kind, PriceComparison(own))
        }
    }
}

extension PriceComparison {
    /// `! 20 % more expensive`, if it is more than a twentieth.
    var mark: String? {
        guard let deviation, abs(deviation) > 0.05 else { return nil }
        guard deviation.isFinite else { return "! more expensive" }
        let percent = grouped(Int(Int64(saturated: abs(deviation) * 100)))
        return "! \(percent) % \(deviation > 0 ? "more expensive" : "cheaper")"
    }

    var object: JSONObject {
        [
            "tasks": .integer(Int64(tasks)),
            "estimated_credits": JSONValue(estimated),
            "observed_credits": JSONValue(observed),
            "differs": .bool(mark != nil),
        ]
    }
}

extension PriceOverride {
    var object: JSONObject {
        [
            "credits": JSONValue(credits),
            "per": JSONValue(measure.text),
            "when": .object(conditions),
            "source": .string(source.rawValue),
            "note": JSONValue(note),
        ]
    }
}
