import PromptQueue

extension ClaimedJob {
    /// The first attempt of a job that has the same number.
    static func numbered(_ number: Int64) -> ClaimedJob {
        ClaimedJob(
            attempt: AttemptID(number),
            token: AttemptToken("t"),
            job: JobID(number),
            queue: "default",
            model: "m",
            input: [:],
            reserved: .zero,
            attemptCount: 1,
            maxAttempts: 3
        )
    }
}
