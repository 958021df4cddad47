/// How many requests may be under way at once: as many as answers have earned.
///
/// A request without an answer leaves a job in doubt, and money. So the first one goes alone, each answer lets one more go
/// at once than before, and the first answer that is lost ends that: a provider, or what lies before it, that stops
/// answering costs a few answers and not a whole window of them (TCP's slow start, RFC 5681, 3.1; after idle time it
/// begins again, RFC 2861). At the provider's usual half second a full burst of 20 leaves 2 s later than it might.
struct SubmissionRamp: Sendable {
    /// Without a request under way for so long, what earlier answers told is old.
    static let memory: Duration = .seconds(3)
    /// More than any limit of the provider allows.
    private static let most = 4_096

    private let first: Int
    private var width: Int
    private var lastAnswerAt: Duration?

    /// - Parameter first: how many go at once when nothing is known.
    init(first: Int) {
        self.first = max(1, first)
        width = self.first
    }

    /// How many more may be sent.
    mutating func available(underWay: Int, at uptime: Duration) -> Int {
        if underWay == 0, let last = lastAnswerAt, uptime - last > Self.memory {
            width = first
            lastAnswerAt = nil
        }
        return max(0, width - underWay)
    }

    /// The API has answered, whatever it said.
    mutating func answered(at uptime: Duration) {
        width = min(width + 1, Self.most)
        lastAnswerAt = uptime
    }

    /// No answer came, or none that tells.
    mutating func lost() {
        width = first
        lastAnswerAt = nil
    }
}
