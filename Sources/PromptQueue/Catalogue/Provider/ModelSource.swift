/// Where the provider says what models it has.
package protocol ModelSource: Sendable {
    /// All models, without their schemas.
    func models(now: Instant) async -> Result<[ProviderModel], FailureError>

    /// The JSON schema of a model's `input`, without references; `nil` if the provider publishes none.
    func inputSchema(of model: String) async -> Result<JSONObject?, FailureError>

    /// What a model costs, in the provider's words; `nil` if it does not say.
    func pricing(of model: String) async -> Result<String?, FailureError>
}

/// What the provider said of all its models.
package struct ProviderCatalogue: Sendable {
    /// Those that it lists, by name. Where the schema was not to be had, it is `nil`, and the model is among `unread`.
    package var models: [ProviderModel]
    /// Models whose schemas were not to be had, each with the reason.
    package var unread: [String: String]
    package let readAt: Instant

    package init(models: [ProviderModel], unread: [String: String] = [:], readAt: Instant) {
        self.models = models
        self.unread = unread
        self.readAt = readAt
    }

    /// So many failures one after the other are the provider's, not one model's.
    private static let mostFailures = 5

    /// Asks for the list, and then for one model after the other. Costs no credits.
    ///
    /// - Parameters:
    ///   - pause: waits between two questions.
    ///   - onProgress: told how many of how many models are read.
    /// - Throws: what the provider answered, when the list or too many schemas are not to be had; and what `pause` throws.
    package static func read(
        from source: any ModelSource,
        now: Instant,
        pause: () async throws -> Void,
        onProgress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> ProviderCatalogue {
        var catalogue = ProviderCatalogue(models: try await source.models(now: now).get(), readAt: now)
        var failures = 0
        for index in catalogue.models.indices {
            let name = catalogue.models[index].name
            onProgress(index, catalogue.models.count)
            try await pause()
            switch await source.inputSchema(of: name) {
            case .success(let schema):
                catalogue.models[index].inputSchema = schema
                failures = 0
            case .failure(let error):
                failures += 1
                guard error.failure.code != .keyRefused, failures < mostFailures else { throw error }
                catalogue.unread[name] = error.failure.message
                continue
            }
            guard catalogue.models[index].pricing == nil else { continue }
            try await pause()
            if case .success(let text) = await source.pricing(of: name) { catalogue.models[index].pricing = text }
        }
        onProgress(catalogue.models.count, catalogue.models.count)
        return catalogue
    }

    /// What is kept, after what was kept before.
    ///
    /// A model that the list has lost is marked, unless the list has lost a third of them at once: then it is the list that
    /// is wrong, and `isShort` is true.
    package func merged(into kept: [ProviderModel], builtIn: Catalogue) -> (models: [ProviderModel], isShort: Bool) {
        let listed = Set(models.map(\.name))
        let before = Dictionary(kept.map { ($0.name, $0) }) { _, last in last }
        var result = models.map { model in
            var model = model
            // What is no longer published, or was not to be had, is still right until somebody says otherwise.
            model.inputSchema = model.inputSchema ?? before[model.name]?.inputSchema
            return model
        }
        let known = builtIn.with(kept).models.values.filter(\.isDocumented).map(\.name)
        let lost = known.filter { !listed.contains($0) }
        guard lost.count * 3 <= known.count else { return (result, true) }
        for name in lost {
            var model = before[name] ?? ProviderModel(name: name, readAt: readAt)
            model = ProviderModel(
                name: name,
                isListed: false,
                title: model.title,
                taskTypes: model.taskTypes,
                pricing: model.pricing,
                inputSchema: model.inputSchema,
                readAt: readAt
            )
            result.append(model)
        }
        return (result, false)
    }
}
