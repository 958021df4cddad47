/// A job that is about to be inserted.
package struct NewJob: Sendable {
    package var prompt: String?
    package var model: String
    /// A JSON object.
    package var input: String
    package var queue: String
    package var priority: Int64 = 0
    /// `nil`: as soon as possible.
    package var runAt: Instant?
    package var uniqueKey: String?
    package var batch: String?
    /// A JSON object.
    package var labels: String?
    package var maxAttempts: Int = 3
    /// Whether misspelt fields are sent as they are.
    package var allowsUnknownFields = false
    package var estimate: Estimate?

    package init(prompt: String?, model: String, input: String, queue: String) {
        self.prompt = prompt
        self.model = model
        self.input = input
        self.queue = queue
    }
}
