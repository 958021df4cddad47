import JobStore
import KieAPI
import PromptQueue
import Testing

/// What each answer of the provider does, from the bytes to the database: the job's state, whether the attempt counts,
/// and the gate.
@Suite struct AnswerTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var outcome: SubmissionOutcome
        var state: JobState
        /// `attempt_count` after it: 0 if it does not count.
        var count: Int
        var code: String?
        var gates: [String]

        var testDescription: String { name }
    }

    private static func row(
        _ httpStatus: Int,
        _ body: String,
        _ state: JobState,
        _ count: Int,
        _ code: String?,
        _ gates: [String] = []
    ) -> Row {
        Row(
            name: "HTTP \(httpStatus) \(body.prefix(60))",
            outcome: CreateTaskAnswer.outcome(httpStatus: httpStatus, body: Array(body.utf8)),
            state: state,
            count: count,
            code: code,
            gates: gates
        )
    }

    private static func json(_ code: Int, _ message: String) -> String {
        #"{"code":\#(code),"msg":"\#(message)","data":null}"#
    }

    static let rows: [Row] = [
        row(200, #"{"code":200,"msg":"success","data":{"taskId":"t1"}}"#, .running, 1, nil),
        row(200, json(422, "This field is required"), .failed, 1, "invalid_input"),
        row(200, json(500, "aspect_ratio is required"), .failed, 1, "invalid_input"),
        row(200, json(401, "You do not have access permissions"), .queued, 0, "key_refused", ["key"]),
        row(401, #"{"code":401,"msg":"Unauthorized"}"#, .queued, 0, "key_refused", ["key"]),
        row(200, json(403, "no"), .queued, 0, "key_refused", ["key"]),
        row(403, "error code: 1010", .queued, 0, "key_refused", ["key"]),
        row(200, json(402, "Credits insufficient"), .queued, 0, "credits_exhausted", ["credits"]),
        row(200, json(500, "Credits insufficient : Please top up"), .queued, 0, "credits_exhausted", ["credits"]),
        row(200, json(433, "Sub-key Usage Exceeds Limit"), .queued, 0, "key_cap_reached", ["credits"]),
        row(200, json(429, "Your call frequency is too high."), .queued, 0, "rate_limited", ["rate"]),
        row(429, json(429, "Your call frequency is too high."), .queued, 0, "rate_limited", ["rate"]),
        row(429, "slow down", .queued, 0, "rate_limited", ["rate"]),
        row(200, json(455, "maintenance"), .queued, 0, "provider_maintenance", ["provider"]),
        row(
            200,
            json(500, "Server exception, please try again later"),
            .queued,
            1,
            "provider_unavailable",
            ["provider"]
        ),
        row(200, json(503, "busy"), .unconfirmed, 1, "answer_lost", ["provider"]),
        row(504, json(500, "aspect_ratio is required"), .unconfirmed, 1, "answer_lost", ["provider"]),
        row(200, json(505, "disabled"), .queued, 0, "model_disabled", ["model:m"]),
        row(200, json(404, "Not found"), .failed, 1, "model_unavailable"),
        row(200, json(422, "The model name you specified is not supported."), .failed, 1, "model_unavailable"),
        row(200, json(451, "could not be downloaded"), .failed, 1, "input_unusable"),
        row(200, json(501, "Generation failed"), .unconfirmed, 1, "answer_lost", ["provider"]),
        row(200, json(408, "no upstream result for 10 minutes"), .unconfirmed, 1, "answer_lost", ["provider"]),
        row(502, "<html>Bad Gateway</html>", .unconfirmed, 1, "answer_lost", ["provider"]),
        row(503, "", .unconfirmed, 1, "answer_lost", ["provider"]),
        row(200, #"{"code":200,"msg":"success","data":null}"#, .unconfirmed, 1, "answer_lost", ["provider"]),
        Row(
            name: "refused connection",
            outcome: .notSent(Failure(.notSent, "refused")),
            state: .queued,
            count: 0,
            code: "not_sent",
            gates: ["provider"]
        ),
        Row(
            name: "no answer in time",
            outcome: .unknown(Failure(.answerLost, "no answer within 30s")),
            state: .unconfirmed,
            count: 1,
            code: "answer_lost",
            gates: ["provider"]
        ),
    ]

    @Test(arguments: rows)
    func `an answer does to job and queue what is promised`(row: Row) async throws {
        let run = try EngineRun()
        try await run.start()
        run.answers = [row.outcome]
        let job = try #require(try run.details(of: try await run.add())?.job)
        #expect(job.state == row.state)
        #expect(job.attemptCount == row.count)
        #expect(job.errorCode == row.code)
        #expect(try run.gates() == row.gates)
    }

    @Test func `a fault counts while the provider was well, and not while it is down`() async throws {
        let run = try EngineRun()
        try await run.start()
        let body = Self.json(500, "Server exception, please try again later")
        run.answers = [CreateTaskAnswer.outcome(httpStatus: 200, body: Array(body.utf8))]
        let job = try await run.add()
        for _ in 0..<50 { try await run.pass(.seconds(60)) }
        let details = try #require(try run.details(of: job))
        #expect(details.attempts.count > 5)
        #expect(details.job.state == .queued)
        #expect(details.job.attemptCount == 1)
    }

    @Test func `nothing waits for a restart: each gate opens by itself`() async throws {
        for row in Self.rows where !row.gates.isEmpty && row.state == .queued {
            let run = try EngineRun()
            try await run.start()
            run.balance = Credits(millicredits: 1_000_000)
            run.answers = [row.outcome, .accepted(TaskID("t"), httpStatus: 200)]
            let job = try await run.add()
            try await run.pass(.seconds(200))
            #expect(try run.details(of: job)?.job.state == .running, "\(row.name)")
            #expect(try run.gates().isEmpty, "\(row.name)")
        }
    }
}
