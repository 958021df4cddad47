/// Takes out of texts what must not be shown.
enum Redaction {
    /// `invalid input syntax for type bigint: "…"`: without what stands between double quotation marks, to the last of them.
    static func withoutQuotations(_ text: String) -> String {
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\""), first < last else {
            return text
        }
        return text[...first] + "…" + text[last...]
    }

    /// Without `secrets`, wherever they stand.
    static func without(_ secrets: [String], _ text: String) -> String {
        var text = Substring(text)
        for secret in secrets where !secret.isEmpty {
            var clean = ""
            while let range = text.firstRange(of: secret) {
                clean += text[..<range.lowerBound] + "…"
                text = text[range.upperBound...]
            }
            text = Substring(clean + text)
        }
        return String(text)
    }
}
