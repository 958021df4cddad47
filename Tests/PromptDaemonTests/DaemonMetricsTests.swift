import FoundationEssentials
import KieAPI
import PromptQueue
import PromptWeb
import Testing

@testable import PromptDaemon

/// What is counted while the daemon works.
@Suite struct DaemonMetricsTests {
    private let registry: PrometheusRegistry
    private let metrics: DaemonMetrics

    init() {
        registry = PrometheusRegistry(DaemonMetrics.families)
        metrics = DaemonMetrics(registry)
    }

    private func value(_ sample: String) -> String? {
        registry.text.split(separator: "\n").first { $0.hasPrefix(sample + " ") }
            .map { String($0.dropFirst(sample.count + 1)) }
    }

    private let task = OpenTask(
        attempt: AttemptID(1),
        job: JobID(1),
        task: TaskID("t"),
        model: "m",
        acceptedAt: Instant(milliseconds: 0),
        attemptCount: 1,
        maxAttempts: 3
    )

    @Test func `each request is counted by what it led to, and timed`() {
        metrics.submitted(.accepted(TaskID("t"), httpStatus: 200), in: .seconds(2))
        metrics.submitted(.rejected(Failure(.rateLimited, "…")), in: .milliseconds(4))
        metrics.submitted(.unknown(Failure(.answerLost, "…")), in: .seconds(30))
        #expect(value("promptd_requests_total{endpoint=\"createTask\",outcome=\"accepted\"}") == "1")
        #expect(value("promptd_requests_total{endpoint=\"createTask\",outcome=\"rate_limited\"}") == "1")
        #expect(value("promptd_requests_total{endpoint=\"createTask\",outcome=\"unknown\"}") == "1")
        #expect(value("promptd_submit_seconds_count") == "3")
        #expect(value("promptd_submit_seconds_bucket{le=\"0.005\"}") == "1")
    }

    @Test func `how late an end was noticed goes by the provider's clock`() {
        let charged = Credits(millicredits: 14_500)
        metrics.polled(.succeeded([], charged: charged, took: .seconds(20)), in: .seconds(1), age: .seconds(23))
        metrics.announced(.taskSucceeded(task, charged: charged))
        #expect(value("promptd_poll_delay_seconds_sum") == "3")
        #expect(value("promptd_task_seconds_sum") == "23")
        #expect(value("promptd_reported_credits_total") == "14.5")
        #expect(value("promptd_tasks_ended_total{state=\"succeeded\"}") == "1")
    }

    @Test func `failures and retries are counted by their code`() {
        let failure = Failure(.providerFault, "…")
        metrics.announced(
            .taskFailed(task, failure, then: .retry(at: Instant(milliseconds: 1), counted: true))
        )
        metrics.announced(.taskFailed(task, failure, then: .fail))
        #expect(value("promptd_failures_total{code=\"provider_fault\"}") == "2")
        #expect(value("promptd_retries_total{code=\"provider_fault\"}") == "1")
    }

    @Test func `everything that can be named is there from the start, at zero`() {
        // Its hooks are named in the configuration.
        metrics.begin(hooks: ["mail"])
        let samples = registry.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        for family in DaemonMetrics.families {
            #expect(samples.contains { $0.hasPrefix(family.name) }, "\(family.name)")
        }
        #expect(samples.allSatisfy { $0.hasSuffix(" 0") })
        let names = Set(samples.compactMap { $0.split(separator: " ").first })
        for gate in ["key", "credits", "provider", "disk"] {
            #expect(names.contains("promptd_gate_closings_total{gate=\"\(gate)\"}"))
            #expect(names.contains("promptd_gate_openings_total{gate=\"\(gate)\"}"))
        }
        for code in FailureCode.allCases {
            #expect(names.contains("promptd_failures_total{code=\"\(code.rawValue)\"}"))
        }
    }

    @Test func `what requests lead to has no name that was not there from the start`() {
        let before = registry.text.split(separator: "\n").count
        for status in [200, 301, 400, 404, 429, 500, 502] {
            for code in 200..<600 {
                for message in [
                    "", "Credits insufficient", "Server exception, please try again later", "x is required",
                ] {
                    let body = Array(#"{"code":\#(code),"msg":"\#(message)","data":null}"#.utf8)
                    metrics.submitted(CreateTaskAnswer.outcome(httpStatus: status, body: body), in: .zero)
                    metrics.polled(
                        RecordInfoAnswer.answer(httpStatus: status, body: body).outcome,
                        in: .zero,
                        age: .zero
                    )
                }
            }
        }
        for failure in DownloadFailure.allCases { metrics.downloaded(.failed(failure, message: "…"), in: .zero) }
        metrics.submitted(.notSent(Failure(.notSent, "…")), in: .zero)
        metrics.submitted(.unknown(Failure(.answerLost, "…")), in: .zero)
        for code in FailureCode.allCases where code.consequence.retry != .never {
            metrics.announced(
                .taskFailed(task, Failure(code, "…"), then: .retry(at: Instant(milliseconds: 1), counted: true))
            )
        }
        #expect(registry.text.split(separator: "\n").count == before)
        #expect(value("promptd_requests_total{endpoint=\"media\",outcome=\"temporary\"}") == "1")
    }

    @Test func `a gate is known to be closed, whether or not the ledger could be told`() {
        #expect(metrics.closedGates == [])
        metrics.announced(.gateClosed(.disk, message: "the disk is full"))
        metrics.announced(.gateClosed(.media, message: "the media disk is full"))
        #expect(metrics.closedGates == ["disk"])
        metrics.announced(.gateOpened(.disk))
        #expect(metrics.closedGates == ["disk"], "results cannot be stored either")
        metrics.announced(.gateOpened(.media))
        #expect(metrics.closedGates == [])
        #expect(value("promptd_gate_closings_total{gate=\"disk\"}") == "2")
    }

    @Test func `every family has a name and a sentence as Prometheus wants them`() {
        for family in DaemonMetrics.families {
            #expect(family.name.hasPrefix("promptd_") && family.help.hasSuffix("."), "\(family.name)")
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
            if case .histogram = family.kind { #expect(family.name.hasSuffix("_seconds"), "\(family.name)") }
        }
        #expect(Set(DaemonMetrics.families.map(\.name)).count == DaemonMetrics.families.count)
    }
}
