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
        if field.format == "uri", let fault = Self.fault(ofAddress: text) {
            let wanted = "takes one http:// or https:// URL that it can fetch from"
            return [problem(.patternMismatch, "\(value.quoted) \(fault); \(model) \(wanted)")]
        }
        return []
    }

    /// Why a text is no web address, nor one of a scheme of the provider's with a host (`asset://…`); nil if it is one.
    ///
    /// What the service cannot fetch it mostly leaves out, and charges for the rest.
    private static func fault(ofAddress text: String) -> String? {
        guard !text.isEmpty else { return "is empty: leave it out" }
        let lower = text.lowercased()
        let another = [",", ";", "|", " ", "\n", ", "].flatMap { ["\($0)http://", "\($0)https://"] }
        if lower.hasPrefix("http"), another.contains(where: lower.contains) {
            return
                "holds several URLs: give each on its own, as an item of the list or by --input again (if it is one, write "
                + "%2C for its comma)"
        }
        let unknown = "is not a URL, with https:// before it; a file of this machine is given as @PATH"
        guard !text.contains(where: \.isWhitespace), let colon = text.firstRange(of: "://") else { return unknown }
        let scheme = text[..<colon.lowerBound].lowercased()
        let mistaken = ["file", "ftp", "javascript", "htp", "htps", "ttp", "ttps", "hhtp", "hhtps"]
        guard let start = scheme.first, start.isASCII, start.isLetter, !mistaken.contains(scheme),
            scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+.-".contains($0)) }),
            let first = text[colon.upperBound...].first, !"/?#:@.,".contains(first)
        else { return unknown }
        return nil
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
        let meant = field.nearestValue(to: value).map { "; did you mean \($0)?" } ?? ""
        return [problem(.notAllowed, "\(value.quoted) is not one of \(values)\(meant)")]
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
