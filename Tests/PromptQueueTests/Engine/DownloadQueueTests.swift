import PromptQueue
import Testing

/// Which result is fetched next.
@Suite struct DownloadQueueTests {
    private func download(_ job: Int64, ordinal: Int = 0, createdAt: Int64) -> PendingDownload {
        PendingDownload(
            result: ResultID(job: JobID(job), ordinal: ordinal),
            output: .file(url: "https://media.example/\(job)"),
            origin: JobOrigin(queue: "default"),
            createdAt: Instant(milliseconds: createdAt)
        )
    }

    @Test func `one that is tried again is served by its age, however many newer ones keep coming`() {
        var queue = DownloadQueue(concurrency: 1)
        var generator = SeededGenerator(seed: 1)
        queue.add(download(1, createdAt: 0), at: .zero)
        #expect(queue.takeReady(at: .zero).map(\.result.job.rawValue) == [1])
        let now = Moment(instant: Instant(milliseconds: 1), uptime: .zero)
        // It waits for two seconds at most.
        #expect(queue.retry(ResultID(job: JobID(1), ordinal: 0), after: .passing, now: now, using: &generator))

        // More new results come than are fetched.
        var served: [Int64] = []
        for second in 1...20 {
            for job in 0..<3 {
                queue.add(download(Int64(second * 10 + job), createdAt: Int64(second)), at: .seconds(second))
            }
            for next in queue.takeReady(at: .seconds(second)) {
                served.append(next.result.job.rawValue)
                queue.finish(next.result)
            }
        }
        #expect(served.count == 20)
        #expect(served.prefix(3).contains(1), "after its wait it is the next: \(served)")
    }

    @Test func `a job with many results leaves places to the others, and goes on when its own are free`() {
        var queue = DownloadQueue(concurrency: 8)
        for ordinal in 0..<20 { queue.add(download(1, ordinal: ordinal, createdAt: 0), at: .zero) }
        #expect(queue.takeReady(at: .zero).map(\.result.ordinal) == Array(0..<6))
        for job in 2...4 { queue.add(download(Int64(job), createdAt: 9), at: .zero) }
        #expect(queue.takeReady(at: .zero).map(\.result.job.rawValue) == [2, 3])
        queue.finish(ResultID(job: JobID(2), ordinal: 0))
        #expect(queue.takeReady(at: .zero).map(\.result.job.rawValue) == [4])
        queue.finish(ResultID(job: JobID(1), ordinal: 3))
        #expect(queue.takeReady(at: .zero).map(\.result.ordinal) == [6])
    }

    @Test func `of those that are ready the oldest URL goes first, whatever order they came in`() {
        var queue = DownloadQueue(concurrency: 1)
        for (job, age) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            queue.add(download(Int64(job), createdAt: Int64(age)), at: .zero)
        }
        var order: [Int64] = []
        while let next = queue.takeReady(at: .zero).first {
            order.append(next.result.job.rawValue)
            queue.finish(next.result)
        }
        #expect(order == [2, 4, 3, 1])
        #expect(queue.isEmpty)
    }

    @Test func `slow results of several jobs keep no other out for long`() {
        var queue = DownloadQueue(concurrency: 4)
        for job in 1...6 { queue.add(download(Int64(job), createdAt: 0), at: .zero) }
        #expect(queue.takeReady(at: .zero).count == 4)
        queue.add(download(7, createdAt: 1), at: .seconds(10))
        #expect(queue.takeReady(at: .seconds(59)).isEmpty)
        #expect(queue.nextReady(after: .seconds(10)) == DownloadQueue.slowAfter)
        #expect(queue.takeReady(at: DownloadQueue.slowAfter).map(\.result.job.rawValue) == [5, 6, 7])
        // As many slow ones as there are places, and no more.
        for job in 8...12 { queue.add(download(Int64(job), createdAt: 2), at: .seconds(130)) }
        #expect(queue.takeReady(at: .seconds(130)).count == 1)
        #expect(queue.takeReady(at: .seconds(1_000)).isEmpty)
        queue.finish(ResultID(job: JobID(1), ordinal: 0))
        #expect(queue.takeReady(at: .seconds(1_000)).count == 1)
    }

    @Test func `no wake is asked for while all places are taken, nor for what is ready`() {
        var queue = DownloadQueue(concurrency: 1)
        var generator = SeededGenerator(seed: 2)
        queue.add(download(1, createdAt: 0), at: .zero)
        queue.add(download(2, createdAt: 1), at: .zero)
        #expect(queue.takeReady(at: .seconds(5)).count == 1)
        #expect(queue.nextReady(after: .seconds(5)) == .seconds(65), "when the one under way counts as slow")
        let now = Moment(instant: Instant(milliseconds: 0), uptime: .seconds(5))
        #expect(queue.retry(ResultID(job: JobID(1), ordinal: 0), after: .passing, now: now, using: &generator))
        #expect(queue.takeReady(at: .seconds(5)).count == 1)
        queue.finish(ResultID(job: JobID(2), ordinal: 0))
        #expect(queue.nextReady(after: .zero).map { $0 >= .seconds(5) } ?? false)
    }
}
