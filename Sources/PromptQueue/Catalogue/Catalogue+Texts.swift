extension Catalogue {
    /// Reads texts as the model's fields take them. A list's field given again is its next item.
    ///
    /// - Throws: `RepeatedField` for another field that is given twice: one of the two would be lost.
    package func input(
        of pairs: some Sequence<(key: String, value: String)>,
        model name: String
    ) throws(RepeatedField) -> JSONObject {
        let model = model(named: name) ?? CatalogueModel(name: name, media: .image, fields: nil, source: "")
        var input: JSONObject = [:]
        for (key, text) in pairs {
            let value = model.value(forField: key, text: text)
            guard let before = input[key] else {
                input[key] = value
                continue
            }
            guard case .array(let items) = before, case .array(let more) = value else {
                throw RepeatedField(field: key, model: name)
            }
            input[key] = .array(items + more)
        }
        return input
    }
}

/// A field that takes one value, and was given two.
package struct RepeatedField: Error, CustomStringConvertible {
    package let field: String
    package let model: String

    package var description: String {
        "\(PlainText.oneLine(field)) is given twice, and \(model) takes one value for it"
    }
}
