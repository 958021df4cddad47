import FoundationEssentials
import Testing

@testable import PromptQueue

/// The price rules against the provider's feed, which `PriceFeed.rows` holds.
struct PriceFeedTests {
    private struct Row: Hashable {
        let credits: Credits
        let unit: String
    }

    private let catalogue = Catalogue.builtIn
    private let feed: [String: Row]

    init() throws {
        feed = try PriceFeed.rows.split(separator: "\n").reduce(into: [:]) { feed, line in
            let columns = line.split(separator: "\t").map(String.init)
            try #require(columns.count == 3)
            let credits = try #require(Double(columns[1]).flatMap(Credits.init))
            feed[columns[0]] = Row(credits: credits, unit: columns[2])
        }
    }

    /// Rows that no rule uses, with the reason.
    private func unmapped() throws -> [String: String] {
        let file = try JSONValue(parsing: Data(PackageResources.prices_json))
        let list = try #require(file.objectValue?["unmapped"]?.arrayValue)
        return list.compactMap(\.objectValue).reduce(into: [:]) { result, entry in
            result[entry["row"]?.stringValue ?? ""] = entry["reason"]?.stringValue
        }
    }

    @Test func `every row of the feed is a rule or has a reason not to be one`() throws {
        let rules = catalogue.models.values.flatMap(\.priceRules)
        let used = Set(rules.map(\.row) + rules.flatMap(\.surcharges).map(\.row))
        let unmapped = try unmapped()
        #expect(feed.count == 246)
        #expect(used.union(unmapped.keys) == Set(feed.keys))
        #expect(used.isDisjoint(with: unmapped.keys))
        #expect(unmapped.count == 10)
        #expect(unmapped.values.allSatisfy { $0.count > 10 })
    }

    @Test func `every rule costs what its row says`() {
        for rule in catalogue.models.values.flatMap(\.priceRules) {
            #expect(feed[rule.row] == Row(credits: rule.credits, unit: rule.unit), "\(rule.row)")
            for extra in rule.surcharges {
                #expect(feed[extra.row] == Row(credits: extra.credits, unit: extra.unit), "\(extra.row)")
            }
        }
    }

    @Test func `every rule names models and fields that exist`() throws {
        let file = try JSONValue(parsing: Data(PackageResources.prices_json))
        let rules = try #require(file.objectValue?["rules"]?.arrayValue)
        for name in rules.compactMap(\.objectValue).flatMap({ $0["models"]?.arrayValue ?? [] }) {
            #expect(name.stringValue.flatMap(catalogue.model) != nil, "\(name.json)")
        }
        for model in catalogue.models.values where model.fields != nil && model.name != "ai-music-api/separate-vocals" {
            for rule in model.priceRules {
                for field in rule.when.keys { #expect(model.field(named: field) != nil, "\(rule.row) \(field)") }
                let measured: String? =
                    switch rule.measure {
                    case .seconds(let field), .thousandCharacters(let field): field
                    case .once, .count, .untold: nil
                    }
                if let measured { #expect(model.field(named: measured) != nil, "\(rule.row) \(measured)") }
            }
        }
    }

    @Test func `every value that a rule asks for is one that the field takes`() {
        for model in catalogue.models.values where model.fields != nil {
            for (name, values) in model.priceRules.flatMap(\.when) {
                guard let field = model.field(named: name), !field.allowedValues.isEmpty else { continue }
                let isTaken = values.contains { field.problems(with: $0, at: name, model: model.name).isEmpty }
                #expect(isTaken, "\(model.name) \(name) \(values)")
            }
        }
    }

    @Test func `every rule can be reached`() {
        for model in catalogue.models.values {
            for (earlier, later) in zip(model.priceRules, model.priceRules.dropFirst()) {
                #expect(!(earlier.when.isEmpty && earlier.given.isEmpty), "\(model.name): \(later.row)")
            }
        }
    }
}
