/// What the provider says a model costs: a text for people.
package enum PriceText {
    /// The price of each task that the text names, if it names one and no condition: `14 credits per image (~$0.07)`.
    ///
    /// Anything more, and anything by the second or by size, is for people to read: a number taken from it might be the
    /// price of another task.
    package static func flatPrice(_ text: String) -> (credits: Credits, unit: String)? {
        guard var words = withoutMoney(text)?.lowercased().split(whereSeparator: \.isWhitespace).map(String.init) else {
            return nil
        }
        if let last = words.last, last.hasSuffix(".") { words[words.count - 1] = String(last.dropLast()) }
        guard words.count == 2 || words.count == 4 else { return nil }
        guard ["credit", "credits"].contains(words[1]), let credits = Credits(text: words[0]), credits > .zero,
            !isAmbiguous(words[0])
        else { return nil }
        guard words.count == 4 else { return (credits, "task") }
        let units = ["image", "video", "generation", "request", "task", "upscale"]
        guard words[2] == "per", units.contains(words[3]) else { return nil }
        return (credits, words[3])
    }

    /// `1.000` is one, or a thousand.
    private static func isAmbiguous(_ number: String) -> Bool {
        let parts = number.split(separator: ".")
        return parts.count == 2 && parts[1].count == 3 && parts[0] != "0"
    }

    /// The amounts of credits that a text names.
    package static func amounts(_ text: String) -> [Credits] {
        let words = text.lowercased().split { $0.isWhitespace || "(),;:~".contains($0) }
        return zip(words, words.dropFirst()).compactMap { amount, unit in
            unit.hasPrefix("credit") ? Credits(text: String(amount)) : nil
        }
    }

    /// The text without sums of money in parentheses, like `(~$0.07)`; nil if something else stands in some, such as the price
    /// of another kind of task.
    private static func withoutMoney(_ text: String) -> String? {
        var result = ""
        var rest = text.prefix(4_000)
        while let start = rest.firstIndex(of: "(") {
            guard let end = rest[start...].firstIndex(of: ")") else { return nil }
            let inside = rest[rest.index(after: start)..<end].lowercased()
            guard inside.contains("$") || inside.contains("usd"),
                inside.allSatisfy({ "~≈$ 0123456789.,usd".contains($0) })
            else { return nil }
            result += rest[..<start]
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
