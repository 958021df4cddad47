import FoundationEssentials

@testable import PromptWeb

/// The fields of a page's form, as a browser sends them that nobody has written into.
struct BrowserForm {
    private(set) var fields: [(String, String)] = []

    /// - Parameter action: of which form.
    init(_ page: String, action: String) throws {
        let form = page.split(separator: "action=\"\(action)\"", maxSplits: 1).last?.prefix { _ in true } ?? ""
        let text = form.components(separatedBy: "</form>")[0]
        let pattern =
            #/<input\b([^>]*)>|<textarea\b([^>]*)>\n?([^<]*)</textarea>|<select\b([^>]*)>(.*?)</select>/#
            .dotMatchesNewlines()
        for match in text.matches(of: pattern) {
            let (_, input, area, written, select, options) = match.output
            let attributes = String(input ?? area ?? select ?? "")
            guard let name = Self.attribute("name", attributes) else { continue }
            if let written {
                fields.append((name, Self.plain(String(written)).replacing("\n", with: "\r\n")))
            } else if let options {
                let chosen = options.components(separatedBy: "<option").first { $0.contains(" selected>") }
                fields.append((name, chosen.flatMap { Self.attribute("value", $0) } ?? ""))
            } else if Self.attribute("type", attributes) != "checkbox" || attributes.contains(" checked") {
                let value = Self.attribute("value", attributes) ?? ""
                // As the value sanitization algorithm of HTML has it.
                let isLine = Self.attribute("type", attributes) != "hidden"
                fields.append((name, isLine ? value.filter { !$0.isNewline } : value))
            }
        }
    }

    private static func attribute(_ name: String, _ attributes: String) -> String? {
        attributes.components(separatedBy: " \(name)=\"").dropFirst().first?.components(separatedBy: "\"").first
            .map(plain)
    }

    subscript(name: String) -> String? {
        get { fields.first { $0.0 == name }?.1 }
        set {
            fields.removeAll { $0.0 == name }
            if let newValue { fields.append((name, newValue)) }
        }
    }

    /// As an address has them.
    var query: String {
        fields.map { "\(URLText.encoded($0.0))=\(URLText.encoded($0.1))" }.joined(separator: "&")
    }

    private static func plain(_ text: String) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
            .reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
