/// Anything as a text, with all that is in it, so that two things with the same text are the same.
enum Written {
    static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { text($0.value) } ?? "nil"
        case .dictionary, .set:
            return "[" + mirror.children.map { text($0.value) }.sorted().joined(separator: ", ") + "]"
        case .collection: return "[" + mirror.children.map { text($0.value) }.joined(separator: ", ") + "]"
        case .none: return "\(value)"
        default:
            if mirror.children.isEmpty { return "\(value)" }
            let parts = mirror.children.map { ($0.label.map { "\($0): " } ?? "") + text($0.value) }
            return "(" + parts.joined(separator: ", ") + ")"
        }
    }
}
