/// Where a job came in: what people look for it by, beside its id.
package struct JobOrigin: Sendable, Hashable {
    package var queue: String
    /// The batch it was added with, if it was.
    package var batch: String?

    package init(queue: String, batch: String? = nil) {
        self.queue = queue
        self.batch = batch
    }
}
