import KieAPI
import PromptQueue
import Testing

/// What the upload host's answers mean.
@Suite struct UploadAnswerTests {
    private func outcome(_ status: Int, _ body: String, allowsHTTP: Bool = false) -> UploadClient.Outcome {
        UploadAnswer.outcome(httpStatus: status, body: Array(body.utf8), allowsHTTP: allowsHTTP)
    }

    @Test func `a URL is what is wanted, over https`() {
        func body(_ url: String) -> String {
            #"{"success":true,"code":200,"msg":"x","data":{"downloadUrl":"\#(url)"}}"#
        }
        #expect(outcome(200, body("https://x/a.png")) == .uploaded(url: "https://x/a.png"))
        #expect(
            outcome(200, body("http://127.0.0.1/a.png"), allowsHTTP: true) == .uploaded(url: "http://127.0.0.1/a.png")
        )
        for wrong in ["http://x/a.png", "file:///etc/passwd", "", "https://u:p@x/"] {
            guard case .deferred = outcome(200, body(wrong)) else {
                Issue.record("\(wrong) was taken")
                continue
            }
        }
    }

    @Test(arguments: [(200, 400), (400, 400), (200, 415), (413, 413), (200, 422)])
    func `only the API's own word refuses a file`(status: Int, code: Int) {
        #expect(outcome(status, #"{"code":\#(code),"msg":"no","data":null}"#) == .refused("no"))
    }

    @Test(arguments: [
        (200, #"{"code":401,"msg":"no"}"#, FailureCode.keyRefused), (401, "", .keyRefused), (429, "", .rateLimited),
        (200, #"{"code":429,"msg":"no"}"#, .rateLimited), (502, "<html>", .providerUnavailable),
        (400, "<html>", .providerUnavailable), (200, "{", .providerUnavailable), (302, "", .providerUnavailable),
        (200, #"{"code":500,"msg":"no"}"#, .providerUnavailable),
    ])
    func `anything else says nothing of the file`(status: Int, body: String, code: FailureCode) {
        guard case .deferred(let failure) = outcome(status, body) else {
            Issue.record("it was taken for an answer")
            return
        }
        #expect(failure.code == code)
    }
}
