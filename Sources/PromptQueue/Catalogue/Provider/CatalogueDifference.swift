/// What has changed from one catalogue to another.
package struct CatalogueDifference: Sendable, Hashable {
    /// One model that is not as it was.
    package struct Model: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            /// Was not known before.
            case new
            /// The provider no longer lists it.
            case gone
            /// The provider lists it again.
            case back
            case changed
        }

        package let name: String
        package let kind: Kind
        /// What has changed, a sentence each.
        package let changes: [String]
        /// Whether an input that was taken before may be refused now.
        package let isNarrower: Bool
    }

    /// By name.
    package let models: [Model]

    package var isEmpty: Bool { models.isEmpty }

    package func count(_ kind: Model.Kind) -> Int { models.count { $0.kind == kind } }

    package init(from before: Catalogue, to after: Catalogue) {
        models = after.models.values.compactMap { Self.difference(before.model(named: $0.name), $0) }
            .sorted { $0.name < $1.name }
    }

    private static func difference(_ old: CatalogueModel?, _ new: CatalogueModel) -> Model? {
        guard let old else {
            let fields = new.fields.map { "\($0.count) field\($0.count == 1 ? "" : "s")" } ?? "fields are not published"
            let price = new.pricing.map { ["price: \(PlainText.oneLine($0))"] } ?? []
            return Model(name: new.name, kind: .new, changes: [new.media.rawValue, fields] + price, isNarrower: false)
        }
        var notes = Notes()
        notes.compare(old.fields, new.fields)
        notes.comparePrices(old, new)
        let kind: Model.Kind =
            switch (old.isDocumented, new.isDocumented) {
            case (true, false): .gone
            case (false, true): .back
            default: .changed
            }
        guard kind != .changed || !notes.texts.isEmpty else { return nil }
        return Model(name: new.name, kind: kind, changes: notes.texts, isNarrower: notes.isNarrower)
    }
}

private struct Notes {
    var texts: [String] = []
    var isNarrower = false

    private mutating func note(_ text: String, narrower: Bool = false) {
        texts.append(text)
        isNarrower = isNarrower || narrower
    }

    mutating func compare(_ old: [Field]?, _ new: [Field]?) {
        switch (old, new) {
        case (nil, nil): break
        case (nil, let new?): note("its \(new.count) fields are published now", narrower: true)
        case (_?, nil): note("its fields are no longer published")
        case (let old?, let new?): compare(old, new, path: "")
        }
    }

    private mutating func compare(_ old: [Field], _ new: [Field], path: String) {
        for field in new {
            let name = path + field.name
            guard let before = old.first(where: { $0.name == field.name }) else {
                let need = field.isRequired && field.defaultValue == nil ? ", required" : ""
                note("\(name): new, \(field.type.rawValue)\(need)\(Self.defaultText(field))", narrower: !need.isEmpty)
                continue
            }
            compare(before, field, name)
        }
        for field in old where !new.contains(where: { $0.name == field.name }) {
            note("\(path)\(field.name): no longer a field", narrower: true)
        }
    }

    private static func defaultText(_ field: Field) -> String {
        field.defaultValue.map { ", \($0.plainText) unless given" } ?? ""
    }

    private mutating func compare(_ old: Field, _ new: Field, _ name: String) {
        if old.type != new.type {
            note("\(name): \(new.type.rawValue), was \(old.type.rawValue)", narrower: true)
            return
        }
        if old.isRequired != new.isRequired {
            note(
                new.isRequired ? "\(name): required now" : "\(name): no longer required",
                narrower: new.isRequired && new.defaultValue == nil
            )
        }
        compareValues(old.allowedValues, new.allowedValues, name)
        if old.bounds != new.bounds {
            note(
                "\(name): takes \(new.bounds), was \(old.bounds)",
                narrower: (new.bounds.minimum ?? -.infinity) > (old.bounds.minimum ?? -.infinity)
                    || (new.bounds.maximum ?? .infinity) < (old.bounds.maximum ?? .infinity)
            )
        }
        if old.defaultValue != new.defaultValue {
            let before = old.defaultValue?.plainText ?? "nothing"
            note("\(name): \(new.defaultValue?.plainText ?? "nothing") unless given, was \(before)", narrower: true)
        }
        if let old = old.element, let new = new.element { compare(old, new, "\(name)[]") }
        if old.type == .object { compare(old.properties, new.properties, path: "\(name).") }
    }

    private mutating func compareValues(_ old: [JSONValue], _ new: [JSONValue], _ name: String) {
        guard !new.isEmpty else {
            if !old.isEmpty { note("\(name): takes any value now") }
            return
        }
        guard !old.isEmpty else {
            note("\(name): takes only \(Self.list(new))", narrower: true)
            return
        }
        let added = new.filter { value in !old.contains { $0.means(value) } }
        let removed = old.filter { value in !new.contains { $0.means(value) } }
        if !added.isEmpty { note("\(name): takes \(Self.list(added)), too") }
        if !removed.isEmpty { note("\(name): no longer takes \(Self.list(removed))", narrower: true) }
    }

    private static func list(_ values: [JSONValue]) -> String {
        let rest = values.count - 24
        return values.prefix(24).map(\.plainText).joined(separator: " ") + (rest > 0 ? " and \(rest) more" : "")
    }

    mutating func comparePrices(_ old: CatalogueModel, _ new: CatalogueModel) {
        if old.priceRules.map(\.credits) != new.priceRules.map(\.credits) {
            let before = old.priceRules.first.map { "\($0.credits)" } ?? "not known"
            note(
                "price: \(new.priceRules.first.map { "\($0.credits) credits per \($0.unit)" } ?? "not known"), was \(before)"
            )
        }
        guard let text = new.pricing, text != old.pricing else { return }
        if old.pricing != nil { note("the provider's words on its price: \(PlainText.oneLine(text))") }
        // Nothing takes such a number by itself: a person has to say what it is the price of.
        let known = Set(new.priceRules.map(\.credits) + new.priceRules.flatMap(\.surcharges).map(\.credits))
        let strange = PriceText.amounts(text).filter { !known.contains($0) }
        guard !known.isEmpty, !strange.isEmpty, new.priceRules.contains(where: { $0.measure == .once }) else { return }
        note(
            "the provider's words name \(strange.map { "\($0)" }.joined(separator: " and ")) credits, "
                + "which is none of the prices known: \(PlainText.oneLine(text))"
        )
    }
}
