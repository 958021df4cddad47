import PromptQueue

extension SandboxProvider {
    /// `/api/v1/models`, and `/schema`, `/price` and `/success-rate` below a model's id, whose slash stays one.
    func models(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        guard isAuthorized(request) else { return .unauthorized }
        let parts = request.path.split(separator: "/").dropFirst(3)
        guard let last = parts.last else { return .success(list) }
        guard let model = catalogue.model(named: parts.dropLast().joined(separator: "/")) else { return .notFound }
        switch last {
        case "schema": return .success(schema(of: model))
        case "price": return .success(price(of: model))
        case "success-rate": return .success(successRate(of: model, now: now))
        default: return .notFound
        }
    }

    private var list: String {
        let models = catalogue.models.values.filter(\.isDocumented).sorted { $0.name < $1.name }.map { model in
            var object = WireObject()
            object.add("model", model.name)
            object.add("slug", model.name.split(separator: "/").joined(separator: "-"))
            object.add("title", model.title ?? model.name)
            object.add("provider", model.name.split(separator: "/").first.map(String.init))
            object.add("taskType", [model.name.split(separator: "/").last.map(String.init) ?? model.name])
            object.add("description", model.title ?? model.name)
            object.add("pricingDesc", pricing(of: model))
            return object.json
        }
        return #"{"total":\#(models.count),"models":[\#(models.joined(separator: ","))]}"#
    }

    private func price(of model: CatalogueModel) -> String {
        var object = WireObject()
        object.add("model", model.name)
        object.add("pricingDesc", pricing(of: model))
        return object.json
    }

    /// The price of the model's plainest task, if it has one without more than a prompt.
    private func pricing(of model: CatalogueModel) -> String? {
        if let words = model.pricing { return words }
        guard case .ready(let prepared) = catalogue.prepare(model: model.name, prompt: "A prompt", input: [:]),
            let credits = prepared.estimate?.credits
        else { return nil }
        let dollars = Double(credits.millicredits) * 0.005 / 1_000
        return "\(credits) credits per task (~$\(dollars))"
    }

    /// Ten-minute buckets of the last hour, all of them fair weather.
    private func successRate(of model: CatalogueModel, now: Instant) -> String {
        let bucket: Int64 = 600_000
        let end = now.milliseconds / bucket * bucket
        let points = (1...6).reversed().map { age in
            let start = end - Int64(age) * bucket
            return #"{"start":\#(start),"end":\#(start + bucket),"successRate":0.98,"errorRate":0.02,"isNormal":true}"#
        }
        var object = WireObject()
        object.add("model", model.name)
        object.add("points", json: "[\(points.joined(separator: ","))]")
        return object.json
    }

    private func schema(of model: CatalogueModel) -> String {
        var object = WireObject()
        object.add("model", model.name)
        object.add("openapi", json: model.openAPI ?? "null")
        return object.json
    }
}
