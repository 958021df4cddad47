extension Catalogue {
    /// When the data that is compiled in was collected (2026-11-01T00:00Z): what the provider said before that is in it.
    package static let builtInDate = Instant(milliseconds: 1_793_491_200_000)

    /// This catalogue, and over it what the provider said later; docs/catalogue.md has the rules.
    package func with(_ provider: [ProviderModel]) -> Catalogue {
        var models = models
        for listed in provider where listed.readAt >= Self.builtInDate {
            models[listed.name] = models[listed.name].map { $0.with(listed) } ?? CatalogueModel(listed)
        }
        return Catalogue(complete: models)
    }
}

extension CatalogueModel {
    /// The source of models of which nothing was known before.
    static let providersList = "the provider's list of models"

    /// A model that was not known.
    fileprivate init(_ listed: ProviderModel) {
        self.init(
            name: listed.name,
            media: listed.media,
            title: listed.title,
            fields: listed.inputSchema.flatMap(InputSchema.init).map { $0.fields.map { $0.asNew } },
            source: Self.providersList,
            isDocumented: listed.isListed,
            pricing: listed.pricing,
            readAt: listed.readAt
        )
        priceRules = newPrice.map { [$0] } ?? []
    }

    fileprivate func with(_ listed: ProviderModel) -> CatalogueModel {
        var model = CatalogueModel(
            name: name,
            media: media,
            title: title ?? listed.title,
            fields: fields(of: listed),
            source: source,
            isDocumented: listed.isListed,
            priceRules: priceRules,
            pricing: listed.pricing,
            readAt: listed.readAt
        )
        // Where one price stands against one. Of several, nobody can tell which the provider's text is about.
        if let price = model.newPrice, priceRules.allSatisfy(\.isFlat), priceRules.count <= 1 {
            if priceRules.first?.credits != price.credits { model.priceRules = [price] }
        }
        return model
    }

    private func fields(of listed: ProviderModel) -> [Field]? {
        guard let schema = listed.inputSchema.flatMap(InputSchema.init) else { return fields }
        guard let fields else { return schema.fields.map(\.asNew) }
        // A schema that has lost the prompt is none of this model's.
        guard field(named: promptField) == nil || schema.fields.contains(where: { $0.name == promptField }) else {
            return fields
        }
        let known = fields.compactMap { field -> Field? in
            if field.isCorrected || schema.unclear.contains(field.name) { return field }
            if let new = schema.fields.first(where: { $0.name == field.name }) { return field.with(new) }
            // Left out by the document, it is still what the price goes by, or what is sent unless given.
            return field.defaultValue != nil || isPriced(by: field.name) ? field : nil
        }
        let names = Set(fields.map(\.name))
        return known + schema.fields.filter { !names.contains($0.name) }.map(\.asNew)
    }

    private func isPriced(by field: String) -> Bool {
        priceRules.contains { rule in
            rule.when[field] != nil || rule.given.contains(field) || rule.measure.field == field
                || rule.surcharges.contains { $0.each?.contains(field) == true || $0.seconds == field }
        }
    }

    /// Fields by which a task makes more, longer or larger things: one price for all is not the price of each then.
    private static let measures: Set<String> = [
        "n", "num_images", "max_images", "num_outputs", "number_of_images", "count", "batch_size", "duration",
        "seconds",
        "n_frames", "num_frames", "resolution", "image_resolution", "quality", "size", "upscale_factor",
    ]

    private var newPrice: PriceRule? {
        guard fields?.contains(where: { Self.measures.contains($0.name) }) != true else { return nil }
        return pricing.flatMap(PriceText.flatPrice).map { credits, unit in
            PriceRule(
                models: [name],
                when: [:],
                given: [],
                credits: credits,
                unit: unit,
                measure: .once,
                surcharges: [],
                row: Self.providersList
            )
        }
    }
}

extension PriceRule {
    /// Whether it is the price of every task, whatever its input.
    fileprivate var isFlat: Bool { when.isEmpty && given.isEmpty && measure == .once && surcharges.isEmpty }
}

extension Field {
    /// As a field that was not known. The service fills no defaults in, so they are sent; but not of a seed, which would
    /// make equal prompts give equal results, nor of lists and objects, which go with others.
    fileprivate var asNew: Field {
        let isLeftOut = name == "seed" || type == .array || type == .object
        let fits = defaultValue.map { problems(with: $0, at: name, model: "").isEmpty } ?? false
        return copy(defaultValue: fits && !isLeftOut ? defaultValue : nil)
    }

    /// This field, and over it what the provider said later. The default stays where it still fits: what a job sends, and
    /// what it costs, does not change by itself.
    fileprivate func with(_ new: Field) -> Field {
        let staysText = type == .string && takesNumbers && (new.type == .integer || new.type == .number)
        let isSameType = new.type == type || staysText
        var field = Field(
            name: name,
            type: staysText ? .string : new.type,
            isRequired: new.isRequired,
            allowedValues: new.allowedValues,
            bounds: isSameType
                ? Bounds(new.bounds.minimum ?? bounds.minimum, new.bounds.maximum ?? bounds.maximum) : new.bounds,
            pattern: isSameType ? pattern : nil,
            // A new one would refuse what was taken before.
            format: isSameType ? format : nil,
            takesNumbers: new.takesNumbers || isSameType && takesNumbers,
            element: new.element.map { element?.with($0) ?? $0 } ?? (isSameType ? element : nil),
            properties: new.properties.isEmpty && isSameType
                ? properties
                : new.properties.map { property in
                    properties.first { $0.name == property.name }.map { $0.with(property) } ?? property
                },
            note: note ?? new.note
        )
        if let own = defaultValue, field.problems(with: own, at: name, model: "").isEmpty {
            field = field.copy(defaultValue: own)
        } else if defaultValue != nil || new.isRequired {
            field = field.copy(defaultValue: new.defaultValue).asNew
        }
        return field
    }

    private func copy(defaultValue: JSONValue?) -> Field {
        Field(
            name: name,
            type: type,
            isRequired: isRequired,
            defaultValue: defaultValue,
            allowedValues: allowedValues,
            bounds: bounds,
            pattern: pattern,
            format: format,
            takesNumbers: takesNumbers,
            element: element,
            properties: properties,
            note: note
        )
    }
}
