import FoundationEssentials
import PromptQueue

/// An answer of the API, with the warts smoothed: an application error is HTTP 200 with another `code` in the JSON, and a
/// body that is no JSON is possible at any time.
struct Answer {
    var httpStatus: Int
    /// The JSON's `code`; nil when the body is no JSON object with one.
    var code: Int?
    /// The JSON's `msg`, shortened; or what stands for it.
    var message: String
    var data: JSONValue?

    init(httpStatus: Int, body: [UInt8]) {
        self.httpStatus = httpStatus
        let object = (try? JSONValue(parsing: Data(body)))?.objectValue
        code = object?["code"].flatMap(Self.integer)
        data = object?["data"]
        if let text = object?["msg"]?.stringValue ?? object?["message"]?.stringValue {
            message = Self.shortened(text)
        } else if object == nil {
            message = "HTTP \(httpStatus) with a body that is no JSON"
        } else {
            message = "HTTP \(httpStatus)"
        }
    }

    /// A number, or a string of digits: both are seen.
    static func integer(_ value: JSONValue) -> Int? {
        switch value {
        case .string(let text): Int(text)
        default: value.integerValue.map { Int($0) }
        }
    }

    /// A charge; one that is negative is no charge, and counts as not reported.
    static func charge(_ value: JSONValue?) -> Credits? {
        credits(value).flatMap { $0 >= .zero ? $0 : nil }
    }

    static func credits(_ value: JSONValue?) -> Credits? {
        switch value {
        case .string(let text)?: Double(text).flatMap { Credits($0) }
        case let value?: value.doubleValue.flatMap { Credits($0) }
        case nil: nil
        }
    }

    /// At most 300 characters on one line.
    static func shortened(_ text: String) -> String {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return line.count <= 300 ? line : line.prefix(299) + "…"
    }

    func failure(_ code: FailureCode) -> Failure {
        Failure(code, message, httpStatus: httpStatus, apiCode: self.code)
    }
}
