import Concurrency
import KieAPI
import Logging
import MediaStore
import PromptQueue
import ServiceLifecycle

/// Uploads the files that queued jobs take, one at a time, and removes those that nobody takes any more. Whatever becomes of them, only
/// the jobs that take them wait.
struct UploadKeeper: Service {
    let ledger: any UploadStore
    let uploader: any Uploader
    let files: UploadFiles
    let metrics: DaemonMetrics
    /// Somebody's jobs may be due now.
    let onUploaded: @Sendable () async throws -> Void
    let time: any TimeSource
    let logger: Logger

    private static let look: Duration = .seconds(1)
    /// After a try that said nothing of the file; the longest is also how often a key that was refused is tried.
    private static let shortestRest: Duration = .seconds(5)
    private static let longestRest: Duration = .seconds(60)
    private static let upkeep: Duration = .seconds(60)
    private static let cleaning: Duration = .seconds(3_600)
    /// What cannot be uploaded for so long, while the key is taken, is not tried again.
    private static let patience: Duration = .seconds(86_400)
    /// For so long a file stays in the spool whose job has yet to be added.
    private static let grace: Duration = .seconds(3_600)

    func run() async throws {
        try await untilShutdown {
            var rest = Self.shortestRest
            var nextUpkeep = time.now.uptime + Self.upkeep
            var nextCleaning = time.now.uptime + Self.cleaning
            while !Task.isCancelled {
                var wait = Self.look
                do {
                    switch try await uploadNext() {
                    case .nothing: break
                    case .done:
                        wait = .zero
                        rest = Self.shortestRest
                    case .deferred:
                        wait = rest
                        rest = min(rest * 2, Self.longestRest)
                    }
                    if time.now.uptime >= nextUpkeep {
                        nextUpkeep = time.now.uptime + Self.upkeep
                        try await ledger.restUploads()
                    }
                    if time.now.uptime >= nextCleaning {
                        nextCleaning = time.now.uptime + Self.cleaning
                        try await clean()
                    }
                } catch let error as LedgerError where error.code != .cancelled {
                    logger.warning("files to upload wait for the database", metadata: ["reason": "\(error)"])
                    wait = Self.shortestRest
                }
                try await time.sleep(until: time.now.uptime + wait)
            }
        }
    }

    /// What became of a look.
    enum Look: Sendable, Hashable {
        case nothing
        /// One file was uploaded, or never will be.
        case done
        /// Not now, for a reason that is not the file's.
        case deferred
    }

    /// Uploads one file.
    func uploadNext() async throws -> Look {
        guard let wanted = try await ledger.wantedUpload(now: time.now.instant) else { return .nothing }
        do {
            return try await upload(wanted)
        } catch let error as LedgerError where error.code == .constraint {
            // Somebody's own rule refuses what is to be recorded: others come first.
            try await ledger.deferUpload(wanted, message: error.message, now: time.now.instant)
            logger.warning(
                "what became of a file cannot be recorded, by a rule of the database",
                metadata: ["reference": "\(PlainText.oneLine(wanted.reference))", "reason": "\(error)"]
            )
            return .deferred
        }
    }

    private func upload(_ wanted: WantedUpload) async throws -> Look {
        let file: LocalFile
        // It is read to its end, which takes a while.
        let opened = await withTaskExecutorPreference(BlockingExecutor()) { await Self.open(wanted, files) }
        do throws(LocalFile.Problem) {
            file = try opened.get()
        } catch {
            if error.isPassing { return try await wait(wanted, error.description, isKey: false) }
            try await fail(wanted, error.description)
            return .done
        }
        guard file.type.isMedia else {
            try await fail(wanted, "\(wanted.reference): is of a kind that promptd does not know")
            return .done
        }
        // Half of the time that it is kept for, so that jobs have something of it.
        let until = time.now.instant + UploadedFile.lifetime / 2
        if let kept = try await ledger.keptUpload(sha256: file.sha256, until: until) {
            try await ledger.recordUpload(wanted, kept)
            metrics.uploaded(.kept, bytes: 0)
            try await onUploaded()
            return .done
        }
        // Before the request: the provider counts from later on.
        let started = time.now.instant
        let outcome = await uploader.upload(file)
        // What a shutdown has cut off is uploaded by the next start.
        try Task.checkCancellation()
        switch outcome {
        case .uploaded(let url):
            let uploaded = UploadedFile(
                sha256: file.sha256,
                bytes: file.bytes,
                contentType: file.type.contentType,
                url: url,
                uploadedAt: started
            )
            try await ledger.recordUpload(wanted, uploaded)
            metrics.uploaded(.uploaded, bytes: file.bytes)
            logger.info(
                "a file was uploaded",
                metadata: ["reference": "\(PlainText.oneLine(wanted.reference))", "bytes": "\(file.bytes)"]
            )
            try await onUploaded()
            return .done
        case .refused(let message):
            try await fail(wanted, "the provider does not take \(wanted.reference): \(message)")
            return .done
        case .deferred(let failure):
            return try await wait(wanted, failure.message, isKey: failure.code == .keyRefused)
        }
    }

