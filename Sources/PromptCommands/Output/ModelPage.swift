import PromptQueue

/// One model, for people.
struct ModelPage {
    let model: CatalogueModel
    let prices: ModelPrices
    let console: Console

    var lines: [String] {
        var lines = [
            model.name + (model.title.map { "  \($0)" } ?? "")
                + (model.mediaName == "–" ? "" : "  (\(model.mediaName))"), model.source,
        ]
        if !model.isDocumented { lines.append("The provider no longer documents or lists this model.") }
        if let readAt = model.readAt { lines.append("As the provider said on \(console.time(readAt)).") }
        lines.append("")
        lines += fields
        lines.append("")
        lines += overrides + listed + said + seen
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

    private var overrides: [String] {
        let overrides = prices.book.overrides(of: model.name)
        guard !overrides.isEmpty else { return [] }
        return ["Prices of your own, before the catalogue's, by the first line that fits:"]
            + overrides.map { price in "  \(oneLine("\(price)\(price.note.map { ": \($0)" } ?? "")"))" } + [""]
    }

    /// What the latest tasks were estimated to cost and charged, by what the estimates rested on.
    private var seen: [String] {
        guard let all = prices.comparison(of: model.name) else { return [] }
        var table = Table([
            .init(title: "BASIS"), .init(title: "TASKS", alignment: .right),
            .init(title: "ESTIMATED", alignment: .right), .init(title: "OBSERVED", alignment: .right),
            .init(title: ""),
        ])
        let kinds = prices.comparisonsByKind(of: model.name)
        for (name, comparison) in kinds.map({ ($0.kind.rawValue, $0.comparison) })
            + (kinds.count == 1 ? [] : [("all", all)])
        {
            table.add([
                .init(text: name), .init(text: grouped(comparison.tasks)),
                .init(text: comparison.estimated?.grouped ?? "–"), .init(text: comparison.observed.grouped),
                .init(text: comparison.mark ?? "", style: .warning),
            ])
        }
        let title = "In the mean of its latest tasks here, in credits:"
        return ["", title] + table.lines(width: nil, hasColour: console.hasColour).map { "  " + $0 }
    }

    /// In the provider's own words.
    private var said: [String] {
        model.pricing.map { ["", "The provider's words on its price: \(oneLine($0))"] } ?? []
    }

    private var listed: [String] {
        guard !model.priceRules.isEmpty else {
            guard prices.book.overrides(of: model.name).isEmpty else { return ["The catalogue has no price for it."] }
            let estimate = prices.book.estimate(model: model.name, input: [:], listed: nil)
            return ["Its price is not in the catalogue: \(Price([estimate]).inWords)."]
        }
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
