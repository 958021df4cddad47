extension Catalogue {
    /// As `prepare`, for a job that is not sent yet: its input may take other jobs' results wherever a model takes a URL.
    ///
    /// What is ready has URLs of no meaning in their place: it tells what the job costs, and is not to be sent.
    package func prepareAhead(
        model: String,
        prompt: String?,
        input: JSONObject,
        unknownModels: UnknownModelPolicy = .refuse,
        allowsUnknownFields: Bool = false
    ) -> Preparation {
        if let refusal = misplacedReferences(in: input, model: model) { return .refused(refusal) }
        let ahead = JSONValue.object(input).replacingTexts {
            InputReference($0) != nil || LocalFileReference.isOne($0) ? "https://result.invalid/file.png" : nil
        }
        return prepare(
            model: model,
            prompt: prompt,
            input: ahead.objectValue ?? input,
            unknownModels: unknownModels,
            allowsUnknownFields: allowsUnknownFields
        )
    }

    /// Says which results are taken where the model takes no URL; nil if none is. Fields that are not known take anything.
    func misplacedReferences(in input: JSONObject, model name: String) -> Refusal? {
        guard let model = model(named: name), let fields = model.fields else { return nil }
        let problems = input.keys.sorted().flatMap { key -> [InputProblem] in
            guard let value = input[key], let field = fields.first(where: { $0.name == key }) else { return [] }
            return field.misplacedReferences(in: value, at: key, name: key, model: name)
        }
        return problems.isEmpty ? nil : Refusal(code: .invalidInput, problems: problems)
    }
}

extension Field {
    fileprivate func misplacedReferences(
        in value: JSONValue,
        at path: String,
        name: String,
        model: String
    ) -> [InputProblem] {
        switch value {
        case .string(let text):
            guard InputReference(text) != nil || LocalFileReference.isOne(text), !takesURL(as: name) else { return [] }
            let message = "\(value.quoted) is a file; \(model) takes no URL here"
            return [InputProblem(field: path, kind: .wrongType, message: message)]
        case .array(let items):
            guard let element else { return [] }
            return items.enumerated().flatMap { index, item in
                element.misplacedReferences(in: item, at: "\(path)[\(index)]", name: name, model: model)
            }
        case .object(let object):
            return properties.flatMap { property in
                object[property.name].map {
                    property.misplacedReferences(
                        in: $0,
                        at: "\(path).\(property.name)",
                        name: property.name,
                        model: model
                    )
                } ?? []
            }
        case .null, .bool, .integer, .unsigned, .number: return []
        }
    }

    /// Whether a value may be a URL.
    ///
    /// Schemas that the provider published later do not always say so.
    package func takesURL(as name: String) -> Bool {
        format == "uri" || type != .string || (allowedValues.isEmpty && name.lowercased().contains("url"))
    }
}
