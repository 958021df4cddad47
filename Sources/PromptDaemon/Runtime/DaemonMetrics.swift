package import CoreMetrics
import PromptQueue
import PromptWeb
import Synchronization

/// What the daemon counts and measures while it works, through swift-metrics.
package struct DaemonMetrics: Sendable {
    private static let requests = "promptd_requests_total"

    static let families: [MetricFamily] = [
        MetricFamily(
            Self.requests,
            "Requests to the provider and to media servers, by what they led to.",
            .counter
        ),
        MetricFamily(
            "promptd_pickup_seconds",
            "From when a job was due until it was claimed, first attempts.",
            MetricFamily.seconds
        ),
        MetricFamily("promptd_claim_seconds", "How long a claim took.", MetricFamily.seconds),
        MetricFamily("promptd_commit_seconds", "How long a transaction took, its sync included.", MetricFamily.seconds),
        MetricFamily("promptd_submit_seconds", "How long createTask took to answer.", MetricFamily.seconds),
        MetricFamily("promptd_poll_seconds", "How long recordInfo took to answer.", MetricFamily.seconds),
        MetricFamily(
            "promptd_poll_delay_seconds",
            "From a task's end, by the provider's clock, until it was noticed.",
            MetricFamily.seconds
        ),
        MetricFamily("promptd_task_seconds", "From a task's acceptance to its end, as noticed.", MetricFamily.seconds),
        MetricFamily("promptd_download_seconds", "How long it took to fetch a result.", MetricFamily.seconds),
        MetricFamily("promptd_download_bytes_total", "Bytes of results that were saved.", .counter),
        MetricFamily("promptd_tasks_ended_total", "Tasks that ended, by state.", .counter),
        MetricFamily("promptd_failures_total", "Failed attempts and jobs, by error code.", .counter),
        MetricFamily(
            "promptd_retries_total",
            "Attempts that are made again, by the error code of the last one.",
            .counter
        ),
        MetricFamily("promptd_unconfirmed_total", "Requests whose answer was lost.", .counter),
        MetricFamily(
            "promptd_reported_credits_total",
            "Credits that the provider reported for tasks that succeeded.",
            .counter
        ),
        MetricFamily("promptd_gate_closings_total", "How often submitting stopped, by gate.", .counter),
        MetricFamily("promptd_gate_openings_total", "How often submitting went on, by gate.", .counter),
        MetricFamily(
            "promptd_hook_deliveries_total",
            "Tries to tell a hook something, by what became of them.",
            .counter
        ),
        MetricFamily("promptd_uploads_total", "Files that jobs take, by what became of them.", .counter),
        MetricFamily("promptd_upload_bytes_total", "Bytes of files that were uploaded.", .counter),
    ]

    private let factory: any MetricsFactory
    // What there is several of for each job is not looked for each time.
    private let timers: [String: any TimerHandler]
    private let requests: [String: [String: any CounterHandler]]
    private let closed = ClosedGates()
    /// Whose gates are told of.
    private var account = AccountName.standard

    /// Everything that can be named is there from the start, at zero: a rate is right from the first step on.
    package init(_ factory: any MetricsFactory) {
        self.factory = factory
        var timers: [String: any TimerHandler] = [:]
        for family in Self.families {
            if case .histogram = family.kind {
                timers[family.name] = factory.makeTimer(label: family.name, dimensions: [])
            }
        }
        self.timers = timers
        var requests: [String: [String: any CounterHandler]] = [:]
        for (endpoint, outcomes) in Self.outcomes {
            for outcome in outcomes {
                requests[endpoint, default: [:]][outcome] = factory.makeCounter(
                    label: Self.requests,
                    dimensions: [("endpoint", endpoint), ("outcome", outcome)]
                )
            }
        }
        self.requests = requests
        for state in ["succeeded", "failed"] { count("promptd_tasks_ended_total", [("state", state)], by: 0) }
        for code in FailureCode.allCases { count("promptd_failures_total", [("code", code.rawValue)], by: 0) }
        for code in FailureCode.allCases where code.consequence.retry != .never {
            count("promptd_retries_total", [("code", code.rawValue)], by: 0)
        }
        for gate in [BlockReason.key, .credits, .provider, .disk] {
            count("promptd_gate_closings_total", [("gate", gate.rawValue)], by: 0)
            count("promptd_gate_openings_total", [("gate", gate.rawValue)], by: 0)
        }
        count("promptd_unconfirmed_total", by: 0)
        count("promptd_download_bytes_total", by: 0)
        for end in UploadEnd.allCases { count("promptd_uploads_total", [("outcome", end.rawValue)], by: 0) }
        count("promptd_upload_bytes_total", by: 0)
        reported(.zero)
    }

    /// What requests can lead to.
    private static let outcomes: [(endpoint: String, outcomes: [String])] = [
        (
            "createTask",
            ["accepted", "unknown", "not_sent"]
                + codes(
                    .invalidInput,
                    .inputUnusable,
                    .modelUnavailable,
                    .modelDisabled,
                    .keyRefused,
                    .keyCapReached,
                    .creditsExhausted,
                    .rateLimited,
                    .providerUnavailable,
                    .providerMaintenance
                )
        ),
        (
            "recordInfo",
            ["pending", "succeeded", "failed", "not_found"] + codes(.keyRefused, .rateLimited, .providerUnavailable)
        ),
        ("media", ["saved"] + DownloadFailure.allCases.map(\.label)), ("credits", ["read", "failed"]),
    ]

    private static func codes(_ codes: FailureCode...) -> [String] { codes.map(\.rawValue) }

    /// For what the runner of an account does: counted together with the others.
    func of(_ account: AccountName) -> DaemonMetrics {
        var metrics = self
        metrics.account = account
        return metrics
    }

    /// Names of gates that are closed, whether or not the ledger could be told: `disk` closes when it cannot.
    var closedGates: Set<String> { Set(closed.gates.withLock { $0 }.map(\.kind.name)) }

    private func count(_ name: String, _ dimensions: [(String, String)] = [], by amount: Int64 = 1) {
        Counter(label: name, dimensions: dimensions, factory: factory).increment(by: amount)
    }

    private func time(_ name: String, _ duration: Duration) {
        timers[name]?.recordNanoseconds(max(0, duration.nanoseconds))
    }

    private func request(_ endpoint: String, _ outcome: String) {
        if let counter = requests[endpoint]?[outcome] { return counter.increment(by: 1) }
        count(Self.requests, [("endpoint", endpoint), ("outcome", outcome)])
    }

    private func reported(_ credits: Credits) {
        FloatingPointCounter(label: "promptd_reported_credits_total", dimensions: [], factory: factory)
            .increment(by: credits.doubleValue)
    }

    /// The hooks that there are, at zero.
    func begin(hooks: [String]) {
        for hook in hooks {
            for outcome in ["delivered", "failed", "given_up", "refused"] {
                count("promptd_hook_deliveries_total", [("hook", hook), ("outcome", outcome)], by: 0)
            }
        }
    }

    /// - Parameter isDead: whether a failure was the last.
    func told(_ hook: String, _ outcome: HookOutcome, isDead: Bool) {
        let isGivenUp = if case .failed = outcome { isDead } else { false }
        let label = isGivenUp ? "given_up" : outcome.label
        count("promptd_hook_deliveries_total", [("hook", hook), ("outcome", label)])
    }

    /// What became of a file that a job takes.
    enum UploadEnd: String, CaseIterable {
        /// `kept`: the provider has it already.
        case uploaded, kept, deferred, failed
    }

    func uploaded(_ end: UploadEnd, bytes: Int64) {
        count("promptd_uploads_total", [("outcome", end.rawValue)])
        count("promptd_upload_bytes_total", by: bytes)
    }

    // MARK: - What the runner does

    func claimed(_ claim: Claim, in duration: Duration) {
        guard !claim.jobs.isEmpty else { return }
        time("promptd_claim_seconds", duration)
        for job in claim.jobs { if let waited = job.waited { time("promptd_pickup_seconds", waited) } }
    }

    func committed(in duration: Duration) { time("promptd_commit_seconds", duration) }

    func submitted(_ outcome: SubmissionOutcome, in duration: Duration) {
        let name =
            switch outcome {
            case .accepted: "accepted"
            case .rejected(let failure): failure.code.rawValue
            case .notSent: "not_sent"
            case .unknown: "unknown"
            }
        request("createTask", name)
        time("promptd_submit_seconds", duration)
    }

    /// - Parameter age: how long ago the task was accepted.
    func polled(_ outcome: PollOutcome, in duration: Duration, age: Duration) {
        time("promptd_poll_seconds", duration)
        let took: Duration?
        switch outcome {
        case .pending:
            request("recordInfo", "pending")
            return
        case .notFound:
            request("recordInfo", "not_found")
            return
        case .unavailable(let failure):
            request("recordInfo", failure.code.rawValue)
            return
        case .succeeded(_, _, let duration, _):
            request("recordInfo", "succeeded")
            took = duration
        case .failed(_, _, let duration):
            request("recordInfo", "failed")
            took = duration
        }
        time("promptd_task_seconds", age)
        if let took { time("promptd_poll_delay_seconds", age - took) }
    }

    func downloaded(_ outcome: DownloadOutcome, in duration: Duration) {
        switch outcome {
        case .saved(let file):
            request("media", "saved")
            time("promptd_download_seconds", duration)
            count("promptd_download_bytes_total", by: file.bytes)
        case .failed(let failure, _):
            request("media", failure.label)
        }
    }

    func balance(_ isKnown: Bool) { request("credits", isKnown ? "read" : "failed") }

    // MARK: - What the engine says

    func announced(_ notice: Notice) {
        switch notice {
        case .gateClosed(let kind, _):
            closed.gates.withLock { _ = $0.insert(ClosedGates.Gate(account: account, kind: kind)) }
            count("promptd_gate_closings_total", [("gate", kind.name)])
        case .gateOpened(let kind):
            closed.gates.withLock { _ = $0.remove(ClosedGates.Gate(account: account, kind: kind)) }
            count("promptd_gate_openings_total", [("gate", kind.name)])
        case .jobRefused(let job): failed(job.code, nil)
        case .attemptFailed(_, let failure, let then): failed(failure.code, then)
        case .jobUnconfirmed: count("promptd_unconfirmed_total")
        case .taskSucceeded(_, let charged):
            count("promptd_tasks_ended_total", [("state", "succeeded")])
            if let charged { reported(charged) }
        case .taskFailed(_, let failure, let then):
            count("promptd_tasks_ended_total", [("state", "failed")])
            failed(failure.code, then)
        case .resultFailed: failed(.downloadFailed, nil)
        case .rateShrunk, .rateWhole, .budgetHeld, .budgetReleased, .budgetNearlyUsed, .reserveHeld, .reserveReleased,
            .jobSetAside,
            .resultAwaited, .jobConfirmed, .hintDropped, .jobCleared, .jobGivenUp, .accountDiffers, .taskMissing,
            .resultSaved, .resultDelayed:
            break
        }
    }

    private func failed(_ code: FailureCode, _ then: FailureDisposition?) {
        count("promptd_failures_total", [("code", code.rawValue)])
        if case .retry = then { count("promptd_retries_total", [("code", code.rawValue)]) }
    }
}

/// The gates that the engines have closed.
private final class ClosedGates: Sendable {
    struct Gate: Hashable {
        var account: AccountName
        var kind: GateKind
    }

    let gates = Mutex<Set<Gate>>([])
}

extension DownloadFailure {
    /// As the metrics name it.
    fileprivate var label: String {
        switch self {
        case .refused: "refused"
        case .gone: "gone"
        case .passing: "temporary"
        case .local: "not_stored"
        case .interrupted: "interrupted"
        }
    }
}

extension Duration {
    /// Saturated.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return whole.overflow
            ? .max : whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}
