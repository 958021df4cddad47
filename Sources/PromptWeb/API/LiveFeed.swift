import Concurrency
import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue
import ServiceLifecycle
import Synchronization

/// Tells whoever looks what has changed (server-sent events,
/// https://html.spec.whatwg.org/multipage/server-sent-events.html): at most twice a second, and nothing is read while
/// nobody looks.
final class LiveFeed: Sendable {
    /// What holds, read once for all streams.
    struct Snapshot: Sendable {
        /// Changes when somebody commits.
        let version: Int64
        /// JSON, on one line.
        let text: String
        /// The last event there was.
        var latest = EventSequence(0)
        /// The last changes of jobs, without a hole.
        var events: [JobEvent] = []
    }

    /// So many changes are kept for streams that are behind.
    static let mostEvents = 500
    static let limit = 32
    static let pause: Duration = .milliseconds(500)
    /// A stream on which nothing happens says so, lest what is in between take it for dead.
    static let heartbeat = 20

    private let read: @Sendable (_ known: Snapshot?) async throws -> Snapshot
    private let clock: any Clock<Duration>
    private let turn = AsyncSemaphore(places: 1)
    private let count = Mutex(0)
    private let last = Mutex<(snapshot: Snapshot, age: @Sendable () -> Duration)?>(nil)

    /// - Parameter read: what holds now; what is known, if nothing has changed since.
    init(
        clock: any Clock<Duration> = ContinuousClock(),
        read: @escaping @Sendable (_ known: Snapshot?) async throws -> Snapshot
    ) {
        self.clock = clock
        self.read = read
    }

    /// How many look.
    var streams: Int { count.withLock { $0 } }

    /// An endless answer: it ends when the reader goes, may not read any more, or promptd stops.
    ///
    /// - Parameter mayRead: whether he still may.
    /// - Throws: `PageProblem` when enough look.
    func response(while mayRead: @escaping @Sendable () -> Bool = { true }) throws(PageProblem) -> Response {
        let isFree = count.withLock { count in
            guard count < Self.limit else { return false }
            count += 1
            return true
        }
        guard isFree else {
            throw PageProblem(.unavailable, "\(Self.limit) pages are live already")
        }
        let place = Place { [self] in count.withLock { $0 -= 1 } }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // Or nginx would hold back what comes in drops.
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { [self] writer in
                defer { withExtendedLifetime(place) {} }
                var seen: Int64?
                var told: EventSequence?
                var quiet = 0
                try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
                // A stop must not wait for it.
                while !Task.isCancelled, !Task.isShuttingDownGracefully, mayRead() {
                    let now = try await snapshot()
                    quiet += 1
                    if now.version != seen {
                        seen = now.version
                        quiet = 0
                        try await writer.write(
                            ByteBuffer(string: "event: status\nid: \(now.version)\ndata: \(now.text)\n\n")
                        )
                        if let told, now.latest.rawValue > told.rawValue {
                            try await writer.write(ByteBuffer(string: Self.changes(now, after: told)))
                        }
                        told = now.latest
                    } else if quiet >= Self.heartbeat {
                        quiet = 0
                        try await writer.write(ByteBuffer(string: ":\n\n"))
                    }
                    try await clock.sleep(for: Self.pause)
                }
                try await writer.finish(nil)
            }
        )
    }

    /// The jobs that have changed since, each as it is now; and whether those are all.
    static func changes(_ snapshot: Snapshot, after told: EventSequence) -> String {
        let new = snapshot.events.filter { $0.sequence.rawValue > told.rawValue }
        let isAll = (snapshot.events.first?.sequence.rawValue ?? .max) <= told.rawValue + 1
        var jobs: [JobID: JobEvent] = [:]
        for event in new { jobs[event.job] = event }
        let list = jobs.values.sorted { $0.sequence.rawValue < $1.sequence.rawValue }
            .map { event -> JSONValue in
                .object([
                    "job": .integer(event.job.rawValue), "state": .string(event.state.rawValue),
                    "queue": .string(event.queue), "batch": event.batch.map { .string($0) } ?? .null,
                ])
            }
        let object: JSONObject = ["jobs": .array(list), "complete": .bool(isAll)]
        return "event: jobs\ndata: \(JSONValue.object(object).json)\n\n"
    }

    /// No older than a pause.
    private func snapshot() async throws -> Snapshot {
        try await turn.pass {
            let known = last.withLock { $0 }
            if let known, known.age() < Self.pause / 2 { return known.snapshot }
            let found = try await read(known?.snapshot)
            last.withLock { $0 = (found, Self.age(on: clock)) }
            return found
        }
    }

    /// How long ago this was called.
    private static func age<C: Clock<Duration>>(on clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
