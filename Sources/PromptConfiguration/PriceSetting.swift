import PromptQueue

/// Reads the prices of the configuration.
enum PriceSetting {
    private static let most = Credits(millicredits: 1_000_000_000)

    /// A price: up to 1,000,000 credits.
    static func credits(_ text: String) -> Credits? {
        Credits(text: text).flatMap { $0 <= most ? $0 : nil }
    }

    /// `MODEL=CREDITS`.
    static func price(_ text: String) -> PriceOverride? {
        guard let equals = text.lastIndex(of: "=") else { return nil }
        let model = String(text[..<equals]).trimmingSpaces()
        guard !model.isEmpty, let credits = credits(String(text[text.index(after: equals)...]).trimmingSpaces()) else {
            return nil
        }
        return PriceOverride(model: model, credits: credits, source: .configuration)
    }

    /// Why a model cannot have a price: the catalogue does not know it. `nil` if it does.
    static func unknown(_ model: String) -> String? {
        guard Catalogue.builtIn.model(named: model) == nil else { return nil }
        let near = Catalogue.builtIn.nearestNames(to: model)
        let hint = near.isEmpty ? "\(Advice.listModels)" : "did you mean \(near.joined(separator: ", "))?"
        return "names a model that promptd was not built with; \(hint) (\(Advice.setPriceOfAdded))"
    }
}
