import PromptQueue

/// What the catalogue says of one input, whatever the prompt, as far as that can be known.
///
/// Most lines of a file differ in the prompt alone: their inputs are parsed and checked once.
struct InputTemplate {
    private enum Verdict {
        /// For prompts with so many characters, or for none at all.
        case accepted(Estimate, prompt: Bounds?)
        case refused([String])
        /// The prompt has a say.
        case open
    }

    /// The input as it is inserted, without prompt and defaults.
    let json: String
    let unknownFields: [String]
    /// What was taken for something else than it says.
    var guesses: [String] = []
    private let model: String
    private let object: JSONObject
    private let verdict: Verdict

    /// An input of a line that is none.
    init(malformed message: String) {
        (json, unknownFields, model, object) = ("{}", [], "", [:])
        verdict = .refused([message])
    }

    init(_ object: JSONObject, model name: String, hasPrompt: Bool, _ context: ImportContext) {
        self.object = object
        model = name
        json = JSONValue.object(object).json
        guard hasPrompt else {
            switch context.prepare(name, prompt: nil, object) {
            case .ready(let prepared):
                verdict = .accepted(context.prices.estimate(of: prepared, model: name), prompt: nil)
                unknownFields = prepared.unknownFields
            case .refused(let refusal):
                verdict = .refused(refusal.problems.map(\.description))
                unknownFields = []
            }
            return
        }
        guard let bounds = Self.promptBounds(context.catalogue.model(named: name), object, context.prices),
            case .ready(let prepared) = context.prepare(
                name,
                prompt: String(repeating: "x", count: Int(bounds.minimum ?? 1)),
                object
            )
        else {
            verdict = .open
            unknownFields = []
            return
        }
        verdict = .accepted(context.prices.estimate(of: prepared, model: name), prompt: bounds)
        unknownFields = prepared.unknownFields
    }

    /// What a job with this input and `prompt` will cost, or what is wrong with it.
    func estimate(prompt: String?, _ context: ImportContext) throws(InputRefused) -> Estimate {
        switch verdict {
        case .refused(let problems): throw InputRefused(problems: problems)
        case .accepted(let estimate, nil): return estimate
        case .accepted(let estimate, let bounds?):
            if let prompt, bounds.surelyHold(prompt) { return estimate }
        case .open: break
        }
        switch context.prepare(model, prompt: prompt, object) {
        case .ready(let prepared): return context.prices.estimate(of: prepared, model: model)
        case .refused(let refusal): throw InputRefused(problems: refusal.problems.map(\.description))
        }
    }

    /// The lengths of prompts of which all are treated alike; `nil` if the prompt counts in another way, too.
    private static func promptBounds(
        _ model: CatalogueModel?,
        _ object: JSONObject,
        _ prices: PriceBook
    ) -> Bounds? {
        guard let model, let field = model.field(named: model.promptField), field.type == .string,
            field.allowedValues.isEmpty, field.pattern == nil, object[field.name] == nil
        else { return nil }
        for rule in model.priceRules {
            if rule.when[field.name] != nil || rule.given.contains(field.name) { return nil }
            if rule.surcharges.contains(where: { $0.each?.contains(field.name) ?? false }) { return nil }
            if case .thousandCharacters = rule.measure { return nil }
        }
        for price in prices.overrides(of: model.name)
        where price.conditions[field.name] != nil || price.measure.field == field.name { return nil }
        let least = max(1, field.bounds.minimum ?? 1)
        guard least <= 1_000 else { return nil }
        return Bounds(least, field.bounds.maximum)
    }
}

/// What is wrong with a line's input.
struct InputRefused: Error {
    var problems: [String]
}

extension Bounds {
    /// Whether a text is surely as long as this; false does not mean that it is not.
    fileprivate func surelyHold(_ text: String) -> Bool {
        // A character takes one to four bytes.
        let bytes = Double(text.utf8.count)
        if bytes >= 4 * (minimum ?? 0), bytes <= maximum ?? .infinity { return true }
        return violation(by: Double(text.unicodeScalars.count)) == nil
    }
}
