import Concurrency
import Crypto
import FoundationEssentials
import KieAPI
import NIOCore
import PromptConfiguration
import PromptQueue
import PromptWeb
import Synchronization
import Testing

@testable import PromptDaemon

@Suite(.timeLimit(.minutes(5))) struct CallbackHandlerTests {
    private static let now = Instant(milliseconds: 1_777_539_190_339)
    private static let token = "0123456789abcdef0123456789abcdef"

    /// A ledger with one attempt, and what became of the callbacks.
    private final class Scene: HintSource {
        struct Seen {
            var lookups = 0
            var notes: [TaskID] = []
            var hints: [(AttemptID, OpenTask?)] = []
            var told: [Int64] = []
        }

        let target: HintTarget?
        let fails: Bool
        let failsToNote: Bool
        private let seen = Mutex(Seen())

        init(
            _ state: AttemptState? = .accepted,
            isOpen: Bool = true,
            fails: Bool = false,
            failsToNote: Bool = false,
            hinted: String? = nil,
            hintChanges: Int = 0,
            keeper: Int64? = nil
        ) {
            self.fails = fails
            self.failsToNote = failsToNote
            target = state.map {
                HintTarget(
                    attempt: AttemptID(7),
                    job: JobID(3),
                    state: $0,
                    isOpen: isOpen,
                    task: $0 == .accepted ? TaskID("known") : nil,
                    model: "m",
                    since: CallbackHandlerTests.now,
                    attemptCount: 2,
                    maxAttempts: 3,
                    hinted: hinted.map(TaskID.init),
                    hintChanges: hintChanges,
                    keeper: keeper
                )
            }
        }

        var notes: [TaskID] { seen.withLock { $0.notes } }

        var lookups: Int { seen.withLock { $0.lookups } }
        var hints: [(AttemptID, OpenTask?)] { seen.withLock { $0.hints } }

        func hintTarget(token: AttemptToken) async throws(LedgerError) -> HintTarget? {
            seen.withLock { $0.lookups += 1 }
            if fails { throw LedgerError(.busy, "locked") }
            return token.rawValue == CallbackHandlerTests.token ? target : nil
        }

        func noteHint(_ attempt: AttemptID, task: TaskID) async throws(LedgerError) {
            if failsToNote { throw LedgerError(.full, "no space") }
            #expect(hints.isEmpty, "in the ledger first")
            seen.withLock { $0.notes.append(task) }
        }

        var told: [Int64] { seen.withLock { $0.told } }

        func tell(_ keeper: Int64, of attempt: AttemptID) async throws(LedgerError) {
            if failsToNote { throw LedgerError(.full, "no space") }
            seen.withLock { $0.told.append(keeper) }
        }

        func note(_ attempt: AttemptID, _ task: OpenTask?) {
            seen.withLock { $0.hints.append((attempt, task)) }
        }
    }

    private func receive(
        _ scene: Scene,
        key: String? = nil,
        token: String = token,
        body: String = #"{"data":{"taskId":"abc123"}}"#,
        signedWith other: String? = nil,
        at seconds: Int64 = 1_777_539_190,
        isRunning: Bool = true
    ) async -> CallbackOutcome {
        let desk = CallbackHandler(
            verifier: CallbackVerifier(key: key.map(Secret.init)),
            targets: scene,
            isRunning: { isRunning },
            now: { Self.now },
            hint: { scene.note($1, $2) }
        )
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("abc123.\(seconds)".utf8),
            using: SymmetricKey(data: Data((other ?? key ?? "").utf8))
        )
        return await desk.receive(
            IncomingCallback(
                token: token,
                timestamp: key == nil ? nil : "\(seconds)",
                signature: key == nil ? nil : Data(code).base64EncodedString(),
                body: ByteBuffer(string: body)
            )
        )
    }

    @Test func `a callback for a task that another daemon asks about is passed on`() async {
        let scene = Scene(.accepted, keeper: 12)
        #expect(await receive(scene) == .accepted)
        #expect(scene.told == [12])
        #expect(scene.hints.isEmpty)
        // The provider tries again.
        #expect(await receive(Scene(.accepted, failsToNote: true, keeper: 12)) == .unavailable)
    }

    @Test func `a callback for a running task is a hint without a name`() async {
        let scene = Scene()
        #expect(await receive(scene) == .accepted)
        #expect(scene.hints.count == 1)
        #expect(scene.hints.first?.0 == AttemptID(7))
        #expect(scene.hints.first?.1 == nil)
    }

    @Test(arguments: [AttemptState.sending, .unknown])
    func `a callback for a request without an answer names its task`(state: AttemptState) async throws {
        let scene = Scene(state)
        #expect(await receive(scene, key: "secret") == .accepted)
        let task = try #require(scene.hints.first?.1)
        #expect(task.task == TaskID("abc123"))
        #expect(task.attempt == AttemptID(7))
        #expect(task.attemptCount == 2)
        #expect(task.maxAttempts == 3)
    }

    @Test(arguments: [AttemptState.sending, .unknown])
    func `the name for a request without an answer is in the ledger before 200 is answered`(
        state: AttemptState
    ) async {
        let scene = Scene(state)
        #expect(await receive(scene, key: "secret") == .accepted)
        #expect(scene.notes == [TaskID("abc123")])
        let full = Scene(state, failsToNote: true)
        #expect(await receive(full, key: "secret") == .unavailable, "the provider tries again")
        #expect(full.hints.isEmpty)
    }

    @Test func `a name is not noted twice, nor for a task that is known, nor without end`() async {
        for scene in [
            Scene(.accepted), Scene(.unknown, hinted: "abc123"),
            Scene(.unknown, hinted: "other", hintChanges: HintTarget.maximumChanges),
        ] {
            #expect(await receive(scene) == .accepted)
            #expect(scene.notes.isEmpty)
            #expect(scene.hints.count == 1)
        }
        let settled = Scene(.unknown, isOpen: false)
        #expect(await receive(settled) == .duplicate)
        #expect(settled.notes.isEmpty)
        let other = Scene(.unknown, hinted: "other", hintChanges: 1)
        #expect(await receive(other) == .accepted)
        #expect(other.notes == [TaskID("abc123")])
    }

    @Test(arguments: [AttemptState.accepted, .rejected, .unknown])
    func `a callback for what is settled makes no work`(state: AttemptState) async {
        let scene = Scene(state, isOpen: false)
        #expect(await receive(scene) == (state == .rejected ? .contradicted : .duplicate))
        #expect(scene.hints.isEmpty)
    }

    @Test func `with a key, what is not signed rightly costs not even a look at the ledger`() async {
        let scene = Scene()
        #expect(await receive(scene, key: "secret", signedWith: "other") == .badSignature)
        #expect(await receive(scene, key: "secret", at: 1_777_538_590) == .stale)
        #expect(await receive(scene, key: "secret", body: #"{"data":{"taskId":"abc124"}}"#) == .badSignature)
        #expect(await receive(scene, key: "secret", body: "{}") == .malformed)
        #expect(scene.lookups == 0)
        #expect(scene.hints.isEmpty)
    }

    @Test func `an unknown token costs one look and makes no work`() async {
        let scene = Scene()
        #expect(await receive(scene, token: String(repeating: "f", count: 32)) == .unknownToken)
        #expect(scene.lookups == 1)
        #expect(scene.hints.isEmpty)
    }

    @Test func `without a key a token admits a hint, also one that names no task`() async {
        let scene = Scene()
        #expect(await receive(scene, body: "{}") == .accepted)
        #expect(await receive(scene, body: "nothing") == .malformed)
        #expect(scene.hints.count == 1)
    }

    @Test func `the provider is asked to come again while nobody can take a hint`() async {
        #expect(await receive(Scene(), isRunning: false) == .unavailable)
        #expect(await receive(Scene(fails: true)) == .unavailable)
    }

    @Test func `few look up at a time, and nobody is forgotten`() async {
        let crowd = Crowd()
        await withDiscardingTaskGroup { group in
            for _ in 0..<100 { group.addTask { await crowd.goThrough() } }
        }
        #expect(crowd.most <= 2)
        #expect(crowd.all == 100)
        #expect(crowd.semaphore.waiting == 0)
    }

    private final class Crowd: Sendable {
        let semaphore = AsyncSemaphore(places: 2)
        private let inside = Mutex((now: 0, most: 0, all: 0))

        var most: Int { inside.withLock { $0.most } }
        var all: Int { inside.withLock { $0.all } }

        func goThrough() async {
            await semaphore.pass {
                inside.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                await Task.yield()
                inside.withLock {
                    $0.now -= 1
                    $0.all += 1
                }
            }
        }
    }

    // MARK: - The key and the address

    @Test func `the key comes from the file, else the credential, else the environment`() throws {
        let directory = "/tmp/promptd-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = "\(directory)/key"
        _ = FileManager.default.createFile(atPath: file, contents: Data(" from the file\n".utf8))
        _ = FileManager.default.createFile(atPath: "\(directory)/webhook-key", contents: Data("credential".utf8))
        let environment = ["KIE_WEBHOOK_HMAC_KEY": "environment"]
        let both = environment.merging(["CREDENTIALS_DIRECTORY": directory]) { $1 }
        #expect(try Credentials.webhookKey(file: file, environment: both) == Secret("from the file"))
        #expect(try Credentials.webhookKey(file: nil, environment: both) == Secret("credential"))
        #expect(try Credentials.webhookKey(file: nil, environment: environment) == Secret("environment"))
        #expect(try Credentials.webhookKey(file: nil, environment: [:]) == nil)
        let missing = #expect(throws: ConfigurationError.self) {
            try Credentials.webhookKey(file: "\(directory)/none", environment: environment)
        }
        #expect(missing?.description.hasPrefix("callbacks.hmacKeyFile: \(directory)/none cannot be read") == true)
        _ = FileManager.default.createFile(atPath: file, contents: Data("\n".utf8))
        let empty = #expect(throws: ConfigurationError.self) {
            try Credentials.webhookKey(file: file, environment: environment)
        }
        #expect(empty?.description.contains("is empty") == true)
    }

    @Test(arguments: [
        ("https://example.org", "https://example.org"), ("https://example.org/", "https://example.org"),
        ("https://example.org/promptd//", "https://example.org/promptd"),
        ("http://127.0.0.1:8788", "http://127.0.0.1:8788"), ("http://localhost:1/x", "http://localhost:1/x"),
        ("http://[::1]:8788", "http://[::1]:8788"), ("http://example.org", nil), ("ftp://example.org", nil),
        ("example.org", nil), ("https://example.org/?a=b", nil), ("https://example.org/#a", nil),
        ("https://user:secret@example.org", nil), ("https://example.org/callbacks/kie/", nil), ("", nil),
    ])
    func `the public address is https, or this machine`(text: String, url: String?) {
        #expect(PublicURL.read(text) == url)
    }
}
