import PromptQueue

/// What the seed decides before the world begins.
struct Plan {
    enum Scale: String {
        /// Dozens of jobs in minutes to hours.
        case burst
        /// Dozens of jobs in days.
        case days
        /// Few jobs in weeks, whose tasks may take a day or lose their record.
        case weeks
        /// Hundreds to thousands of jobs, as fast as the limits let them.
        case bulk
    }

    /// How likely each fault of a single request, task or file is.
    struct Faults {
        var lostBefore = 0.0
        var lostAfter = 0.0
        /// A front takes the request, and passes it on up to an hour later.
        var held = 0.0
        /// It lets go of all that it holds at once, each time this has passed; nil: of each by itself.
        var heldTogether: Int?
        /// The task is made, and the answer is one that tells nothing.
        var oddAnswer = 0.0
        /// The result is to be seen some time after the word that there is one.
        var lateResult = 0.0
        /// A row as strangers write it.
        var strangeRow = 0.0
        var slowAnswer = 0.0
        var singleError = 0.0
        var invalidInput = 0.0
        var taskFails = 0.0
        var emptyResult = 0.0
        var oddCharge = 0.0
        var chargeUnreported = 0.0
        var noRefund = 0.0
        var hidden = 0.0
        var vanishes = 0.0
        var slowTask = 0.0
        var dayTask = 0.0
        var pollLost = 0.0
        var downloadPasses = 0.0
        var downloadGone = 0.0
        var forgedHint = 0.0
        var recordTwice = 0.0
        var noticeLost = 0.0
    }

    enum CrashPoint { case beforeCommit, afterCommit }

    let seed: UInt64
    let scale: Scale
    let start: Instant
    /// When the trouble ends and the dust begins to settle.
    let horizon: Duration
    let jobs: Int
    let queues: [String]
    var settings = EngineSettings()
    var faults = Faults()
    var spells: [Spell] = []
    /// The user's actions, besides adding jobs.
    var actions: [Duration] = []
    /// How many statements of a stranger's shell there are.
    var foreignStatements = 0
    /// How likely a job is to take the result of another.
    var chains = 0.0
    /// How likely a job is to take a file of this machine.
    var uploads = 0.0
    /// By how many commits have been made.
    var crashAtCommit: [Int: CrashPoint] = [:]
    /// While the request with this number, counted from 1, is under way.
    var crashAtSubmission: Set<Int> = []
    var crashes: [Duration] = []
    var restarts: [Duration] = []
    var reloads: [Duration] = []
    /// Of each daemon, how far its clock is from that of the world.
    var offsets: [Duration] = [.zero]
    var blows: [(at: Duration, daemon: Int, blow: World.Blow)] = []
    var jumps: [(at: Duration, by: Duration)] = []
    /// An orderly stop while this claim, counted from 1, is under way.
    var stopAtClaim: Int?
    /// Limits of running jobs that queues have from the start.
    var places: [String: Int] = [:]
    /// Whether each claim asks for as many jobs as a mistaken engine might: then the ledger alone keeps the limits.
    let isGreedy: Bool
    /// Whether a crash is followed by a start on a copy of the files, taken as a dead process leaves them.
    let copiesFiles: Bool
    /// Whether budgets for all time are still there when the dust settles.
    let keepsBudgets: Bool
    var startingBalance: Int64

