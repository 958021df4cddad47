import Concurrency
import FoundationEssentials
import Glibc
import KieAPI
import Logging
import MediaStore
import PromptQueue
import PromptWeb
import Synchronization
import Testing

@testable import PromptDaemon

/// What becomes of files that jobs take.
@Suite struct UploadKeeperTests {
    private final class Host: Uploader {
        let uploads = Mutex<[String]>([])
        let answer: UploadClient.Outcome
        var sums: [String] { uploads.withLock { $0 } }

        init(_ answer: UploadClient.Outcome) { self.answer = answer }

        func upload(_ file: LocalFile) async -> UploadClient.Outcome {
            uploads.withLock { $0.append(file.sha256) }
            return answer
        }
    }

    private final class Store: UploadStore {
        struct State {
            var wanted: [WantedUpload]
            var ready: [String: UploadedFile] = [:]
            var failed: [String: String] = [:]
            var deferred: [String] = []
            /// Somebody's rule refuses what is recorded.
            var refuses = false
        }

        let state: Mutex<State>
        var found: State { state.withLock { $0 } }

        init(_ references: [String], failingSince: Instant? = nil) {
            state = Mutex(State(wanted: references.map { WantedUpload(reference: $0, failingSince: failingSince) }))
        }

        func wantedUpload(now: Instant) async throws(LedgerError) -> WantedUpload? {
            state.withLock { $0.wanted.first }
        }

        func keptUpload(sha256: String, until instant: Instant) async throws(LedgerError) -> UploadedFile? {
            state.withLock { state in
                state.ready.values.first { $0.sha256 == sha256 && $0.expiresAt > instant }
            }
        }

        func recordUpload(_ wanted: WantedUpload, _ file: UploadedFile) async throws(LedgerError) {
            guard !found.refuses else { throw LedgerError(.constraint, "not here") }
            state.withLock { state in
                state.ready[wanted.reference] = file
                state.wanted.removeAll { $0 == wanted }
            }
        }

        func recordUploadFailure(_ wanted: WantedUpload, message: String) async throws(LedgerError) {
            state.withLock { state in
                state.failed[wanted.reference] = message
                state.wanted.removeAll { $0 == wanted }
            }
        }

        func deferUpload(_ wanted: WantedUpload, message: String, now: Instant) async throws(LedgerError) {
            state.withLock { $0.deferred.append(message) }
        }

        func restUploads() async throws(LedgerError) {}

