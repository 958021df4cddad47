import HTTPTypes
import Hummingbird
import PromptQueue

/// One thing that a program may have done, with the token.
struct APIAction: Sendable {
    /// Below `/api/v1/`.
    let path: String
    let summary: String
    /// What may stand in the body, a JSON object.
    let fields: [APIField]
    /// Whether a repeat is known by the header `Idempotency-Key`.
    let takesKey: Bool
    let act: @Sendable (API, WebChanges, APIBody) async throws -> JSONValue

    init(
        _ path: String,
        _ summary: String,
        fields: [APIField],
        takesKey: Bool = false,
        _ act: @escaping @Sendable (API, WebChanges, APIBody) async throws -> JSONValue
    ) {
        self.path = path
        self.summary = summary
        self.fields = fields
        self.takesKey = takesKey
        self.act = act
    }
}

struct APIField: Sendable {
    let name: String
    /// A JSON schema.
    let schema: JSONObject

    init(_ name: String, _ type: String, _ summary: String, items: String? = nil) {
        self.name = name
        var schema: JSONObject = ["type": .string(type), "description": .string(summary)]
        if let items { schema["items"] = .object(["type": .string(items)]) }
        self.schema = schema
    }

    static let dryRun = APIField("dry_run", "boolean", "only say what would be done, and what it would cost")
    static let maxCredits = APIField(
        "max_credits",
        "number",
        "what it may cost at most, by the estimates; what would cost more is refused (conflict)"
    )
    static let chosen = [
        APIField("ids", "array", "the jobs", items: "integer"),
        APIField(
            "filter",
            "object",
            "instead of ids: state, queue, batch, model, label (sku=A-1), search, error, key, each a string or a list"
        ),
    ]
}

/// The body of a request.
struct APIBody: Sendable {
    let object: JSONObject
    /// What a repeat is known by.
    var repeatKey: RepeatKey?

    /// - Throws: `PageProblem` for what is no object, and for a field that is not there: what is misspelt would be left out.
    init(_ text: String, _ fields: [APIField]) throws(PageProblem) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw .badRequest("The body is not JSON: \(error.description)")
        }
        guard let object = value.objectValue else { throw .badRequest("The body is not a JSON object.") }
        guard !value.hasNull else { throw .hasNull }
        self.object = object
        for name in object.keys.sorted() where !fields.contains(where: { $0.name == name }) {
            throw .badRequest("\(name): is no field here; there are \(fields.map(\.name).joined(separator: ", "))")
        }
    }

    init(_ object: JSONObject) { self.object = object }

    private func value(_ name: String) -> JSONValue? { object[name].flatMap { $0 == .null ? nil : $0 } }

    func text(_ name: String) throws(PageProblem) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw .badRequest("\(name): is no text") }
        return text
    }

    func flag(_ name: String) throws(PageProblem) -> Bool {
        guard let value = value(name) else { return false }
        guard case .bool(let flag) = value else { throw .badRequest("\(name): is neither true nor false") }
        return flag
    }

    func integer(_ name: String) throws(PageProblem) -> Int64? {
        guard let value = value(name) else { return nil }
        guard case .integer(let number) = value else { throw .badRequest("\(name): is no whole number") }
        return number
    }

    func object(_ name: String) throws(PageProblem) -> JSONObject? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else { throw .badRequest("\(name): is no object") }
        return object
    }

    func list(_ name: String) throws(PageProblem) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let list = value.arrayValue else { throw .badRequest("\(name): is no list") }
        return list
    }

    func texts(_ name: String) throws(PageProblem) -> [String]? {
        guard let list = try list(name) else { return nil }
        var texts: [String] = []
        for item in list {
            guard case .string(let text) = item else { throw .badRequest("\(name): holds what is no text") }
            texts.append(text)
        }
        return texts
    }

    /// Which queues are meant; nil: all.
    func queues() throws(PageProblem) -> [String]? {
        let (all, names) = (try flag("all"), try texts("queues") ?? [])
        guard all != !names.isEmpty else { throw .badRequest("Give queues, or all.") }
        return all ? nil : names
    }

    func credits(_ name: String) throws(PageProblem) -> Credits? {
        guard let value = value(name) else { return nil }
        guard let credits = Credits(text: value.json) else { throw .badRequest("\(name): is no number of credits") }
        return credits
    }

    /// Which jobs are meant: `ids` or `filter`, and one of them.
    func chosen() throws(PageProblem) -> ChosenJobs {
        if let list = try list("ids") {
            guard value("filter") == nil else { throw .badRequest("Give ids or filter, not both.") }
            var (ids, seen): ([JobID], Set<Int64>) = ([], [])
            for item in list {
                guard case .integer(let id) = item else { throw .badRequest("ids: \(item.json) is no job") }
                if seen.insert(id).inserted { ids.append(JobID(id)) }
            }
            guard !ids.isEmpty else { throw .badRequest("ids: is empty") }
            return .ids(ids)
        }
        guard let filter = try object("filter") else { throw .badRequest("Give ids or filter.") }
        var fields = FormFields()
        for (name, value) in filter.sorted(by: { $0.key < $1.key }) {
            guard APIParameter.filter.contains(where: { $0.name == name }) else {
                throw .badRequest(
                    "filter.\(name): is none; there are \(APIParameter.filter.map(\.name).joined(separator: ", "))"
                )
            }
            let items = value.arrayValue ?? [value]
            guard !items.isEmpty else { throw .badRequest("filter.\(name): is empty; leave it out to mean any") }
            for item in items {
                guard case .string(let text) = item else {
                    throw .badRequest("filter.\(name): is no text")
                }
                fields.append(name, text)
            }
        }
        let query = try JobQuery(fields, isExact: true)
        guard !query.filter.isEmpty else { throw .badRequest("filter: is empty") }
        return .matching(query.filter)
    }
}

extension API {
    func addActions(to router: Router<BasicRequestContext>) {
        for action in Self.actions {
            router.post("api/v1/\(action.path)") { request, _ in
                do {
                    let changes = try dashboard.changer()
                    guard let token = Dashboard.bearer(request) else {
                        throw PageProblem(.unauthorized, "Send the token: Authorization: Bearer TOKEN.")
                    }
                    try dashboard.checkBearer(token, changes.access)
                    let body = try await Dashboard.body(request, "application/json")
                    var fields = try APIBody(String(buffer: body), action.fields)
                    fields.repeatKey = try RepeatKey(request)
                    guard action.takesKey || fields.repeatKey == nil else {
                        throw PageProblem.badRequest("Idempotency-Key: goes with POST /api/v1/jobs alone")
                    }
                    return Self.json(.ok, try await action.act(self, changes, fields))
                } catch {
                    return Self.failure(dashboard.problem(Dashboard.told(error)))
                }
            }
        }
    }
}
