import Testing

@testable import PromptQueue

/// Results that cannot be fetched, or stored, or that nobody waits for any more.
@Suite struct DownloadTroubleTests {
    private let first = ResultID(job: JobID(1), ordinal: 0)
    private let second = ResultID(job: JobID(2), ordinal: 0)
    private let file = SavedFile(path: "default/1-0.png", contentType: "image/png", bytes: 1, sha256: "00")
    private let full = DownloadOutcome.failed(.local, message: "the media disk is full")

    /// Started with so many downloads, all under way; nothing is due to be claimed.
    private func fixture(_ count: Int64 = 1, age: Duration = .zero) -> EngineFixture {
        var fixture = EngineFixture()
        var recovery = Recovery()
        recovery.downloads = (1...count).map { download($0, createdAt: fixture.now.instant - age) }
        _ = fixture.send(.started(recovery))
        _ = fixture.send(.balanceUnknown(Failure(.providerUnavailable, "…")))
        _ = fixture.send(.claimed(Claim()))
        return fixture
    }

    private func download(_ id: Int64, createdAt: Instant) -> PendingDownload {
        PendingDownload(
            result: ResultID(job: JobID(id), ordinal: 0),
            output: .file(url: "https://x/\(id)"),
            origin: JobOrigin(queue: "default"),
            createdAt: createdAt
        )
    }

    // MARK: - An end while nothing can be recorded

    @Test func `what cannot be recorded does not keep the end waiting`() {
        for outcome in [DownloadOutcome.saved(file), .failed(.passing, message: "x"), .failed(.refused, message: "x")] {
            var fixture = fixture()
            var open = fixture.send(.downloaded(first, outcome)).records
            #expect(!open.isEmpty)
            open += fixture.send(.recordStalled(LedgerError(.full, "the disk is full"))).records
            var effects = fixture.send(.drain)
            while !effects.stops, !open.isEmpty {
                open += effects.records
                effects = fixture.send(.recordAbandoned(open.removeFirst()))
            }
            #expect(effects.stops, "\(outcome)")
        }
    }

    @Test func `a result that the ledger refuses gives its place back`() {
        var fixture = fixture()
        let change = fixture.send(.downloaded(first, .saved(file))).records[0]
        var effects = fixture.send(.recordRefused(change, LedgerError(.constraint, "CHECK")))
        effects += fixture.send(.drain)
        for record in effects.records { effects += fixture.send(.recorded(record, CommitResult())) }
        #expect(effects.stops)
    }

    // MARK: - The media disk

    @Test(arguments: [DownloadFailure.gone, .refused, .passing])
    func `submitting goes on when what met the full disk fails for another reason`(failure: DownloadFailure) {
        var fixture = fixture()
        #expect(fixture.send(.downloaded(first, full)).gates == ["disk"])
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
        fixture.pass(.seconds(60))
        #expect(fixture.send(.tick).downloads == [first])
        let effects = fixture.send(.downloaded(first, .failed(failure, message: "HTTP 404")))
        #expect(effects.gates == [])
        #expect(effects.claims.count == 1)
    }

    @Test func `submitting goes on when nobody waits any more for what met the full disk`() {
        var fixture = fixture()
        _ = fixture.send(.downloaded(first, full))
        #expect(fixture.send(.ledgerChanged).checks == [[first]])
        let effects = fixture.send(.downloadsChecked(unwanted: [first]))
        #expect(effects.cancelled == [first])
        #expect(effects.gates == [])
        #expect(effects.claims.count == 1)
        fixture.pass(.seconds(3_600))
        #expect(fixture.send(.tick).downloads.isEmpty, "it is not asked for again")
    }

    @Test func `while another result waits for the disk submitting does not go on`() {
        var fixture = fixture(2)
        _ = fixture.send(.downloaded(first, full))
        _ = fixture.send(.downloaded(second, full))
        #expect(fixture.send(.downloaded(first, .failed(.refused, message: "too large"))).gates == nil)
        #expect(fixture.send(.ledgerChanged).claims.isEmpty)
    }

