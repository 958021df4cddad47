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
    /// What it means for money, as it was shown; what would be more by then is shown once more.
    var stakes = ChangeStakes()
    /// Where it was asked for.
    let back: String
}

/// What a change means for money: what is paid for, and what paid for is given up.
struct ChangeStakes: Sendable {
    var toPay = Credits.zero
    var staysCharged = Credits.zero
    var atProvider = 0
    var followers = 0

    /// - Throws: `PlanOutdated` if anything is more than what was shown.
    func check(against shown: ChangeStakes) throws(PlanOutdated) {
        guard toPay <= shown.toPay, staysCharged <= shown.staysCharged, atProvider <= shown.atProvider,
            followers <= shown.followers
        else { throw PlanOutdated() }
    }
}

extension ChangeStakes {
    init(_ outcome: ChangeOutcome, toPay: Credits) {
        self.init(
            toPay: toPay,
            staysCharged: outcome.staysCharged,
            atProvider: outcome.atProvider,
            followers: outcome.followers
        )
    }
}

/// What was done.
struct ChangeResult: Sendable {
    let title: String
    let lines: [String]
    var refused: [String] = []
    var jobs = 0
    /// Those that were paused or resumed.
    var queues: [String] = []
    var credits = Credits.zero
    /// Where to see it.
    var links: [(href: String, text: String)] = []
}

/// It means more than was confirmed.
struct PlanOutdated: Error {}
