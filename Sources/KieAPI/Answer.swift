import FoundationEssentials
import PromptQueue

/// An answer of the API, with the warts smoothed: an application error is HTTP 200 with another `code` in the JSON, and a
/// body that is no JSON is possible at any time.
struct Answer<Content: Decodable> {
    var httpStatus: Int
    /// The JSON's `code`; nil when the body is no JSON object with one.
    var code: Int?
    /// The JSON's `msg`, shortened; or what stands for it.
    var message: String
    /// The JSON's `data`; nil when it is missing or something else than is expected.
    var data: Content?

    init(httpStatus: Int, body: [UInt8]) {
        self.httpStatus = httpStatus
        let envelope = try? JSONDecoder().decode(Envelope<Content>.self, from: Data(body))
        code = envelope?.code
        data = envelope?.data
        if let text = envelope?.message {
            message = AnswerText.shortened(text)
        } else if envelope == nil {
            message = "HTTP \(httpStatus) with a body that is no JSON"
        } else {
            message = "HTTP \(httpStatus)"
        }
    }

    func failure(_ code: FailureCode) -> Failure {
        Failure(code, message, httpStatus: httpStatus, apiCode: self.code)
    }
}

enum AnswerText {
    /// At most 300 characters on one line.
    static func shortened(_ text: String) -> String {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return line.count <= 300 ? line : line.prefix(299) + "…"
    }
}

/// What every answer has around its `data`.
private struct Envelope<Content: Decodable>: Decodable {
    var code: Int?
    var message: String?
    var data: Content?

    private enum Key: String, CodingKey {
        case code, msg, message, data
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        code = try fields.number(.code)?.whole
        message = try fields.text(.msg) ?? fields.text(.message)
        data = try fields.value(.data)
    }
}

/// A number, or a string of digits: both are seen.
enum LooseNumber: Decodable {
    case whole(Int64)
    case fraction(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let whole = try? value.decode(Int64.self) {
            self = .whole(whole)
        } else if let fraction = try? value.decode(Double.self) {
            self = .fraction(fraction)
        } else {
            self = .text(try value.decode(String.self))
        }
    }

    var whole: Int? {
        switch self {
        case .whole(let value): Int(value)
        case .fraction(let value): Int(exactly: value)
        case .text(let text): Int(text)
        }
    }

    var credits: Credits? {
        switch self {
        case .whole(let value): Credits(Double(value))
        case .fraction(let value): Credits(value)
        case .text(let text): Double(text).flatMap { Credits($0) }
        }
    }

    /// One that is negative is no charge, and counts as not reported.
    var charge: Credits? {
        credits.flatMap { $0 >= .zero ? $0 : nil }
    }
}

/// Fields of an object that may be missing, null, or of another kind than is expected: nil then.
///
/// What cannot be read at all, such as a text with a broken escape, is an error: an answer that holds it is no JSON, and must
/// not be taken for one without that field. The kind that is expected is asked for at once: a decoder's error costs more
/// than many values.
extension KeyedDecodingContainer {
    func value<Value: Decodable>(_ key: Key) throws -> Value? {
        do {
            return try decodeIfPresent(Value.self, forKey: key)
        } catch DecodingError.typeMismatch, DecodingError.valueNotFound, DecodingError.keyNotFound {
            return nil
        }
    }

    func text(_ key: Key) throws -> String? { try value(key) }
    func number(_ key: Key) throws -> LooseNumber? { try value(key) }
}
