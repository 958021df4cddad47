/// Where a job's results come from, as the ledger knows it.
package struct JobProvenance: Sendable {
    /// One result of the job.
    package struct Result: Sendable {
        package var ordinal: Int
        package var role: String
        /// nil for one that came in the answer itself.
        package var url: String?
        /// nil until it is saved.
        package var file: SavedFile?

        package init(ordinal: Int, role: String = TaskOutput.result, url: String?, file: SavedFile?) {
            self.ordinal = ordinal
            self.role = role
            self.url = url
            self.file = file
        }
    }

    /// The job as its producer gave it.
    package var job: QueuedJob
    /// The input that was sent for the task, a JSON object; nil if nothing was sent, or by a version that did not keep it.
    package var sent: String?
    package var batch: String?
    /// A JSON object.
    package var labels: String?
    package var uniqueKey: String?
    package var task: String?
    package var estimated: Credits?
    /// Over all attempts; nil while nothing is booked.
    package var charged: Credits?
    package var createdAt: Instant
    package var submittedAt: Instant?
    /// When its last task was seen to have ended.
    package var taskFinishedAt: Instant?
    /// By ordinal.
    package var results: [Result]

    package init(
        job: QueuedJob,
        sent: String? = nil,
        batch: String? = nil,
        labels: String? = nil,
        uniqueKey: String? = nil,
        task: String? = nil,
        estimated: Credits? = nil,
        charged: Credits? = nil,
        createdAt: Instant,
        submittedAt: Instant? = nil,
        taskFinishedAt: Instant? = nil,
        results: [Result]
    ) {
        self.job = job
        self.sent = sent
        self.batch = batch
        self.labels = labels
        self.uniqueKey = uniqueKey
        self.task = task
        self.estimated = estimated
        self.charged = charged
        self.createdAt = createdAt
        self.submittedAt = submittedAt
        self.taskFinishedAt = taskFinishedAt
        self.results = results
    }
}

/// What the downloader asks of the ledger, to write it down beside the results.
package protocol ProvenanceSource: Sendable {
    /// nil if there is no such job (any more).
    func provenance(of job: JobID) async throws(LedgerError) -> JobProvenance?
}
