import FoundationEssentials
import Glibc
import Logging
import PromptConfiguration
import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

/// A log line is a line, whatever others have put into it.
struct LogLineTests {
    private static let harmful = "a\r\n2026-01-01 critical forged \u{1B}[2J\u{9B}1m\u{202E}\u{2028}\"\u{301} x=\"y\" \\"

    @Test(arguments: [LogFormat.text, .journal, .json])
    func `nothing that others write ends a line or plays with a terminal`(format: LogFormat) {
        let line = DaemonLogHandler.line(format, .info, Self.harmful, [(key: "queue", value: Self.harmful)])
        #expect(!line.unicodeScalars.contains(where: PlainText.isHarmful))
    }

    @Test func `a value ends where its quotation marks do`() {
        let line = DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "a\"\u{301} b\\")])
        #expect(Array(line.unicodeScalars) == Array("<6>m k=\"a\\\"\u{301} b\\\\\"".unicodeScalars))
        #expect(DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "")]) == "<6>m k=\"\"")
        #expect(DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "plain")]) == "<6>m k=plain")
    }

    @Test(arguments: [LogFormat.text, .journal, .json])
    func `a line is bounded, by bytes`(format: LogFormat) {
        let long = "a" + String(repeating: "\u{301}", count: 1_900_000)
        #expect(DaemonLogHandler.line(format, .info, long, [(key: "k", value: long)]).utf8.count < 5_000)
    }
}

/// What goes to the journal, and what is kept out of any log.
struct JournalTests {
    @Test func `an entry has its message, its priority and its fields, and no text makes one of its own`() throws {
        let entry = JournalSocket.entry(
            .warning,
            "task failed",
            [("job.id", "12"), ("code", "timeout"), ("queue", "a\nPRIORITY=0"), ("9x", "y")]
        )
        var expected = Array("MESSAGE=task failed\nPRIORITY=4\nSYSLOG_IDENTIFIER=promptd\nJOB_ID=12\n".utf8)
        expected += Array("ERROR_CODE=timeout\nQUEUE\n".utf8) + [12, 0, 0, 0, 0, 0, 0, 0]
        expected += Array("a\nPRIORITY=0\nFIELD9X=y\n".utf8)
        #expect(entry == expected)
    }

    @Test func `it arrives over a socket; where nobody listens there is none`() throws {
        #expect(JournalSocket(path: "/none/socket") == nil)
        let server = try DatagramServer()
        let journal = try #require(JournalSocket(path: server.path))
        #expect(journal.send(.info, "hello", [("job.id", "3")]))
        #expect(server.receive() == "MESSAGE=hello\nPRIORITY=6\nSYSLOG_IDENTIFIER=promptd\nJOB_ID=3\n")
    }

    @Test func `of a flood the first ones are written, and how many others there were`() {
        let now = Mutex(Duration.zero)
        let folder = LogFolder { now.withLock { $0 } }
        func failed(_ job: Int, _ reason: String, _ level: Logger.Level = .warning) -> Bool {
            folder.admits(level, "task failed", [("code", "timeout"), ("job.id", "\(job)"), ("reason", reason)])
        }
        #expect((0..<1_000).count { failed($0, "no") } == 10)
        #expect(failed(1, "another reason"))
        #expect(folder.admits(.warning, "something else", []))
        #expect(failed(1, "no", .critical))
        #expect((0..<50).allSatisfy { _ in folder.admits(.info, "task succeeded", []) })
        #expect(folder.takeRests() == [])
        now.withLock { $0 = .seconds(60) }
        let rests = folder.takeRests()
        let values = rests.map { $0.values.map { "\($0.key)=\($0.value)" } }
        #expect(values == [["count=990", "same=task failed", "code=timeout", "reason=no"]])
        #expect(rests.map(\.message.level) == [.warning])
        #expect(folder.takeRests() == [])
        #expect(failed(1, "no"))
    }
}

/// What is told to systemd.
struct SystemdNotifierTests {
    @Test func `the watchdog's time is stretched and put back, where there is one`() throws {
        let server = try DatagramServer()
        let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": server.path, "WATCHDOG_USEC": "90000000"])
        notifier.stretchWatchdog()
        notifier.restoreWatchdog()
        #expect(server.receive() == "WATCHDOG_USEC=900000000")
        #expect(server.receive() == "WATCHDOG_USEC=90000000")
        let without = SystemdNotifier(environment: ["NOTIFY_SOCKET": server.path])
        without.stretchWatchdog()
        without.send("STATUS=x")
        #expect(server.receive() == "STATUS=x")
    }

    @Test func `a status is one line`() {
        var figures = StatusFigures()
        figures.jobs = [
            .init(queue: "a", state: "queued", jobs: 3), .init(queue: "b", state: "queued", jobs: 2),
            .init(queue: "a", state: "running", jobs: 1), .init(queue: "a", state: "unconfirmed", jobs: 1),
        ]
        figures.balance = Credits(millicredits: 38_500)
        figures.gates = ["budget:a\nb"]
        #expect(figures.line == "1 running, 5 queued, 1 unconfirmed; 38.5 credits; held by budget:a b")
    }
}

/// Receives datagrams at a path of its own.
private final class DatagramServer {
    let path = FileManager.default.temporaryDirectory.path + "/promptd-socket-\(UUID().uuidString)"
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { [path] in unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { [descriptor] in
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    /// The next datagram, which has been sent.
    func receive() -> String {
        var bytes = [UInt8](repeating: 0, count: 1_000)
        let count = unsafe bytes.withUnsafeMutableBytes { [descriptor] in
            unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
