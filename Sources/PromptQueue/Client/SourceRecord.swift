/// A job whose result another one is to take.
package struct SourceRecord: Sendable, Hashable {
    package let job: JobID
    package let state: JobState
    package let model: String
    package let isPruned: Bool
    /// Whether it has the result that is to be taken, as a file; it may get it while it has not ended.
    package let hasFile: Bool

    package init(job: JobID, state: JobState, model: String, isPruned: Bool, hasFile: Bool) {
        self.job = job
        self.state = state
        self.model = model
        self.isPruned = isPruned
        self.hasFile = hasFile
    }
}

extension InputReference {
    /// Why nothing can be taken from a job; nil if it can.
    ///
    /// - Parameter source: nil if there is no such job.
    package func problem(with source: SourceRecord?) -> String? {
        guard let source else {
            switch self.source {
            case .job(let id): return "\(text): there is no job \(id)"
            case .key(let key): return "\(text): there is no job with the unique key \"\(key)\"" + hint
            case nil: return "\(text): is no job's id; write job:12, or job:12/1 for its second result"
            }
        }
        if source.isPruned { return "\(text): what job \(source.job) made was pruned" }
        switch source.state {
        case .failed: return "\(text): job \(source.job) has failed; \(Advice.retryFirst(source.job))"
        case .cancelled: return "\(text): job \(source.job) was cancelled; \(Advice.retryFirst(source.job))"
        case .succeeded:
            return source.hasFile ? nil : "\(text): job \(source.job) has no file with the number \(ordinal)"
        case .queued, .submitting, .running, .unconfirmed: return nil
        }
    }

    /// For a key that ends in what reads as a number.
    private var hint: String {
        text.hasSuffix("/\(ordinal)") && ordinal > 0 ? "; of a key that ends in /\(ordinal) write \(text)/0" : ""
    }
}
