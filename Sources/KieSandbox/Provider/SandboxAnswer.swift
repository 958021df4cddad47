/// An answer of the sandbox, and how it reaches the client.
package struct SandboxAnswer: Sendable {
    /// What the client is told.
    package enum Body: Sendable {
        case json(String)
        case html(String)
        case plain(String)
        /// A result file, to be made when it is sent.
        case media(ResultMedia, ordinal: Int)
        /// A file that somebody has uploaded.
        case upload(SandboxUpload)
    }

    /// How much of the answer reaches the client.
    package enum Delivery: Sendable, Hashable {
        case whole
        /// The connection is closed before a single byte of the answer.
        case lost
        /// Half of the body, then the connection is closed.
        case cut
        /// Half of the body, nothing for a while, then the connection is closed.
        case stalled
    }

    /// The HTTP status.
    package var status: Int
    /// The `code` of a JSON body.
    package var code: Int?
    package var body: Body
    package var delivery = Delivery.whole
    /// The header `ETag`.
    package var entityTag: String?
    /// The header `Range` of the request, if a part is to be sent.
    package var range: String?
    /// Whether the answer is held back for as long as the faults of that kind take.
    package var isSlow = false

    package init(status: Int, code: Int? = nil, body: Body) {
        self.status = status
        self.code = code
        self.body = body
    }

    /// What the statistics count the answer as: the code, the bare HTTP status (`http-502`), `lost` or `cut`.
    package var label: String {
        switch delivery {
        case .whole: code.map(String.init) ?? "http-\(status)"
        case .lost: "lost"
        case .cut, .stalled: "cut"
        }
    }
}

extension SandboxAnswer {
    /// `{"code":200,"msg":"success","data":…}`
    static func success(_ data: String) -> SandboxAnswer {
        SandboxAnswer(status: 200, code: 200, body: .json(#"{"code":200,"msg":"success","data":\#(data)}"#))
    }

    /// An error of the API: HTTP 200, the error in the body.
    static func error(_ code: Int, _ message: String, status: Int = 200) -> SandboxAnswer {
        let json = #"{"code":\#(code),"msg":\#(message.jsonLiteral),"data":null}"#
        return SandboxAnswer(status: status, code: code, body: .json(json))
    }

    /// An answer of the sandbox's own endpoints.
    static func control(_ json: String, status: Int = 200) -> SandboxAnswer {
        SandboxAnswer(status: status, body: .json(json))
    }

    /// The sandbox's own endpoints refuse a request.
    static func controlError(_ message: String) -> SandboxAnswer {
        control(#"{"error":\#(message.jsonLiteral)}"#, status: 400)
    }

    /// The page of a gateway in front of the API.
    static func gateway(_ status: Int, _ reason: String) -> SandboxAnswer {
        let title = "\(status) \(reason)"
        let page = "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<center><h1>\(title)</h1></center>\r\n"
        return SandboxAnswer(status: status, body: .html(page + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))
    }

    /// The connection is cut; the client gets nothing.
    static var lost: SandboxAnswer {
        var answer = SandboxAnswer(status: 500, body: .plain(""))
        answer.delivery = .lost
        return answer
    }

    /// JSON that stops in the middle.
    static let broken = SandboxAnswer(status: 200, body: .json(#"{"code":200,"msg":"success","data":{"taskId":""#))

    static let blockedByCDN = SandboxAnswer(status: 403, body: .plain("error code: 1010"))
    static let accessDenied = error(401, "You do not have access permissions")
    static let unauthorized = SandboxAnswer(
        status: 401,
        code: 401,
        body: .json(
            #"{"code":401,"msg":"Unauthorized – Authentication failed. Please check that your API key is correct."}"#
        )
    )
    static let creditsInsufficient = error(402, creditsMessage)
    static let creditsMessage =
        "Credits insufficient : Your current balance isn’t enough to run this request. Please top up to continue."
    static let unknownModel = error(
        422,
        "The model name you specified is not supported. Please verify the model name and try again."
    )
    static let fieldRequired = error(422, "This field is required")
    static let tooManyRequests = error(429, tooManyMessage)
    static let tooManyMessage = "Your call frequency is too high. Please try again later."
    static let maintenance = error(455, "The service is under maintenance. Please try again later.")
    static let serverException = error(500, "Server exception, please try again later")
    static let notFound = error(404, "Not Found")
}
