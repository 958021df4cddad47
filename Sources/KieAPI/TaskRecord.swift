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

    /// Nil if `data` is not an object.
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
    private(set) var files: [TaskOutput] = []
    /// The result of models that answer with a value instead of files.
    private(set) var object: JSONValue?
    /// Of a result with neither: what looks like a URL, under names that nobody has told of.
    private(set) var elsewhere: [TaskOutput] = []
    /// Whether `files` and `object` are all that was there.
    private(set) var isWhole = true

    /// Nil if it is not a JSON object.
    init?(_ value: JSONValue?) {
        let fields: JSONObject?
        switch value {
        case .string(let text)?: fields = (try? JSONValue(answer: Array(text.utf8)))?.objectValue
        case .object(let inner)?: fields = inner
        default: fields = nil
        }
        guard let fields else { return nil }
        var known = Set<String>()
        // Frames that were asked for, and whatever else there is a URL of, were paid for as well.
        let others = fields.keys.filter { $0 != Self.asked }.sorted()
        for key in [Self.asked] + others {
            guard let value = fields[key], value != .null, key != Self.value else { continue }
            let role = Self.role(of: key)
            let urls = role == nil ? [] : Self.urls(value).filter { key == Self.asked || WebURL($0) != nil }
            isWhole = isWhole && Self.isAll(urls, of: value)
            for url in urls where known.insert(url).inserted {
                guard files.count < Self.mostURLs else {
                    isWhole = false
                    break
                }
                files.append(.file(url: url, role: role ?? TaskOutput.result))
            }
        }
        object = fields[Self.value].flatMap { $0 == .null ? nil : $0 }
        guard files.isEmpty, object == nil else { return }
        for key in fields.keys.sorted() {
            for url in Self.anyURLs(fields[key]) where known.insert(url).inserted && elsewhere.count < Self.mostURLs {
                elsewhere.append(.file(url: url, role: BoundedText.word(key)))
            }
        }
    }

    private static func anyURLs(_ value: JSONValue?) -> [String] {
        switch value {
        case .array(let values)?: values.flatMap { anyURLs($0) }
        case .object(let fields)?: fields.keys.sorted().flatMap { anyURLs(fields[$0]) }
        case .string(let text)?: WebURL(text) == nil ? [] : [text]
        default: []
        }
    }

    private static let asked = "resultUrls"
    private static let value = "resultObject"

    /// More than any model makes; each is a row and a file.
    static let mostURLs = 256

    /// What a field's URLs are: `firstFrame` of `firstFrameUrl`. Nil if the field holds none.
    private static func role(of field: String) -> String? {
        guard field != asked, field != "result_urls" else { return TaskOutput.result }
        let name = field.lowercased()
        guard let ending = ["urls", "url"].first(where: name.hasSuffix) else { return nil }
        var role = field.dropLast(ending.count)
        if role.last == "_" || role.last == "-" { role.removeLast() }
        return role.isEmpty ? TaskOutput.result : BoundedText.word(String(role))
    }

    /// Whether a field holds these URLs, as texts, and nothing else.
    private static func isAll(_ urls: [String], of value: JSONValue) -> Bool {
        switch value {
        case .array(let values): values == urls.map { .string($0) }
        case .string(let text): text == (urls.first ?? "")
        default: false
        }
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
