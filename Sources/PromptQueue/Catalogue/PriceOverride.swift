/// A price that takes the place of the catalogue's, for some inputs of one model.
package struct PriceOverride: Sendable, Hashable {
    /// Who has set it.
    package enum Source: String, Sendable, Hashable, CaseIterable {
        /// Somebody, in the database.
        case `operator`
        /// The daemon's configuration.
        case configuration
    }

    /// What the price is multiplied by.
    package enum Measure: Sendable, Hashable {
        case task
        /// The number in this field: seconds, images.
        case number(field: String)
        /// Each thousand characters begun of this field's text.
        case thousandCharacters(field: String)
    }

    package let model: String
    /// Fields and the values that the completed input must have: texts regardless of case, numbers and numeric texts
    /// alike, `null` for a field that is left out.
    package let conditions: JSONObject
    package let credits: Credits
    package let measure: Measure
    package let source: Source
    /// For people.
    package let note: String?

    package init(
        model: String,
        conditions: JSONObject = [:],
        credits: Credits,
        measure: Measure = .task,
        source: Source = .operator,
        note: String? = nil
    ) {
        self.model = model
        self.conditions = conditions
        self.credits = credits
        self.measure = measure
        self.source = source
        self.note = note
    }

    /// What a task with `input`, complete with its defaults, costs; `nil` if this price is not about it, or its measure
    /// finds nothing to count.
    package func credits(for input: JSONObject) -> Credits? {
        let applies = conditions.allSatisfy { field, value in value.matches(input[field] ?? .null) }
        guard applies else { return nil }
        switch measure {
        case .task:
            return credits
        case .number(let field):
            guard let number = input[field]?.numericValue, number > 0 else { return nil }
            return credits.times(number)
        case .thousandCharacters(let field):
            guard let length = input[field]?.spokenLength else { return nil }
            return credits.times(Double((length + 999) / 1_000))
        }
    }

    /// Whether this price goes before `other`: the one with more conditions, then the operator's, then the more expensive.
    func precedes(_ other: PriceOverride) -> Bool {
        if conditions.count != other.conditions.count { return conditions.count > other.conditions.count }
        if source != other.source { return source == .operator }
        return credits > other.credits
    }
}

extension PriceOverride: CustomStringConvertible {
    /// `5 credits per task, if resolution is 2K (operator)`.
    package var description: String {
        let text = conditions.sorted { $0.key < $1.key }
            .map { $0.value == .null ? "\($0.key) is left out" : "\($0.key) is \($0.value.plainText)" }
            .joined(separator: " and ")
        let amount = "\(credits) credit\(credits.millicredits == 1_000 ? "" : "s")"
        return "\(amount) per \(measure.text ?? "task")\(text.isEmpty ? "" : ", if \(text)") (\(source.rawValue))"
    }
}

extension PriceOverride.Measure {
    private static let characters = "1000 characters of "

    /// Reads what the column `prices.per` holds: `nil`, `duration`, `1000 characters of text`.
    package init(text: String?) {
        guard let text else {
            self = .task
            return
        }
        self =
            text.hasPrefix(Self.characters)
            ? .thousandCharacters(field: String(text.dropFirst(Self.characters.count))) : .number(field: text)
    }

    /// What the column holds.
    package var text: String? {
        switch self {
        case .task: nil
        case .number(let field): field
        case .thousandCharacters(let field): Self.characters + field
        }
    }

    /// The field that it counts.
    package var field: String? {
        switch self {
        case .task: nil
        case .number(let field), .thousandCharacters(let field): field
        }
    }
}
