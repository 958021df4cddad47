import PromptQueue

// Jobs that take files of this machine, and the keeper that uploads them.

extension World {
    private static let host = "https://uploads.invalid/"

    func addUploads(_ count: Int) throws {
        let queue = uploads.pick(plan.queues)
        for _ in 0..<count where uploads.happens(plan.uploads) {
            let number = uploads.whole(1...4)
            let reference =
                uploads.happens(0.5)
                ? "file:///srv/\(number).png" : "upload:\(String(repeating: "0\(number)", count: 32)).png"
            guard
                try place.run(
                    "INSERT INTO jobs (prompt, model, queue, input) VALUES ('it runs', ?, ?, ?)",
                    [uploads.pick(Prices.models), queue, "{\"image_url\":\"\(reference)\"}"]
                )
            else { continue }
            trace.note(now, "file", text: reference)
            try countJobs()
        }
    }

    /// The daemon's keeper, as often as it comes to it.
    func keepUploads() async throws {
        giveTurnToAny(&uploads)
        guard isUp, !isDraining, canWrite(), !isLedgerAway, daemon.frozenUntil <= now, try place.ledger.maySend else {
            return
        }
        var hasNews = false
        for _ in 0..<uploads.whole(1...5) {
            let instant = moment.instant
            guard let wanted = try await place.ledger.wantedUpload(now: instant) else { break }
            let end = hasSettled ? 0 : uploads.draw([(7, 0), (2, 1), (1, 2)])
            trace.note(now, "upload", Int64(end), text: wanted.reference)
            switch end {
            case 0:
                // It is uploaded, and nobody knows.
                if !hasSettled, uploads.happens(0.05) { return try await crash() }
                let file = UploadedFile(
                    sha256: String(repeating: "ab", count: 32),
                    bytes: 1,
                    contentType: "image/png",
                    url: Self.host + "\(uploads.whole(1...1_000_000_000)).png",
                    uploadedAt: instant
                )
                try await place.ledger.recordUpload(wanted, file)
                hasNews = true
            case 1: try await place.ledger.deferUpload(wanted, message: "502", now: instant)
            default: try await place.ledger.recordUploadFailure(wanted, message: "it is gone")
            }
        }
        if uploads.happens(0.1) { try await place.ledger.restUploads() }
        guard hasNews else { return }
        lastStir = now
        planUpkeep()
        try await tell(.ledgerChanged)
    }

    /// What is sent has URLs in the place of files, and none that has ended.
    func checkUploads(_ job: ClaimedJob) throws {
        guard !isTampered, case .string(let url)? = job.input["image_url"] else { return }
        guard !LocalFileReference.isOne(url) else {
            throw Violation(.claim, "job \(job.job) was claimed with a file in the place of a URL")
        }
        guard url.hasPrefix(Self.host) else { return }
        let kept = try place.number(
            "SELECT count(*) FROM uploads WHERE url = ? AND expires_at > ?",
            [url, latestClaim.milliseconds]
        )
        if kept == 0 { throw Violation(.claim, "job \(job.job) was claimed with the URL of an upload that has ended") }
    }

    /// Whoever waits has something to wait for, and the other way round.
    func checkWaits() throws {
        guard !isTampered else { return }
        let wrong = try place.rows(
            """
            SELECT j.id FROM jobs AS j JOIN job_waits AS w ON w.job_id = j.id
            WHERE j.state = 'queued' AND (j.waits IS DISTINCT FROM w.waits OR (j.waits > 0 AND \(place.dialect.hasTurn))) LIMIT 1
            """
        )
        guard let job = wrong.first?[0] as Int64? else { return }
        throw Violation(.ending, "job \(job) waits for something else than what is missing")
    }
}
