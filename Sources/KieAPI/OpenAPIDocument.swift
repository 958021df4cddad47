package import PromptQueue

/// The OpenAPI document of a model, as far as it says what `input` takes.
///
/// Somebody else's text: references are followed to a bounded depth, and into the document alone.
package struct OpenAPIDocument {
    private let root: JSONObject

    private static let mostDepth = 24
    /// Of values in the schema of the input, with everything that it refers to.
    private static let mostValues = 20_000
    /// What the database keeps of one.
    private static let mostBytes = 256 << 10

    package init?(_ value: JSONValue) {
        guard let root = value.objectValue else { return nil }
        self.root = root
    }

    /// The JSON schema of `input` in the request of the document's only call, every reference replaced by what it refers
    /// to; `nil` if there is none.
    package var inputSchema: JSONObject? {
        guard let schema = requestSchemas.lazy.compactMap(inputProperty).first else { return nil }
        var budget = Self.mostValues
        guard let whole = resolved(.object(schema), depth: 0, &budget)?.objectValue,
            JSONValue.object(whole).json.utf8.count <= Self.mostBytes
        else { return nil }
        return whole
    }

    /// `createTask` before any other.
    private var requestSchemas: [JSONObject] {
        let paths = root["paths"]?.objectValue ?? [:]
        let sorted = paths.sorted {
            ($0.key.hasSuffix("/createTask") ? 0 : 1, $0.key) < ($1.key.hasSuffix("/createTask") ? 0 : 1, $1.key)
        }
        return sorted.compactMap { _, item in
            guard let body = target(item.objectValue?["post"]?.objectValue?["requestBody"]),
                let content = body["content"]?.objectValue
            else { return nil }
            return target(content["application/json"]?.objectValue?["schema"])
        }
    }

    private func inputProperty(_ schema: JSONObject) -> JSONObject? {
        let parts = [schema] + (schema["allOf"]?.arrayValue ?? []).compactMap { target($0) }
        return parts.lazy.compactMap { target($0["properties"]?.objectValue?["input"]) }.first
    }

    /// The object itself, or the one that it refers to.
    private func target(_ value: JSONValue?) -> JSONObject? {
        var value = value
        for _ in 0..<Self.mostDepth {
            guard let object = value?.objectValue else { return nil }
            guard let reference = object["$ref"]?.stringValue else { return object }
            value = referred(reference)
        }
        return nil
    }

    /// What `#/components/schemas/Name` points to (RFC 6901).
    private func referred(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        var value = JSONValue.object(root)
        for token in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let key = token.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = value.objectValue?[String(key)] else { return nil }
            value = next
        }
        return value
    }

    private func resolved(_ value: JSONValue, depth: Int, _ budget: inout Int) -> JSONValue? {
        budget -= 1
        guard budget >= 0, depth <= Self.mostDepth else { return nil }
        switch value {
        case .object(let own):
            guard let object = target(.object(own)) else { return nil }
            var result: JSONObject = [:]
            for (key, value) in object {
                guard let value = resolved(value, depth: depth + 1, &budget) else { return nil }
                result[key] = value
            }
            return .object(result)
        case .array(let items):
            var result: [JSONValue] = []
            for item in items {
                guard let item = resolved(item, depth: depth + 1, &budget) else { return nil }
                result.append(item)
            }
            return .array(result)
        default:
            return value
        }
    }
}
