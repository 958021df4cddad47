import Concurrency
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PromptQueue
import Synchronization
import Testing

@testable import PromptWeb

@Suite struct LiveTests {
    /// A clock that ends each stream after some pauses, and never waits.
    private struct Ending: Clock {
        typealias Instant = ContinuousClock.Instant
        let left: Left

        final class Left: Sendable {
            let pauses: Mutex<Int>
            let now = Mutex(ContinuousClock.now)
            init(_ pauses: Int) { self.pauses = Mutex(pauses) }
        }

        var now: Instant { left.now.withLock { $0 } }
        var minimumResolution: Duration { .zero }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            left.now.withLock { $0 = deadline }
            let isOver = left.pauses.withLock { pauses in
                pauses -= 1
                return pauses < 0
            }
            if isOver { throw CancellationError() }
        }
    }

    /// What a stream says until its clock ends it.
    private func text(_ feed: LiveFeed) async throws -> String {
        final class Writer: ResponseBodyWriter {
            let text = Mutex("")
            func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }
            func finish(_ trailingHeaders: HTTPFields?) async throws {}
        }
        let writer = Writer()
        do { try await feed.response().body.write(writer) } catch is CancellationError {}
        return writer.text.withLock { $0 }
    }

    @Test func `a change is told once, and silence now and then`() async throws {
        let version = Mutex<Int64>(0)
        let feed = LiveFeed(clock: Ending(left: .init(60))) { _ in
            let number = version.withLock { version in
                version += 1
                return version
            }
            // Nothing changes after the third look.
            return LiveFeed.Snapshot(version: min(number, 3), text: "{\"n\":\(min(number, 3))}")
        }
        let events = try await text(feed).split(separator: "\n\n").map(String.init)
        #expect(
            events.prefix(4) == [
                "retry: 3000", "event: status\nid: 1\ndata: {\"n\":1}", "event: status\nid: 2\ndata: {\"n\":2}",
                "event: status\nid: 3\ndata: {\"n\":3}",
            ]
        )
        #expect(events.dropFirst(4).allSatisfy { $0 == ":" })
        #expect(events.count == 6)
        #expect(feed.streams == 0)
    }

    @Test func `no more look than there are places, and a place is free again without an answer sent`() throws {
        let feed = LiveFeed { _ in LiveFeed.Snapshot(version: 1, text: "{}") }
        var answers = try (0..<LiveFeed.limit).map { _ in try feed.response() }
        #expect(throws: PageProblem.self) { try feed.response() }
        #expect(feed.streams == LiveFeed.limit)
        answers.removeLast()
        #expect(feed.streams == LiveFeed.limit - 1)
        withExtendedLifetime(answers) {}
    }

    @Test func `the stream tells the status, and reads it again only when somebody has committed`() async throws {
        let fixture = try DashboardFixture()
        let first = try await fixture.snapshot(nil)
        let known = LiveFeed.Snapshot(version: first.version, text: "as it was")
        #expect(try await fixture.snapshot(known).text == "as it was")
        try fixture.add("a red fox", queue: "ads")
        let second = try await fixture.snapshot(known)
        #expect(second.version != first.version)
        #expect(second.text.contains("\"queue\":\"ads\""))
        #expect(!second.text.contains("\n"))
    }

    @Test func `the stream tells which jobs have changed since it was opened, each once`() async throws {
        let fixture = try DashboardFixture()
        try fixture.add("a red fox")
        let first = try await fixture.snapshot(nil)
        #expect(first.events.isEmpty && first.latest.rawValue > 0)
        try fixture.add("a hen", queue: "ads", batch: "b")
        // The queue that nothing was taken of comes first.
        #expect(try await fixture.succeed([1]) == JobID(2))
        try fixture.add("an owl")
        let second = try await fixture.snapshot(first)
        let text = LiveFeed.changes(second, after: first.latest)
        #expect(text.contains("\"complete\":true"))
        #expect(text.hasPrefix("event: jobs\ndata: {") && text.hasSuffix("}\n\n"))
        let object = try JSONValue(parsing: String(text.dropFirst("event: jobs\ndata: ".count).dropLast(2))).objectValue
        let jobs = object?["jobs"]?.arrayValue?.compactMap(\.objectValue) ?? []
        #expect(jobs.map { $0["job"] } == [.integer(2), .integer(3)])
        #expect(jobs.map { $0["state"] } == ["succeeded", "queued"])
        #expect(jobs.map { $0["batch"] } == ["b", .null])
        // Another stream may be behind.
        let third = try await fixture.snapshot(second)
        #expect(third.events == second.events)
        #expect(LiveFeed.changes(third, after: EventSequence(0)).contains("\"complete\":false"))
    }
}
