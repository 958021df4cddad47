import PromptQueue

/// A stored text that stands in a field of a form beforehand. The field shows it cleaned, and a hidden one bears it as it is: what
/// nobody has altered comes back exactly.
struct StoredText {
    /// Before the name of the field that shows it.
    static let prefix = "was."

    let shown: String
    /// nil: a browser gives back what is shown as it is stored.
    let was: String?

    /// - Parameter hasLines: whether the field has lines of its own.
    init(_ text: String, hasLines: Bool = false) {
        shown = hasLines ? PlainText.lines(text) : PlainText.oneLine(text)
        was = shown == text && text.trimmingSpaces() == text ? nil : URLText.encoded(text)
    }

    /// Whether a browser gives back `value` where `text` was shown, and nobody has altered it.
    static func isShown(_ value: String, _ text: String) -> Bool {
        let value = value.replacing("\r\n", with: "\n")
        return value == PlainText.lines(text) || value == PlainText.oneLine(text)
    }

    /// Names to choose from: a field takes over what it shows, so that others than these would become other names.
    static func suggestions(_ names: [String]) -> [String] {
        names.filter { StoredText($0).was == nil }
    }
}
