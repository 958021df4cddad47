import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import PromptQueue
import Synchronization

/// The provider's API. Every call ends in exactly one outcome; none throws.
///
/// Redirects are not followed (307 and 308 would send a paid request again) and nothing is ever repeated by itself.
package final class KieClient: Sendable {
    private let settings: KieSettings
    private let client: HTTPClient
    private let key: Mutex<Secret>
    /// The last answer's date, which many answers of a second have in common.
    private let lastDate = Mutex<(text: String, instant: Instant)?>(nil)

    /// What the provider's clock showed, in whole seconds, when it last answered; nil before that.
    package var serverTime: Instant? { lastDate.withLock { $0?.instant } }

    package init(_ settings: KieSettings, key: Secret) {
        self.settings = settings
        self.key = Mutex(key)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .milliseconds(settings.connectTimeout.milliseconds)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        // Shorter than servers keep idle connections, so that a request is rarely sent into one that is being closed:
        // whether it arrived could not be told.
        configuration.connectionPool.idleTimeout = .seconds(10)
        // A refused connection is reported at once; the breaker decides when to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        // One request a connection at a time: ending the connection then ends that request.
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = { [patience = settings.answerTimeout] channel in
            PaidConnection.prepare(channel, patience: patience)
        }
        // One event loop: the provider takes far less than it can do, and nothing is handed between threads.
        client = HTTPClient(
            eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup.any()),
            configuration: configuration
        )
    }

    package func replaceKey(_ new: Secret) {
        key.withLock { $0 = new }
    }

    package func shutdown() async throws {
        try await client.shutdown()
    }

    /// Asks for a task. Costs credits when it is accepted.
    package func createTask(model: String, input: JSONObject, callbackURL: String?) async -> SubmissionOutcome {
        var body: JSONObject = ["model": .string(model), "input": .object(input)]
        if let callbackURL { body["callBackUrl"] = .string(callbackURL) }
        switch await exchange(.POST, "/api/v1/jobs/createTask", body: .object(body)) {
        case .answered(let status, let body, let headers):
            return CreateTaskAnswer.outcome(httpStatus: status, body: body, headers: headers)
        case .notSent(let reason): return .notSent(Failure(.notSent, reason))
        case .lost(let reason):
            let message = "\(reason): the task may exist and may have been charged"
            return .unknown(Failure(.answerLost, message))
        }
    }

    /// Asks how a task stands. Free.
    package func recordInfo(_ task: TaskID) async -> PollAnswer {
        let path = "/api/v1/jobs/recordInfo?taskId=\(Self.escaped(task.rawValue))"
        switch await exchange(.GET, path, body: nil, within: settings.questionTimeout) {
        case .answered(let status, let body, _): return RecordInfoAnswer.answer(httpStatus: status, body: body)
        case .notSent(let reason), .lost(let reason):
            return PollAnswer(.unavailable(Failure(.providerUnavailable, reason)))
        }
    }

    /// What the provider's clock shows, asked for now, in whole seconds: of whatever it answers. Free.
    ///
    /// - Returns: nil if there is no answer.
    package func askServerTime() async -> Instant? {
        lastDate.withLock { $0 = nil }
        _ = await credits()
        return serverTime
    }

    /// The account's balance.
    package func credits() async -> Result<Credits, FailureError> {
        await ask("/api/v1/chat/credit") { $0?.credits }
    }

    /// A free question that is answered by `data`.
    ///
    /// - Parameter read: `nil` for what is no answer to it.
    func ask<Value>(_ path: String, _ read: (JSONValue?) -> Value?) async -> Result<Value, FailureError> {
        switch await exchange(.GET, path, body: nil) {
        case .answered(let status, let body, _):
            let answer = Answer(httpStatus: status, body: body)
            if answer.code == 200, status == 200, let value = read(answer.data) { return .success(value) }
            if answer.code == 200, status == 200 {
                let words = "the answer is none that promptd understands"
                return .failure(FailureError(Failure(.providerUnavailable, words, httpStatus: status, apiCode: 200)))
            }
            let isKeyRefused = AnswerCode.known[answer.code ?? status]?.question == .failed(.keyRefused)
            return .failure(FailureError(answer.failure(isKeyRefused ? .keyRefused : .providerUnavailable)))
        case .notSent(let reason), .lost(let reason):
            return .failure(FailureError(Failure(.providerUnavailable, reason)))
        }
    }

    /// A URL, valid for 20 minutes, for a result whose own URL no longer answers.
    ///
    /// The failure is `downloadFailed` only if the provider says that it has no such file.
    package func downloadURL(for url: String) async -> Result<String, FailureError> {
        switch await exchange(.POST, "/api/v1/common/download-url", body: .object(["url": .string(url)])) {
        case .answered(let status, let body, _):
            let answer = Answer(httpStatus: status, body: body)
            if answer.code == 200, status == 200, let url = answer.data?.stringValue { return .success(url) }
            return .failure(FailureError(answer.failure(Self.downloadFailure(answer))))
        case .notSent(let reason), .lost(let reason):
            return .failure(FailureError(Failure(.providerUnavailable, reason)))
        }
    }

    /// A result is given up only by the API's own word: "url is wrong" (documented).
    private static func downloadFailure(_ answer: Answer) -> FailureCode {
        switch AnswerCode.known[answer.code ?? answer.httpStatus]?.question {
        case .notFound?:
            let isItsOwnWord = answer.code != nil && [200, answer.code].contains(answer.httpStatus)
            return isItsOwnWord ? .downloadFailed : .providerUnavailable
        case .failed(let code)?: return code
        case .answered?, .taskFailed?, nil: return .providerUnavailable
        }
    }

    // MARK: - One exchange

    /// - Parameter limit: for the whole answer, if that is less than what the settings allow.
    private func exchange(
        _ method: HTTPMethod,
        _ path: String,
        body: JSONValue?,
        within limit: Duration? = nil
    ) async -> Exchange {
        let timeout = limit.map { min($0, settings.answerTimeout) } ?? settings.answerTimeout
        var headers = HTTPHeaders()
        headers.reserveCapacity(6)
        headers.add(name: "Authorization", value: "Bearer \(key.withLock { $0.value })")
        headers.add(name: "User-Agent", value: settings.userAgent)
        headers.add(name: "Accept", value: "application/json")
        if body != nil { headers.add(name: "Content-Type", value: "application/json") }
        let request: HTTPClient.Request
        do {
            request = try HTTPClient.Request(
                url: settings.baseURL + path,
                method: method,
                headers: headers,
                body: body.map { .byteBuffer(ByteBuffer(string: $0.json)) }
            )
        } catch {
            return .notSent(TransportError.describe(error))
        }
        let delegate = ExchangeDelegate(request, maximumBodyBytes: settings.maximumBodyBytes)
        // The deadline covers the body, which this interface waits for.
        let task = client.execute(
            request: request,
            delegate: delegate,
            deadline: .now() + .milliseconds(timeout.milliseconds)
        )
        do {
            let response = try await withTaskCancellationHandler {
                try await task.futureResult.get()
            } onCancel: {
                task.cancel()
            }
            let date = response.headers.first(name: "Date")
            if let date, lastDate.withLock({ $0?.text != date }), let instant = HTTPDate.instant(date) {
                lastDate.withLock { $0 = (date, instant) }
            }
            let body = response.body.map { Array($0.readableBytesView) } ?? []
            let headers = AnswerHeaders(
                retryAfter: response.headers.first(name: "Retry-After"),
                location: response.headers.first(name: "Location"),
                date: date
            )
            return .answered(status: Int(response.status.code), body: body, headers: headers)
        } catch {
            if TransportError.isNotSent(error, hasSentHead: delegate.hasSentHead) {
                return .notSent(TransportError.describe(error))
            }
            if let error = error as? HTTPClientError, error == .deadlineExceeded {
                return .lost("no whole answer within \(timeout.text)")
            }
            return .lost("the connection was lost (\(TransportError.describe(error)))")
        }
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func escaped(_ text: String) -> String {
        text.utf8
            .map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    String(UnicodeScalar(byte))
                default:
                    "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
            .joined()
    }
}
