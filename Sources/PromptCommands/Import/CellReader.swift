import PromptQueue

/// Reads the cells of a table as the fields of a model take them.
enum CellReader {
    /// - Returns: the value, and what was guessed.
    /// - Throws: `MalformedInput` for what a spreadsheet has made unreadable.
    static func value(
        of text: String,
        for name: String,
        _ model: CatalogueModel,
        _ guesses: inout [String]
    ) throws(MalformedInput) -> JSONValue {
        guard let field = model.field(named: name) else { return model.value(forField: name, text: text) }
        let cell = text.trimmingSpaces()
        if !field.allowedValues.isEmpty, field.type != .array, field.type != .object {
            return try choice(cell, field, model.value(forField: name, text: cell), &guesses)
        }
        switch field.type {
        case .boolean:
            guard let value = truth[cell.lowercased()] else { return model.value(forField: name, text: cell) }
            if !["true", "false"].contains(cell.lowercased()) {
                guesses.append("\(name): \"\(cell)\" is taken for \(value)")
            }
            return .bool(value)
        case .integer, .number:
            guard let number = decimal(cell) else { return model.value(forField: name, text: cell) }
            let value = model.value(forField: name, text: number)
            guard value.stringValue == nil else { return model.value(forField: name, text: cell) }
            guesses.append("\(name): \"\(cell)\" is taken for \(value.json)")
            return value
        case .array, .object:
            if cell.hasPrefix("[") || cell.hasPrefix("{"), hasTypographicQuotes(cell) {
                throw MalformedInput(message: "\(name): \(typographicQuotes)")
            }
            return model.value(forField: name, text: cell)
        case .string:
            return model.value(forField: name, text: text)
        }
    }

    /// One of the values that a field takes.
    private static func choice(
        _ cell: String,
        _ field: Field,
        _ value: JSONValue,
        _ guesses: inout [String]
    ) throws(MalformedInput) -> JSONValue {
        let isAllowed = field.allowedValues.contains { $0 == value }
        guard !isAllowed else { return value }
        // 5.0 is 5.
        if let number = JSONValue.string(cell).numericValue {
            let equal = field.allowedValues.filter { $0.numericValue == number }
            if equal.count == 1, let only = equal.first { return only }
        }
        let allowed = field.allowedValues.compactMap(\.stringValue)
        guard let minutes = SpreadsheetTime.minutes(cell) else { return value }
        let ratios = allowed.filter { SpreadsheetTime.minutes(ofRatio: $0).map(minutes.contains) ?? false }
        if ratios.count == 1, let ratio = ratios.first {
            guesses.append("\(field.name): \"\(cell)\" is taken for \(ratio), of which a spreadsheet made a time")
            return .string(ratio)
        }
        guard SpreadsheetTime.isSurely(cell), allowed.contains(where: { SpreadsheetTime.minutes(ofRatio: $0) != nil })
        else { return value }
        throw MalformedInput(
            message: "\(field.name): \"\(cell)\" is a time that a spreadsheet made of something like 16:9; "
                + "format the column as text, and write one of \(allowed.joined(separator: " "))"
        )
    }

    /// As spreadsheets write them, in some languages.
    private static let truth = [
        "true": true, "yes": true, "1": true, "wahr": true, "vrai": true, "verdadero": true,
        "false": false, "no": false, "0": false, "falsch": false, "faux": false, "falso": false,
    ]

    /// `5,5` as `5.5`; `nil` if it has no decimal comma, or that may part thousands.
    private static func decimal(_ cell: String) -> String? {
        let parts = cell.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let whole = parts.first, let fraction = parts.last, !whole.isEmpty, !fraction.isEmpty,
            fraction.count != 3, whole.drop(while: { $0 == "-" }).allSatisfy(\.isNumber),
            fraction.allSatisfy(\.isNumber)
        else { return nil }
        return "\(whole).\(fraction)"
    }

    // MARK: - Quotes

    static let typographicQuotes =
        "is not JSON: has typographic quotes (“ or ”), as word processors and spreadsheets make them; write plain ones (\")"

    /// Whether a text that should be JSON is none for its quotes.
    static func hasTypographicQuotes(_ text: some StringProtocol) -> Bool {
        guard text.utf8.contains(0xE2) || text.utf8.contains(0xC2) else { return false }
        let straight = String(text.map { "“”„‟«»″".contains($0) ? "\"" : $0 })
        return straight != text && (try? JSONValue(parsing: String(text))) == nil
            && (try? JSONValue(parsing: straight)) != nil
    }
}
