import PromptQueue

/// `--template "a {colour} {product} on white"`: what a line's prompt is made of.
struct PromptTemplate: Sendable {
    private enum Part {
        case text(String)
        /// One of `names`.
        case value(Int)
    }

    /// What stands in braces, as it was written, each once.
    let names: [String]
    let keys: [String]
    private let parts: [Part]

    /// - Throws: `CommandError` when braces do not match, or there are none.
    init(_ text: String) throws(CommandError) {
        var parts: [Part] = []
        var names: [String] = []
        var keys: [String] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if (character == "{" || character == "}"), rest.first == character {
                rest.removeFirst()
                literal.append(character)
                continue
            }
            guard character == "{" else {
                if character == "}" { throw Self.refusal("has a } without a {; a brace of the prompt is written }}") }
                literal.append(character)
                continue
            }
            guard let end = rest.firstIndex(of: "}") else {
                throw Self.refusal("has a { without a }; a brace of the prompt is written {{")
            }
            let name = String(rest[..<end]).trimmingSpaces()
            rest = rest[rest.index(after: end)...]
            guard !name.isEmpty, !name.contains("{") else {
                throw Self.refusal("has braces without the name of a column; a brace of the prompt is written {{ or }}")
            }
            if !literal.isEmpty { parts.append(.text(literal)) }
            literal = ""
            let key = ColumnRules.key(name)
            if let place = keys.firstIndex(of: key) {
                parts.append(.value(place))
            } else {
                parts.append(.value(names.count))
                names.append(name)
                keys.append(key)
            }
        }
        if !literal.isEmpty { parts.append(.text(literal)) }
        guard !names.isEmpty else { throw Self.refusal("names no column; write it in braces: {colour}") }
        (self.names, self.keys, self.parts) = (names, keys, parts)
    }

    private static func refusal(_ message: String) -> CommandError { CommandError(.usage, "--template: \(message)") }

    func uses(_ key: String) -> Bool { keys.contains(key) }

    /// - Parameter values: of `names`.
    func prompt(_ values: [String]) -> String {
        parts.reduce(into: "") { prompt, part in
            switch part {
            case .text(let text): prompt += text
            case .value(let place): prompt += values[place]
            }
        }
    }
}
