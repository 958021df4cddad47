/// What a callback asked for and has not brought yet.
///
/// A callback's body is not signed, so it settles nothing: it makes promptd ask. The first one for an attempt, or the first
/// that names another task, is followed by a few questions; all that come again by one each, with a pause before it.
struct Hint: Sendable {
    /// The attempt with the task that a callback named last, as it is adopted if the provider knows it.
    var candidate: OpenTask?
    /// Whether a callback has made promptd ask about this before.
    var isRepeat = false
    /// When a repeat may ask.
    var notBefore: Duration = .zero
    /// Questions since the callback came.
    var asked = 0
    /// What the question under way is about, if that is not known to be the attempt's task.
    var asking: OpenTask?
    /// What the provider said of a task that was named, while its adoption is being recorded.
    var answer: PollOutcome?
    /// Whether another callback has come since the last question.
    var hasCompany = false

    /// How often to ask about a task that is tracked, until the usual schedule will do: the record may lag behind the
    /// callback a little.
    static let questions = 4
    /// How often to ask about a task that is not known to be the attempt's. With the delays that is two minutes; new
    /// tasks were seen to stay invisible for up to 90 s.
    static let candidateQuestions = 8
    /// From a question to the one that a repeated callback is worth.
    static let repeatPause: Duration = .seconds(30)
    /// Names for one attempt that are followed as if they were the first. A provider gives one.
    static let maximumNames = 8

    /// How often to ask in all.
    var questions: Int {
        if isRepeat { 1 } else if candidate == nil { Self.questions } else { Self.candidateQuestions }
    }

    /// From the last answer to the next question: 1 s, doubling; none if the callback overtook the answer.
    var delay: Duration { asked == 0 ? .zero : .seconds(1) * (1 << min(asked - 1, 6)) }
}

/// What callbacks about an attempt have led to already.
struct FollowedHint: Sendable {
    /// When the last question was asked because of one, in uptime.
    var askedAt: Duration
    /// The task that was named last.
    var task: TaskID?
    /// How many were named.
    var names = 1
}
