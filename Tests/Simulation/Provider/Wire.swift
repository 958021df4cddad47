import KieAPI
import PromptQueue

/// What an answer looks like on the wire: the simulated provider speaks bytes, and promptd's own code reads them.
struct WireAnswer {
    var status = 200
    var body: String

    var bytes: [UInt8] { Array(body.utf8) }

    static func api(_ code: Int, _ message: String, data: String = "null", status: Int = 200) -> WireAnswer {
        WireAnswer(status: status, body: #"{"code":\#(code),"msg":"\#(message)","data":\#(data)}"#)
    }

    static func page(_ status: Int) -> WireAnswer { WireAnswer(status: status, body: "<html>\(status)</html>") }
}

extension WireAnswer {
    // MARK: - createTask

    static func created(_ task: String, _ chance: inout Chance) -> WireAnswer {
        api(
            200,
            "success",
            data: chance.pick([
                #"{"taskId":"\#(task)","recordId":"\#(task)"}"#, #"{"taskId":"\#(task)"}"#, #"{"task_id":"\#(task)"}"#,
            ])
        )
    }

    /// A refusal, as it was seen or is documented.
    static func refused(_ code: Int, _ chance: inout Chance) -> WireAnswer {
        switch code {
        case 401:
            chance.pick([
                api(401, "You do not have access permissions"),
                WireAnswer(status: 401, body: #"{"code":401,"msg":"Unauthorized – Authentication failed."}"#),
                WireAnswer(status: 403, body: "error code: 1010"),
            ])
        case 402: api(chance.pick([402, 500]), "Credits insufficient : Please top up to continue.")
        case 404: api(404, "Not Found")
        case 422: chance.pick([api(422, "This field is required"), api(500, "aspect_ratio is required")])
        case 429: api(429, "Your call frequency is too high. Please try again later.", status: chance.pick([200, 429]))
        case 433: api(433, "Sub-key Usage Exceeds Limit")
        case 451: api(451, "the input could not be downloaded")
        case 455: api(455, "maintenance")
        case 500: api(500, "Server exception, please try again later")
        case 501: api(501, "Generation failed")
        case 505: api(505, "feature disabled")
        default: api(code, "refused")
        }
    }

    /// Answers that were seen, or can be, after a task was made and charged: none of them proves anything.
    static func odd(_ task: String, _ chance: inout Chance) -> WireAnswer {
        chance.pick([
            api(500, "upstream error", status: 504), api(500, "context deadline exceeded"),
            api(500, "read: connection reset by peer"), api(0, "bad gateway", status: 502),
            api(-1, "upstream", status: 504),
            api(503, "upstream connect error or disconnect/reset before headers", status: 503),
            api(408, "no upstream result for 10 minutes"), api(501, "Generation failed"), api(520, "unknown error"),
            api(999, "what is this"), api(500, "x", data: #"{"taskid":"\#(task)"}"#), api(422, "busy", status: 502),
            WireAnswer(body: #"{"code":200,"msg":"success","data":{"taskId":""#), page(502), page(504),
            WireAnswer(body: ""),
        ])
    }

    // MARK: - recordInfo

    static func record(
        _ state: String,
        result: String = "",
        charged: Int64?,
        fail: (String, String)? = nil
    ) -> WireAnswer {
        let credits = charged.map { Credits(millicredits: $0).description } ?? "null"
        let text = JSONValue.string(result).json
        let failure = fail.map { #""failCode":"\#($0.0)","failMsg":"\#($0.1)""# } ?? #""failCode":null,"failMsg":null"#
        return api(
            200,
            "success",
            data:
                #"{"state":"\#(state)","resultJson":\#(text),\#(failure),"costTime":null,"creditsConsumed":\#(credits)}"#
        )
    }

    static func result(_ outputs: [TaskOutput]) -> String {
        var urls: [JSONValue] = []
        for output in outputs {
            switch output.content {
            case .file(let url): urls.append(.string(url))
            case .object(let json): return #"{"resultObject":\#(json)}"#
            }
        }
        return JSONValue.object(["resultUrls": .array(urls)]).json
    }

    /// What lies before the API says of a question; it speaks of no task.
    static func lostPoll(_ chance: inout Chance) -> WireAnswer {
        chance.pick([
            page(502), page(504), WireAnswer(status: 503, body: ""), api(429, "too many"), api(500, "a fault"),
            api(408, "no upstream result", status: 504), api(501, "Generation failed", status: 502),
            api(404, "Task not found", status: 502), api(422, "recordInfo is null", status: 503),
        ])
    }
}
