import PromptQueue

/// Reads the prices of the configuration.
enum PriceSetting {
    /// A decimal number from 0 to 1,000,000.
    static func credits(_ text: String) -> Credits? {
        guard !text.isEmpty, text.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }), let number = Double(text),
            number <= 1_000_000
        else { return nil }
        return Credits(number)
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
        let hint = near.isEmpty ? "\(Advice.listModels) lists all" : "did you mean \(near.joined(separator: ", "))?"
        return "names a model that the catalogue does not know; \(hint)"
    }
}
