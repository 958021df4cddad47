import FoundationEssentials
import Testing

@testable import PromptQueue

/// promptd's own writer has to write what `JSONEncoder` does, byte by byte: equal inputs have equal texts, also those of earlier
/// versions.
@Suite struct JSONWriterTests {
    private func encoded(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test func `every character is written as JSONEncoder writes it`() throws {
        let scalars = (0...0x10FFFF).lazy.compactMap { UnicodeScalar(UInt32($0)) }
        var text = ""
        for scalar in scalars {
            text.unicodeScalars.append(scalar)
            guard text.utf8.count > 4_000 || scalar.value == 0x10FFFF else { continue }
            let value = JSONValue.string(text)
            #expect(JSONWriter.text(of: value) == (try encoded(value)))
            text = ""
        }
    }

    @Test func `names are sorted as JSONEncoder sorts them`() throws {
        let names = [
            "", "a", "A", "b", "B", "aa", "a1", "a10", "a2", "_", "-", "z", "Z", "\u{1F}", " ", "a b", "10", "9", "\"",
            "\\", "\u{7F}",
        ]
        for first in names {
            for second in names where second != first {
                let value = JSONValue.object([first: 1, second: 2])
                #expect(JSONWriter.text(of: value) == (try encoded(value)))
            }
        }
        let all = JSONValue.object(Dictionary(names.map { ($0, .null) }) { first, _ in first })
        #expect(JSONWriter.text(of: all) == (try encoded(all)))
    }

    @Test(arguments: [
        JSONValue.null, true, false, .integer(.min), .integer(.max), 0, -1, .unsigned(.max), "", .array([]),
        .object([:]),
        .array([.null, .array([.object([:])]), .object(["a": .array([1, "b"]), "": .object(["/": "</script>"])])]),
    ])
    func `a value is written as JSONEncoder writes it`(value: JSONValue) throws {
        #expect(JSONWriter.text(of: value) == (try encoded(value)))
        #expect(value.json == PlainText.escapedJSON(try encoded(value)))
    }

    @Test(arguments: ["é", "e\u{301}", "\u{10000}", "ﬀ"])
    func `a name that is not ASCII is left to JSONEncoder`(name: String) throws {
        let value = JSONValue.object([name: 1, "z": 2, "\u{FFFF}": 3])
        #expect(JSONWriter.text(of: value) == nil)
        #expect(value.json == PlainText.escapedJSON(try encoded(value)))
    }

    @Test func `a number with a fraction is left to JSONEncoder, however deep it is`() throws {
        let value = JSONValue.object(["a": .array([1, .object(["b": .number(0.1)])])])
        #expect(JSONWriter.text(of: value) == nil)
        #expect(value.json == #"{"a":[1,{"b":0.1}]}"#)
    }
}