    init(seed: UInt64, isShared: Bool = false) {
        var chance = Chance(seed: seed, purpose: "plan")
        self.seed = seed
        scale = isShared ? .burst : chance.draw([(0.87, .burst), (0.1, .days), (0.01, .weeks), (0.02, .bulk)])
        // Months and weeks of 2024, whose ends the budgets' periods have to find.
        start = Instant(milliseconds: 1_704_067_200_000 + Int64(chance.whole(0...31_000_000)) * 1_000)
        switch scale {
        case .burst:
            horizon = .seconds(chance.whole(120...(isShared ? 900 : 7_200)))
            jobs = chance.whole(5...45)
        case .days:
            horizon = .seconds(chance.whole(20_000...400_000))
            jobs = chance.whole(10...45)
        case .weeks:
            horizon = .seconds(chance.whole(7 * 86_400...28 * 86_400))
            jobs = chance.whole(5...25)
        case .bulk:
            horizon = .seconds(chance.whole(600...3_600))
            jobs = chance.draw([(0.7, 300), (0.2, 700), (0.1, 1_500)])
        }
        queues = Array(["default", "shop", "night"].prefix(chance.whole(1...3)))
        isGreedy = chance.happens(0.25)
        copiesFiles = chance.happens(0.25)
        keepsBudgets = chance.happens(0.3)
        // An empty account is asked about each minute: in long runs there is always something in it.
        let isShort = chance.happens(0.3) && (scale == .burst || scale == .bulk)
        startingBalance = isShort ? Int64(chance.whole(20...800)) * 1_000 : 1_000_000_000
        drawSettings(&chance)
        drawFaults(&chance)
        drawTroubles(&chance)
        var limits = Chance(seed: seed, purpose: "places")
        if limits.happens(0.3) { places = [limits.pick(queues): limits.whole(1...3)] }
        var links = Chance(seed: seed, purpose: "chains")
        if links.happens(0.4) { chains = links.fraction() }
        var files = Chance(seed: seed, purpose: "files")
        if files.happens(0.3) { uploads = files.fraction() }
        if limits.happens(0.3) { stopAtClaim = limits.whole(1...8) }
        if isShared { drawDaemons() }
    }

    static func settings(_ chance: inout Chance) -> EngineSettings {
        var settings = EngineSettings()
        settings.rate = chance.draw([
            (4, RateLimit(count: 20, window: .seconds(10))), (1, RateLimit(count: 5, window: .seconds(10))),
            (1, RateLimit(count: 3, window: .seconds(2))), (1, RateLimit(count: 12, window: .seconds(30))),
        ])
        settings.running = chance.draw([(4, 100), (1, 10), (1, 3)])
        settings.pollsPerSecond = chance.draw([(3, 10), (1, 3), (1, 1)])
        settings.callbacksEnabled = chance.happens(0.5)
        if chance.happens(0.3) { settings.account.unconfirmedPolicy = chance.happens(0.3) ? .evidence : .resubmit }
        settings.account.unconfirmedWindow = .seconds(chance.draw([(1, 60), (2, 600), (1, 3_600)]))
        if chance.happens(0.2) {
            settings.account.creditReserve = Credits(millicredits: chance.pick([1, 50, 300]) * 1_000)
        }
        return settings
    }

    /// Two to four daemons, and what befalls them.
    private mutating func drawDaemons() {
        faults.dayTask = 0
        var chance = Chance(seed: seed, purpose: "daemons")
        let count = chance.whole(2...4)
        offsets = (0..<count).map { _ in .seconds(chance.pick([0, 0, 3_600, -3_600])) }
        for index in 0..<count {
            for _ in 0..<chance.whole(0...3) {
                // From shorter than a lease to longer than until others take over.
                let length = Duration.seconds(chance.pick([5, 25, 35, 55, 65, 90, 150]))
                let blow: World.Blow =
                    chance.happens(0.5) ? .isCutOff(length) : .freezes(length, isAsleep: chance.happens(0.3))
                blows.append((chance.part(of: horizon), index, blow))
            }
            // One is always left.
            if index > 0, chance.happens(0.3) { blows.append((chance.part(of: horizon), index, .dies)) }
        }
    }

    private mutating func drawSettings(_ chance: inout Chance) {
        settings = Self.settings(&chance)
        settings.downloadsEnabled = !chance.happens(0.1)
        if scale == .bulk {
            settings.rate = RateLimit(count: 20, window: .seconds(chance.pick([2, 10])))
            settings.running = 100
            settings.pollsPerSecond = 10
        }
        // Each look at the balance is a commit: seldom in long runs.
        settings.balanceInterval = .seconds(scale == .burst ? 300 : scale == .weeks ? 43_200 : 7_200)
    }

