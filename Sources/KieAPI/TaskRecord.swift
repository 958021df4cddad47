import FoundationEssentials
import PromptQueue

/// What `recordInfo` knows of a task. Fields that are missing, null or of an unexpected kind are nil.
struct TaskRecord: Decodable {
    var state: String?
    var model: String?
    /// A JSON text with `model` and `input`; an object in its place is understood as well.
    var param: JSONValue?
    /// A JSON text with the results; an object in its place is understood as well.
    var resultJSON: JSONValue?
    var charge: Credits?
    /// A string, a number or null.
    var failCode: String?
    var failMessage: String?
    /// Unix milliseconds.
    var createdAt: Int64?
    var completedAt: Int64?

    private enum Key: String, CodingKey {
        case state, model, param, resultJson, creditsConsumed, consumeCredits, failCode, failMsg, createTime,
            completeTime
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        state = try fields.text(.state)
        // The result is what was paid for: a record whose result cannot be read is not taken for one without a result.
        resultJSON = try fields.decodeIfPresent(JSONValue.self, forKey: .resultJson)
        charge = try (fields.number(.creditsConsumed) ?? fields.number(.consumeCredits))?.charge
        createdAt = try fields.number(.createTime)?.whole.map(Int64.init)
        completedAt = try fields.number(.completeTime)?.whole.map(Int64.init)
        model = try? fields.text(.model)
        param = try? fields.value(.param)
        failCode = Self.word(try? fields.value(.failCode))
        failMessage = Self.word(try? fields.value(.failMsg))
    }

    /// From creation to completion. `costTime` does not say whether it counts the waiting.
    var took: Duration? {
        guard let createdAt, let completedAt, createdAt > 0, completedAt > createdAt else { return nil }
        return .milliseconds(completedAt - createdAt)
    }

    private static func word(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text)?: text.isEmpty ? nil : text
        case .integer?, .number?: value?.json
        default: nil
        }
    }
}

/// The results of a task, in a JSON text within the JSON.
struct TaskResults: Decodable {
    var urls: [String] = []
    /// The result of models that answer with a value instead of files.
    var object: JSONValue?

    private enum Key: String, CodingKey {
        case resultUrls, resultObject
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let urls: [String] = try fields.value(.resultUrls) {
            self.urls = urls
        } else if let values: [JSONValue] = try fields.value(.resultUrls) {
            urls = values.compactMap(\.stringValue)
        }
        object = try fields.value(.resultObject)
    }

    /// From the text, or from what stands in its place.
    init?(_ value: JSONValue?) {
        let text: String
        switch value {
        case .string(let inner)?: text = inner
        case .object?: text = value?.json ?? ""
        default: return nil
        }
        guard let results = try? JSONDecoder().decode(TaskResults.self, from: Data(text.utf8)) else { return nil }
        self = results
    }
}
