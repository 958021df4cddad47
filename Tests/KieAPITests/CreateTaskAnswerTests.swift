import PromptQueue
import Testing

@testable import KieAPI

/// What each answer to `createTask` means: a row for each that was seen or documented.
@Suite struct CreateTaskAnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var status = 200
        var body: String
        var expected: Expected
        var testDescription: String { "HTTP \(status) \(body.prefix(60))" }
    }

    enum Expected: Sendable, Equatable {
        case accepted(String)
        case rejected(FailureCode)
        case unknown
    }

    static func error(_ code: Int, _ message: String, _ expected: FailureCode, status: Int = 200) -> Case {
        Case(status: status, body: #"{"code":\#(code),"msg":"\#(message)","data":null}"#, expected: .rejected(expected))
    }

    static func unknown(_ code: Int, _ message: String, status: Int = 200) -> Case {
        Case(status: status, body: #"{"code":\#(code),"msg":"\#(message)","data":null}"#, expected: .unknown)
    }

    static let cases: [Case] = [
        Case(
            body: #"{"code":200,"msg":"success","data":{"taskId":"0123abcd","recordId":"0123abcd"}}"#,
            expected: .accepted("0123abcd")
        ),
        Case(
            body: #"{"code":200,"msg":"success","data":{"taskId":"task_flux-2_1765175490366"}}"#,
            expected: .accepted("task_flux-2_1765175490366")
        ),
        Case(body: #"{"code":"200","msg":"success","data":{"task_id":"x"}}"#, expected: .accepted("x")),
        Case(body: #"{"code":200,"msg":"success","data":{}}"#, expected: .unknown),
        Case(body: #"{"code":200,"msg":"success","data":null}"#, expected: .unknown),
        Case(body: #"{"code":200,"msg":"success","data":{"taskId":""}}"#, expected: .unknown),
        error(401, "You do not have access permissions", .keyRefused),
        Case(
            status: 401,
            body: #"{"code":401,"msg":"Unauthorized – Authentication failed."}"#,
            expected: .rejected(.keyRefused)
        ),
        Case(status: 403, body: "error code: 1010", expected: .rejected(.keyRefused)),
        error(402, "Credits insufficient : Your current balance isn’t enough to run this request.", .creditsExhausted),
        error(500, "Credits insufficient : Your current balance isn’t enough to run this request.", .creditsExhausted),
        error(433, "Sub-key Usage Exceeds Limit", .keyCapReached),
        error(422, "The model name you specified is not supported. Please check it.", .modelUnavailable),
        error(422, "This field is required", .invalidInput),
        error(500, "aspect_ratio is required", .invalidInput),
        error(500, "resolution is not within the range of allowed options", .invalidInput),
        error(500, "Server exception, please try again later", .providerUnavailable),
        error(429, "Your call frequency is too high. Please try again later.", .rateLimited),
        error(429, "Your call frequency is too high. Please try again later.", .rateLimited, status: 429),
        Case(status: 429, body: "slow down", expected: .rejected(.rateLimited)),
        error(455, "maintenance", .providerMaintenance),
        error(505, "feature disabled", .modelDisabled),
        error(404, "not found", .modelUnavailable),
        error(451, "the input could not be downloaded", .inputUnusable),
        error(402, "Credits insufficient", .creditsExhausted, status: 402),
        Case(body: #"{"code":455,"msg":"maintenance"}"#, expected: .rejected(.providerMaintenance)),
        Case(body: #"{"code":455,"msg":"maintenance","data":{}}"#, expected: .rejected(.providerMaintenance)),
        // The task is made and charged, and the answer is an odd one: none of these proves that it is not.
        unknown(500, "upstream error", status: 504), unknown(500, "context deadline exceeded"),
        unknown(500, "read: connection reset by peer"), unknown(0, "bad gateway", status: 502),
        unknown(-1, "upstream", status: 504),
        unknown(503, "upstream connect error or disconnect/reset before headers", status: 503),
        unknown(408, "no upstream result for 10 minutes"), unknown(501, "Generation failed"),
        unknown(501, "SensitiveContentDetected"), unknown(503, "busy", status: 503), unknown(500, "something else"),
        unknown(520, "unknown error"), unknown(999, "what is this"), unknown(400, "bad request"),
        unknown(422, "This field is required", status: 502), unknown(402, "Credits insufficient", status: 504),
        unknown(429, "upstream connection limit reached"),
        Case(body: #"{"code":500,"msg":"x","data":{"taskid":"abc"}}"#, expected: .unknown),
        Case(body: #"{"code":422,"msg":"This field is required","data":{"taskId":"abc"}}"#, expected: .unknown),
        Case(body: #"{"code":455,"msg":"maintenance","data":"queued"}"#, expected: .unknown),
        Case(body: #"{"code":200,"msg":"success","data":{"taskId":"a b"}}"#, expected: .unknown),
        Case(
            body: #"{"code":200,"msg":"success","data":{"taskId":"\#(String(repeating: "x", count: 3_000_000))"}}"#,
            expected: .unknown
        ),
        // Somebody behind the API lost patience, or a task is named all the same: nothing shows that none was made.
        Case(body: #"{"code":504,"msg":"Gateway timeout","data":null}"#, expected: .unknown),
        Case(body: #"{"code":524,"msg":"","data":null}"#, expected: .unknown),
        Case(body: #"{"code":500,"msg":"upstream timed out","data":null}"#, expected: .unknown),
        Case(body: #"{"code":201,"msg":"created","data":{"taskId":"0123abcd"}}"#, expected: .unknown),
        Case(status: 408, body: "<html>Request Timeout</html>", expected: .unknown),
        Case(status: 499, body: "", expected: .unknown),
        Case(status: 502, body: "<html>Bad Gateway</html>", expected: .unknown),
        Case(status: 504, body: "", expected: .unknown),
        Case(status: 200, body: "<html>hello</html>", expected: .unknown),
        Case(status: 200, body: "", expected: .unknown),
        Case(status: 200, body: #"{"code":200,"data":{"taskId":"#, expected: .unknown),
        Case(status: 200, body: #"[1]"#, expected: .unknown),
        Case(status: 301, body: "", expected: .rejected(.providerUnavailable)),
        Case(status: 307, body: "", expected: .rejected(.providerUnavailable)),
        Case(status: 302, body: "", expected: .unknown),
        Case(status: 303, body: "", expected: .unknown),
        Case(status: 400, body: "<html>Bad Request</html>", expected: .unknown),
        Case(status: 402, body: "pay", expected: .unknown),
        Case(status: 409, body: "", expected: .unknown),
        Case(status: 500, body: "", expected: .unknown),
        Case(status: 503, body: "<html>Service Unavailable</html>", expected: .unknown),
        Case(status: 401, body: "<html>Authorization Required</html>", expected: .rejected(.keyRefused)),
        Case(status: 413, body: "<html>Too Large</html>", expected: .rejected(.providerUnavailable)),
        Case(status: 404, body: "<html>no such page</html>", expected: .rejected(.providerUnavailable)),
    ]

    @Test(arguments: cases)
    func `an answer means`(row: Case) {
        let outcome = CreateTaskAnswer.outcome(httpStatus: row.status, body: Array(row.body.utf8))
        let found: Expected? =
            switch outcome {
            case .accepted(let task, _): .accepted(task.rawValue)
            case .rejected(let failure): .rejected(failure.code)
            case .unknown: .unknown
            case .notSent: nil
            }
        #expect(found == row.expected)
    }

    @Test(arguments: [
        #"{"code":500,"msg":"upstream timed out \ud83d","data":null}"#,
        #"{"code":500,"msg":"oops","data":{"taskId":"\ud83d"}}"#,
        #"{"code":455,"msg":"maintenance \x","data":null}"#,
        "{\"code\":\"5\\ud83d\",\"msg\":\"oops\"}",
    ])
    func `an answer of which a part cannot be read says nothing`(body: String) {
        guard case .unknown(let failure) = CreateTaskAnswer.outcome(httpStatus: 200, body: Array(body.utf8)) else {
            Issue.record("taken for an answer: \(body)")
            return
        }
        #expect(failure.message == "HTTP 200 with a body that is not JSON")
    }

    @Test func `a text that breaks off within a sign makes the answer unreadable`() {
        var body = Array(#"{"code":500,"msg":"upstream timed out "#.utf8)
        body += [0xE2, 0x82]
        body += Array(#"","data":null}"#.utf8)
        guard case .unknown = CreateTaskAnswer.outcome(httpStatus: 200, body: body) else {
            Issue.record("taken for an answer")
            return
        }
    }

    @Test func `a failure keeps the codes and a message on one short line`() {
        let body = #"{"code":422,"msg":"This\nfield \#(String(repeating: "x", count: 400))","data":null}"#
        guard case .rejected(let failure) = CreateTaskAnswer.outcome(httpStatus: 200, body: Array(body.utf8)) else {
            Issue.record("not rejected")
            return
        }
        #expect(failure.httpStatus == 200)
        #expect(failure.apiCode == 422)
        #expect(failure.message.count == 300)
        #expect(failure.message.hasPrefix("This field xxx"))
    }
}
