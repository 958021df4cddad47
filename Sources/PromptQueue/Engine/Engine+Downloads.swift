/// When to ask the ledger whether anybody still waits for the results that are being fetched.
struct DownloadLook: Sendable {
    /// Whether somebody else has written since the last look began.
    var isDue = false
    var isUnderWay = false
    /// Looks are this far apart at least, however much others write.
    var notBefore: Duration = .zero
    /// Results that were taken up again while the look was under way: what it says of them is old.
    var takenUp: Set<ResultID> = []
}

// From a result's URL to its file, and what comes in between.
extension Engine {
    private static var lookPause: Duration { .seconds(1) }

    mutating func takeUp(_ download: PendingDownload, now: Moment) {
        if downloadLook.isUnderWay { downloadLook.takenUp.insert(download.result) }
        downloads.add(download, at: now.uptime)
    }

    mutating func downloaded(
        _ result: ResultID,
        _ outcome: DownloadOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        switch outcome {
        case .saved(let file):
            open(.media, &effects)
            effects.append(.notify(.resultSaved(result, file)))
            record(.resultSaved(result, file), &effects)
        case .failed(let failure, let message):
            let isTriedAgain = downloads.retry(result, after: failure, now: now, using: &random)
            if failure == .local, downloads.isHeldByDisk { closeMedia(message, now: now, &effects) }
            openMediaIfFree(&effects)
            if isTriedAgain {
                if failure != .interrupted { noteDelay(result, message, &effects) }
            } else {
                effects.append(.notify(.resultFailed(result, message)))
                record(.resultFailed(result, message: message), &effects)
            }
        }
    }

    /// What became of a result is in the ledger.
    mutating func downloadRecorded(_ change: LedgerChange, _ recorded: CommitResult, _ effects: inout [EngineEffect]) {
        switch change {
        case .resultSaved(let result, let file) where recorded.isUnwanted:
            // Until the file is gone it keeps its place: a new download of it would write the same file.
            if !downloads.isAskedForAgain(result) { downloads.drop(result) }
            effects.append(.discard(result, file))
        case .resultSaved(let result, _), .resultFailed(let result, _):
            downloads.finish(result)
        default:
            return
        }
        openMediaIfFree(&effects)
        if waitsForPlace { noteDue() }
    }

    // MARK: - What is in the way

    /// Says once why a result is not there yet, and notes it whenever it is another reason.
    private mutating func noteDelay(_ result: ResultID, _ message: String, _ effects: inout [EngineEffect]) {
        let (isFirst, isNews) = downloads.note(message, of: result)
        if isFirst { effects.append(.notify(.resultDelayed(result, message))) }
        if isNews { record(.resultDelayed(result, message: message), &effects) }
    }

    private mutating func closeMedia(_ message: String, now: Moment, _ effects: inout [EngineEffect]) {
        let isOtherReason = gates[.media].map { $0.message != message } ?? false
        close(.media, message: message, now: now, &effects)
        if isOtherReason { recordGates(now: now, &effects) }
    }

    /// With nothing left that waits for the disk nobody would find out when it can be written again: what comes next does.
    private mutating func openMediaIfFree(_ effects: inout [EngineEffect]) {
        if !downloads.isHeldByDisk { open(.media, &effects) }
    }

    // MARK: - What nobody waits for any more

    mutating func lookForCancelled(now: Moment, _ effects: inout [EngineEffect]) {
        if downloads.isEmpty { downloadLook.isDue = false }
        guard let due = nextDownloadLook, due <= now.uptime else { return }
        downloadLook = DownloadLook(isUnderWay: true, notBefore: now.uptime + Self.lookPause)
        effects.append(.checkDownloads(downloads.results))
    }

    /// When to look; nil while a look is under way, or if nothing asks for one.
    var nextDownloadLook: Duration? {
        downloadLook.isDue && !downloadLook.isUnderWay ? downloadLook.notBefore : nil
    }

    mutating func downloadsChecked(_ unwanted: [ResultID]?, _ effects: inout [EngineEffect]) {
        let takenUp = downloadLook.takenUp
        downloadLook.isUnderWay = false
        downloadLook.takenUp = []
        guard let unwanted else {
            downloadLook.isDue = true
            return
        }
        for result in unwanted where !takenUp.contains(result) {
            downloads.drop(result)
            effects.append(.cancelDownload(result))
        }
        openMediaIfFree(&effects)
    }
}
