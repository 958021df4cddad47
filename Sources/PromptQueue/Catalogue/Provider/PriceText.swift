/// What the provider says a model costs: a text for people.
package enum PriceText {
    /// The price of each task that the text names, if it names one and no condition: `14 credits per image (~$0.07)`.
    ///
    /// Anything more, and anything by the second or by size, is for people to read: a number taken from it might be the
    /// price of another task.
    package static func flatPrice(_ text: String) -> (credits: Credits, unit: String)? {
        var words = withoutParentheses(text).lowercased().split { $0.isWhitespace }.map(String.init)
        if let last = words.last, last.hasSuffix(".") { words[words.count - 1] = String(last.dropLast()) }
        guard words.count == 2 || words.count == 4 else { return nil }
        guard ["credit", "credits"].contains(words[1]), let credits = Credits(text: words[0]), credits > .zero else {
            return nil
        }
        guard words.count == 4 else { return (credits, "task") }
        let units = ["image", "video", "generation", "request", "task", "upscale"]
        guard words[2] == "per", units.contains(words[3]) else { return nil }
        return (credits, words[3])
    }

    /// The amounts of credits that a text names.
    package static func amounts(_ text: String) -> [Credits] {
        let words = text.lowercased().split { $0.isWhitespace || "(),;:~".contains($0) }
        return zip(words, words.dropFirst()).compactMap { amount, unit in
            unit.hasPrefix("credit") ? Credits(text: String(amount)) : nil
        }
    }

    private static func withoutParentheses(_ text: String) -> String {
        var depth = 0
        return String(
            text.prefix(4_000).filter { character in
                switch character {
                case "(": depth += 1
                case ")": depth = max(0, depth - 1)
                default: return depth == 0
                }
                return false
            }
        )
    }
}
