import PromptQueue
import Testing

@testable import KieAPI

/// What each answer to `recordInfo` means.
@Suite struct RecordInfoAnswerTests {
    private func outcome(_ body: String, status: Int = 200) -> PollOutcome {
        RecordInfoAnswer.answer(httpStatus: status, body: Array(body.utf8)).outcome
    }

    private func task(_ fields: String) -> PollOutcome {
        outcome(#"{"code":200,"msg":"success","data":{"taskId":"t","model":"m","param":"{}",\#(fields)}}"#)
    }

    @Test(arguments: [
        (502, #"{"code":408,"msg":"no upstream result"}"#),
        (504, #"{"code":501,"msg":"Generation failed","data":null}"#),
        (503, #"{"code":404,"msg":"Task not found"}"#), (502, #"{"code":422,"msg":"recordInfo is null"}"#),
        (504, #"{"code":200,"data":{"taskId":"t","state":"fail","failMsg":"x"}}"#), (200, "<html>hello</html>"),
    ])
    func `what a gateway says ends no task and denies none`(status: Int, body: String) {
        let answer = RecordInfoAnswer.answer(httpStatus: status, body: Array(body.utf8))
        guard case .unavailable = answer.outcome else {
            Issue.record("taken for the API's word: \(answer.outcome)")
            return
        }
    }

    @Test(arguments: [
        #""https://a/1.png""#, #"["https://a/1.png"]"#, #""[\"https://a/1.png\"]""#, #"[{"url":"https://a/1.png"}]"#,
        #"[null,"https://a/1.png",""]"#,
    ])
    func `a result is read in whatever form it comes`(urls: String) {
        let body = #"{"code":200,"data":{"taskId":"t","state":"success","resultJson":{"resultUrls":\#(urls)}}}"#
        let answer = RecordInfoAnswer.answer(httpStatus: 200, body: Array(body.utf8))
        guard case .succeeded(let outputs, _, _, _) = answer.outcome else {
            Issue.record("no result: \(answer.outcome)")
            return
        }
        #expect(outputs == [.file(url: "https://a/1.png")])
    }

    @Test func `a task took as long as from its creation to its completion, if the answer tells both`() {
        let result = #""resultJson":"{\"resultUrls\":[\"https://x/1\"]}""#
        let times = #""createTime":1777539190339,"completeTime":1777539203339"#
        let outputs: [TaskOutput] = [.file(url: "https://x/1")]
        #expect(
            task(#""state":"success",\#(result),\#(times),"costTime":9"#)
                == .succeeded(outputs, charged: nil, took: .seconds(13))
        )
        #expect(
            task(#""state":"success",\#(result),"createTime":1777539190339,"completeTime":null"#)
                == .succeeded(outputs, charged: nil)
        )
        #expect(
            task(#""state":"success",\#(result),"createTime":1777539190339,"completeTime":1777539190000"#)
                == .succeeded(outputs, charged: nil)
        )
    }

    @Test func `a record tells what its task was made from, as far as it does`() {
        func origin(_ fields: String) -> TaskEcho? {
            let body = #"{"code":200,"data":{"taskId":"t","state":"waiting",\#(fields)}}"#
            return RecordInfoAnswer.answer(httpStatus: 200, body: Array(body.utf8)).origin
        }
        let param = #""param":"{\"input\":\"{\\\"prompt\\\":\\\"a \\\\\\\"red\\\\\\\" fox\\\"}\",\"model\":\"p\"}""#
        #expect(origin(#""model":"m",\#(param)"#) == TaskEcho(model: "m", prompt: #"a "red" fox"#))
        #expect(origin(param) == TaskEcho(model: "p", prompt: #"a "red" fox"#))
        #expect(origin(#""model":"m","param":"no json""#) == TaskEcho(model: "m"))
        #expect(origin(#""model":"","param":null"#) == nil)
        #expect(RecordInfoAnswer.answer(httpStatus: 200, body: Array(#"{"code":422}"#.utf8)).origin == nil)
    }

    @Test(arguments: [
        #""state":"success","resultJson":"\ud83d","creditsConsumed":4.0"#,
        #""state":"success","resultJson":{"resultUrls":["https://x/1"],"seed":1e999},"creditsConsumed":4.0"#,
        #""state":"\ud83d","resultJson":"""#,
    ])
    func `a record whose state or result cannot be read is asked for again`(fields: String) {
        guard case .unavailable(let failure) = task(fields) else {
            Issue.record("taken for an answer: \(task(fields))")
            return
        }
        #expect(failure.code == .providerUnavailable)
    }

    @Test func `what does not decide may be unreadable, or of another kind`() {
        let result = #""resultJson":"{\"resultUrls\":[\"https://x/1\",7,\"\"]}""#
        let odd = #""param":"\ud83d","failMsg":"\ud83d","failCode":"\ud83d","createTime":"soon","completeTime":1.5"#
        #expect(
            task(#""state":"success",\#(result),\#(odd),"creditsConsumed":null,"consumeCredits":"4""#)
                == .succeeded(
                    [.file(url: "https://x/1")],
                    charged: Credits(millicredits: 4_000),
                    unread: #"{"resultUrls":["https://x/1",7,""]}"#
                )
        )
    }

    @Test(arguments: ["waiting", "queuing", "generating", "something new"])
    func `a state that is not final is pending, unknown words too`(state: String) {
        let fields = #""state":"\#(state)","resultJson":"","failCode":null,"failMsg":null,"creditsConsumed":4.0"#
        #expect(task(fields) == .pending(providerState: state))
    }

    @Test func `success gives its URLs and its charge`() {
        let fields =
            #""state":"success","resultJson":"{\"resultUrls\":[\"https://x/1\",\"https://x/2\"]}","creditsConsumed":4.25"#
        #expect(
            task(fields)
                == .succeeded(
                    [.file(url: "https://x/1"), .file(url: "https://x/2")],
                    charged: Credits(millicredits: 4_250)
                )
        )
    }

    @Test func `older answers name the charge otherwise, or not at all`() {
        let result = #""resultJson":"{\"resultUrls\":[\"https://x/1\"]}""#
        #expect(
            task(#""state":"success",\#(result),"consumeCredits":"7""#)
                == .succeeded([.file(url: "https://x/1")], charged: Credits(millicredits: 7_000))
        )
        #expect(
            task(#""state":"success",\#(result),"creditsConsumed":null"#)
                == .succeeded([.file(url: "https://x/1")], charged: nil)
        )
    }

    @Test func `a negative charge counts as not reported`() {
        let fields = #""state":"success","resultJson":"{\"resultUrls\":[\"https://x/1\"]}","creditsConsumed":-4"#
        #expect(task(fields) == .succeeded([.file(url: "https://x/1")], charged: nil))
    }

    @Test func `a result in the answer itself is kept as JSON`() {
        let fields = #""state":"success","resultJson":"{\"resultObject\":{\"text\":\"hi\"}}""#
        #expect(task(fields) == .succeeded([.object(json: #"{"text":"hi"}"#)], charged: nil))
    }

    @Test func `whatever there is a URL of in a result is a result, and so is an object beside them`() {
        let result =
            #"{"resultUrls":["https://x/1.mp4"],"lastFrameUrl":["https://x/3.png"],"firstFrameUrl":"https://x/2.png","#
            + #""posterUrl":"https://x/1.mp4","sourceUrl":"n/a","seedUrls":[],"resultObject":{"text":"a"}}"#
        let body = #"{"code":200,"data":{"taskId":"t","state":"success","resultJson":\#(result)}}"#
        let expected: [TaskOutput] = [
            .file(url: "https://x/1.mp4"), .file(url: "https://x/2.png", role: "firstFrame"),
            .file(url: "https://x/3.png", role: "lastFrame"),
            .object(json: #"{"text":"a"}"#),
        ]
        guard
            case .succeeded(let outputs, _, _, let unread) = RecordInfoAnswer.answer(
                httpStatus: 200,
                body: Array(body.utf8)
            ).outcome
        else {
            Issue.record("no success")
            return
        }
        #expect(outputs == expected)
        #expect(
            unread == #"{"firstFrameUrl":"https://x/2.png","lastFrameUrl":["https://x/3.png"],"posterUrl":"#
                + #""https://x/1.mp4","resultObject":{"text":"a"},"resultUrls":["https://x/1.mp4"],"seedUrls":[],"#
                + #""sourceUrl":"n/a"}"#
        )
    }

    static let kept: [(String, String?)] = [
        (#"{"resultUrls":["https://x/1"]}"#, nil),
        (#"{"resultUrls":["https://x/1"],"firstFrameUrl":"https://x/2","lastFrameUrl":"","seedUrls":[]}"#, nil),
        (#"{"resultUrls":["https://x/1"],"resultObject":{"text":"a"},"waterMarkUrls":null}"#, nil),
        (#"{"resultUrls":["https://x/1"], "lyrics": "la"}"#, #"{"resultUrls":["https://x/1"], "lyrics": "la"}"#),
        (#"{"resultUrls":["https://x/1",7]}"#, #"{"resultUrls":["https://x/1",7]}"#),
        (#"{"resultUrls":[{"url":"https://x/1","seed":7}]}"#, #"{"resultUrls":[{"url":"https://x/1","seed":7}]}"#),
    ]

    @Test(arguments: kept)
    func `what of a result is no output is kept as it came`(result: String, expected: String?) {
        let body =
            #"{"code":200,"data":{"taskId":"t","state":"success","resultJson":\#(JSONValue.string(result).json)}}"#
        guard
            case .succeeded(_, _, _, let unread) = RecordInfoAnswer.answer(httpStatus: 200, body: Array(body.utf8))
                .outcome
        else {
            Issue.record("no success")
            return
        }
        #expect(unread == expected)
    }

    @Test func `no task has more results than any model makes`() {
        let urls = (0..<40_000).map { #""https://x/\#($0)""# }.joined(separator: ",")
        let body = #"{"code":200,"data":{"taskId":"t","state":"success","resultJson":{"resultUrls":[\#(urls)]}}}"#
        guard
            case .succeeded(let outputs, _, _, _) = RecordInfoAnswer.answer(httpStatus: 200, body: Array(body.utf8))
                .outcome
        else {
            Issue.record("no success")
            return
        }
        #expect(outputs.count == TaskResults.mostURLs)
    }

    static let elsewhere: [(String, [TaskOutput])] = [
        (#"{"images":[{"url":"https://x/1","width":7}]}"#, [.file(url: "https://x/1", role: "images")]),
        (#"{"output":"https://x/1"}"#, [.file(url: "https://x/1", role: "output")]),
        (
            #"{"data":{"video":{"href":"https://x/1"},"thumb":"https://x/2"}}"#,
            [.file(url: "https://x/2", role: "data"), .file(url: "https://x/1", role: "data")]
        ),
        (#"{"resultUrls":[],"source":"https://sent/in.png"}"#, []),
    ]

    @Test(arguments: [("result_urls", "result"), ("audio_url", "audio"), ("coverUrls", "cover")])
    func `a field that ends in url has results, whatever its spelling`(field: String, role: String) {
        let result = JSONValue.string(#"{"\#(field)":["https://x/1"]}"#).json
        #expect(
            task(#""state":"success","resultJson":\#(result)"#)
                == .succeeded([.file(url: "https://x/1", role: role)], charged: nil)
        )
    }

    @Test(arguments: elsewhere)
    func `a result under a name that nobody has told of is known, and what was sent is none`(
        result: String,
        expected: [TaskOutput]
    ) {
        let param = JSONValue.string(#"{"input":"{\\"image\\":\\"https://sent/in.png\\"}"}"#).json
        guard
            case .failed(let failure, _, _) = task(
                #""state":"success","param":\#(param),"resultJson":\#(JSONValue.string(result).json)"#
            )
        else {
            Issue.record("it may not be the result, as long as another may come")
            return
        }
        #expect(failure.code == .emptyResult)
        #expect(failure.elsewhere == expected)
    }

    @Test(arguments: ["999999999999", "1e308", "-1", "\"1000000001\""])
    func `a charge that no account holds counts as not reported`(charge: String) {
        let result = #""resultJson":"{\"resultUrls\":[\"https://x/1\"]}""#
        #expect(
            task(#""state":"success",\#(result),"creditsConsumed":\#(charge)"#)
                == .succeeded([.file(url: "https://x/1")], charged: nil)
        )
    }

    static let empty: [(String, String?)] = [
        (#""""#, nil), ("null", nil), (#""{}""#, "{}"), (#""{\"resultUrls\":[]}""#, #"{"resultUrls":[]}"#),
        (#""no json""#, "no json"),
    ]

    @Test(arguments: empty)
    func `success without a result is a failure that keeps the raw text`(result: String, raw: String?) {
        guard
            case .failed(let failure, let charged, _) = task(
                #""state":"success","resultJson":\#(result),"creditsConsumed":14"#
            )
        else {
            Issue.record("not failed")
            return
        }
        #expect(failure.code == .emptyResult)
        #expect(failure.unread == raw)
        #expect(charged == Credits(millicredits: 14_000))
    }

    static let failures: [(String, String, FailureCode, String)] = [
        (#""500""#, #""internal error""#, .providerFault, "500: internal error"),
        ("500", #""boom""#, .providerFault, "500: boom"),
        ("null", #""Please try again later""#, .providerFault, "Please try again later"),
        (#""InputTextSensitive""#, #""no""#, .contentRefused, "InputTextSensitive: no"),
        (#""422""#, #""may contain real person""#, .contentRefused, "422: may contain real person"),
        (#""451""#, "null", .inputUnusable, "451"),
        ("null", #""resource download failed""#, .inputUnusable, "resource download failed"),
        ("null", "null", .taskFailed, "the provider gave no reason"),
        (#""422""#, #""odd""#, .taskFailed, "422: odd"),
    ]

    @Test(arguments: failures)
    func `a failed task says why`(code: String, message: String, expected: FailureCode, shown: String) {
        let fields = #""state":"fail","resultJson":null,"failCode":\#(code),"failMsg":\#(message),"creditsConsumed":0"#
        guard case .failed(let failure, let charged, _) = task(fields) else {
            Issue.record("not failed")
            return
        }
        #expect(failure.code == expected)
        #expect(failure.message == shown)
        #expect(charged == .zero)
    }

    @Test(arguments: [
        #"{"code":422,"msg":"recordInfo is null","data":null}"#, #"{"code":404,"msg":"Task not found"}"#,
    ])
    func `an id that is unknown, or not visible yet, is not found`(body: String) {
        #expect(outcome(body) == .notFound)
    }

    @Test(arguments: [501, 408])
    func `here 501 and 408 speak of the task`(code: Int) {
        guard case .failed(let failure, _, _) = outcome(#"{"code":\#(code),"msg":"failed","data":null}"#) else {
            Issue.record("not failed")
            return
        }
        #expect(failure.code == .providerFault)
    }

    static let unavailable: [(Int, String, FailureCode)] = [
        (200, #"{"code":429,"msg":"x","data":null}"#, .rateLimited),
        (429, "slow down", .rateLimited),
        (200, #"{"code":401,"msg":"x","data":null}"#, .keyRefused),
        (200, #"{"code":455,"msg":"x","data":null}"#, .providerUnavailable),
        (200, #"{"code":500,"msg":"x","data":null}"#, .providerUnavailable),
        (502, "<html>", .providerUnavailable),
        (200, "", .providerUnavailable),
        (200, #"{"code":200,"data":null}"#, .providerUnavailable),
    ]

    @Test(arguments: unavailable)
    func `a question that fails says nothing about the task`(status: Int, body: String, code: FailureCode) {
        guard case .unavailable(let failure) = outcome(body, status: status) else {
            Issue.record("not unavailable: \(outcome(body, status: status))")
            return
        }
        #expect(failure.code == code)
    }

    @Test func `a secret does not show`() {
        let secret = Secret("sk-123")
        #expect("\(secret)" == "<redacted>")
        #expect(String(reflecting: secret) == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }
}
