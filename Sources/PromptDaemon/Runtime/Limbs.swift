import KieAPI
package import PromptQueue

/// What the runner asks of the provider.
package protocol Provider: Sendable {
    func submit(_ job: ClaimedJob) async -> SubmissionOutcome
    func poll(_ task: TaskID) async -> PollOutcome
    func balance() async -> Credits?
}

/// What the runner asks of the downloader.
package protocol Fetcher: Sendable {
    func fetch(_ download: PendingDownload) async -> DownloadOutcome
}

/// The provider over its API.
struct KieProvider: Provider {
    let client: KieClient
    /// Where the provider may call back, without the attempt's token; nil for polling only.
    let callbackURL: String?

    func submit(_ job: ClaimedJob) async -> SubmissionOutcome {
        await client.createTask(
            model: job.model,
            input: job.input,
            callbackURL: callbackURL.map { "\($0)/callbacks/kie/\(job.token.rawValue)" }
        )
    }

    func poll(_ task: TaskID) async -> PollOutcome {
        await client.recordInfo(task)
    }

    func balance() async -> Credits? {
        try? await client.credits().get()
    }
}
