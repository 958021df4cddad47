import ArgumentParser
import PromptConfiguration
import PromptQueue

struct ModelPriceCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "price",
        abstract: "Set a price of your own for a model, or remove it.",
        discussion: """
            It takes the place of the catalogue's in estimates and reservations, from the next claim on; what is booked is \
            always what the provider reports. The price with the most conditions counts. promptctl models MODEL shows them.
            """
    )

    @OptionGroup var database: DatabaseOption

    @Option(
        help: ArgumentHelp("Only for inputs with this value, defaults included. Repeatable.", valueName: "field=value")
    )
    var when: [KeyValue] = []

    @Option(
        help: ArgumentHelp(
            "What it is multiplied by: a field with a number, or \"1000 characters of FIELD\". (default: a task)",
            valueName: "field"
        )
    )
    var per: String?

    @Option(help: "A note for people.")
    var note: String?

    @Flag(help: "Remove the price with these conditions.")
    var remove = false

    @Argument(help: "The model.", completion: .list(Catalogue.builtIn.models.keys.sorted()))
    var model: String

    @Argument(help: "The price, in credits.")
    var credits: Credits?

    func validate() throws {
        if remove == (credits != nil) { throw ValidationError("Give the price in credits, or --remove.") }
        if remove, per != nil || note != nil { throw ValidationError("--remove takes --when only.") }
    }

    func run() throws {
        let console = Console.current
        let catalogue = try database.open { try $0.catalogue() }
        let known = catalogue.model(named: model)
        let conditions = try catalogue.input(when.map { ($0.key, $0.value) }, model: model, option: "--when")
        guard let credits else { return try removePrice(conditions, console) }
        if known == nil, console.settings.unknownModels == .refuse { throw catalogue.unknown(model) }
        let price = PriceOverride(
            model: model,
            conditions: conditions,
            credits: credits,
            measure: PriceOverride.Measure(text: per),
            note: note
        )
        if let known, known.fields != nil {
            for field in (conditions.keys.sorted() + [price.measure.field].compactMap(\.self))
            where known.field(named: field) == nil {
                console.say(
                    "warning: \(model) does not list the field \(field); inputs without it do not get this price"
                )
            }
        }
        try database.open { try $0.setPrice(price) }
        console.say(oneLine("\(model): \(price)"))
    }

    private func removePrice(_ conditions: JSONObject, _ console: Console) throws {
        guard try database.open({ try $0.removePrice(model: model, conditions: conditions) }) else {
            throw CommandError(
                .badData,
                "\(model): there is no price of yours with these conditions; promptctl models \(model) shows them. "
                    + "Those of the configuration are changed there"
            )
        }
        console.say("\(oneLine(model)): the price is removed")
    }
}
