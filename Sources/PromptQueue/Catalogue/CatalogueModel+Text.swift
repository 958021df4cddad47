extension CatalogueModel {
    /// Reads the value of `KEY=VALUE` as the field `name` takes it.
    ///
    /// Texts stay as they are. Numbers, truth values, lists and objects are read as JSON; what is not of the field's
    /// type stays a string, which the check then names. A list field takes a lone value as its only item. For a field
    /// that the catalogue does not know, JSON other than `null` and strings is read, and everything else is a string.
    package func value(forField name: String, text: String) -> JSONValue {
        guard let field = field(named: name) else { return Self.guess(text) }
        return field.value(of: text)
    }

    private static func guess(_ text: String) -> JSONValue {
        guard let value = try? JSONValue(parsing: text) else { return .string(text) }
        return switch value {
        case .null, .string: .string(text)
        default: value
        }
    }
}

extension Field {
    fileprivate func value(of text: String) -> JSONValue {
        let parsed = try? JSONValue(parsing: text)
        switch (type, parsed) {
        case (.integer, .integer?), (.number, .integer?), (.integer, .number?), (.number, .number?), (.boolean, .bool?),
            (.object, .object?), (.array, .array?):
            return parsed ?? .string(text)
        case (.array, _):
            return .array([element?.value(of: text) ?? .string(text)])
        default:
            return .string(text)
        }
    }
}
