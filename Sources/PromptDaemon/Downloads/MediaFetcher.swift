import KieAPI
import PromptQueue

/// Brings results from the provider to the media directory.
final class MediaFetcher: Fetcher {
    private let media: MediaDirectory
    private let client: MediaClient
    private let provider: KieClient
    private let policy: URLPolicy
    private let executor = BlockingExecutor()

    init(media: MediaDirectory, client: MediaClient, provider: KieClient, policy: URLPolicy) {
        self.media = media
        self.client = client
        self.provider = provider
        self.policy = policy
    }

    func fetch(_ download: PendingDownload) async -> DownloadOutcome {
        // Writing and syncing block; that must not hold up the threads that run everything else.
        await withTaskExecutorPreference(executor) { await fetchBlocking(download) }
    }

    private func fetchBlocking(_ download: PendingDownload) async -> DownloadOutcome {
        switch download.output {
        case .object(let json):
            return await save(download) { file in try file.write(Array(json.utf8)) }
        case .file(let url):
            let outcome = await fetch(url, for: download)
            guard case .gone(let reason) = outcome else { return outcome.result }
            // The provider can name a fresh URL for a result whose own no longer answers.
            switch await provider.downloadURL(for: url) {
            case .success(let fresh):
                return await fetch(fresh, for: download).result
            case .failure:
                return .failed(.gone, message: reason)
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

    private func fetch(_ first: String, for download: PendingDownload) async -> Attempt {
        var url = first
        for _ in 0...3 {
            if let refusal = await policy.refusal(of: url) {
                return .done(.failed(refusal.isFinal ? .refused : .passing, message: refusal.reason))
            }
            do {
                switch try await client.get(url) {
                case .redirect(let target):
                    url = target
                case .refused(let status):
                    let reason = "the media server answered HTTP \(status)"
                    return [403, 404, 410].contains(status)
                        ? .gone(reason) : .done(.failed(.passing, message: reason))
                case .file(let body):
                    return .done(try await stream(body, download))
                }
            } catch {
                return .done(Self.failure(error))
            }
        }
        return .done(.failed(.refused, message: "too many redirects"))
    }

    private func stream(_ body: MediaBody, _ download: PendingDownload) async throws -> DownloadOutcome {
        var file = try media.begin(download.result)
        for try await bytes in body.chunks {
            try file.write(bytes)
            if file.count > policy.maximumBytes {
                return .failed(.refused, message: "larger than \(policy.maximumBytes) bytes")
            }
        }
        guard file.count > 0 else { return .failed(.passing, message: "the file is empty") }
        if let expected = body.length, expected != file.count {
            return .failed(.passing, message: "broke off after \(file.count) of \(expected) bytes")
        }
        return .saved(try media.keep(file, for: download))
    }

    private func save(_ download: PendingDownload, _ write: (inout PartialFile) throws -> Void) async -> DownloadOutcome
    {
        do {
            var file = try media.begin(download.result)
            try write(&file)
            return .saved(try media.keep(file, for: download))
        } catch {
            return Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> DownloadOutcome {
        let isLocal = (error as? MediaError)?.isDiskFull ?? false
        return .failed(isLocal ? .local : .passing, message: describe(error))
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as MediaError: error.description
        case is DeadlineExceeded: "the media server stalled"
        default: "the download broke off (\(MediaClient.describe(error)))"
        }
    }
}
