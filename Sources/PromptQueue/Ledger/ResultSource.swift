/// What a job takes from another one, as the ledger finds it at the claim.
package struct ResultSource: Sendable, Hashable {
    package enum Standing: Sendable, Hashable {
        case at(url: String)
        /// The job has no result of that number, or none that is a file; or it was removed.
        case missing
        /// The provider may have deleted it.
        case expired
    }

    /// As it is in the input: `job:12/0`, or `upload:…`.
    package let reference: String
    /// Nil for a file of this machine.
    package let job: JobID?
    package let ordinal: Int
    package let standing: Standing

    /// For how long a result's URL can be given to the provider: it mostly keeps files for 24 hours, and may take an hour to
    /// fetch one.
    package static let lifetime: Duration = .seconds(lifetimeInHours * 3_600)
    private static let lifetimeInHours = 23

    /// - Parameters:
    ///   - url: nil if there is none.
    ///   - createdAt: when the provider reported it.
    package init(
        reference: String,
        job: JobID,
        ordinal: Int,
        url: String?,
        createdAt: Instant?,
        now: Instant
    ) {
        self.reference = reference
        self.job = job
        self.ordinal = ordinal
        standing =
            if let url, let createdAt {
                now - createdAt < Self.lifetime ? .at(url: url) : .expired
            } else {
                .missing
            }
    }

    /// A file that was uploaded.
    package init(reference: String, url: String?) {
        self.reference = reference
        job = nil
        ordinal = 0
        standing = url.map { .at(url: $0) } ?? .missing
    }

    /// Why the job that takes it cannot be sent; nil if it can.
    var problem: InputProblem? {
        let message: String
        switch standing {
        case .at: return nil
        case .missing:
            message = job.map { "job \($0) has no file with the number \(ordinal)" } ?? "it was not uploaded"
        case .expired:
            message =
                "the result of job \(job ?? JobID(0)) is older than \(Self.lifetimeInHours) hours, and the provider may have deleted it; make "
                + "it again with a new job, or give a URL of the file that was saved"
        }
        return InputProblem(field: reference, kind: .missingResult, message: message)
    }
}
