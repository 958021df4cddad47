import PromptQueue

/// An answer of the API, with its oddities smoothed: an application error is HTTP 200 with another `code` in the JSON, and a
/// body that is not JSON is possible at any time.
struct Answer {
    var httpStatus: Int
    /// The JSON's `code`; nil when the body is not a JSON object with one.
    var code: Int?
    /// The JSON's `msg`, shortened; or what stands for it.
    var message: String
    /// The JSON's `data`; nil when it is missing or null.
    var data: JSONValue?
    /// Whether parts of it cannot be read.
    var isDamaged = false

    /// - Parameter takesDamage: whether an answer of which parts cannot be read is better than none.
    init(httpStatus: Int, body: [UInt8], takesDamage: Bool = false) {
        self.httpStatus = httpStatus
        var value = try? JSONValue(answer: body)
        if value == nil, takesDamage {
            value = try? JSONValue(damaged: body)
            isDamaged = true
        }
        guard let fields = value?.objectValue else {
            message = "HTTP \(httpStatus) with a body that is not JSON"
            return
        }
        code = fields.wholeNumber("code")
        data = fields["data"].flatMap { $0 == .null ? nil : $0 }
        if let text = fields.text("msg") ?? fields.text("message") {
            message = AnswerText.shortened(text)
        } else {
            message = "HTTP \(httpStatus)"
        }
    }

    func failure(_ code: FailureCode) -> Failure {
        Failure(code, message, httpStatus: httpStatus, apiCode: self.code)
    }
}

enum AnswerText {
    /// At most 300 characters, and not many bytes, on one line.
    static func shortened(_ text: String) -> String {
        let line = String(BoundedText.message(text).map { $0.isNewline ? " " : $0 })
        return line.count <= 300 ? line : line.prefix(299) + "…"
    }
}

/// Fields of an object that may be missing, null, or of another kind than is expected: nil then.
extension JSONObject {
    func text(_ key: String) -> String? { self[key]?.stringValue }

    /// A whole number, or a text of digits: both are seen.
    func wholeNumber(_ key: String) -> Int? {
        switch self[key] {
        case .integer(let number)?: Int(exactly: number)
        case .number(let number)?: Int(exactly: number)
        case .string(let text)?: Int(text)
        default: nil
        }
    }

    func credits(_ key: String) -> Credits? { self[key]?.credits }

    /// One that is negative, or more than any account holds, is not a charge, and counts as not reported.
    func charge(_ key: String) -> Credits? { credits(key).flatMap { $0 >= .zero && $0 <= Self.mostCharged ? $0 : nil } }

    /// The ledger books no more for one task: 10^9 credits.
    private static var mostCharged: Credits { Credits(millicredits: 1_000_000_000_000) }
}

extension JSONValue {
    /// An amount, as a number or a text.
    var credits: Credits? {
        switch self {
        case .integer(let number): Credits(Double(number))
        case .unsigned(let number): Credits(Double(number))
        case .number(let number): Credits(number)
        case .string(let text): Double(text).flatMap { Credits($0) }
        default: nil
        }
    }
}
