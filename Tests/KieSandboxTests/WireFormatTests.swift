import KieSandbox
import PromptQueue
import Testing

struct WireFormatTests {
    @Test func `createTask answers the id twice`() throws {
        var fixture = ProviderFixture()
        let answer = fixture.create()
        let id = try #require(answer.json["data"]["taskId"].stringValue)
        #expect(id.count == 32)
        #expect(id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect(
            answer.text == #"{"code":200,"msg":"success","data":{"taskId":"\#(id)","recordId":"\#(id)"}}"#
        )
    }

    @Test func `a task in progress shows nulls and an empty result`() {
        var fixture = ProviderFixture()
        let id = fixture.task("a \"red\" fox")
        let param =
            #"{\"input\":\"{\\\"aspect_ratio\\\":\\\"1:1\\\",\\\"prompt\\\":\\\"a \\\\\\\"red\\\\\\\" fox\\\","#
            + #"\\\"resolution\\\":\\\"1K\\\"}\",\"model\":\"flux-2/flex-text-to-image\"}"#
        #expect(
            fixture.poll(id).text == #"{"code":200,"msg":"success","data":{"taskId":"\#(id)","#
                + #""model":"flux-2/flex-text-to-image","state":"waiting","param":"\#(param)","resultJson":"","#
                + #""failCode":null,"failMsg":null,"costTime":null,"completeTime":null,"#
                + #""createTime":1777539190339,"creditsConsumed":14.0}}"#
        )
    }

    @Test func `a finished task shows its time in seconds and its result as JSON text`() throws {
        var fixture = ProviderFixture()
        fixture.provider.baseURL = "http://127.0.0.1:4000"
        let id = fixture.task()
        fixture.wait(.seconds(3))
        let data = fixture.poll(id).json["data"]
        #expect(data["state"] == "success")
        #expect(data["costTime"] == 3)
        #expect(data["completeTime"] == 1_777_539_193_339)
        #expect(data["resultJson"].stringValue == #"{"resultUrls":["http://127.0.0.1:4000/media/\#(id)/0.png"]}"#)
        #expect(data["failCode"] == .null)
    }

    @Test func `a failed task says why`() {
        var fixture = ProviderFixture()
        fixture.strike("fail")
        let id = fixture.task()
        fixture.wait(.seconds(3))
        let data = fixture.poll(id).json["data"]
        #expect(data["state"] == "fail")
        #expect(data["failCode"] == "500")
        #expect(data["failMsg"] == "Internal Error, Please try again later.")
        #expect(data["resultJson"] == "")
    }

    @Test(
        arguments: [
            (#"{"prompt":"a fox","resolution":"1K"}"#, 500, "aspect_ratio is required"),
            (#"{"prompt":"a fox","aspect_ratio":"1:1"}"#, 500, "resolution is required"),
            (#"{"prompt":null,"aspect_ratio":"1:1","resolution":"1K"}"#, 500, "prompt is required"),
            (
                #"{"prompt":"a fox","aspect_ratio":"1:1","resolution":"8K"}"#, 500,
                "resolution is not within the range of allowed options"
            ),
            (
                #"{"prompt":"a fox","aspect_ratio":"16/9","resolution":"1K"}"#, 500,
                "aspect_ratio is not within the range of allowed options"
            ),
            (
                #"{"prompt":"a","aspect_ratio":"1:1","resolution":"1K"}"#, 422,
                "The length of prompt is not within the allowed limits"
            ),
        ]
    )
    func `input that does not fit is refused in HTTP 200`(input: String, code: Int, message: String) {
        var fixture = ProviderFixture()
        let body = #"{"model":"flux-2/flex-text-to-image","input":\#(input)}"#
        let answer = fixture.send("POST", "/api/v1/jobs/createTask", body: body)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"code":\#(code),"msg":"\#(message)","data":null}"#)
        #expect(fixture.balance == 1_000)
    }

    @Test(
        arguments: [
            #"{"model":"flux-9","input":{}}"#: "The model name you specified is not supported.",
            #"{"input":{}}"#: "This field is required",
            #"{"model":"flux-2/flex-text-to-image"}"#: "This field is required",
            "{": "The request body is not a valid JSON object",
        ]
    )
    func `a malformed request is refused with code 422`(body: String, message: String) {
        var fixture = ProviderFixture()
        let answer = fixture.send("POST", "/api/v1/jobs/createTask", body: body)
        #expect(answer.status == 200)
        #expect(answer.code == 422)
        #expect(answer.message?.hasPrefix(message) == true)
    }

    @Test func `every model of the catalogue takes a task that fits it`() {
        for model in Catalogue.builtIn.models.values {
            var fixture = ProviderFixture()
            let answer = fixture.create(input: [:], model: model.name)
            // Whatever is missing is named; nothing else is wrong with a plain prompt.
            #expect(answer.code == 200 || answer.message?.hasSuffix("is required") == true, "\(model.name)")
        }
    }

    @Test(arguments: [nil, "wrong", ""])
    func `a wrong key is told in HTTP 200 by the job endpoints and in HTTP 401 elsewhere`(key: String?) {
        var fixture = ProviderFixture()
        let denied = #"{"code":401,"msg":"You do not have access permissions","data":null}"#
        let createTask = fixture.send("POST", "/api/v1/jobs/createTask", key: key)
        let recordInfo = fixture.send("GET", "/api/v1/jobs/recordInfo", key: key)
        let credit = fixture.send("GET", "/api/v1/chat/credit", key: key)
        #expect(createTask.status == 200)
        #expect(createTask.text == denied)
        #expect(recordInfo.status == 200)
        #expect(recordInfo.text == denied)
        #expect(credit.status == 401)
        #expect(credit.json.objectValue?.keys.sorted() == ["code", "msg"])
    }

    @Test(arguments: [nil, "", "python-requests/2.32.0", "Go-http-client/1.1"])
    func `a bare User-Agent is turned away before the API`(userAgent: String?) {
        var fixture = ProviderFixture()
        for path in ["/api/v1/chat/credit", "/media/x/0.png"] {
            let answer = fixture.send("GET", path, userAgent: userAgent)
            #expect(answer.status == 403)
            #expect(answer.text == "error code: 1010")
        }
    }

    @Test func `an unknown task is no record`() {
        var fixture = ProviderFixture()
        let text = #"{"code":422,"msg":"recordInfo is null","data":null}"#
        #expect(fixture.poll("5439aac3f7d57f585eab7c0085af45d7").text == text)
    }

    @Test func `a new task can be unknown for a while`() {
        var fixture = ProviderFixture { $0.invisible = .seconds(5) }
        let id = fixture.task()
        fixture.wait(.milliseconds(4_999))
        #expect(fixture.poll(id).message == "recordInfo is null")
        fixture.wait(.milliseconds(1))
        #expect(fixture.poll(id).json["data"]["state"] == "success")
    }

    @Test func `some tasks show that they are being worked on`() {
        var fixture = ProviderFixture {
            $0.rate = nil
            $0.pollRate = nil
            $0.credits = Credits(millicredits: 10_000_000)
        }
        let ids = (0..<200).map { _ in fixture.task() }
        fixture.wait(.seconds(2))
        let states = ids.map { fixture.poll($0).json["data"]["state"].stringValue }
        #expect(Set(states) == ["waiting", "generating"])
        #expect((10..<60).contains(states.filter { $0 == "generating" }.count))
    }

    @Test func `speech becomes text`() throws {
        var fixture = ProviderFixture()
        let body = #"{"model":"elevenlabs/speech-to-text","input":{"audio_url":"https://example.com/a.mp3"}}"#
        let answer = fixture.send("POST", "/api/v1/jobs/createTask", body: body)
        let id = try #require(answer.json["data"]["taskId"].stringValue)
        fixture.wait(.seconds(3))
        let result = try #require(fixture.poll(id).json["data"]["resultJson"].stringValue)
        #expect(try JSONValue(parsing: result)["resultObject"]["text"].stringValue?.isEmpty == false)
    }
}
