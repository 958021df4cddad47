import Testing

@testable import PromptQueue

/// What is understood of the JSON schema of a model's input.
struct InputSchemaTests {
    private func schema(_ properties: String, required: String = "[]") throws -> InputSchema {
        let text = #"{"type":"object","required":\#(required),"properties":{\#(properties)}}"#
        let object = try #require(JSONValue.object(in: text))
        return try #require(InputSchema(object))
    }

    private func field(_ schema: String) throws -> Field {
        let fields = try self.schema(#""it":\#(schema)"#).fields
        return try #require(fields.first)
    }

    @Test func `types, bounds, values and defaults are read`() throws {
        let text = try field(
            #"{"type":"string","minLength":3,"maxLength":5000,"description":"What to make. In words."}"#
        )
        #expect(text.type == .string && text.bounds == Bounds(3, 5_000) && text.note == "What to make")
        let number = try field(#"{"type":"integer","minimum":1,"exclusiveMaximum":5,"default":2}"#)
        #expect(number.type == .integer && number.bounds == Bounds(1, 4) && number.defaultValue == 2)
        let old = try field(#"{"type":"integer","minimum":0,"exclusiveMinimum":true}"#)
        #expect(old.bounds == Bounds(1, nil))
        let choice = try field(#"{"type":"string","enum":["1K","2K"],"default":"1K"}"#)
        #expect(choice.allowedValues == ["1K", "2K"] && choice.defaultValue == "1K")
        let list = try field(#"{"type":"array","maxItems":8,"items":{"type":"string","format":"uri"}}"#)
        #expect(list.bounds == Bounds(nil, 8) && list.element?.format == "uri")
        let object = try field(
            #"{"type":"object","required":["b"],"properties":{"a":{"type":"boolean"},"b":{"type":"number"}}}"#
        )
        #expect(object.properties.map(\.name) == ["b", "a"] && object.properties[0].isRequired)
    }

    @Test func `the prompt comes first, then what is required`() throws {
        let schema = try schema(
            #""a":{"type":"string"},"z":{"type":"string"},"prompt":{"type":"string"}"#,
            required: #"["z","prompt"]"#
        )
        #expect(schema.fields.map(\.name) == ["prompt", "z", "a"])
        #expect(schema.fields.map(\.isRequired) == [true, true, false])
    }

    @Test(arguments: [
        #"{"type":["string","null"],"enum":["a",null]}"#,
        #"{"anyOf":[{"type":"string","enum":["a"]},{"type":"null"}]}"#,
        #"{"allOf":[{"type":"string"},{"enum":["a"]}]}"#, #"{"const":"a"}"#,
        #"{"oneOf":[{"type":"string","const":"a"}]}"#,
    ])
    func `the ways to write a text that may be "a"`(_ text: String) throws {
        let field = try field(text)
        #expect(field.type == .string)
        #expect(field.allowedValues == ["a"])
    }

    @Test func `what is a number or a text takes both`() throws {
        let field = try field(#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#)
        #expect(field.type == .string && field.takesNumbers)
    }

    @Test(arguments: [
        #"{"anyOf":[{"type":"string"},{"type":"object"}]}"#, #"{"type":"tuple"}"#, "{}", "true", #"{"type":7}"#,
    ])
    func `of what is not understood nothing is claimed`(_ text: String) throws {
        let schema = try schema(#""it":\#(text),"prompt":{"type":"string"}"#)
        #expect(schema.fields.map(\.name) == ["prompt"])
        #expect(schema.unclear == ["it"])
    }

    @Test func `patterns are left alone, and depth and width are bounded`() throws {
        #expect(try field(#"{"type":"string","pattern":"^(a+)+$"}"#).pattern == nil)
        let deep =
            String(repeating: #"{"type":"array","items":"#, count: 20) + #"{"type":"string"}"#
            + String(repeating: "}", count: 20)
        var depth = 0
        var current: Field? = try field(deep)
        while let field = current { (depth, current) = (depth + 1, field.element) }
        #expect(depth <= 6)
        let many = (0...200).map { #""f\#($0)":{"type":"string"}"# }.joined(separator: ",")
        let wide = try #require(JSONValue.object(in: #"{"properties":{\#(many)}}"#))
        #expect(InputSchema(wide) == nil)
        #expect(InputSchema(["properties": .object([:])]) == nil)
        #expect(InputSchema(["type": "object"]) == nil)
    }
}
