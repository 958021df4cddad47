import PromptQueue

/// A daemon: its machine, and the process that runs on it, if one does.
struct SimulatedDaemon {
    // The machine.

    /// How far its wall clock is from that of the world.
    var offset: Duration = .zero
    /// For how long it has slept: its uptime does not count that.
    var slept: Duration = .zero
    /// Until when nothing of it runs.
    var frozenUntil: Duration = .zero
    /// Until when it cannot reach the database; the provider it can.
    var awayUntil: Duration = .zero
    /// Nobody starts it again.
    var isDead = false

    // The process.

    var engine: Engine?
    /// Each process of any daemon has another; what belongs to an earlier one never happens.
    var life: Int
    var startedAt: Duration = .zero
    var isDraining = false
    var isCutOff = false
    /// Its lease is over, and it is about to begin anew.
    var isFenced = false
    /// What happens to it when it is no longer frozen, in order.
    var deferred: [DaemonOccurrence] = []
    /// Effects that the engine still waits for.
    var outstanding = 0
    var wake: Duration?
    var wakes = 0
    var notices = 0
    var isUpkeepPlanned = false
    /// With how many it shares the store, as far as it knows.
    var members = 1
    /// Its number among those of the store.
    var member: Int64?
    /// When it last told the store that it is alive.
    var lastBeat: Duration = .zero
    var submissionsUnderWay: Set<AttemptID> = []
    var pollsUnderWay: Set<AttemptID> = []
    var downloadsUnderWay: Set<ResultID> = []
    /// Attempts that are their jobs' last ones, as far as the engine was told.
    var lastAttempts: Set<AttemptID> = []
    /// When closed gates may be tried, as the engine last said.
    var gatesDue: [Duration] = []

    /// Whether nothing is under way: also of one that is gone for good.
    var isAtRest: Bool {
        isDead || engine != nil && !isDraining && outstanding == 0 && notices == 0 && !isUpkeepPlanned
    }

    init(life: Int) { self.life = life }

    /// Another process than before.
    mutating func begin(life: Int) {
        var next = SimulatedDaemon(life: life)
        next.offset = offset
        next.slept = slept
        next.frozenUntil = frozenUntil
        next.awayUntil = awayUntil
        next.isDead = isDead
        next.startedAt = startedAt
        next.wakes = wakes
        next.lastAttempts = lastAttempts
        self = next
    }
}
