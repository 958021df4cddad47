import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue

/// The interface for programs: JSON, in the words of `promptctl --json`.
struct API: Sendable {
    let dashboard: Dashboard

    init(_ dashboard: Dashboard) { self.dashboard = dashboard }

    /// Everything that can be asked for; the document that describes it is made of the same list.
    static let routes: [APIRoute] = [
        APIRoute(
            "status",
            "The daemon, the rate, the gates, the queues, the budgets, and what the backlog will cost.",
            answers: .object
        ) { api, _, _ in
            let (processID, now) = (api.dashboard.processID, api.dashboard.now())
            return try await api.dashboard.source.read { reader in
                .object(Status(try reader.status(sample: 1_000), processID: processID, now: now).object)
            }
        },
        APIRoute(
            "jobs",
            "Jobs with their results, the newest first; prompts are cut after 500 characters, and inputs left out.",
            parameters: APIParameter.filter + APIParameter.page,
            answers: .list("jobs")
        ) { api, fields, _ in
            let query = try JobQuery(fields, isExact: true)
            let slice = try await api.slice(query, fields)
            let jobs = slice.jobs.map { found -> JSONValue in
                var object = found.job.object
                object["input"] = nil
                object["results"] = .array(found.results.map { .object($0.object) })
                return .object(object)
            }
            return .object(["jobs": .array(jobs), "next": APICursor.value(slice.older?.description)])
        },
        APIRoute("jobs/{id}", "One job with its attempts and results.", answers: .object) { api, _, parameters in
            let text = try parameters.require("id")
            guard let id = try JobQuery.job(text, "id"),
                let details = try await api.dashboard.source.read({ try $0.details(of: id) })
            else { throw PageProblem.notFound("there is no job \(text)") }
            return .object(details.object(latest: nil, now: api.dashboard.now()))
        },
        APIRoute(
            "results",
            "The results of jobs that have succeeded, the newest jobs first; href is where the file is.",
            parameters: APIParameter.filter.filter { $0.name != "state" } + APIParameter.page,
            answers: .list("results")
        ) { api, fields, _ in
            var query = try JobQuery(fields, isExact: true)
            query.filter.states = [.succeeded]
            let slice = try await api.slice(query, fields)
            let results = slice.jobs.flatMap { found in
                found.results.map { result -> JSONValue in
                    var object = result.object
                    object["job"] = .integer(found.job.id.rawValue)
                    object["href"] =
                        result.state == .saved && result.path != nil
                        ? .string("/media/\(found.job.id)/\(result.ordinal)") : .null
                    return .object(object)
                }
            }
            return .object(["results": .array(results), "next": APICursor.value(slice.older?.description)])
        },
        APIRoute(
            "batches",
            "Batches by name, and how their jobs stand; counts stop at \(BatchRecord.countLimit) (is_exact).",
            parameters: APIParameter.page,
            answers: .list("batches")
        ) { api, fields, _ in
            let (after, limit) = (try APICursor.text(fields["cursor"]), try api.limit(fields))
            let found = try await api.dashboard.source.read { try $0.batchPage(after: after, limit: limit + 1) }
            let shown = found.prefix(limit)
            return .object([
                "batches": .array(shown.map { .object($0.object) }),
                "next": APICursor.value(found.count > limit ? shown.last?.name : nil),
            ])
        },
        APIRoute("queues", "The queues, and how their jobs stand.", answers: .list("queues")) { api, _, _ in
            let queues = try await api.dashboard.source.read { try $0.queues() }
            return .object(["queues": .array(queues.map { .object($0.object) }), "next": .null])
        },
        APIRoute("budgets", "The budgets, in their current periods.", answers: .list("budgets")) { api, _, _ in
            let budgets = try await api.dashboard.source.read { try $0.budgets() }
            return .object(["budgets": .array(budgets.map { .object($0.object) }), "next": .null])
        },
        APIRoute("schedules", "The schedules: what they add, and when.", answers: .list("schedules")) { api, _, _ in
            let schedules = try await api.dashboard.source.read { try $0.schedules() }
            return .object(["schedules": .array(schedules.map { .object($0.object) }), "next": .null])
        },
        APIRoute("models", "The models: what they take and cost.", answers: .list("models")) { api, _, _ in
            let prices = try await api.dashboard.source.read { try ModelPrices($0) }
            let models = prices.catalogue.models.values.sorted { $0.name < $1.name }
            return .object(["models": .array(models.map { .object($0.object(prices)) }), "next": .null])
        },
        APIRoute(
            "spend",
            "What was charged and is reserved, for each hour or day (UTC) in which something was.",
            parameters: [
                .init("per", "hour or day", values: SpendingPeriod.allCases.map(\.rawValue)),
                .init("since", "an instant like 2026-12-24T18:00Z; without it, two days or thirty"),
            ],
            answers: .list("spend")
        ) { api, fields, _ in
            guard let period = SpendingPeriod(rawValue: fields["per"] ?? "day") else {
                throw PageProblem.badRequest("per: \"\(fields["per"] ?? "")\" is not one of hour, day")
            }
            let since = try fields["since"].map { text in
                guard let instant = Instant(iso8601: text) else {
                    throw PageProblem.badRequest("since: \"\(text)\" is no instant; write it like 2026-12-24T18:00Z")
                }
                return instant
            }
            let start = since ?? api.dashboard.now() - (period == .hour ? .seconds(172_800) : .seconds(2_592_000))
            let found = try await api.dashboard.source.read { try $0.spending(per: period, since: start) }
            return .object(["spend": .array(found.prefix(10_000).map { .object($0.object) }), "next": .null])
        },
        APIRoute("openapi.json", "This document.", answers: .object) { _, _, _ in .object(OpenAPI.document) },
    ]