    /// Each fault is absent from most runs, so that each run has a face of its own.
    private mutating func drawFaults(_ chance: inout Chance) {
        func rate(_ probability: Double, _ most: Double) -> Double {
            chance.happens(probability) ? chance.fraction() * most : 0
        }
        faults.lostBefore = rate(0.4, 0.15)
        faults.lostAfter = rate(0.5, 0.2)
        faults.slowAnswer = rate(0.4, 0.3)
        var strangers = Chance(seed: seed, purpose: "strangers")
        func strange(_ probability: Double, _ most: Double) -> Double {
            strangers.happens(probability) ? strangers.fraction() * most : 0
        }
        faults.held = strange(0.3, 0.15)
        if faults.held > 0, strangers.happens(0.5) {
            faults.heldTogether = strangers.pick([60, 300, 1_200, 3_400])
            faults.held *= 4
        }
        faults.oddAnswer = strange(0.3, 0.15)
        faults.lateResult = strange(0.4, 0.6)
        faults.strangeRow = strange(0.3, 1)
        if scale == .burst, !isGreedy { foreignStatements = Int(strange(0.15, 400)) }
        faults.singleError = rate(0.4, 0.15)
        faults.invalidInput = rate(0.3, 0.1)
        faults.taskFails = rate(0.6, 0.4)
        faults.emptyResult = rate(0.3, 0.1)
        faults.oddCharge = rate(0.5, 0.5)
        faults.chargeUnreported = rate(0.4, 0.4)
        faults.noRefund = rate(0.5, 0.8)
        faults.hidden = rate(0.5, 0.6)
        faults.vanishes = scale == .weeks ? rate(0.6, 0.15) : 0
        faults.slowTask = rate(0.4, scale == .bulk ? 0.02 : 0.2)
        faults.dayTask = scale == .burst || scale == .bulk ? rate(0.05, 0.1) : rate(0.5, 0.2)
        faults.pollLost = rate(0.5, 0.1)
        faults.downloadPasses = rate(0.5, 0.3)
        faults.downloadGone = rate(0.3, 0.2)
        faults.forgedHint = rate(0.5, 0.5)
        faults.recordTwice = rate(0.4, 0.1)
        faults.noticeLost = rate(0.5, 0.3)
    }

    private mutating func drawTroubles(_ chance: inout Chance) {
        func times(_ probability: Double, _ most: Int) -> [Duration] {
            guard chance.happens(probability) else { return [] }
            return (0..<chance.whole(1...most)).map { _ in chance.part(of: horizon) }
        }
        let kinds: [Spell.Kind] = [
            .refusingConnections, .serverError, .gatewayError, .maintenance, .rateStorm, .keyRefused, .capReached,
            .modelOff(chance.pick(Prices.models)), .pollsFail, .downloadsFail, .databaseFull, .mediaFull,
            .callbacksLost,
        ]
        for from in times(0.7, 6) {
            let length = Duration.seconds(chance.whole(2...(chance.happens(0.2) ? 5_400 : 300)))
            let kind = chance.pick(kinds)
            // Each second of a full disk is a try, and each minute of a bad key a request.
            let most: Duration = kind == .databaseFull ? .seconds(90) : .seconds(5_400)
            spells.append(Spell(kind: kind, from: from, to: from + min(length, most)))
        }
        actions = times(0.85, scale == .bulk ? 40 : 25)
        if chance.happens(0.6) {
            let commits = scale == .bulk ? jobs * 3 : jobs * 5
            for _ in 0..<chance.whole(1...4) {
                crashAtCommit[chance.whole(1...commits)] = chance.happens(0.5) ? .beforeCommit : .afterCommit
            }
        }
        if chance.happens(0.4) {
            for _ in 0..<chance.whole(1...3) { crashAtSubmission.insert(chance.whole(1...jobs)) }
        }
        crashes = times(0.3, 3)
        restarts = times(0.3, 2)
        reloads = times(0.4, 4)
        guard !isGreedy else { return }
        for at in times(0.4, 4) {
            let size = chance.draw([(3, 30), (2, 3_600), (1, scale == .burst ? 7_200 : 100_000)])
            let length = chance.part(of: .seconds(size))
            // While there is much to send is when it matters.
            let at = chance.happens(0.5) ? chance.part(of: min(.seconds(60), horizon)) : at
            jumps.append((at, chance.happens(0.5) ? length : .zero - length))
            // From a clock that began in another year.
            if chance.happens(0.05) { jumps.append((at, .seconds(100 * 86_400))) }
        }
    }
}
