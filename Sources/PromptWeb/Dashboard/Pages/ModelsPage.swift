import PromptQueue

/// What the list of models shows.
struct ModelsView {
    struct Model {
        let name: String
        let href: String
        let modelTitle: String?
        let makes: String
        let price: String
        let observed: String
        let mark: String?
        let duration: String
        let fieldCount: String
        let hasFields: Bool
        let fields: [FieldView]
    }

    struct FieldView {
        let fieldName: String
        let takes: String
    }

    struct Choice {
        let value: String
        let isOn: Bool
    }

    let frame: Frame
    let count: String
    let search: String
    let media: [Choice]
    let models: [Model]
}

extension Dashboard {
    func models(_ fields: FormFields) async throws -> PageContent {
        let search = fields["search"] ?? ""
        let media = fields["media"].flatMap(CatalogueModel.Media.init)
        let (prices, durations) = try await source.read { reader in
            (try ModelPrices(reader), try reader.durations())
        }
        let strangers = prices.observedModels.filter { prices.catalogue.model(named: $0) == nil }
        let found = (prices.catalogue.models.values + strangers.compactMap(prices.stranger))
            .filter { media == nil || $0.media == media }
            .filter { search.isEmpty || $0.name.lowercased().contains(search.lowercased()) }
            .sorted { $0.name < $1.name }
        return PageContent(
            "models",
            ModelsView(
                frame: Frame("Models", at: "/models"),
                count: PromptQueue.count(found.count, "model"),
                search: search,
                media: CatalogueModel.Media.allCases.map { .init(value: $0.rawValue, isOn: $0 == media) },
                models: found.map { Self.model($0, prices, durations) }
            )
        )
    }

    private static func model(
        _ model: CatalogueModel,
        _ prices: ModelPrices,
        _ durations: [String: Duration]
    ) -> ModelsView.Model {
        let comparison = prices.comparison(of: model.name)
        return ModelsView.Model(
            name: model.name,
            href: "/jobs?model=\(URLText.encoded(model.name))",
            modelTitle: model.title,
            makes: model.mediaName,
            price: model.priceInBrief(prices),
            observed: comparison?.observed.grouped ?? "–",
            mark: comparison?.mark,
            duration: durations[model.name]?.inWords ?? "–",
            fieldCount: PromptQueue.count(model.fields?.count ?? 0, "field"),
            hasFields: model.fields?.isEmpty == false,
            fields: (model.fields ?? []).map { field in
                let values = field.allowedValues.map { $0.stringValue ?? $0.json }.joined(separator: " ")
                let parts = [
                    field.type.rawValue, field.isRequired ? "required" : nil, values.isEmpty ? nil : values,
                    field.defaultValue.map { "default \($0.stringValue ?? $0.json)" },
                ]
                return .init(fieldName: field.name, takes: parts.compactMap(\.self).joined(separator: ", "))
            }
        )
    }
}
