import Concurrency
package import KieAPI
package import PromptQueue

/// Brings results from the provider to the media directory.
package final class MediaFetcher: Sendable {
    private let media: MediaDirectory
    private let client: MediaClient
    private let provider: KieClient
    private let policy: URLPolicy
    private let sidecars: Sidecars?
    private let naming: ResultNaming?
    private let pace: TransferPace.Rule
    private let uptime: @Sendable () -> Duration
    private let executor = BlockingExecutor()

    /// - Parameters:
    ///   - naming: nil: each file is named after its job.
    ///   - pace: how fast a server has to send.
    ///   - uptime: the clock that this is measured by.
    package init(
        media: MediaDirectory,
        client: MediaClient,
        provider: KieClient,
        policy: URLPolicy,
        sidecars: Sidecars? = nil,
        naming: ResultNaming? = nil,
        pace: TransferPace.Rule = TransferPace.Rule(),
        uptime: @escaping @Sendable () -> Duration
    ) {
        self.media = media
        self.client = client
        self.provider = provider
        self.policy = policy
        self.sidecars = sidecars
        self.naming = naming
        self.pace = pace
        self.uptime = uptime
    }

    package func fetch(_ download: PendingDownload) async -> DownloadOutcome {
        // Writing and syncing block; that must not hold up the threads that run everything else.
        await withTaskExecutorPreference(executor) {
            let outcome = await fetchBlocking(download)
            switch outcome {
            case .saved(let file):
                // Before the ledger is told: a job that has succeeded has its sidecar, whenever the process may end.
                await sidecars?.write(for: download, file)
                return outcome
            case .failed(_, let message):
                return Task.isCancelled ? .failed(.interrupted, message: message) : outcome
            }
        }
    }

    package func forget(_ result: ResultID) {
        media.discardPartial(result)
    }

    package func discard(_ file: SavedFile, of result: ResultID) async throws {
        try await withTaskExecutorPreference(executor) {
            try media.remove(file)
            await sidecars?.withdraw(result, folder: FilePathParts.split(file.path).directory)
        }
    }

    private func fetchBlocking(_ download: PendingDownload) async -> DownloadOutcome {
        do throws(MediaError) {
            try media.probe(download.result)
        } catch {
            return Self.failure(error)
        }
        switch download.output.content {
        case .object(let json):
            return await save(download) { file throws(MediaError) in try file.write(Array(json.utf8)) }
        case .file(let url):
            if download.asksForFreshURL, case .success(let fresh) = await provider.downloadURL(for: url) {
                return await fetch(fresh, for: download).result
            }
            let outcome = await fetch(url, for: download)
            guard case .gone(let reason) = outcome else { return outcome.result }
            // The provider can name a fresh URL for a result whose own no longer answers.
            switch await provider.downloadURL(for: url) {
            case .success(let fresh):
                return await fetch(fresh, for: download).result
            case .failure(let error) where error.failure.code == .downloadFailed:
                return .failed(.gone, message: reason)
            case .failure(let error):
                // Whether there is a fresh URL is not known.
                return .failed(.passing, message: "\(reason), and asking for a fresh URL failed: \(error)")
            }
        }
    }

    private enum Attempt {
        case done(DownloadOutcome)
        /// The URL does not answer with the file (any more).
        case gone(String)

        var result: DownloadOutcome {
            switch self {
            case .done(let outcome): outcome
            case .gone(let reason): .failed(.gone, message: reason)
            }
        }
    }

    /// What one request led to.
    private enum Step {
        case done(Attempt)
        case redirected(String)
        /// What was there cannot be continued; it has been removed.
        case again
    }

    private static let redirectLimit = 3

    private func fetch(_ first: String, for download: PendingDownload) async -> Attempt {
        var url = first
        var redirects = 0
        var mayContinue = true
        while redirects <= Self.redirectLimit {
            do {
                switch try await request(url, for: download, mayContinue: mayContinue) {
                case .done(let attempt):
                    return attempt
                case .redirected(let target):
                    url = target
                    redirects += 1
                case .again:
                    mayContinue = false
                }
            } catch let refusal as URLPolicy.Refusal {
                return .done(.failed(refusal.isFinal ? .refused : .passing, message: refusal.reason))
            } catch let error as NoRoom {
                // It has been removed by now. Would it not fit even if it were alone, it is this file that is too large.
                guard let room = media.room(), error.size > room - Self.margin else {
                    return .done(Self.failure(error.cause))
                }
                let message = "larger than the free space: the disk was full after \(error.found) bytes"
                return .done(.failed(.passing, message: message))
            } catch {
                return .done(Self.failure(error))
            }
        }
        return .done(.failed(.refused, message: "too many redirects"))
    }

    /// One request. Each, after a redirect too, goes to addresses that were checked for it, and to no others.
    private func request(_ url: String, for download: PendingDownload, mayContinue: Bool) async throws -> Step {
        let addresses = try await policy.addresses(for: url)
        let point = mayContinue ? media.resumable(download.result, from: download.url) : nil
        let rest = point.map { MediaRange(offset: $0.offset, validator: $0.validator) }
        return try await client.get(url, at: addresses, rest: rest) { answer in
            switch answer {
            case .redirect(let target):
                return .redirected(target)
            case .refused(let status):
                if rest != nil, status == 416 || status == 206 {
                    media.discardPartial(download.result)
                    return .again
                }
                let reason = "the media server answered HTTP \(status)"
                // Of the faults that are ours, these two pass by themselves.
                let isGone = (400..<500).contains(status) && status != 408 && status != 429
                return .done(isGone ? .gone(reason) : .done(.failed(.passing, message: reason)))
            case .file(let body):
                guard let range = body.range else { return .done(.done(try await stream(body, download))) }
                guard let point, point.continues(with: range, validator: body.validator) else {
                    media.discardPartial(download.result)
                    return rest == nil ? .done(.done(.failed(.passing, message: Self.unasked))) : .again
                }
                return .done(.done(try await stream(body, download, from: point)))
            }
        }
    }

    private static let unasked = "the media server sent a part that was not asked for"

    /// Writes a body to the media directory: a whole file, or the rest of one from `point` on.
    private func stream(
        _ body: MediaBody,
        _ download: PendingDownload,
        from point: ResumePoint? = nil
    ) async throws -> DownloadOutcome {
        let rest = body.range.map { $0.last + 1 - $0.first } ?? body.length
        let total = body.range?.total ?? point?.total ?? rest.map { $0 + (point?.offset ?? 0) }
        if let total, total > policy.maximumBytes { return tooLarge(download) }
        let source = PartialSource(url: download.url, validator: body.validator, total: total)
        var file =
            if let point {
                try media.resume(download.result, at: point)
            } else {
                try media.begin(download.result, source: source)
            }
        var pace = TransferPace(pace, canContinue: body.validator != nil, at: uptime())
        for try await bytes in body.chunks {
            // Before it is written: not even for a moment is there more than is allowed.
            if file.count + Int64(bytes.count) > policy.maximumBytes {
                file.discard()
                return tooLarge(download)
            }
            do {
                try file.write(bytes)
            } catch {
                let found = file.count
                guard error.isNoSpace, found >= min(Self.largeFile, media.capacity().map { $0 / 2 } ?? .max) else {
                    throw error
                }
                throw NoRoom(found: found, size: total ?? found, cause: error)
            }
            try pace.note(bytes.count, at: uptime())
        }
        guard file.count > 0 else { return .failed(.passing, message: "the file is empty") }
        if let total, total != file.count {
            if file.count > total { file.discard() }
            return .failed(.passing, message: "broke off before all \(total) bytes were there")
        }
        if let problem = try file.problem(url: download.url) {
            file.discard()
            return .failed(.passing, message: "what the media server sent \(problem)")
        }
        return .saved(try media.keep(file, as: try await name(download), job: download.result.job))
    }

    private func name(_ download: PendingDownload) async throws -> ResultName {
        if let naming { return try await naming.name(download) }
        return ResultName(.standard, NameFields(download))
    }

    /// The disk was full after so many bytes of one file.
    private struct NoRoom: Error {
        var found: Int64
        /// As it was announced; else what was found.
        var size: Int64
        var cause: MediaError
    }

    /// Blocks, directories and other writers make the room that is found a little more than the file had.
    private static let margin: Int64 = 4 << 20
    /// A disk with less room than this is full, whatever fits, unless one file takes more than half of such a small disk.
    private static let largeFile: Int64 = 64 << 20

    private func tooLarge(_ download: PendingDownload) -> DownloadOutcome {
        media.discardPartial(download.result)
        return .failed(.refused, message: "larger than \(policy.maximumBytes) bytes")
    }

    private func save(
        _ download: PendingDownload,
        _ write: (inout PartialFile) throws(MediaError) -> Void
    ) async -> DownloadOutcome {
        do {
            var file = try media.begin(download.result)
            try write(&file)
            return .saved(try media.keep(file, as: try await name(download), job: download.result.job))
        } catch {
            return Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> DownloadOutcome {
        let isLocal = (error as? MediaError)?.isLocal ?? false
        return .failed(isLocal ? .local : .passing, message: describe(error))
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as MediaError: error.description
        case let error as LedgerError: "it has no name yet, because the database does not answer: \(error)"
        case is DeadlineExceeded: "the media server stalled"
        case let error as TransferPace.TooSlow:
            "the media server sent less than \(error.bytesPerSecond) bytes a second"
        default: "the download broke off (\(MediaClient.describe(error)))"
        }
    }
}

extension PendingDownload {
    /// The result's own URL, as the ledger has it; empty for one that came in the answer itself.
    fileprivate var url: String {
        switch output.content {
        case .file(let url): url
        case .object: ""
        }
    }
}

extension ResumePoint {
    /// Whether a part that a server sent is the one that was asked for, of the same version of the file.
    fileprivate func continues(with range: ContentRange, validator: String?) -> Bool {
        guard range.first == offset, validator == nil || validator == self.validator else { return false }
        guard let total, let theirs = range.total else { return true }
        return total == theirs
    }
}
