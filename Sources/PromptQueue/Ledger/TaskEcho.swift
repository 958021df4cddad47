/// What the provider says a task was made from.
package struct TaskEcho: Sendable, Hashable {
    package var model: String?
    /// `input.prompt`, as it was sent.
    package var prompt: String?

    package init(model: String? = nil, prompt: String? = nil) {
        self.model = model
        self.prompt = prompt
    }
}

/// The answer to a question about a task.
package struct PollAnswer: Sendable, Hashable {
    package var outcome: PollOutcome
    /// Nil if the provider did not say, or knows no such task.
    package var origin: TaskEcho?

    package init(_ outcome: PollOutcome, origin: TaskEcho? = nil) {
        self.outcome = outcome
        self.origin = origin
    }
}

extension OpenTask {
    /// What shows that the provider's task was not made by this attempt's request; nil if nothing does.
    ///
    /// Prompts are compared without white space, in case the provider trims them.
    func difference(from origin: TaskEcho) -> String? {
        if let model = origin.model, model != self.model { return "the task is one of another model" }
        guard let sent = prompt, let theirs = origin.prompt else { return nil }
        let isSame = sent.filter { !$0.isWhitespace } == theirs.filter { !$0.isWhitespace }
        return isSame ? nil : "the task was made from another prompt"
    }
}
