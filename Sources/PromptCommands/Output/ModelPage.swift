import PromptQueue

/// One model, for people.
struct ModelPage {
    let model: CatalogueModel
    let console: Console

    var lines: [String] {
        var lines = [model.name + (model.title.map { "  \($0)" } ?? "") + "  (\(model.media.rawValue))", model.source]
        if !model.isDocumented { lines.append("The provider no longer documents this model.") }
        lines.append("")
        lines += fields
        lines.append("")
        lines += prices
        return lines
    }

    private var fields: [String] {
        guard let fields = model.fields else { return ["Its fields are not published: everything is sent as it is."] }
        var table = Table([
            .init(title: "FIELD"), .init(title: "TYPE"), .init(title: "DEFAULT"),
            .init(title: "TAKES", isFlexible: true),
        ])
        for field in fields {
            table.add([
                .init(text: field.name),
                .init(text: typeName(field)),
                .init(
                    text: field.defaultValue.map { $0.stringValue ?? $0.json } ?? (field.isRequired ? "required" : "–")
                ),
                .init(text: takes(field)),
            ])
        }
        // What a field takes must not be cut off: it is what one came for.
        return table.lines(width: nil, hasColour: false)
    }

    private func typeName(_ field: Field) -> String {
        guard field.type == .array, let element = field.element else { return field.type.rawValue }
        return "list of \(element.format == "uri" ? "URLs" : element.type.rawValue)"
    }

    private func takes(_ field: Field) -> String {
        var parts: [String] = []
        if !field.allowedValues.isEmpty {
            parts.append(field.allowedValues.map { $0.stringValue ?? $0.json }.joined(separator: " "))
        } else if field.bounds != Bounds() {
            switch field.type {
            case .string: parts.append("\(field.bounds) characters")
            case .array: parts.append("\(field.bounds) items")
            default: parts.append(field.bounds.description)
            }
        }
        if let note = field.note { parts.append(note) }
        return parts.joined(separator: "; ")
    }

    private var prices: [String] {
        guard !model.priceRules.isEmpty else { return ["Its price is not in the catalogue."] }
        return ["Price, by the first line that fits:"]
            + model.priceRules.map { rule in
                let conditions =
                    rule.when.sorted { $0.key < $1.key }.map { field, values in
                        "\(field) \(values.map { $0.stringValue ?? $0.json }.joined(separator: " or "))"
                    } + (rule.given.isEmpty ? [] : ["with \(rule.given.joined(separator: " or "))"])
                let surcharges = rule.surcharges.map { ", and \($0.credits.grouped) per \($0.unit) (\($0.row))" }
                    .joined()
                let condition = conditions.isEmpty ? "otherwise" : conditions.joined(separator: ", ")
                return "  \(rule.credits.inWords) per \(rule.unit)\(surcharges): \(condition)"
            }
    }
}
