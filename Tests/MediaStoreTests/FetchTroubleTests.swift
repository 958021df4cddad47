import FoundationEssentials
import Glibc
import NIOPosix
import PromptQueue
import Synchronization
import Testing

@testable import KieAPI
@testable import MediaStore

/// What is made of trouble with the server, the provider and this machine.
@Suite(.timeLimit(.minutes(5))) struct FetchTroubleTests {
    static let image = FetcherTests.image

    // MARK: - Fresh URLs

    @Test(arguments: [400, 401, 403, 404, 410, 418, 451])
    func `a URL that is refused gets a fresh one, and only that is given up without`(status: Int) async throws {
        let server = MediaServer(api: { .json(#"{"code":200,"msg":"success","data":"\#($0)/fresh"}"#) }) { asked, _ in
            asked.path == "/fresh" ? .file(Self.image) : MediaServer.Reply(status: status)
        }
        try await server.run { fixture in
            #expect(FetcherTests.saved(await fixture.fetch("/x")) != nil)
            #expect(server.asked.map(\.path) == ["/x", "/fresh"])
        }
        let hopeless = MediaServer { _, _ in MediaServer.Reply(status: status) }
        try await hopeless.run { fixture in
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .gone)
        }
    }

    @Test(arguments: [408, 429, 500, 503])
    func `trouble that may pass is no reason for a fresh URL`(status: Int) async throws {
        let server = MediaServer { _, _ in MediaServer.Reply(status: status) }
        try await server.run { fixture in
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .passing)
            #expect(server.freshURLsAsked == 0)
        }
    }

    static let refusals: [(String, Int, DownloadFailure)] = [
        (#"{"code":422,"msg":"url is wrong"}"#, 200, .gone), (#"{"code":404,"msg":"not found"}"#, 404, .gone),
        (#"{"code":401,"msg":"no"}"#, 401, .passing), (#"{"code":429,"msg":"slow"}"#, 200, .passing),
        (#"{"code":500,"msg":"oops"}"#, 200, .passing), ("<html>bad gateway</html>", 502, .passing),
        (#"{"code":455,"msg":"maintenance"}"#, 200, .passing), ("<html>not found</html>", 404, .passing),
    ]

    @Test(arguments: refusals)
    func `only the provider's own word makes a file gone`(
        body: String,
        status: Int,
        expected: DownloadFailure
    ) async throws {
        let server = MediaServer(api: { _ in .json(body, status: status) }) { _, _ in MediaServer.Reply(status: 404) }
        try await server.run { fixture in
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == expected)
        }
    }

    @Test func `a try that is to have a fresh URL asks for it first, and goes without if there is none`() async throws {
        let server = MediaServer(api: { .json(#"{"code":200,"msg":"success","data":"\#($0)/fresh"}"#) }) { asked, _ in
            asked.path == "/fresh" ? .file(Self.image) : MediaServer.Reply(status: 503)
        }
        try await server.run { fixture in
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .passing)
            #expect(FetcherTests.saved(await fixture.fetch("/x", asksForFreshURL: true)) != nil)
            #expect(server.asked.map(\.path) == ["/x", "/fresh"])
        }
        let without = MediaServer { _, _ in .file(Self.image) }
        try await without.run { fixture in
            #expect(FetcherTests.saved(await fixture.fetch("/x", asksForFreshURL: true)) != nil)
        }
    }

    // MARK: - Slow servers

    @Test func `a server that drips is left, and what came stays to be continued`() async throws {
        let uptime = Mutex(Duration.zero)
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run(
            pace: TransferPace.Rule(bytesPerSecond: 1 << 20, window: .seconds(60)),
            uptime: {
                uptime.withLock { uptime in
                    uptime += .seconds(30)
                    return uptime
                }
            }
        ) { fixture in
            let outcome = await fixture.fetch("/x")
            let message = "the media server sent less than 1048576 bytes a second"
            #expect(outcome == .failed(.passing, message: message))
            #expect(fixture.names(in: ".partial") == ["7-0", "7-0.json"])
        }
    }

    @Test func `the pace is an average over a sliding window, and nothing is said before one has passed`() throws {
        let rule = TransferPace.Rule(bytesPerSecond: 100, window: .seconds(60))
        var steady = TransferPace(rule, at: .seconds(1_000))
        for second in stride(from: 1_005, through: 1_600, by: 5) { try steady.note(500, at: .seconds(second)) }
        // One byte in five seconds, for a minute.
        var dripping = TransferPace(rule, at: .zero)
        for second in stride(from: 5, to: 60, by: 5) { try dripping.note(1, at: .seconds(second)) }
        #expect(throws: TransferPace.TooSlow.self) { try dripping.note(1, at: .seconds(60)) }
        // A fast beginning does not pay for what comes after it.
        var ebbing = TransferPace(rule, at: .zero)
        try ebbing.note(1_000_000, at: .seconds(1))
        try ebbing.note(1, at: .seconds(60))
        #expect(throws: TransferPace.TooSlow.self) { try ebbing.note(1, at: .seconds(62)) }
    }

    @Test func `a file that drips in makes room after a while if it can be continued`() throws {
        func drip(_ bytes: Int, canContinue: Bool) throws {
            var pace = TransferPace(TransferPace.Rule(), canContinue: canContinue, at: .zero)
            for second in stride(from: 10, through: 3_600, by: 10) { try pace.note(bytes, at: .seconds(second)) }
        }
        try drip(400_000, canContinue: false)
        // One that cannot be continued gets an hour.
        #expect(throws: TransferPace.TooSlow.self) { try drip(20_000, canContinue: false) }
        var long = TransferPace(TransferPace.Rule(), at: .zero)
        for second in stride(from: 10, to: 3_600, by: 10) { try long.note(20_000, at: .seconds(second)) }
        try drip(400_000, canContinue: true)
        #expect(throws: TransferPace.TooSlow.self) { try drip(20_000, canContinue: true) }
        var patient = TransferPace(TransferPace.Rule(), canContinue: true, at: .zero)
        for second in stride(from: 10, to: 600, by: 10) { try patient.note(20_000, at: .seconds(second)) }
    }

    // MARK: - This machine

    @Test func `a media directory that is not there holds everything, before anything is asked for`() async throws {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run { fixture in
            try FileManager.default.removeItem(atPath: fixture.path)
            let message =
                "the media directory \(fixture.path)/.partial cannot be written: No such file or directory"
            #expect(await fixture.fetch("/x") == .failed(.local, message: message))
            #expect(server.asked.isEmpty)
            try FileManager.default.createDirectory(
                atPath: fixture.path + "/.partial",
                withIntermediateDirectories: true
            )
            #expect(FetcherTests.saved(await fixture.fetch("/x")) != nil)
        }
    }

    static let codes: [(Int32, String, Bool)] = [
        (ENOSPC, "the media disk is full", true), (EDQUOT, "the media disk is full", true),
        (EACCES, "the media directory /m cannot be written: Permission denied", true),
        (EROFS, "the media directory /m cannot be written: Read-only file system", true),
        (EISDIR, "/m/.partial/7-0: Is a directory", false), (ENOTDIR, "/m/.partial/7-0: Not a directory", false),
    ]

    @Test(arguments: codes)
    func `what concerns every file is told from what concerns one`(code: Int32, message: String, isLocal: Bool) {
        let error = MediaError(code: code, at: "/m/.partial/7-0")
        #expect(error.description == message)
        #expect(error.isLocal == isLocal)
        let folder = MediaError(code: EACCES, at: "/m/ads/7-0.png").description
        #expect(folder == "the media directory /m/ads cannot be written: Permission denied")
    }

    @Test func `a folder that is a file concerns its batch only`() async throws {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run { fixture in
            try Data("x".utf8).write(to: URL(filePath: fixture.path + "/ads"))
            #expect(FetcherTests.failure(await fixture.fetch("/x")) == .passing)
            #expect(fixture.names(in: ".partial").isEmpty, "what cannot be kept does not stay")
        }
    }

    // MARK: - Cut off

    @Test func `a download that is cut off says nothing about the file`() async throws {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run { fixture in
            let outcome = await withTaskGroup(of: DownloadOutcome.self) { group in
                group.cancelAll()
                group.addTask { await fixture.fetch("/x") }
                return await group.next()
            }
            #expect(outcome.flatMap(FetcherTests.failure) == .interrupted)
        }
    }

    @Test func `a file that nobody waits for is removed`() async throws {
        let server = MediaServer { _, _ in .file(Self.image) }
        try await server.run { fixture in
            let file = try #require(FetcherTests.saved(await fixture.fetch("/x")))
            #expect(fixture.names(in: "ads") == ["7-0.png"])
            for _ in 0..<2 {
                try await fixture.fetcher.discard(file, of: ResultID(job: JobID(7), ordinal: 0))
                #expect(fixture.names(in: "ads").isEmpty)
            }
        }
    }

    // MARK: - Look-ups

    @Test func `a look-up that hangs is not waited for, and what nobody waits for is not begun`() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        // Another look-up hangs on the only thread.
        let isHeld = Mutex(true)
        pool.submit { _ in
            while isHeld.withLock({ $0 }) { sched_yield() }
        }
        let begun = Mutex<[String]>([])
        let resolve: @Sendable (String) throws -> [String] = { host in
            begun.withLock { $0.append(host) }
            return ["127.0.0.1"]
        }
        var policy = URLPolicy(allowsLoopback: true, resolve: resolve)
        policy.lookup = HostLookup(pool: pool, clock: HastyClock())
        for host in ["first.invalid", "second.invalid"] {
            let refusal = await #expect(throws: URLPolicy.Refusal.self) {
                try await policy.addresses(for: "https://\(host)/x")
            }
            #expect(refusal?.reason == "\(host) could not be looked up within 10s")
            #expect(refusal?.isFinal == false)
        }
        isHeld.withLock { $0 = false }
        // Waits for its thread.
        try await pool.shutdownGracefully()
        #expect(begun.withLock { $0 }.isEmpty)
    }
}

/// Whoever sleeps has slept already.
private struct HastyClock: Clock {
    typealias Instant = ContinuousClock.Instant
    let now = ContinuousClock().now
    let minimumResolution = Duration.zero

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
}
