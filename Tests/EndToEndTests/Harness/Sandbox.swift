import Foundation
import FoundationNetworking
import Testing

/// A running sandbox and its control endpoints.
struct Sandbox {
    let url: String
    let program: RunningProgram

    /// `GET /sandbox/stats`, as far as the tests look at it.
    struct Statistics: Decodable {
        struct Tasks: Decodable {
            let made: Int
        }
        struct Credits: Decodable {
            let initial: Double
            let consumed: Double
            let balance: Double
        }
        struct CreateTask: Decodable {
            let arrivals: Int
            let mostInWindow: Int
            let windowMilliseconds: Int
            let refusedByRate: Int
            /// On their way still, although nobody waits for their answers.
            let held: Int
        }
        struct RecordInfo: Decodable {
            let arrivals: Int
            let mostInWindow: Int
            let refusedByRate: Int
        }
        struct Media: Decodable {
            let requests: Int
            let served: Int
            let parts: Int
        }

        struct Callbacks: Decodable {
            let attempts: Int
            let delivered: Int
        }

        struct Uploads: Decodable {
            let requests: Int
            let bytes: Int
        }

        let uploads: Uploads
        let tasks: Tasks
        let credits: Credits
        let createTask: CreateTask
        let recordInfo: RecordInfo
        let media: Media
        let callbacks: Callbacks
    }

    /// A line of `GET /sandbox/tasks`.
    struct Task: Decodable {
        let taskId: String
        let prompt: String
        let state: String
        let creditsConsumed: Double
        let createTime: Int
        let completeTime: Int?
        let fault: String?
    }

    func statistics() async throws -> Statistics {
        try await get("/sandbox/stats")
    }

    /// Of another account.
    func statistics(of key: String) async throws -> Statistics {
        try await get("/sandbox/stats?account=\(key)")
    }

    func tasks() async throws -> [Task] {
        struct List: Decodable { let tasks: [Task] }
        let list: List = try await get("/sandbox/tasks")
        return list.tasks
    }

    /// Lets these faults strike next, in this order.
    func next(_ faults: String...) async throws {
        let names = faults.map { "\"\($0)\"" }.joined(separator: ",")
        try await post("/sandbox/faults", "{\"next\":[\(names)]}")
    }

    /// From now on this fault strikes always; nil: none does any more.
    func always(_ fault: String?) async throws {
        try await post("/sandbox/faults", fault.map { "{\"clear\":true,\"\($0)\":1}" } ?? "{\"clear\":true}")
    }

    /// Somebody pays credits into the account.
    func topUp(_ credits: Int) async throws {
        try await post("/sandbox/credits", "{\"add\":\(credits)}")
    }

    /// Adds or changes a model.
    func change(_ model: String) async throws { try await post("/sandbox/models", model) }

    private func post(_ path: String, _ json: String) async throws {
        var request = URLRequest(url: try #require(URL(string: url + path)))
        request.httpMethod = "POST"
        request.httpBody = Data(json.utf8)
        try await status(request, is: 200)
    }

    private func get<Value: Decodable>(_ path: String) async throws -> Value {
        let request = URLRequest(url: try #require(URL(string: url + path)))
        return try JSONDecoder().decode(Value.self, from: try await status(request, is: 200))
    }

    @discardableResult
    private func status(_ request: URLRequest, is expected: Int) async throws -> Data {
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode
        try #require(status == expected, "\(String(decoding: data, as: UTF8.self))")
        return data
    }
}
