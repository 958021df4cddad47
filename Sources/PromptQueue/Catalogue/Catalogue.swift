/// What the provider's models take and cost: everything a job's input is checked against before a credit is spent.
package struct Catalogue: Sendable {
    /// All models by name.
    package let models: [String: CatalogueModel]
    /// The names of fields that any model has.
    let fieldNames: Set<String>

    /// Makes a catalogue in which each model carries those of `prices` that name it, in their order.
    ///
    /// Of two models with one name the last counts. Prices of models that are not there are left out.
    package init(models: [CatalogueModel], prices: [PriceRule] = []) {
        var rules: [String: [PriceRule]] = [:]
        for rule in prices {
            for model in rule.models { rules[model, default: []].append(rule) }
        }
        let complete: [String: CatalogueModel] = models.reduce(into: [:]) { result, model in
            var model = model
            model.priceRules += rules[model.name] ?? []
            result[model.name] = model
        }
        self.init(complete: complete)
    }

    /// - Parameter complete: models that have their prices.
    init(complete models: [String: CatalogueModel]) {
        self.models = models
        fieldNames = Set(models.values.flatMap { $0.fields?.map(\.name) ?? [] })
    }

    /// The catalogue that is compiled in; parsed once, when first used.
    ///
    /// Were the embedded data corrupt, it would be empty, so that every job is refused and none is sent unchecked.
    /// The tests hold the data to be whole.
    package static let builtIn: Catalogue = {
        do {
            return try Catalogue(
                modelsJSON: PackageResources.models_json,
                pricesJSON: PackageResources.prices_json
            )
        } catch {
            return Catalogue(models: [])
        }
    }()

    package func model(named name: String) -> CatalogueModel? {
        models[name]
    }
}
