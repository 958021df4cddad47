import ArgumentParser
import PromptQueue

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models, show what one takes and costs, set its price, or ask the provider anew.",
        discussion: "promptctl models MODEL shows one model, promptctl models WORD those that have it in their names.",
        subcommands: [
            ModelListCommand.self, ModelPriceCommand.self, ModelRefreshCommand.self, ModelResetCommand.self,
        ],
        defaultSubcommand: ModelListCommand.self
    )
}

struct ModelListCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models, or show what one takes and costs.",
        discussion: """
            Where the database has seen tasks of a model, what they were estimated to cost stands beside what they were \
            charged, as means of the latest \(ObservedPrice.sampleSize); an exclamation mark shows where the two are more \
            than 5 % apart.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Option(help: "Only those that make this: image, audio or video.")
    var media: CatalogueModel.Media?

    @Argument(
        help: "A model, or a word of the names of several.",
        completion: .list(Catalogue.builtIn.models.keys.sorted())
    )
    var model: String?

    func run() throws {
        let console = Console.current
        let prices = ModelPrices(database, console)
        let catalogue = prices.catalogue
        if let model {
            guard let found = catalogue.model(named: model) ?? prices.stranger(named: model) else {
                let matches = catalogue.models.values.filter {
                    $0.name.lowercased().contains(model.lowercased()) && (media == nil || $0.media == media)
                }
                guard !matches.isEmpty else { throw catalogue.unknown(model) }
                list(matches.sorted { $0.name < $1.name }, prices, console)
                return
            }
            if format.json {
                console.print(JSONValue.object(found.object(prices)).json)
            } else {
                for line in ModelPage(model: found, prices: prices, console: console).lines { console.print(line) }
            }
            return
        }
        // What a model makes that the catalogue does not know, nobody can tell.
        let strangers = media == nil ? prices.observedModels.filter { catalogue.model(named: $0) == nil } : []
        let models = (catalogue.models.values + strangers.compactMap(prices.stranger))
            .filter { media == nil || $0.media == media }.sorted { $0.name < $1.name }
        list(models, prices, console)
    }

    private func list(_ models: [CatalogueModel], _ prices: ModelPrices, _ console: Console) {
        if format.json {
            for model in models { console.print(JSONValue.object(model.object(prices)).json) }
            return
        }
        let width = console.isOutputTerminal ? console.columns : nil
        for line in table(models, prices).lines(width: width, hasColour: console.hasColour) { console.print(line) }
    }

    private func table(_ models: [CatalogueModel], _ prices: ModelPrices) -> Table {
        var columns: [Table.Column] = [
            .init(title: "MODEL", isFlexible: true), .init(title: "MEDIA"), .init(title: "CREDITS", isFlexible: true),
        ]
        if prices.hasObservations {
            columns += [
                .init(title: "ESTIMATED", alignment: .right), .init(title: "OBSERVED", alignment: .right),
                .init(title: ""),
            ]
        }
        var table = Table(columns)
        for model in models {
            var cells: [Table.Cell] = [
                .init(text: model.name), .init(text: model.mediaName), .init(text: model.priceInBrief(prices)),
            ]
            if prices.hasObservations {
                let comparison = prices.comparison(of: model.name)
                cells += [
                    .init(text: comparison?.estimated?.grouped ?? "–"),
                    .init(text: comparison?.observed.grouped ?? "–"),
                    .init(text: comparison?.mark ?? "", style: .warning),
                ]
            }
            table.add(cells)
        }
        return table
    }
}

extension CatalogueModel.Media: ExpressibleByArgument {}

extension Catalogue {
    /// That there is no such model, with the nearest names.
    func unknown(_ model: String) -> CommandError {
        let near = nearestNames(to: model)
        let hint = near.isEmpty ? "promptctl models lists all" : "did you mean \(near.joined(separator: ", "))?"
        return CommandError(.badData, "model: \"\(model)\" is not in the catalogue; \(hint)")
    }
}
