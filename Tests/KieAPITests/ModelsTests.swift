import PromptQueue
import Testing

@testable import KieAPI

/// What is read of the OpenAPI document of a model.
struct OpenAPIDocumentTests {
    private func input(_ schema: String, _ rest: String = "") throws -> JSONObject? {
        let text =
            #"{"paths":{"/api/v1/jobs/createTask":{"post":{"requestBody":{"content":{"application/json":{"schema":\#(schema)}}}}}}\#(rest)}"#
        return OpenAPIDocument(try JSONValue(parsing: text))?.inputSchema
    }

    private let prompt: JSONObject = ["properties": .object(["prompt": .object(["type": "string"])])]

    @Test func `the schema of the input is found, and references in it are followed`() throws {
        let plain = try input(#"{"properties":{"input":{"properties":{"prompt":{"type":"string"}}}}}"#)
        #expect(plain == prompt)
        let referred = try input(
            ##"{"$ref":"#/components/schemas/Request"}"##,
            ##","components":{"schemas":{"Request":{"allOf":[{"properties":{"model":{}}},{"properties":{"input":{"$ref":"#/components/schemas/In~1put"}}}]},"In/put":{"properties":{"prompt":{"$ref":"#/components/schemas/Text"}}},"Text":{"type":"string"}}}"##
        )
        #expect(referred == prompt)
    }

    @Test(arguments: [
        "{}", "7", #"{"properties":{"model":{"type":"string"}}}"#, ##"{"$ref":"#/components/schemas/None"}"##,
        ##"{"$ref":"https://elsewhere.example/schema.json"}"##, ##"{"$ref":"#/paths"}"##,
        // It contains itself.
        ##"{"properties":{"input":{"$ref":"#/paths/~1api~1v1~1jobs~1createTask/post/requestBody/content/application~1json/schema"}}}"##,
    ])
    func `a document without it, or that leads away or in circles, has none`(_ schema: String) throws {
        #expect(try input(schema) == nil)
    }

    @Test func `one that grows by its references has none`() throws {
        let steps = (0..<20).map {
            ##""s\##($0)":{"a":{"$ref":"#/components/s\##($0 + 1)"},"b":{"$ref":"#/components/s\##($0 + 1)"}}"##
        }
        let schema = ##"{"properties":{"input":{"$ref":"#/components/s0"}}}"##
        #expect(try input(schema, #","components":{\#(steps.joined(separator: ",")),"s20":{}}"#) == nil)
    }
}
