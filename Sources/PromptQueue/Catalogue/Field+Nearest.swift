extension Field {
    /// The allowed value that `value` was probably meant to be; `nil` if none is near, or several are.
    ///
    /// Case, spaces and separators never count, and a time is the ratio that a spreadsheet made it of.
    func nearestValue(to value: JSONValue) -> String? {
        guard let text = value.stringValue, (1...60).contains(text.utf8.count) else { return nil }
        let allowed = allowedValues.compactMap(\.stringValue)
        let letters = Self.letters(of: text)
        let alike = allowed.filter { Self.letters(of: $0) == letters }
        if !letters.isEmpty, !alike.isEmpty { return alike.count == 1 ? alike.first : nil }
        if let minutes = SpreadsheetTime.minutes(text) {
            let ratios = allowed.filter { SpreadsheetTime.minutes(ofRatio: $0).map(minutes.contains) ?? false }
            if ratios.count == 1 { return ratios.first }
        }
        let errors = allowed.map {
            EditDistance.distances(from: letters, toPrefixesOf: Self.letters(of: $0)).last ?? .max
        }
        guard let least = errors.min(), least <= letters.count / 4 else { return nil }
        let near = zip(errors, allowed).filter { $0.0 == least }
        return near.count == 1 ? near.first?.1 : nil
    }

    private static func letters(of text: String) -> [UInt8] {
        text.lowercased().utf8.filter { !" -_./:".utf8.contains($0) }
    }
}
