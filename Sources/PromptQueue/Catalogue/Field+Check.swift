extension Field {
    /// What is wrong with `value` for this field; `nil` stands for a field that is left out.
    func problems(with value: JSONValue?, at path: String, model: String) -> [InputProblem] {
        FieldCheck(path: path, model: model).problems(with: value, for: self)
    }
}

/// Holds one value against its field.
private struct FieldCheck {
    let path: String
    let model: String

    func problems(with value: JSONValue?, for field: Field) -> [InputProblem] {
        guard let value, value != .null else {
            return field.isRequired ? [problem(.missing, "is required by \(model)")] : []
        }
        switch field.type {
        case .string: return text(value, field)
        case .integer, .number: return number(value, field)
        case .boolean: return value.boolValue == nil ? [wrongType(value, "true or false")] : []
        case .array: return list(value, field)
        case .object: return object(value, field)
        }
    }

    private func text(_ value: JSONValue, _ field: Field) -> [InputProblem] {
        guard let text = value.stringValue else {
            if value.doubleValue != nil, field.takesNumbers { return [] }
            if value.doubleValue != nil, !field.allowedValues.isEmpty { return choice(value, field) }
            return [problem(.wrongType, "is \(value.typeName); \(model) takes a text")]
        }
        guard field.allowedValues.isEmpty else { return choice(value, field) }
        if field.isRequired, !text.isEmpty, text.allSatisfy(\.isWhitespace) {
            return [problem(.tooShort, "is blank")]
        }
        let length = text.unicodeScalars.count
        let bounds = field.bounds.atLeastOne(if: field.isRequired)
        if let violation = bounds.violation(by: Double(length)) {
            let kind: InputProblem.Kind = violation == .below ? .tooShort : .tooLong
            let count = "\(Double(length).grouped) character\(length == 1 ? "" : "s")"
            return [problem(kind, "\(count); \(model) takes \(bounds)")]
        }
        if let pattern = field.pattern, let regex = try? Regex(pattern), text.firstMatch(of: regex) == nil {
            return [problem(.patternMismatch, "does not have the form \(pattern)")]
        }
        if field.format == "uri", !text.isEmpty, !Self.isAddress(text) {
            let wanted = "takes one http:// or https:// URL that it can fetch from, or an asset's id"
            let remedy = text.contains { $0.isWhitespace || $0 == "," } ? "; several go into a list, an item each" : ""
            return [problem(.patternMismatch, "\(value.quoted) is not a URL; \(model) \(wanted)\(remedy)")]
        }
        return []
    }

    /// A web address, one of another scheme with a host (`asset://…`), or a plain word, as ids are; no path of a file, no
    /// error of a spreadsheet, no two addresses in one.
    private static func isAddress(_ text: String) -> Bool {
        guard !text.contains(where: \.isWhitespace) else { return false }
        guard let colon = text.firstRange(of: "://") else {
            return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard let first = text[colon.upperBound...].first, first.isLetter || first.isNumber || first == "[" else {
            return false
        }
        return scheme != "file" && !scheme.isEmpty && scheme.allSatisfy { $0.isASCII && $0.isLetter }
    }

    private func number(_ value: JSONValue, _ field: Field) -> [InputProblem] {
        guard let number = value.numericValue else {
            return [wrongType(value, field.type == .integer ? "a whole number" : "a number")]
        }
        guard field.allowedValues.isEmpty else { return choice(value, field) }
        guard field.type == .number || number == number.rounded() else { return [wrongType(value, "a whole number")] }
        guard let violation = field.bounds.violation(by: number) else { return [] }
        let kind: InputProblem.Kind = violation == .below ? .tooSmall : .tooLarge
        return [problem(kind, "\(value.quoted); \(model) takes \(field.bounds)")]
    }

    private func list(_ value: JSONValue, _ field: Field) -> [InputProblem] {
        guard let items = value.arrayValue else {
            return [problem(.wrongType, "is \(value.typeName); \(model) takes a list")]
        }
        let bounds = field.bounds.atLeastOne(if: field.isRequired)
        if let violation = bounds.violation(by: Double(items.count)) {
            let kind: InputProblem.Kind = violation == .below ? .tooFewItems : .tooManyItems
            return [problem(kind, "\(items.count) item\(items.count == 1 ? "" : "s"); \(model) takes \(bounds)")]
        }
        guard let element = field.element else { return [] }
        return items.enumerated().flatMap { index, item in
            item == .null
                ? [problem(.wrongType, "item \(index + 1) is null")]
                : element.problems(with: item, at: "\(path)[\(index)]", model: model)
        }
    }

    private func object(_ value: JSONValue, _ field: Field) -> [InputProblem] {
        guard let object = value.objectValue else {
            return [problem(.wrongType, "is \(value.typeName); \(model) takes an object")]
        }
        return field.properties.flatMap {
            $0.problems(with: object[$0.name], at: "\(path).\($0.name)", model: model)
        }
    }

    private func choice(_ value: JSONValue, _ field: Field) -> [InputProblem] {
        guard !field.allowedValues.contains(where: { $0.means(value) }) else { return [] }
        let shown = field.allowedValues.prefix(24).map(\.plainText).joined(separator: " ")
        let rest = field.allowedValues.count - 24
        let values = rest > 0 ? "\(shown) and \(rest) more" : shown
        return [problem(.notAllowed, "\(value.quoted) is not one of \(values)")]
    }

    private func wrongType(_ value: JSONValue, _ wanted: String) -> InputProblem {
        problem(.wrongType, "\(value.quoted) is not \(wanted)")
    }

    private func problem(_ kind: InputProblem.Kind, _ message: String) -> InputProblem {
        InputProblem(field: path, kind: kind, message: message)
    }
}

extension Bounds {
    /// Where a value is required, an empty one is as good as none, unless the documentation allows it.
    fileprivate func atLeastOne(if isRequired: Bool) -> Bounds {
        isRequired && minimum == nil ? Bounds(1, maximum) : self
    }
}
