import ArgumentParser
import PromptQueue

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models, or show what one takes and costs."
    )

    @OptionGroup var format: JSONOption

    @Option(help: "Only those that make this: image, audio or video.")
    var media: CatalogueModel.Media?

    @Argument(help: "A model.", completion: .list(Catalogue.builtIn.models.keys.sorted()))
    var model: String?

    func run() throws {
        let console = Console.current
        let catalogue = Catalogue.builtIn
        if let model {
            guard let found = catalogue.model(named: model) else {
                let near = catalogue.nearestNames(to: model)
                let hint = near.isEmpty ? "promptctl models lists all" : "did you mean \(near.joined(separator: ", "))?"
                throw CommandError(.badData, "model: \"\(model)\" is not in the catalogue; \(hint)")
            }
            if format.json {
                console.print(JSONValue.object(found.object).json)
            } else {
                for line in ModelPage(model: found, console: console).lines { console.print(line) }
            }
            return
        }
        let models = catalogue.models.values.filter { media == nil || $0.media == media }.sorted { $0.name < $1.name }
        if format.json {
            for model in models { console.print(JSONValue.object(model.object).json) }
            return
        }
        var table = Table([
            .init(title: "MODEL", isFlexible: true), .init(title: "MEDIA"), .init(title: "CREDITS", isFlexible: true),
        ])
        for model in models {
            table.add([.init(text: model.name), .init(text: model.media.rawValue), .init(text: model.priceInBrief)])
        }
        let width = console.isOutputTerminal ? console.columns : nil
        for line in table.lines(width: width, hasColour: console.hasColour) { console.print(line) }
    }
}

extension CatalogueModel.Media: ExpressibleByArgument {}

extension CatalogueModel {
    /// `14 to 24 per image`; a dash if no price is known.
    var priceInBrief: String {
        guard let least = priceRules.map(\.credits).min(), let most = priceRules.map(\.credits).max() else {
            return "–"
        }
        let units = Set(priceRules.map(\.unit)).sorted()
        let range = least == most ? least.grouped : "\(least.grouped) to \(most.grouped)"
        return "\(range) per \(units.joined(separator: " or "))"
    }

    var object: JSONObject {
        [
            "name": .string(name),
            "media": .string(media.rawValue),
            "title": JSONValue(title),
            "source": .string(source),
            "documented": .bool(isDocumented),
            "fields": fields.map { .array($0.map { .object($0.object) }) } ?? .null,
            "prices": .array(
                priceRules.map { rule in
                    .object([
                        "credits": JSONValue(rule.credits),
                        "unit": .string(rule.unit),
                        "when": .object(rule.when.mapValues { .array($0) }),
                        "given": .array(rule.given.map { .string($0) }),
                        "row": .string(rule.row),
                    ])
                }
            ),
        ]
    }
}

extension Field {
    var object: JSONObject {
        var object: JSONObject = ["type": .string(type.rawValue), "required": .bool(isRequired)]
        if !name.isEmpty { object["name"] = .string(name) }
        if let defaultValue { object["default"] = defaultValue }
        if !allowedValues.isEmpty { object["allowed"] = .array(allowedValues) }
        if let minimum = bounds.minimum { object["minimum"] = .number(minimum) }
        if let maximum = bounds.maximum { object["maximum"] = .number(maximum) }
        if let format { object["format"] = .string(format) }
        if let note { object["note"] = .string(note) }
        if let element { object["items"] = .object(element.object) }
        if !properties.isEmpty { object["properties"] = .array(properties.map { .object($0.object) }) }
        return object
    }
}
