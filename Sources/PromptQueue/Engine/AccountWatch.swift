/// What the engine knows of the account, and whether it is being asked.
struct AccountWatch: Sendable {
    /// A question for the balance on its way.
    struct Question: Sendable {
        var askedAt: Moment
        /// Whether nothing was between sending and answer so far.
        var isQuiet: Bool
    }

    /// Submissions wait for the account: it is asked often.
    struct Pressure: Sendable {
        static let initial: Duration = .seconds(15)
        static let maximum: Duration = .seconds(60)

        var nextAt: Duration
        var delay = Self.initial

        init(at uptime: Duration) { nextAt = uptime }

        mutating func asked(at uptime: Duration) {
            nextAt = uptime + delay
            delay = min(delay * 2, Self.maximum)
        }
    }

    /// What a refusal for want of credits (402) waits for.
    struct Shortage: Sendable {
        /// The price of the job that was refused.
        var price: Credits
        /// When the last request was refused.
        var refusedAt: Duration
        /// The lowest balance read since.
        var lowest: Credits?
        /// Whether the balance has given hope since.
        var hasCover = false
        /// Whether somebody has written to the ledger since: the job that is next may be a cheaper one.
        var hasNews = false
    }

    /// Queues that wait for `credits.reserve`.
    struct Hold: Sendable {
        var reason: ReserveHold
        var since: Moment
        /// Whether the balance was asked for since.
        var isAsked = false
        /// Whether the log and the ledger say so: a hold that the next reading ends is not worth a word.
        var isAnnounced = false
    }

    var question: Question?
    var lastAskedAt: Duration?
    /// The last answer.
    var balance: Credits?
    /// Whether the last question brought no answer.
    var isUnreadable = false
    /// Whether anything was answered or settled since the last reading that can be compared.
    var hasActivity = false
    var pressure: Pressure?
    var shortage: Shortage?
    var hold: Hold?
    /// The difference that was last said, and when.
    var reported: (unexplained: Credits, at: Duration)?

    mutating func ask(at now: Moment, isQuiet: Bool) {
        question = Question(askedAt: now, isQuiet: isQuiet)
        lastAskedAt = now.uptime
        hold?.isAsked = true
        pressure?.asked(at: now.uptime)
    }
}

/// A request whose answer was lost.
struct LostAnswer: Sendable {
    /// On the monotonic clock: a clock that is set must not make the wait longer or shorter.
    var lostAt: Duration
    /// Whether a reading of the balance that can be compared has come since.
    var isExamined = false
    var isClosing = false
    /// It is not given up before this: its job was cancelled when that was last tried.
    var notBefore: Duration = .zero
}
