import PromptQueue

/// What `recordInfo` knows of a task. Fields that are missing, null or of an unexpected kind are nil.
struct TaskRecord {
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

    /// Nil if `data` is no object.
    init?(_ data: JSONValue?) {
        guard let fields = data?.objectValue else { return nil }
        state = fields.text("state").map(BoundedText.word)
        resultJSON = fields["resultJson"]
        charge = fields.charge("creditsConsumed") ?? fields.charge("consumeCredits")
        createdAt = fields.wholeNumber("createTime").map(Int64.init)
        completedAt = fields.wholeNumber("completeTime").map(Int64.init)
        model = fields.text("model")
        param = fields["param"]
        failCode = Self.word(fields["failCode"])
        failMessage = Self.word(fields["failMsg"])
    }

    /// Whether what decides is whole: a record whose result cannot be read is not taken for one without a result.
    var isReadable: Bool {
        state.map { !JSONValue.string($0).isDamaged } ?? true && !(resultJSON?.isDamaged ?? false)
    }

    /// From creation to completion. `costTime` does not say whether it counts the waiting.
    var took: Duration? {
        guard let createdAt, let completedAt, createdAt > 0, completedAt > createdAt else { return nil }
        return .milliseconds(completedAt - createdAt)
    }

    private static func word(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text)?: text.isEmpty ? nil : text
        case .integer?, .unsigned?, .number?: value?.json
        default: nil
        }
    }
}

/// The results of a task, in a JSON text within the JSON.
struct TaskResults {
    var urls: [String] = []
    /// The result of models that answer with a value instead of files.
    var object: JSONValue?

    /// From the text, or from what stands in its place; nil if it is neither.
    init?(_ value: JSONValue?) {
        let fields: JSONObject?
        switch value {
        case .string(let text)?: fields = (try? JSONValue(answer: Array(text.utf8)))?.objectValue
        case .object(let inner)?: fields = inner
        default: fields = nil
        }
        guard let fields else { return nil }
        // Frames that were asked for, and whatever else there is a URL of, were paid for as well.
        let others = fields.keys.filter { Self.isURLField($0) && $0 != "resultUrls" }.sorted()
        for key in ["resultUrls"] + others {
            for url in Self.urls(fields[key]) where !urls.contains(url) && urls.count < Self.mostURLs {
                if key == "resultUrls" || WebURL(url) != nil { urls.append(url) }
            }
        }
        object = fields["resultObject"].flatMap { $0 == .null ? nil : $0 }
    }

    /// More than any model makes; each is a row and a file.
    static let mostURLs = 256

    /// `resultUrls`, `firstFrameUrl`, `lastFrameUrl` are known.
    private static func isURLField(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix("url") || name.hasSuffix("urls")
    }

    /// A list of texts; or a text, a list in a text, or objects with a URL each: what is paid for is not to be lost for its
    /// form.
    private static func urls(_ value: JSONValue?) -> [String] {
        switch value {
        case .array(let values)?:
            return values.flatMap { urls($0) }
        case .object(let fields)?:
            return fields.text("url").map { [$0] } ?? []
        case .string(let text)?:
            if text.hasPrefix("["), case .array(let values)? = try? JSONValue(answer: Array(text.utf8)) {
                return values.flatMap { urls($0) }
            }
            return text.isEmpty ? [] : [text]
        default:
            return []
        }
    }
}
