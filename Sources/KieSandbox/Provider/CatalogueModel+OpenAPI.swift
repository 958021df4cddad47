import PromptQueue

extension CatalogueModel {
    /// The OpenAPI document of the model's `createTask`, as JSON; `nil` for a model whose fields are not published.
    var openAPI: String? {
        guard let fields else { return nil }
        let model = #"{"type":"string","enum":[\#(name.jsonLiteral)]}"#
        let properties =
            #"{"model":\#(model),"callBackUrl":{"type":"string","format":"uri"},"#
            + #""input":\#(Field.objectSchema(of: fields).json)}"#
        let schema = #"{"type":"object","required":["model","input"],"properties":\#(properties)}"#
        let operation = #"{"requestBody":{"required":true,"content":{"application/json":{"schema":\#(schema)}}}}"#
        let info = #"{"title":\#((title ?? name).jsonLiteral),"version":"1.0.0"}"#
        return #"{"openapi":"3.0.1","info":\#(info),"paths":{"/api/v1/jobs/createTask":{"post":\#(operation)}}}"#
    }
}

extension Field {
    fileprivate static func objectSchema(of fields: [Field]) -> WireObject {
        var properties = WireObject()
        for field in fields { properties.add(field.name, json: field.schema.json) }
        var schema = WireObject()
        schema.add("type", "object")
        schema.add("properties", json: properties.json)
        schema.add("required", fields.filter(\.isRequired).map(\.name))
        return schema
    }

    private var schema: WireObject {
        var schema = WireObject()
        if type == .object {
            schema = Self.objectSchema(of: properties)
        } else {
            schema.add("type", type.rawValue)
        }
        if let defaultValue { schema.add("default", json: defaultValue.json) }
        if !allowedValues.isEmpty { schema.add("enum", json: JSONValue.array(allowedValues).json) }
        if let (least, greatest) = boundNames {
            if let minimum = bounds.minimum { schema.add(least, json: JSONValue.number(minimum).json) }
            if let maximum = bounds.maximum { schema.add(greatest, json: JSONValue.number(maximum).json) }
        }
        if let pattern { schema.add("pattern", pattern) }
        if let format { schema.add("format", format) }
        if let note { schema.add("description", note) }
        if let element { schema.add("items", json: element.schema.json) }
        return schema
    }

    private var boundNames: (least: String, greatest: String)? {
        switch type {
        case .string: ("minLength", "maxLength")
        case .array: ("minItems", "maxItems")
        case .integer, .number: ("minimum", "maximum")
        case .boolean, .object: nil
        }
    }
}
