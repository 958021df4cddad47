import Testing

@testable import PromptQueue

/// Nothing that others write does anything to a terminal, a log or a label.
struct PlainTextTests {
    /// One of each kind: line ends, escape sequences of both widths, a bell, a NUL, DEL, directions, separators, tags.
    static let harmful =
        "\n\r\t\u{1B}[2J\u{9B}31m\u{7}\u{0}\u{7F}\u{202E}\u{2066}\u{200F}\u{2028}\u{2029}\u{FEFF}\u{E0041}"

    private func isHarmless(_ text: String) -> Bool { !text.unicodeScalars.contains(where: PlainText.isHarmful) }

    @Test func `what is harmful becomes a space on one line`() {
        let text = PlainText.oneLine("a\(Self.harmful)b")
        #expect(isHarmless(text))
        #expect(text.hasPrefix("a ") && text.hasSuffix(" b"))
        #expect(PlainText.oneLine("a\r\nb") == "a  b")
    }

    @Test(arguments: ["a red fox", "Sommer – Büro", "日本語", "שלום", "👩‍👩‍👧‍👦 🏳️‍🌈", "नमस्ते", "cafe\u{301}", "a\"\u{301}b"])
    func `what people write stays as it is`(text: String) {
        #expect(PlainText.oneLine(text) == text)
        #expect(PlainText.escaped(text) == text)
        #expect(PlainText.escapedJSON(text) == text)
    }

    @Test func `lines and tabs stay where there may be some`() {
        #expect(PlainText.lines("a\n\tb\r\u{1B}c") == "a\n\tb  c")
    }

    @Test func `a letter under a million marks is a letter under a few`() {
        let text = PlainText.oneLine("a" + String(repeating: "\u{301}", count: 1_000_000) + "b")
        #expect(text.unicodeScalars.count == 10)
        #expect(BoundedText.message("a" + String(repeating: "\u{301}", count: 1_000_000)).utf8.count <= 2_000)
    }

    @Test func `names that differ read differently`() {
        #expect(PlainText.escaped("a\r\nb") == "a\\u{d}\\u{a}b")
        #expect(PlainText.escaped("\u{202E}x") == "\\u{202e}x")
        #expect(isHarmless(PlainText.escaped(Self.harmful)))
    }

    @Test func `JSON holds the true text, and nothing harmful`() throws {
        let value = JSONValue.object(["a\(Self.harmful)": .string(Self.harmful)])
        #expect(isHarmless(value.json))
        #expect(try JSONValue(parsing: value.json) == value)
    }
}
