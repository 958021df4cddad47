extension Field {
    /// The fields of `input` that the model does not have, and that are spelt almost like one that it has; in objects too.
    ///
    /// - Parameter elsewhere: names that some model has: `speed` is no misspelt `seed`.
    static func misspellings(
        in input: JSONObject,
        of fields: [Field],
        model: String,
        elsewhere: Set<String> = [],
        at path: String = ""
    ) -> [InputProblem] {
        var problems: [InputProblem] = []
        for name in input.keys.sorted() where !fields.contains(where: { $0.name == name }) {
            guard let near = nearest(to: name, among: fields.map(\.name)) else { continue }
            // But image_url is image_urls, whoever has which.
            let isPlural = near == name + "s" || near + "s" == name
            if elsewhere.contains(name), !isPlural, letters(of: near) != letters(of: name) { continue }
            let message = "is no field of \(model); did you mean \(path)\(near)?"
            problems.append(InputProblem(field: path + name, kind: .misspeltField, message: message))
        }
        for field in fields {
            problems += field.misspellings(in: input[field.name], model: model, at: path + field.name)
        }
        return problems
    }

    private func misspellings(in value: JSONValue?, model: String, at path: String) -> [InputProblem] {
        switch (type, value) {
        case (.object, .object(let object)?) where !properties.isEmpty:
            Field.misspellings(in: object, of: properties, model: model, at: path + ".")
        case (.array, .array(let items)?) where element?.type == .object:
            items.enumerated().flatMap { index, item in
                element?.misspellings(in: item, model: model, at: "\(path)[\(index)]") ?? []
            }
        default: []
        }
    }

    /// The field that `name` was probably meant to be: the same but for case, separators and an `input.` before it; or up to
    /// two typing errors away, fewer for short names.
    static func nearest(to name: String, among known: [String]) -> String? {
        guard name.utf8.count <= 100 else { return nil }
        let wanted = letters(of: name)
        guard !wanted.isEmpty else { return nil }
        let near = known.compactMap { candidate -> (errors: Int, name: String)? in
            let letters = letters(of: candidate)
            guard let errors = EditDistance.distances(from: wanted, toPrefixesOf: letters).last else { return nil }
            return errors <= min(2, max(wanted.count, letters.count) / 4) ? (errors, candidate) : nil
        }
        return near.min { $0 < $1 }?.name
    }

    private static func letters(of name: String) -> [UInt8] {
        let lower = name.lowercased().trimmingSpaces()
        let bare = lower.hasPrefix("input.") ? String(lower.dropFirst(6)) : lower
        return bare.utf8.filter { !"_-. ".utf8.contains($0) }
    }
}
