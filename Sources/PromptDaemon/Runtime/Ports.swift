import KieAPI
import MediaStore
package import PromptQueue

/// What the runner asks of the provider.
package protocol Provider: Sendable {
    func submit(_ job: ClaimedJob) async -> SubmissionOutcome
    func poll(_ task: TaskID) async -> PollAnswer
    func balance() async -> Result<Credits, FailureError>
}

/// What the runner asks of the downloader.
package protocol Fetcher: Sendable {
    func fetch(_ download: PendingDownload) async -> DownloadOutcome
    /// Removes what is there of a result that is not being fetched.
    func forget(_ result: ResultID)
    /// Removes a file that was saved and that nobody waits for.
    func discard(_ file: SavedFile, of result: ResultID) async throws
}

extension MediaFetcher: Fetcher {}

/// The provider over its API.
///
/// After the key was refused it is reloaded before each request, so that a new one counts without a reload.
struct KieProvider: Provider {
    let client: KieClient
    let keySource: KeySource
    /// Where the provider may call back, without the attempt's token; nil for polling only.
    let callbackURL: String?

    func submit(_ job: ClaimedJob) async -> SubmissionOutcome {
        keySource.refresh(client)
        let outcome = await client.createTask(
            model: job.model,
            input: job.input,
            callbackURL: callbackURL.map { "\($0)/callbacks/kie/\(job.token.rawValue)" }
        )
        if case .rejected(let failure) = outcome { keySource.note(failure) }
        return outcome
    }

    func poll(_ task: TaskID) async -> PollAnswer {
        keySource.refresh(client)
        let answer = await client.recordInfo(task)
        if case .unavailable(let failure) = answer.outcome { keySource.note(failure) }
        return answer
    }

    func balance() async -> Result<Credits, FailureError> {
        keySource.refresh(client)
        let outcome = await client.credits()
        if case .failure(let error) = outcome { keySource.note(error.failure) }
        return outcome
    }
}
