import PromptQueue

/// What somebody is about to have done, with what it will cost, before he says so.
struct ChangePlan: Sendable {
    enum Action: Sendable {
        case change(JobChange, [JobID])
        case resolve(Resolution, [JobID])
        case add([NewJob])
        case resume([String])

        /// The jobs that are there and are meant.
        var jobs: [JobID] {
            switch self {
            case .change(_, let ids), .resolve(_, let ids): ids
            case .add, .resume: []
            }
        }
    }

    /// No more jobs at once: others wait to write meanwhile.
    static let mostJobs = 10_000

    /// For the log.
    let name: String
    /// Exactly what will be done.
    let action: Action
    let title: String
    /// As `promptctl --dry-run` says it.
    let lines: [String]
    /// Jobs that will stay as they are, and why.
    var refused: [String] = []
    /// What the button says; nil: there is nothing to do.
    let button: String?
    /// Whether it gives up what is, or may be, paid for.
    let isGrave: Bool
    /// No more than this is to be paid; what would cost more is shown once more.
    var toPay = Credits.zero
    /// Where it was asked for.
    let back: String
}

/// What was done.
struct ChangeResult: Sendable {
    let title: String
    let lines: [String]
    var refused: [String] = []
    var jobs = 0
    var credits = Credits.zero
    /// Where to see it.
    var links: [(href: String, text: String)] = []
}

/// It costs more than was confirmed.
struct PlanOutdated: Error {}
