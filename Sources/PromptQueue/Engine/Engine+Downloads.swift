// From a result's URL to its file, and what comes in between.
extension Engine {
    mutating func downloaded(_ result: ResultID, _ outcome: DownloadOutcome, now: Moment) {
        let origin = downloads.origin(of: result)
        switch outcome {
        case .saved(let file):
            open(.media)
            outbox.notify(.resultSaved(result, origin, file))
            outbox.record(.resultSaved(result, file))
        case .failed(let failure, let message):
            let isTriedAgain = downloads.failed(result, failure, now: now, using: &random)
            if failure == .local, downloads.isHeldByDisk { closeMedia(message, now: now) }
            openMediaIfFree()
            if isTriedAgain {
                if failure != .interrupted { noteDelay(result, origin, message) }
            } else {
                outbox.notify(.resultFailed(result, origin, message))
                outbox.record(.resultFailed(result, message: message))
            }
        }
    }

    /// Says once why a result is not there yet, and notes it whenever it is another reason.
    private mutating func noteDelay(_ result: ResultID, _ origin: JobOrigin?, _ message: String) {
        let (isFirst, isNews) = downloads.note(message, of: result)
        if isFirst { outbox.notify(.resultDelayed(result, origin, message)) }
        if isNews { outbox.record(.resultDelayed(result, message: message)) }
    }

    private mutating func closeMedia(_ message: String, now: Moment) {
        if let before = gates.message(of: .media), before != message { outbox.noteGates() }
        close(.media, message: message, now: now)
    }

    /// With nothing left that waits for the disk nobody would find out when it can be written again: what comes next does.
    mutating func openMediaIfFree() {
        if !downloads.isHeldByDisk { open(.media) }
    }

    mutating func downloadsChecked(_ unwanted: [ResultID]?) {
        for result in downloads.looked(unwanted) { outbox.send(.cancelDownload(result)) }
        if unwanted != nil { openMediaIfFree() }
    }
}
