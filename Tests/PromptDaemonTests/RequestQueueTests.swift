import PromptQueue
import Testing

@testable import PromptDaemon

/// That requests leave in order, a few at once, and that none leaves late.
@Suite struct RequestQueueTests {
    private let queue = RequestQueue()

    private func task(_ number: Int64) -> ProviderRequest {
        .poll(
            OpenTask(
                attempt: AttemptID(number),
                job: JobID(number),
                task: TaskID("t\(number)"),
                model: "m",
                acceptedAt: Instant(milliseconds: 0),
                attemptCount: 1,
                maxAttempts: 3
            )
        )
    }

    private func job(_ number: Int64) -> ProviderRequest { .submit(.numbered(number)) }

    private func number(_ next: (request: ProviderRequest, refusal: String?)?) -> Int64? {
        switch next?.request {
        case .submit(let job): job.attempt.rawValue
        case .poll(let task): task.attempt.rawValue
        case nil: nil
        }
    }

    @Test func `there are only so many workers, and each takes what waits longest`() {
        let starts = (1...100).map { queue.add(task($0), at: .zero) }
        #expect(starts == Array(repeating: true, count: 60) + Array(repeating: false, count: 40))
        #expect((1...100).map { _ in number(queue.next(at: .zero)) } == (1...100).map { $0 })
        // One that found nothing has ended, and another takes its place.
        #expect(queue.next(at: .zero) == nil)
        #expect(queue.add(task(101), at: .zero))
        #expect(!queue.add(task(102), at: .zero))
    }

    @Test func `what has waited for too long is not sent`() {
        for number in 1...2 { _ = queue.add(job(Int64(number)), at: .seconds(1)) }
        #expect(queue.next(at: .seconds(11))?.refusal == nil)
        let refusal = queue.next(at: .seconds(11) + .milliseconds(1))?.refusal
        #expect(refusal == "no connection to the provider was free for 10s")
    }

    @Test func `while promptd stops tasks are still asked about, and none is made`() {
        _ = queue.add(job(1), at: .zero)
        _ = queue.add(task(2), at: .zero)
        queue.drain()
        #expect(queue.next(at: .zero)?.refusal == "promptd was stopped before it was sent")
        let last = queue.next(at: .zero)
        #expect(number(last) == 2)
        #expect(last?.refusal == nil)
    }

    @Test func `what waits when there is no connection does not try whether there is one`() {
        _ = queue.add(job(1), at: .zero)
        _ = queue.add(task(2), at: .zero)
        queue.refuseWaiting("Connection refused")
        _ = queue.add(job(3), at: .zero)
        #expect((1...3).map { _ in queue.next(at: .zero)?.refusal } == ["Connection refused", nil, nil])
    }
}