    /// On the caller's executor.
    private static nonisolated func open(
        _ wanted: WantedUpload,
        _ files: UploadFiles
    ) async -> Result<LocalFile, LocalFile.Problem> {
        do throws(LocalFile.Problem) { return .success(try files.open(wanted)) } catch { return .failure(error) }
    }

    private func wait(_ wanted: WantedUpload, _ message: String, isKey: Bool) async throws -> Look {
        let now = time.now.instant
        if !isKey, let since = wanted.failingSince, now - since > Self.patience {
            try await fail(wanted, "\(wanted.reference) could not be uploaded for a day: \(message)")
            return .done
        }
        try await ledger.deferUpload(wanted, message: message, now: now)
        metrics.uploaded(.deferred, bytes: 0)
        logger.warning(
            "a file could not be uploaded, and is tried again",
            metadata: [
                "reference": "\(PlainText.oneLine(wanted.reference))", "reason": "\(PlainText.oneLine(message))",
            ]
        )
        return .deferred
    }

    private func fail(_ wanted: WantedUpload, _ message: String) async throws {
        try await ledger.recordUploadFailure(wanted, message: PlainText.oneLine(message))
        metrics.uploaded(.failed, bytes: 0)
        logger.warning(
            "jobs have failed because a file cannot be uploaded",
            metadata: [
                "reference": "\(PlainText.oneLine(wanted.reference))", "reason": "\(PlainText.oneLine(message))",
            ]
        )
    }

    /// Removes what no job takes, and nobody has put in of late.
    func clean() async throws {
        let now = time.now.instant.milliseconds / 1_000
        let spool = files.spool
        let names = await withTaskExecutorPreference(BlockingExecutor()) { await Self.oldNames(spool, now) }
        let used = try await ledger.usedUploads(Set(names.map { "upload:\($0)" }))
        let unused = names.filter { !used.contains("upload:\($0)") }
        let left = await withTaskExecutorPreference(BlockingExecutor()) { await Self.remove(unused, spool, now) }
        guard left > 0 else { return }
        logger.warning(
            "files that nobody takes stay for another hour, because another program holds a lock on their directory",
            metadata: ["path": "\(PlainText.oneLine(spool.directory))", "files": "\(left)"]
        )
    }

    private static nonisolated func oldNames(_ spool: Spool, _ now: Int64) async -> [String] {
        spool.names(untouchedFor: Int64(grace.seconds), now: now)
    }

    /// How many could not be looked at.
    private static nonisolated func remove(_ names: [String], _ spool: Spool, _ now: Int64) async -> Int {
        names.count { !spool.remove($0, untouchedFor: Int64(grace.seconds), now: now) }
    }
}

/// What uploads a file; one at a time.
protocol Uploader: Sendable {
    func upload(_ file: LocalFile) async -> UploadClient.Outcome
}

/// Uploads to the provider, with the key as it is.
struct KieUploader: Uploader {
    let client: UploadClient
    let keySource: KeySource

    func upload(_ file: LocalFile) async -> UploadClient.Outcome {
        keySource.refresh { client.replaceKey($0) }
        let outcome = await client.upload(
            name: "\(file.sha256).\(file.type.fileExtension)",
            contentType: file.type.contentType,
            bytes: file.bytes,
            chunk: file.reader()
        )
        if case .deferred(let failure) = outcome { keySource.note(failure) }
        return outcome
    }
}

/// Where files are that jobs take.
struct UploadFiles: Sendable {
    let spool: Spool
    let media: String
    /// `uploads.roots`.
    let roots: @Sendable () -> [String]

    func open(_ wanted: WantedUpload) throws(LocalFile.Problem) -> LocalFile {
        switch LocalFileReference(wanted.reference) {
        case .spooled(let name)?: return try open(spooled: name)
        case .path(let path)?: return try LocalFile.open(path, below: roots())
        case .result?:
            guard let saved = wanted.saved else {
                throw LocalFile.Problem("\(wanted.reference): was not saved, or is gone")
            }
            let file = try LocalFile.open(saved.path, in: media)
            guard file.sha256 == saved.sha256 else {
                throw LocalFile.Problem("\(media)/\(saved.path): is not what was saved there")
            }
            return file
        case nil: throw LocalFile.Problem("\(wanted.reference): is no file")
        }
    }

    private func open(spooled name: String) throws(LocalFile.Problem) -> LocalFile {
        do throws(LocalFile.Problem) { return try spool.open(name) } catch {
            guard !error.isPassing, !error.isSystem else { throw error }
            // Somebody may have put it right meanwhile.
            guard spool.removeWrong(name) else { return try spool.open(name) }
            throw LocalFile.Problem("\(error); it was removed: add a job with the file again, then retry this one")
        }
    }
}
