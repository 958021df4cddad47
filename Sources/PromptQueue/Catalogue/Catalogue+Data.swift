import FoundationEssentials

extension Catalogue {
    /// Reads the two data files; docs/catalogue.md describes them.
    /// - Throws: `DecodingError` when one of them is malformed.
    package init(modelsJSON: [UInt8], pricesJSON: [UInt8]) throws {
        let decoder = JSONDecoder()
        let models = try decoder.decode(ModelFile.self, from: Data(modelsJSON))
        let prices = try decoder.decode(PriceFile.self, from: Data(pricesJSON))
        self.init(models: models.models.map(\.model), prices: prices.rules.map(\.rule))
    }
}

private struct ModelFile: Decodable {
    let models: [ModelRecord]
}

private struct ModelRecord: Decodable {
    let name: String
    let media: CatalogueModel.Media
    let title: String?
    let source: String
    let documented: Bool?
    let fields: [FieldRecord]?

    var model: CatalogueModel {
        CatalogueModel(
            name: name,
            media: media,
            title: title,
            fields: fields?.map(\.field),
            source: source,
            isDocumented: documented ?? true
        )
    }
}

private struct FieldRecord: Decodable {
    let name: String?
    let type: Field.ValueType
    let required: Bool?
    let `default`: Literal?
    let `enum`: [Literal]?
    let min: Double?
    let max: Double?
    let minLength: Int?
    let maxLength: Int?
    let minItems: Int?
    let maxItems: Int?
    let pattern: String?
    let format: String?
    let numeric: Bool?
    let items: Box?
    let properties: [FieldRecord]?
    let note: String?
    let corrected: Bool?

    var field: Field {
        Field(
            name: name ?? "",
            type: type,
            isRequired: required ?? false,
            defaultValue: `default`?.value,
            allowedValues: `enum`?.map(\.value) ?? [],
            bounds: bounds,
            pattern: pattern,
            format: format,
            takesNumbers: numeric ?? false,
            element: items?.record.field,
            properties: properties?.map(\.field) ?? [],
            note: note,
            isCorrected: corrected ?? false
        )
    }

    private var bounds: Bounds {
        switch type {
        case .string: Bounds(minLength.map(Double.init), maxLength.map(Double.init))
        case .array: Bounds(minItems.map(Double.init), maxItems.map(Double.init))
        default: Bounds(min, max)
        }
    }

    /// A structure cannot hold itself.
    final class Box: Decodable {
        let record: FieldRecord

        init(from decoder: any Decoder) throws {
            record = try FieldRecord(from: decoder)
        }
    }
}

private struct PriceFile: Decodable {
    let rules: [RuleRecord]
}

private struct RuleRecord: Decodable {
    let models: [String]
    let when: [String: OneOrMore<Literal>]?
    let given: [String]?
    let credits: Double
    let unit: String
    let count: String?
    let seconds: String?
    let text: String?
    let plus: [SurchargeRecord]?
    let row: String

    var rule: PriceRule {
        PriceRule(
            models: models,
            when: when?.mapValues { $0.values.map(\.value) } ?? [:],
            given: given ?? [],
            credits: Credits(credits) ?? .zero,
            unit: unit,
            measure: measure,
            surcharges: plus?.map(\.surcharge) ?? [],
            row: row
        )
    }

    private var measure: PriceRule.Measure {
        if let seconds { return .seconds(field: seconds) }
        if let text { return .thousandCharacters(field: text) }
        if let count { return .count(field: count) }
        return ["image", "generation", "video", "request", "upscale"].contains(unit) ? .once : .untold
    }
}

private struct SurchargeRecord: Decodable {
    let credits: Double
    let unit: String
    let each: OneOrMore<String>?
    let after: Int?
    let seconds: String?
    let row: String

    var surcharge: PriceRule.Surcharge {
        PriceRule.Surcharge(
            credits: Credits(credits) ?? .zero,
            unit: unit,
            each: each?.values,
            after: after ?? 0,
            seconds: seconds,
            row: row
        )
    }
}

/// A JSON value, or a list of them.
private struct OneOrMore<Value: Decodable>: Decodable {
    let values: [Value]

    init(from decoder: any Decoder) throws {
        // The list first: a literal may be one, too.
        if let values = try? [Value](from: decoder) {
            self.values = values
        } else {
            values = [try Value(from: decoder)]
        }
    }
}

/// A default or an allowed value. Tries texts first, as nearly all of them are: failed tries take time.
private struct Literal: Decodable {
    let value: JSONValue

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            value = .string(text)
        } else {
            value = try container.decode(JSONValue.self)
        }
    }
}
