/// One model of the catalogue.
package struct CatalogueModel: Sendable, Hashable {
    /// What the model makes.
    package enum Media: String, Sendable, Hashable, CaseIterable, Codable {
        case image, audio, video
    }

    /// The id that `createTask` takes: `flux-2/flex-text-to-image`.
    package let name: String
    package let media: Media
    /// What the documentation calls it.
    package let title: String?
    /// The fields of `input` in the documentation's order; `nil` if they are not published, and everything passes.
    package let fields: [Field]?
    /// The page that the fields come from.
    package let source: String
    /// Whether the provider still documented or listed the model when that was last looked at.
    package let isDocumented: Bool
    /// The model's prices; the first that fits an input counts.
    package internal(set) var priceRules: [PriceRule]
    /// What the model costs, in the provider's words; `nil` if it was not asked.
    package let pricing: String?
    /// When the provider was last asked about the model; `nil`: not since the catalogue was built.
    package let readAt: Instant?

    package init(
        name: String,
        media: Media,
        title: String? = nil,
        fields: [Field]?,
        source: String,
        isDocumented: Bool = true,
        priceRules: [PriceRule] = [],
        pricing: String? = nil,
        readAt: Instant? = nil
    ) {
        self.name = name
        self.media = media
        self.title = title
        self.fields = fields
        self.source = source
        self.isDocumented = isDocumented
        self.priceRules = priceRules
        self.pricing = pricing
        self.readAt = readAt
    }

    package func field(named name: String) -> Field? {
        fields?.first { $0.name == name }
    }

    /// The field that a job's prompt goes to: `prompt`, or `text` for the models that read a text aloud.
    package var promptField: String {
        guard fields != nil, field(named: "prompt") == nil, field(named: "text")?.type == .string else {
            return "prompt"
        }
        return "text"
    }

    /// What a task with `input`, complete with its defaults, costs; `nil` if no listed price tells.
    package func estimate(of input: JSONObject) -> Estimate? {
        guard let rule = priceRules.first(where: { $0.applies(to: input) }), let credits = rule.credits(for: input)
        else { return nil }
        return Estimate(credits: credits, basis: .listed(rule.description))
    }
}
