import PromptQueue
import RecordedLog
import Testing

@testable import PromptDaemon

/// What is said of jobs and gates: constant messages, and fields to look for them by.
struct NoticeLoggerTests {
    private let log = RecordedLog()
    private var logger: NoticeLogger { NoticeLogger(logger: log.logger) }

    private func said(_ notice: Notice) -> (message: String, fields: [String: String]) {
        logger.announce(notice)
        return last
    }

    private var last: (message: String, fields: [String: String]) {
        log.entries.last.map { ($0.message, $0.fields) } ?? ("", [:])
    }

    private let task = OpenTask(
        attempt: AttemptID(1),
        job: JobID(12),
        origin: JobOrigin(queue: "shop", batch: "autumn"),
        task: TaskID("t"),
        model: "m",
        acceptedAt: Instant(milliseconds: 0),
        attemptCount: 1,
        maxAttempts: 3
    )

    private let job = ClaimedJob(
        attempt: AttemptID(1),
        token: AttemptToken("0123456789abcdef0123456789abcdef"),
        job: JobID(12),
        queue: "shop",
        batch: "autumn",
        model: "m",
        input: [:],
        reserved: .zero,
        attemptCount: 1,
        maxAttempts: 3
    )

    @Test func `what concerns a job names the job, its queue and its batch`() {
        let origin = JobOrigin(queue: "shop", batch: "autumn")
        let failure = Failure(.providerFault, "why")
        let result = ResultID(job: JobID(12), ordinal: 0)
        var refused = RefusedJob(job: JobID(12), code: .invalidInput, message: "why")
        refused.origin = origin
        let notices: [Notice] = [
            .jobRefused(refused), .jobSetAside(SetAside(job: JobID(12), origin: origin, reason: "why")),
            .resultAwaited(task), .attemptFailed(job, failure, then: .fail), .jobUnconfirmed(job, failure),
            .jobConfirmed(task), .hintDropped(task, reason: "why"), .jobCleared(JobID(12), origin, evidence: "why"),
            .jobGivenUp(JobID(12), origin, state: .failed), .taskMissing(task), .taskSucceeded(task, charged: nil),
            .taskFailed(task, failure, then: .fail),
            .resultSaved(result, origin, SavedFile(path: "p", contentType: "image/png", bytes: 1, sha256: "0")),
            .resultDelayed(result, origin, "why"), .resultFailed(result, origin, "why"),
        ]
        for notice in notices {
            let (message, fields) = said(notice)
            #expect(fields["job.id"] == "12" && fields["queue"] == "shop" && fields["batch"] == "autumn", "\(message)")
            #expect(!message.contains("why"), "\(message)")
        }
    }

    @Test func `a job without a batch has no such field`() {
        var task = task
        task.origin = JobOrigin(queue: "default")
        let fields = said(.taskMissing(task)).fields
        #expect(fields["queue"] == "default" && fields["batch"] == nil)
    }

    @Test func `what differs between two of a kind is in the fields`() {
        let once = said(.taskFailed(task, Failure(.providerFault, "one"), then: .fail))
        let again = Instant(milliseconds: 5)
        let twice = said(.taskFailed(task, Failure(.taskFailed, "another"), then: .retry(at: again, counted: true)))
        #expect(once.message == twice.message)
        #expect(once.fields["code"] == "provider_fault" && once.fields["reason"] == "one")
        #expect(once.fields["retried"] == "false" && twice.fields["retried"] == "true")
    }

    @Test func `a gate says its name, the reason and what to do`() {
        let (message, fields) = said(.gateClosed(.media, message: "the media disk is full"))
        #expect(message == "submitting stopped")
        #expect(fields["gate"] == "disk" && fields["reason"] == "the media disk is full")
        #expect(fields["remedy"] == GateKind.media.advice)
    }

    @Test func `a start names what was under way by queue and batch`() {
        var recovery = Recovery()
        recovery.lost = [JobID(7)]
        recovery.unknown = [
            UnknownAttempt(
                attempt: AttemptID(3),
                job: JobID(7),
                origin: JobOrigin(queue: "shop", batch: "autumn"),
                lostAt: Instant(milliseconds: 0)
            )
        ]
        logger.recovered(recovery)
        let (message, fields) = last
        #expect(message == said(.jobUnconfirmed(job, Failure(.answerLost, "no whole answer within 30s"))).message)
        #expect(fields["job.id"] == "7" && fields["queue"] == "shop" && fields["batch"] == "autumn")
        #expect(fields["code"] == "answer_lost")
    }
}
