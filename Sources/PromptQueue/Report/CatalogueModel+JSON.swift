extension CatalogueModel {
    /// The source of models that only the ledger knows.
    package static let unlistedSource = "Not in the catalogue."

    /// `image`; a dash for a model that is not in the catalogue.
    package var mediaName: String { source == Self.unlistedSource ? "–" : media.rawValue }

    /// `14 to 24 per image`, `5 per task, by override`; a dash if no price is known.
    package func priceInBrief(_ prices: ModelPrices) -> String {
        let overrides = prices.book.overrides(of: name)
        guard overrides.isEmpty else {
            let listed = overrides.contains { $0.conditions.isEmpty } ? "" : listedInBrief.map { ", else \($0)" } ?? ""
            let units = Set(overrides.map { $0.measure.text ?? "task" }).sorted()
            return Self.range(overrides.map(\.credits), units) + " by override" + listed
        }
        return listedInBrief ?? "–"
    }

    private var listedInBrief: String? {
        priceRules.isEmpty ? nil : Self.range(priceRules.map(\.credits), Set(priceRules.map(\.unit)).sorted())
    }

    private static func range(_ credits: [Credits], _ units: [String]) -> String {
        let least = credits.min() ?? .zero
        let most = credits.max() ?? .zero
        let range = least == most ? least.grouped : "\(least.grouped) to \(most.grouped)"
        return "\(range) per \(units.joined(separator: " or "))"
    }

    /// The model as the catalogue and the database know it.
    package func object(_ prices: ModelPrices) -> JSONObject {
        var object = object
        object["overrides"] = .array(prices.book.overrides(of: name).map { .object($0.object) })
        object["charges"] = prices.comparison(of: name).map { .object($0.object) } ?? .null
        object["charges_by_basis"] = .object(
            prices.comparisonsByKind(of: name).reduce(into: [:]) {
                $0[$1.kind.rawValue] = .object($1.comparison.object)
            }
        )
        return object
    }

    package var object: JSONObject {
        [
            "name": .string(name),
            "media": source == Self.unlistedSource ? .null : .string(media.rawValue),
            "title": JSONValue(title),
            "source": .string(source),
            "documented": .bool(isDocumented),
            "pricing": JSONValue(pricing),
            "read_at": JSONValue(readAt?.iso8601),
            "fields": fields.map { .array($0.map { .object($0.object) }) } ?? .null,
            "prices": .array(
                priceRules.map { rule in
                    .object([
                        "credits": JSONValue(rule.credits),
                        "unit": .string(rule.unit),
                        "when": .object(rule.when.mapValues { .array($0) }),
                        "given": .array(rule.given.map { .string($0) }),
                        "row": .string(rule.row),
                    ])
                }
            ),
        ]
    }
}

extension Field {
    package var object: JSONObject {
        var object: JSONObject = ["type": .string(type.rawValue), "required": .bool(isRequired)]
        if !name.isEmpty { object["name"] = .string(name) }
        if let defaultValue { object["default"] = defaultValue }
        if !allowedValues.isEmpty { object["allowed"] = .array(allowedValues) }
        if let minimum = bounds.minimum { object["minimum"] = .number(minimum) }
        if let maximum = bounds.maximum { object["maximum"] = .number(maximum) }
        if let format { object["format"] = .string(format) }
        if let note { object["note"] = .string(note) }
        if let element { object["items"] = .object(element.object) }
        if !properties.isEmpty { object["properties"] = .array(properties.map { .object($0.object) }) }
        return object
    }
}
