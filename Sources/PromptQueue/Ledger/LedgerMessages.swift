/// What every ledger writes into the rows of jobs and results, for people.
package enum LedgerMessages {
    /// Of a request that was under way when its daemon ended.
    package static let endedBeforeAnswer =
        "promptd ended before the answer came: the task may exist and may have been charged"

    /// Of a request that was given up.
    package static func presumedSpent(mayRetry: Bool) -> String {
        "its request was never answered, and nothing was heard of it since; it may have been charged, so what was reserved counts as "
            + (mayRetry ? "spent" : "spent, and its attempts are used up")
    }

    /// Of a result of a cancelled job.
    package static let cancelledBeforeDownload = "cancelled before it was downloaded"

    /// Of a job of which so many results could not be fetched.
    package static func notDownloaded(_ count: String, of job: JobID) -> String {
        "\(count) of its results could not be downloaded; they are paid for: \(Advice.fetchByHand(job))"
    }

    /// Of a lost request that the balance shows to have cost nothing.
    package static let costNothing = "no answer came, and the account's balance shows that nothing was charged"

    /// Of a job whose request somebody has settled by SQL while it was under way.
    package static func settledBySQL(_ job: JobID) -> String {
        "its request was settled by SQL while it was under way; \(Advice.sendAgain(job))"
    }

    /// Of a schedule of which no run is made, because the job of the last one has not been sent.
    package static func lastStillWaits(_ job: JobID) -> String { "its last job, \(job), still waits to be sent" }
}
