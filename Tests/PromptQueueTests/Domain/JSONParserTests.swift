import FoundationEssentials
import Testing

@testable import PromptQueue

@Suite struct JSONParserTests {
    @Test(arguments: [
        ("null", JSONValue.null), (" true ", true), ("false", false), ("0", 0), ("-0", 0), ("5.0", 5), ("1e2", 100),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("0.5", .number(0.5)),
        ("18446744073709551615", .unsigned(.max)), ("9223372036854775808", .unsigned(1 << 63)), (#""""#, ""),
        (#""a\"\\\/\b\f\n\r\tb""#, "a\"\\/\u{8}\u{c}\n\r\tb"),
        (#""\u00e9\ud83d\ude00é😀""#, "é😀é😀"), ("[]", .array([])), ("[ 1 , [ ] ]", .array([1, .array([])])),
        ("{}", .object([:])), (#"{ "a" : { "b" : [ null ] } }"#, .object(["a": .object(["b": .array([.null])])])),
    ])
    func `a text is read`(text: String, expected: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == expected)
    }

    @Test(arguments: ["9223372036854775808", "18446744073709551615", "-9223372036854775808"])
    func `a whole number goes out as it was written`(text: String) throws {
        #expect(try JSONValue(parsing: "[\(text)]").json == "[\(text)]")
    }

    @Test func `a whole number that cannot go out as it was written is refused, and taken from the provider`() throws {
        #expect(throws: JSONError.self) { try JSONValue(parsing: "18446744073709551616") }
        #expect(try JSONValue(answer: Array("18446744073709551616".utf8)) == .number(18446744073709551616))
    }

    @Test(arguments: [
        "", " ", "nul", "truex", "01", "1.", ".5", "+1", "1e", "-", "1e999", "[1,]", "[,1]", "[1 2]", "{,}", #"{"a"}"#,
        #"{"a":1,}"#, #"{a:1}"#, #"{"a":1 "b":2}"#, "\"", #""\x""#, #""\u12g4""#, #""\ud83d""#, #""\ude00""#,
        #""\ud83da""#,
        "\"a\u{1}b\"", "\"a\nb\"", "1 2", "[1]]", "{\"a\":1", "\u{FEFF}1", #"{"a":1,"a":2}"#,
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func `a text that is not valid UTF-8 is refused`() {
        for bytes: [UInt8] in [
            [0x22, 0xFF, 0x22], [0x22, 0xE2, 0x82, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
        ] {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Data(bytes)) }
        }
    }

    @Test func `nesting has a limit, which is named`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue(parsing: nested(32))
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: nested(33)) }
        #expect(error?.description == "is nested deeper than 32")
        // However often, and however deep: it ends where the limit is passed, or is read once.
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(100_000)) }
        let many = "[" + Array(repeating: nested(30), count: 3_000).joined(separator: ",") + "]"
        #expect(try JSONValue(parsing: many).arrayValue?.count == 3_000)
    }

    @Test func `a key that stands twice is named, and in an answer its last value counts`() throws {
        let text = #"{"a":1,"b":{"key":1,"key":2}}"#
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.description == "has the key \"key\" twice")
        #expect(try JSONValue(answer: Array(text.utf8)).objectValue?["b"] == .object(["key": 2]))
    }

    @Test func `what is written is read again`() throws {
        let value = JSONValue.object(["é\u{0}\"": .array([.number(1.5), .integer(-3), .bool(true), .null, "x\ny/"])])
        #expect(try JSONValue(parsing: value.json) == value)
    }
}
