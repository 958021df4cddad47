package import PromptQueue

/// The provider's catalogue (since September 2026).
extension KieClient: ModelSource {
    /// More than this is no list of models.
    private static let mostModels = 2_000
    private static let longestPricing = 4_000

    package func models(now: Instant) async -> Result<[ProviderModel], FailureError> {
        await ask("/api/v1/models") { data in
            guard let list = data?.objectValue?["models"]?.arrayValue, !list.isEmpty, list.count <= Self.mostModels
            else { return nil }
            var names: Set<String> = []
            let models = list.compactMap { item -> ProviderModel? in
                guard let item = item.objectValue, let name = item.text("model"), ProviderModel.isName(name),
                    names.insert(name).inserted
                else { return nil }
                return ProviderModel(
                    name: name,
                    title: item.text("title").map(BoundedText.word),
                    taskTypes: Self.words(item["taskType"]),
                    pricing: item.text("pricingDesc").flatMap(Self.pricing),
                    readAt: now
                )
            }
            return models.isEmpty ? nil : models.sorted { $0.name < $1.name }
        }
    }

    package func inputSchema(of model: String) async -> Result<JSONObject?, FailureError> {
        await ask("/api/v1/models/\(Self.path(model))/schema") { data in
            guard let data = data?.objectValue else { return nil }
            switch data["openapi"] {
            case nil, .null: return .some(nil)
            // A document that says nothing of the input, or too much, is not the same as none.
            case .string(let text)?:
                let document = (try? JSONValue(answer: Array(text.utf8))).flatMap(OpenAPIDocument.init)
                return document?.inputSchema.map { .some($0) }
            case let value?: return OpenAPIDocument(value)?.inputSchema.map { .some($0) }
            }
        }
    }

    package func pricing(of model: String) async -> Result<String?, FailureError> {
        await ask("/api/v1/models/\(Self.path(model))/price") { data in
            data?.objectValue.map { $0.text("pricingDesc").flatMap(Self.pricing) }
        }
    }

    /// The slash in a model's id stays one.
    private static func path(_ model: String) -> String {
        model.split(separator: "/", omittingEmptySubsequences: false).map { escaped(String($0)) }.joined(separator: "/")
    }

    /// At most 20 short ones: a word, or a list of them.
    private static func words(_ value: JSONValue?) -> [String] {
        let texts = value?.arrayValue?.compactMap(\.stringValue) ?? value?.stringValue.map { [$0] } ?? []
        return texts.prefix(20).filter { (1...100).contains($0.utf8.count) }.map { BoundedText.word($0) }
    }

    private static func pricing(_ text: String) -> String? {
        let line = PlainText.oneLine(String(text.prefix(longestPricing / 4)))
        return line.allSatisfy(\.isWhitespace) ? nil : line
    }
}
