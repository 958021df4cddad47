/// The fields that the JSON schema of a model's `input` names, as far as a catalogue needs them: types, defaults, allowed
/// values and bounds of JSON Schema, as OpenAPI 3.0 and 3.1 write them.
///
/// The schema is somebody else's text. It is read to a bounded depth and width, its patterns are left alone (a regular
/// expression can take for ever), and of a field that is not understood nothing is claimed.
package struct InputSchema: Sendable, Hashable {
    /// Those that were understood; the prompt first, then what is required, then the others, each by name.
    package private(set) var fields: [Field] = []
    /// Those that were not: anything may be in them.
    package private(set) var unclear: Set<String> = []

    private static let mostFields = 200
    private static let mostValues = 500
    private static let mostDepth = 6
    private static let longestNote = 160

    /// `nil` for a schema without fields.
    package init?(_ schema: JSONObject) {
        guard let properties = schema["properties"]?.objectValue, !properties.isEmpty,
            properties.count <= Self.mostFields
        else { return nil }
        let required = Self.names(schema["required"])
        for (name, value) in properties {
            // Names are shown, and typed.
            guard (1...100).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
                continue
            }
            guard let schema = value.objectValue,
                let field = Self.field(name, schema, isRequired: required.contains(name), depth: 0)
            else {
                unclear.insert(name)
                continue
            }
            fields.append(field)
        }
        fields.sort { Self.rank($0) < Self.rank($1) }
    }

    private static func rank(_ field: Field) -> (Int, String) {
        (field.name == "prompt" ? 0 : field.isRequired ? 1 : 2, field.name)
    }

    private static func names(_ list: JSONValue?) -> Set<String> {
        Set(list?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    // MARK: - One field

    private static func field(_ name: String, _ schema: JSONObject, isRequired: Bool, depth: Int) -> Field? {
        guard depth < mostDepth, let schema = flattened(schema), let (type, takesNumbers) = type(of: schema) else {
            return nil
        }
        var values = schema["enum"]?.arrayValue ?? schema["const"].map { [$0] } ?? []
        guard values.count <= mostValues else { return nil }
        values.removeAll { $0 == .null }
        let properties = type == .object ? InputSchema.properties(of: schema, depth: depth) : []
        let element = schema["items"]?.objectValue.flatMap { field("", $0, isRequired: false, depth: depth + 1) }
        return Field(
            name: name,
            type: type,
            isRequired: isRequired,
            defaultValue: schema["default"].flatMap { $0 == .null ? nil : $0 },
            allowedValues: type == .boolean ? [] : values,
            bounds: bounds(of: schema, type),
            format: ["uri", "url"].contains(schema["format"]?.stringValue) ? "uri" : nil,
            takesNumbers: takesNumbers,
            element: type == .array ? element : nil,
            properties: properties,
            note: schema["description"]?.stringValue.flatMap(note)
        )
    }

    private static func properties(of schema: JSONObject, depth: Int) -> [Field] {
        guard let properties = schema["properties"]?.objectValue, properties.count <= mostFields else { return [] }
        let required = names(schema["required"])
        return properties.compactMap { name, value in
            value.objectValue.flatMap { field(name, $0, isRequired: required.contains(name), depth: depth + 1) }
        }.sorted { rank($0) < rank($1) }
    }

    /// The alternatives of `anyOf` and `oneOf`, and the parts of `allOf`, as one; `nil` if they do not go together.
    private static func flattened(_ schema: JSONObject) -> JSONObject? {
        var result = schema
        if let parts = result.removeValue(forKey: "allOf")?.arrayValue {
            for part in parts { result.merge(part.objectValue ?? [:]) { own, _ in own } }
        }
        for key in ["anyOf", "oneOf"] {
            guard let alternatives = result.removeValue(forKey: key)?.arrayValue else { continue }
            let others = alternatives.compactMap(\.objectValue).filter { $0["type"] != "null" }
            guard let first = others.first, others.count <= mostValues else { return nil }
            if others.count == 1 {
                result.merge(first) { own, _ in own }
                continue
            }
            let types = Set(others.compactMap { $0["type"]?.stringValue })
            guard others.allSatisfy({ $0["type"]?.stringValue != nil }) else { return nil }
            if types.count == 1 {
                result["type"] = first["type"]
            } else if types.isSubset(of: ["string", "integer", "number"]) {
                result["type"] = .array(types.sorted().map(JSONValue.string))
            } else {
                return nil
            }
            // If one of them takes any value, all do.
            let lists = others.map { $0["enum"]?.arrayValue ?? $0["const"].map { [$0] } ?? [] }
            if lists.allSatisfy({ !$0.isEmpty }) { result["enum"] = .array(lists.flatMap(\.self)) }
        }
        return result
    }

    private static func type(of schema: JSONObject) -> (Field.ValueType, takesNumbers: Bool)? {
        let names =
            switch schema["type"] {
            case .string(let name)?: [name]
            case .array(let names)?: names.compactMap(\.stringValue).filter { $0 != "null" }
            default: implied(schema)
            }
        if names.count == 1 { return Field.ValueType(rawValue: names[0]).map { ($0, false) } }
        let types = Set(names)
        if types == ["integer", "number"] { return (.number, false) }
        if types.contains("string"), types.isSubset(of: ["string", "integer", "number"]) { return (.string, true) }
        return nil
    }

    /// What a schema without a type can only mean.
    private static func implied(_ schema: JSONObject) -> [String] {
        if schema["properties"] != nil { return ["object"] }
        if schema["items"] != nil { return ["array"] }
        let values = schema["enum"]?.arrayValue ?? schema["const"].map { [$0] } ?? []
        if !values.isEmpty, values.allSatisfy({ $0.stringValue != nil }) { return ["string"] }
        if !values.isEmpty, values.allSatisfy({ $0.doubleValue != nil }) { return ["number"] }
        return []
    }

    private static func bounds(of schema: JSONObject, _ type: Field.ValueType) -> Bounds {
        switch type {
        case .string: Bounds(count(schema["minLength"]), count(schema["maxLength"]))
        case .array: Bounds(count(schema["minItems"]), count(schema["maxItems"]))
        case .integer, .number:
            Bounds(
                limit(schema["minimum"], schema["exclusiveMinimum"], type, step: 1),
                limit(schema["maximum"], schema["exclusiveMaximum"], type, step: -1)
            )
        case .boolean, .object: Bounds()
        }
    }

    private static func count(_ value: JSONValue?) -> Double? {
        value?.integerValue.flatMap { $0 >= 0 && $0 <= 1 << 40 ? Double($0) : nil }
    }

    /// A bound that is itself not allowed is moved by one for whole numbers; for others that much does not matter.
    ///
    /// - Parameter exclusive: a number (3.1), or whether `limit` is excluded (3.0).
    private static func limit(
        _ limit: JSONValue?,
        _ exclusive: JSONValue?,
        _ type: Field.ValueType,
        step: Double
    ) -> Double? {
        let excluded = exclusive?.doubleValue ?? (exclusive == true ? limit?.doubleValue : nil)
        guard let excluded else { return limit?.doubleValue }
        return type == .integer ? excluded + step : excluded
    }

    /// The first sentence, on one line.
    private static func note(_ text: String) -> String? {
        let line = PlainText.oneLine(String(text.prefix(4_000))).split(separator: " ").joined(separator: " ")
        guard !line.isEmpty else { return nil }
        let sentence = line.firstRange(of: ". ").map { String(line[..<$0.lowerBound]) } ?? line
        return sentence.count <= longestNote ? sentence : sentence.prefix(longestNote - 1) + "…"
    }
}