    /// Where the stream of changes is, which is no JSON.
    static let live = "live"

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/live") { request, _ in
            do {
                let visitor = try dashboard.admit(request)
                return try dashboard.feed.response { dashboard.mayStay(request, visitor) }
            } catch {
                return Self.failure(dashboard.problem(error))
            }
        }
        addActions(to: router)
        for route in Self.routes {
            router.get("api/v1/\(route.routerPath)") { request, context in
                do {
                    try dashboard.admit(request)
                    let fields = FormFields(request.uri.query ?? "")
                    try route.check(fields)
                    return Self.json(.ok, try await route.answer(self, fields, context.parameters))
                } catch {
                    return Self.failure(dashboard.problem(error))
                }
            }
        }
    }

    static func failure(_ problem: PageProblem) -> Response {
        let error: JSONObject = ["code": .string(problem.code.rawValue), "message": .string(problem.message)]
        return json(problem.status, .object(["error": .object(error)]))
    }

    static func json(_ status: HTTPResponse.Status, _ value: JSONValue) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: value.json))
        )
    }

    private func slice(_ query: JobQuery, _ fields: FormFields) async throws -> JobSlice {
        let cursor = try JobQuery.job(try APICursor.text(fields["cursor"]), "cursor")
        let request = PageRequest(
            query.filter,
            at: cursor.map { .before($0) } ?? .newest,
            limit: try limit(fields)
        )
        return try await dashboard.source.read { try $0.page(request) }
    }

    private func limit(_ fields: FormFields) throws -> Int {
        guard let text = fields["limit"] else { return 50 }
        guard let limit = Int(text), (1...500).contains(limit) else {
            throw PageProblem.badRequest("limit: \"\(text)\" is not a number from 1 to 500")
        }
        return limit
    }
}

/// One thing to ask for.
struct APIRoute: Sendable {
    enum Answer: Sendable {
        case object
        /// An object with a list of that name, and `next`.
        case list(String)
    }

    /// As OpenAPI writes it: `jobs/{id}`.
    let path: String
    let summary: String
    let parameters: [APIParameter]
    let answers: Answer
    let answer: @Sendable (API, FormFields, Parameters) async throws -> JSONValue

    init(
        _ path: String,
        _ summary: String,
        parameters: [APIParameter] = [],
        answers: Answer,
        _ answer: @escaping @Sendable (API, FormFields, Parameters) async throws -> JSONValue
    ) {
        self.path = path
        self.summary = summary
        self.parameters = parameters
        self.answers = answers
        self.answer = answer
    }

    var routerPath: String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? ":" + $0.dropFirst().dropLast() : String($0) }
            .joined(separator: "/")
    }

    /// - Throws: `PageProblem` for a parameter that is not there: what is misspelt would be left out silently.
    func check(_ fields: FormFields) throws(PageProblem) {
        for field in fields.all where !parameters.contains(where: { $0.name == field.name }) {
            let names = parameters.map(\.name).joined(separator: ", ")
            throw .badRequest(
                "\(field.name): is no parameter of \(path)" + (names.isEmpty ? "" : "; there are \(names)")
            )
        }
    }
}

struct APIParameter: Sendable {
    let name: String
    let summary: String
    let values: [String]

    init(_ name: String, _ summary: String, values: [String] = []) {
        self.name = name
        self.summary = summary
        self.values = values
    }

    static let filter = [
        APIParameter("state", "a state; may be given several times", values: JobState.allCases.map(\.rawValue)),
        APIParameter("queue", "the queue's name"), APIParameter("batch", "the batch's name"),
        APIParameter("model", "the model's name"),
        APIParameter("label", "a label, like sku=A-1; may be given several times"),
        APIParameter("search", "words that the prompt must have, or words that begin so"),
        APIParameter("error", "the error's code"), APIParameter("key", "the unique key"),
    ]
    static let page = [
        APIParameter("limit", "at most so many, 1 to 500; 50 without it"),
        APIParameter(
            "cursor",
            "next of the page before; a page may be short, or empty, and have a next one all the same"
        ),
    ]
}

/// Where a list goes on: opaque to whoever gets it.
enum APICursor {
    static func value(_ text: String?) -> JSONValue {
        guard let text else { return .null }
        return .string(
            text.utf8.map { byte in
                let digits = String(byte, radix: 16)
                return digits.utf8.count == 1 ? "0" + digits : digits
            }
            .joined()
        )
    }

    static func text(_ cursor: String?) throws(PageProblem) -> String? {
        guard let cursor else { return nil }
        let digits = Array(cursor.utf8).compactMap { UnicodeScalar($0).properties.isASCIIHexDigit ? $0 : nil }
        guard digits.count == cursor.utf8.count, digits.count.isMultiple(of: 2) else {
            throw .badRequest("cursor: \"\(cursor)\" is none that was given")
        }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            bytes.append(UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
