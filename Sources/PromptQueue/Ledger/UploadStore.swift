/// What the daemon asks of its ledger about files that jobs take.
package protocol UploadStore: Sendable {
    /// A file that a queued job needs, which is due within ten minutes and whose queue is not paused; that whose last try is longest
    /// ago. Nil: none, or the database is an older copy.
    func wantedUpload(now: Instant) async throws(LedgerError) -> WantedUpload?

    /// A URL under which the provider has a file with these bytes until then or longer; nil: none is known.
    func keptUpload(sha256: String, until instant: Instant) async throws(LedgerError) -> UploadedFile?

    /// The provider has it: jobs that waited for nothing else become claimable in the same transaction.
    ///
    /// If a job has named the file since it was found to be wanted, nothing is recorded: it is looked at again.
    func recordUpload(_ wanted: WantedUpload, _ file: UploadedFile) async throws(LedgerError)

    /// It will not be uploaded: queued jobs that take it fail with `upload_failed`, and the message.
    func recordUploadFailure(_ wanted: WantedUpload, message: String) async throws(LedgerError)

    /// It could not be uploaded now; others come first.
    func deferUpload(_ wanted: WantedUpload, message: String, now: Instant) async throws(LedgerError)

    /// Notes of files that no queued job needs any more that they need not be uploaded.
    func restUploads() async throws(LedgerError)

    /// Those of `references` that a job, which has not succeeded, or a schedule takes. Of files that nobody takes nothing stays in the
    /// ledger.
    func usedUploads(_ references: Set<String>) async throws(LedgerError) -> Set<String>
}

/// A file that is to be uploaded.
package struct WantedUpload: Sendable, Hashable {
    /// A result's file.
    package struct Saved: Sendable, Hashable {
        /// Relative to the media directory.
        package let path: String
        package let sha256: String

        package init(path: String, sha256: String) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// So long before a job is due its files are uploaded.
    package static let ahead: Duration = .seconds(600)

    /// As it is in inputs; or `result:JOB/ORDINAL`.
    package let reference: String
    /// Of a result.
    package let saved: Saved?
    /// How often jobs had named it when it was found.
    package let asked: Int64
    /// Since when no try has succeeded; nil: the last one has, or there was none.
    package let failingSince: Instant?

    package init(reference: String, saved: Saved? = nil, asked: Int64 = 0, failingSince: Instant? = nil) {
        self.reference = reference
        self.saved = saved
        self.asked = asked
        self.failingSince = failingSince
    }
}

/// A file that the provider has.
package struct UploadedFile: Sendable, Hashable {
    package var sha256: String
    package var bytes: Int64
    package var contentType: String
    package var url: String
    package var uploadedAt: Instant

    /// The provider says three days, and elsewhere 24 hours; a task may take an hour to fetch it.
    package static let lifetime: Duration = .seconds(23 * 3_600)

    package var expiresAt: Instant { uploadedAt + Self.lifetime }

    package init(sha256: String, bytes: Int64, contentType: String, url: String, uploadedAt: Instant) {
        self.sha256 = sha256
        self.bytes = bytes
        self.contentType = contentType
        self.url = url
        self.uploadedAt = uploadedAt
    }
}