        func usedUploads(_ references: Set<String>) async throws(LedgerError) -> Set<String> { [] }
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/promptd-keeper-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1]
        for name in ["a.png", "b.png"] { try Data(png).write(to: URL(filePath: "\(path)/\(name)")) }
        try Data("a fox".utf8).write(to: URL(filePath: "\(path)/words.png"))
        try await body(path)
    }

    private func keeper(
        _ store: Store,
        _ host: Host,
        _ path: String,
        onUploaded: @escaping @Sendable () -> Void = {}
    ) -> UploadKeeper {
        UploadKeeper(
            ledger: store,
            uploader: host,
            files: UploadFiles(spool: Spool(database: "\(path)/q.sqlite"), media: path, roots: { [path] }),
            metrics: DaemonMetrics(PrometheusRegistry(DaemonMetrics.families)),
            onUploaded: onUploaded,
            time: SystemTime(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test func `files are uploaded, the same bytes once, and jobs are told`() async throws {
        try await withFolder { path in
            let store = Store(["file://\(path)/a.png", "file://\(path)/b.png"])
            let host = Host(.uploaded(url: "https://u/1.png"))
            let news = Mutex(0)
            let keeper = keeper(store, host, path) { news.withLock { $0 += 1 } }
            let looks = [try await keeper.uploadNext(), try await keeper.uploadNext(), try await keeper.uploadNext()]
            #expect(looks == [.done, .done, .nothing])
            #expect(host.sums.count == 1)
            #expect(store.found.ready.values.map(\.url) == ["https://u/1.png", "https://u/1.png"])
            let told = news.withLock { $0 }
            #expect(told == 2)
        }
    }

    @Test func `what is no file to upload fails, without a request`() async throws {
        try await withFolder { path in
            let references = [
                "file:///etc/hostname", "file://\(path)/none.png", "file://\(path)/words.png", "result:1/0",
                "upload:\(String(repeating: "ab", count: 32)).png",
            ]
            let store = Store(references)
            let host = Host(.uploaded(url: "https://u/1.png"))
            let keeper = keeper(store, host, path)
            for _ in references { _ = try await keeper.uploadNext() }
            #expect(Set(store.found.failed.keys) == Set(references))
            #expect(host.sums.isEmpty)
        }
    }

    @Test func `a refusal is the file's, an outage is not`() async throws {
        try await withFolder { path in
            let reference = "file://\(path)/a.png"
            let refused = Store([reference])
            let refusal = try await keeper(refused, Host(.refused("too odd")), path).uploadNext()
            #expect(refusal == .done)
            #expect(refused.found.failed[reference]?.contains("too odd") == true)
            let waiting = Store([reference])
            let outage = Host(.deferred(Failure(.providerUnavailable, "502")))
            let wait = try await keeper(waiting, outage, path).uploadNext()
            #expect(wait == .deferred)
            #expect(waiting.found.wanted.count == 1)
            #expect(waiting.found.deferred == ["502"])
        }
    }

    @Test func `what a rule of the database refuses to have recorded lets others go first`() async throws {
        try await withFolder { path in
            let store = Store(["file://\(path)/a.png"])
            store.state.withLock { $0.refuses = true }
            let look = try await keeper(store, Host(.uploaded(url: "https://u/1.png")), path).uploadNext()
            #expect(look == .deferred)
            #expect(store.found.deferred == ["not here"])
        }
    }

    @Test(arguments: [
        (FailureCode.providerUnavailable, 23, UploadKeeper.Look.deferred), (.providerUnavailable, 25, .done),
        (.keyRefused, 25, .deferred),
    ])
    func `after a day of trouble a file is given up, but not for the key`(
        code: FailureCode,
        hours: Int,
        look: UploadKeeper.Look
    ) async throws {
        try await withFolder { path in
            let store = Store(
                ["file://\(path)/a.png"],
                failingSince: SystemTime().now.instant - .seconds(Int64(hours) * 3_600)
            )
            let found = try await keeper(store, Host(.deferred(Failure(code, "no"))), path).uploadNext()
            #expect(found == look)
            #expect(store.found.failed.isEmpty == (look == .deferred))
        }
    }

    @Test func `what nobody takes is removed after a while`() async throws {
        try await withFolder { path in
            let keeper = keeper(Store([]), Host(.refused("")), path)
            let file = try LocalFile.open(own: "\(path)/a.png")
            try keeper.files.spool.add(file)
            try await keeper.clean()
            let folder = keeper.files.spool.directory
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.count == 1)
            let old: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSince1970: 1_000_000)]
            try FileManager.default.setAttributes(old, ofItemAtPath: "\(folder)/\(names[0])")
            let held = unsafe open(folder, O_RDONLY | O_DIRECTORY)
            defer { close(held) }
            #expect(flock(held, LOCK_SH) == 0)
            try await keeper.clean()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == names)
            #expect(flock(held, LOCK_UN) == 0)
            try await keeper.clean()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `a file in the spool that is not what its name says is removed, and its jobs are told`() async throws {
        try await withFolder { path in
            let file = try LocalFile.open(own: "\(path)/a.png")
            let reference = Spool.reference(to: file)
            let store = Store([reference])
            let host = Host(.uploaded(url: "https://u/1.png"))
            let keeper = keeper(store, host, path)
            let spool = keeper.files.spool
            try spool.add(file)
            let name = reference.dropFirst("upload:".count)
            try Data("garbage".utf8).write(to: URL(filePath: "\(spool.directory)/\(name)"))
            #expect(try await keeper.uploadNext() == .done)
            #expect(store.found.failed[reference]?.contains("it was removed") == true)
            #expect(host.sums.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory).isEmpty)
        }
    }
}
