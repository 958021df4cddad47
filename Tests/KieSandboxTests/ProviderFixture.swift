import FoundationEssentials
import KieSandbox
import PromptQueue

/// A provider under test, with a clock that only moves when told to.
struct ProviderFixture {
    static let model = "flux-2/flex-text-to-image"

    var provider: SandboxProvider
    var now = Instant(milliseconds: 1_777_539_190_339)

    init(_ adjust: (inout SandboxConfiguration) -> Void = { _ in }) {
        var configuration = SandboxConfiguration()
        configuration.duration = TaskDuration(typical: .seconds(3), jitter: .zero)
        adjust(&configuration)
        provider = SandboxProvider(configuration: configuration, catalogue: .builtIn)
    }

    mutating func wait(_ duration: Duration) {
        now = now + duration
    }

    mutating func send(
        _ method: String,
        _ path: String,
        query: [String: String] = [:],
        key: String? = "sandbox-key",
        userAgent: String? = "promptd-tests/1",
        body: String = ""
    ) -> SandboxAnswer {
        let request = SandboxRequest(
            method: method,
            path: path,
            query: query,
            authorization: key.map { "Bearer \($0)" },
            userAgent: userAgent,
            body: Data(body.utf8)
        )
        return provider.answer(to: request, now: now)
    }

    mutating func create(
        _ prompt: String = "a red fox",
        input: JSONObject = ["aspect_ratio": "1:1", "resolution": "1K"],
        model: String = ProviderFixture.model,
        callback: String? = nil
    ) -> SandboxAnswer {
        var body: JSONObject = ["model": .string(model)]
        body["input"] = .object(input.merging(["prompt": .string(prompt)]) { $1 })
        body["callBackUrl"] = callback.map(JSONValue.string)
        return send("POST", "/api/v1/jobs/createTask", body: JSONValue.object(body).json)
    }

    /// Makes a task and returns its id.
    mutating func task(_ prompt: String = "a red fox", callback: String? = nil) -> String {
        create(prompt, callback: callback).json["data"]["taskId"].stringValue ?? "no task"
    }

    mutating func poll(_ id: String) -> SandboxAnswer {
        send("GET", "/api/v1/jobs/recordInfo", query: ["taskId": id])
    }

    mutating func get(_ path: String) -> JSONValue {
        send("GET", path).json
    }

    mutating func strike(_ faults: String...) {
        let names = faults.map { "\"\($0)\"" }.joined(separator: ",")
        _ = send("POST", "/sandbox/faults", body: #"{"next":[\#(names)]}"#)
    }

    var balance: Double? {
        mutating get { get("/api/v1/chat/credit")["data"].doubleValue }
    }
}

extension SandboxAnswer {
    var text: String {
        switch body {
        case .json(let text), .html(let text), .plain(let text): text
        case .media, .upload: ""
        }
    }

    /// The body; null if it is not JSON.
    var json: JSONValue {
        (try? JSONValue(parsing: text)) ?? .null
    }

    var message: String? { json["msg"].stringValue }
}

extension JSONValue {
    /// A member of an object, or null.
    subscript(name: String) -> JSONValue {
        objectValue?[name] ?? .null
    }
}
