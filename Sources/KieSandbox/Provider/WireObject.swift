import PromptQueue

/// A JSON object under construction, its members in the order in which the service writes them.
struct WireObject {
    private var members = ""

    /// The object's text.
    var json: String { "{\(members)}" }

    mutating func add(_ name: String, json: String) {
        if !members.isEmpty { members += "," }
        members += "\(name.jsonLiteral):\(json)"
    }

    mutating func add(_ name: String, _ value: String?) {
        add(name, json: value?.jsonLiteral ?? "null")
    }

    mutating func add(_ name: String, _ value: Int?) {
        add(name, json: value.map(String.init) ?? "null")
    }

    mutating func add(_ name: String, _ value: Bool) {
        add(name, json: value ? "true" : "false")
    }

    mutating func add(_ name: String, _ value: Instant?) {
        add(name, json: value.map { String($0.milliseconds) } ?? "null")
    }

    /// Always with a decimal point: `4.0`.
    mutating func add(_ name: String, _ value: Credits?) {
        add(name, json: value?.wireText ?? "null")
    }

    mutating func add(_ name: String, _ values: [String]) {
        add(name, json: "[\(values.map(\.jsonLiteral).joined(separator: ","))]")
    }

    /// Counts by name, sorted.
    mutating func add(_ name: String, counts: [String: Int]) {
        var object = WireObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { object.add(name, count) }
        add(name, json: object.json)
    }
}

extension Credits {
    /// The amount as the service writes it: `4.0`, `5916.25`.
    var wireText: String {
        description.contains(".") ? description : "\(description).0"
    }
}

extension String {
    /// The text as a JSON string, quotes included.
    var jsonLiteral: String {
        if utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) { return "\"\(self)\"" }
        var literal = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case "\n": literal += "\\n"
            case "\r": literal += "\\r"
            case "\t": literal += "\\t"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }
}
