package import FoundationEssentials
package import PromptQueue

/// What is read of a callback's body: which task it is about. The rest is not signed and not believed.
package struct CallbackBody: Sendable, Equatable {
    /// `data.taskId`, or `data.task_id` as some models have it; nil if neither is a usable text.
    package var task: TaskID?

    /// - Returns: nil if `bytes` is not a JSON object.
    package init?(_ bytes: Data) {
        guard let body = (try? JSONValue(answer: Array(bytes)))?.objectValue else { return nil }
        let data = body["data"]?.objectValue
        task = ["taskId", "task_id"].lazy.compactMap { data?.text($0).flatMap(TaskID.init(usable:)) }.first
    }
}