    @Test func `another reason is shown`() {
        var fixture = fixture(2)
        _ = fixture.send(.downloaded(first, full))
        #expect(fixture.send(.downloaded(second, full)).gates == nil, "it is known")
        fixture.pass(.seconds(60))
        _ = fixture.send(.tick)
        let reason = "the media directory /x cannot be written: Permission denied"
        let effects = fixture.send(.downloaded(first, .failed(.local, message: reason)))
        let notes = effects.records.compactMap { if case .gates(let notes) = $0 { notes } else { nil } }.last
        #expect(notes?.first?.message.hasPrefix(reason) == true)
    }

    // MARK: - What nobody waits for

    @Test func `a cancelled job's download is cut off, and that is not a failure`() {
        var fixture = fixture(2)
        #expect(fixture.send(.ledgerChanged).checks == [[first, second]])
        #expect(fixture.send(.downloadsChecked(unwanted: [first])).cancelled == [first])
        let effects = fixture.send(.downloaded(first, .failed(.interrupted, message: "cut off")))
        #expect(effects.downloadRecords.isEmpty)
        fixture.pass(.seconds(3_600))
        #expect(fixture.send(.tick).downloads.isEmpty)
        #expect(fixture.engine.downloads.activeCount == 1)
    }

    @Test func `others may write as much as they like: one look at a time, and one in a second`() {
        var fixture = fixture()
        #expect(fixture.send(.ledgerChanged).checks.count == 1)
        #expect(fixture.send(.ledgerChanged).checks.isEmpty, "one is under way")
        #expect(fixture.send(.downloadsChecked(unwanted: [])).checks.isEmpty)
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).checks.count == 1, "what was written meanwhile is looked at")
        #expect(fixture.send(.downloadsChecked(unwanted: nil)).checks.isEmpty)
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).checks.count == 1, "what could not be read is read again")
        _ = fixture.send(.downloadsChecked(unwanted: []))
        fixture.pass(.seconds(1))
        #expect(fixture.send(.tick).checks.isEmpty)
    }

    @Test func `what is asked for again while a look is under way is not dropped by it`() {
        var fixture = fixture()
        _ = fixture.send(.ledgerChanged)
        var resumed = Recovery()
        resumed.downloads = [download(1, createdAt: fixture.now.instant)]
        _ = fixture.send(.resumed(resumed))
        #expect(fixture.send(.downloadsChecked(unwanted: [first])).cancelled.isEmpty)
    }

    @Test func `what is asked for again while it is cut off is fetched again`() {
        var fixture = fixture()
        _ = fixture.send(.ledgerChanged)
        _ = fixture.send(.downloadsChecked(unwanted: [first]))
        var resumed = Recovery()
        resumed.downloads = [download(1, createdAt: fixture.now.instant)]
        #expect(fixture.send(.resumed(resumed)).downloads.isEmpty, "the first one is still being cut off")
        #expect(fixture.send(.downloaded(first, .failed(.interrupted, message: "cut off"))).downloads == [first])
    }

    @Test func `a file that came too late is removed before it is fetched again`() {
        var fixture = fixture()
        _ = fixture.send(.downloaded(first, .saved(file)))
        var recorded = CommitResult()
        recorded.isUnwanted = true
        #expect(fixture.send(.recorded(.resultSaved(first, file), recorded)).discarded == [file])
        var resumed = Recovery()
        resumed.downloads = [download(1, createdAt: fixture.now.instant)]
        #expect(fixture.send(.resumed(resumed)).downloads.isEmpty, "it would be removed with the first one")
        #expect(fixture.send(.discarded(first)).downloads == [first])
    }

    @Test func `draining waits until a file that came too late is removed`() {
        var fixture = fixture()
        _ = fixture.send(.downloaded(first, .saved(file)))
        #expect(!fixture.send(.drain).stops)
        var recorded = CommitResult()
        recorded.isUnwanted = true
        #expect(!fixture.send(.recorded(.resultSaved(first, file), recorded)).stops)
        #expect(fixture.send(.discarded(first)).stops)
    }

    // MARK: - Reasons

    @Test func `why a result is not there is recorded when it is news, and said once`() {
        var fixture = fixture()
        var recorded: [String] = []
        var said = 0
        for message in ["HTTP 503", "HTTP 503", "stalled", "stalled", "HTTP 503"] {
            let effects = fixture.send(.downloaded(first, .failed(.passing, message: message)))
            recorded += effects.downloadRecords.map {
                if case .resultDelayed(first, let message) = $0 { message } else { "?" }
            }
            said += effects.count { if case .notify(.resultDelayed) = $0 { true } else { false } }
            fixture.pass(.seconds(600))
            #expect(fixture.send(.tick).downloads == [first])
        }
        #expect(recorded == ["HTTP 503", "stalled", "HTTP 503"])
        #expect(said == 1)
    }

    @Test func `being cut off at the end of the grace leaves a result pending, however old it is`() {
        var fixture = fixture(age: .seconds(3 * 86_400))
        for _ in 1..<DownloadQueue.maximumAttempts {
            _ = fixture.send(.downloaded(first, .failed(.passing, message: "HTTP 503")))
            fixture.pass(.seconds(600))
            #expect(fixture.send(.tick).downloads == [first])
        }
        #expect(!fixture.send(.drain).stops)
        let effects = fixture.send(.downloaded(first, .failed(.interrupted, message: "cut off")))
        #expect(effects.downloadRecords.isEmpty)
        #expect(fixture.engine.downloads.activeCount == 0, "nothing keeps the end waiting")
        #expect(fixture.engine.downloads.results == [first])
    }

    // MARK: - Fresh URLs

    @Test func `from the fourth try on every other one asks for a fresh URL`() {
        var fixture = fixture()
        var turns: [Bool] = [false]
        for _ in 0..<7 {
            _ = fixture.send(.downloaded(first, .failed(.passing, message: "HTTP 503")))
            fixture.pass(.seconds(600))
            turns += fixture.send(.tick).freshTurns
        }
        #expect(turns == [false, false, false, true, false, true, false, true])
    }

    @Test func `nothing is given up before a fresh URL was asked for`() {
        var fixture = fixture()
        for _ in 0..<8 {
            _ = fixture.send(.downloaded(first, .failed(.passing, message: "HTTP 503")))
            fixture.pass(.seconds(600))
            _ = fixture.send(.tick)
        }
        // The ninth try, of the result's own URL, is under way when its day is over.
        fixture.pass(.seconds(86_400))
        #expect(fixture.send(.downloaded(first, .failed(.passing, message: "HTTP 503"))).downloadRecords.isEmpty)
        fixture.pass(.seconds(600))
        #expect(fixture.send(.tick).freshTurns == [true])
        let records = fixture.send(.downloaded(first, .failed(.passing, message: "HTTP 503"))).downloadRecords
        #expect(records.count == 1)
        guard case .resultFailed(first, _)? = records.first else {
            Issue.record("not given up: \(records)")
            return
        }
    }
}

extension [EngineEffect] {
    fileprivate var checks: [[ResultID]] {
        compactMap { if case .checkDownloads(let results) = $0 { results } else { nil } }
    }
    fileprivate var cancelled: [ResultID] {
        compactMap { if case .cancelDownload(let result) = $0 { result } else { nil } }
    }
    fileprivate var discarded: [SavedFile] {
        compactMap { if case .discard(_, let file) = $0 { file } else { nil } }
    }
    fileprivate var freshTurns: [Bool] {
        compactMap { if case .download(let download) = $0 { download.asksForFreshURL } else { nil } }
    }
    fileprivate var downloadRecords: [LedgerChange] {
        records.filter {
            switch $0 {
            case .resultSaved, .resultFailed, .resultDelayed: true
            default: false
            }
        }
    }
}
