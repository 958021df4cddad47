import PromptQueue

/// Everything that one seed makes happen: the daemon, its ledger, the provider, the users and their accidents.
///
/// It runs in one task and awaits each call, so the seed alone decides what happens when.
final class World {
    enum Occurrence {
        case addJobs(Int)
        case act
        case strike
        case settleUnconfirmed
        case liftBudget(String)
        case dustSettles
        case start(Int)
        case crash(life: Int?)
        case restart
        case reload
        case jump(Duration)
        case patrol
        case upload
        case blow(Int, Blow)
        case arrival(SimulatedProvider.Request, life: Int)
        case taskEnds(String)
        case pollArrival(PollUnderWay)
        /// Ends with the life of the daemon's process.
        case daemon(life: Int, DaemonOccurrence)
        /// What a daemon did not do while it was frozen it does now.
        case thaw(life: Int)
    }

    var plan: Plan
    var clock: SimulatedClock
    var agenda = Agenda<Occurrence>()
    var trace: Trace
    var provider: SimulatedProvider
    var weather: Weather
    var books = Books()
    let place: any SimulatedPlace

    // Chance, by purpose.
    var network: Chance
    var users: Chance
    var accidents: Chance
    var disk: Chance
    var chains: Chance
    var uploads: Chance

    var daemons: [SimulatedDaemon]
    /// Whose turn it is.
    var turn = 0 { didSet { place.turn = turn } }
    /// The number of the next process.
    var nextLife: Int
    var eventsAtOnce = (at: Duration.zero, count: 0)

    // What the users have set.
    var paused: Set<String> = []
    var places: [String: Int] = [:]
    var budgets: [String: SimulatedBudget] = [:]
    /// Those of which it is not worked out yet what counts towards them.
    var newBudgets: Set<String> = []
    var jobs = 0

    // What the checks remember.
    var submissionArrivals = ArrivalLog()
    var pollArrivals = ArrivalLog()
    var pollsSent: Int64 = 0
    /// Until then a start after a jump of the wall clock may have forgotten busy slots.
    var rateUnknownUntil: Duration = .zero
    var lastJump: Duration?
    /// Whether the policy was to send lost requests again at any time.
    var hasResubmitted = false
    /// Whether the policy was to settle lost requests by the balance at any time.
    var hasTrustedBalance = false
    /// Requests that a front still holds.
    var heldRequests: Set<AttemptID> = []
    /// How often somebody has changed by SQL what only promptd writes, and the attempts that he handled.
    var tamperings = 0
    var handled: Set<AttemptID> = []
    /// The latest wall clock that a claim has gone by.
    var latestClaim = Instant(milliseconds: 0)
    /// When something last happened that the daemon may need a moment for: a claim, a user's write, a jump.
    var lastStir: Duration = .zero
    /// Requests under way that were counted as lost, because their daemon had ended.
    var takenOver: Set<AttemptID> = []
    var nextRoomLook: Duration = .zero
    /// Since when a job can be claimed, how many claims had been made by then, and by which process.
    var claimableSince: (at: Duration, claims: Int, life: Int)?
    /// When somebody's word, or the balance, last freed the slot of a lost request.
    var slotFreedAt: Duration?
    var fetched: Set<TaskOutput> = []
    var missing: [ResultID: Bool] = [:]
    var commits = 0
    var submissions = 0
    var claims = 0
    var crashes = 0
    var hasSettled = false
    var isOver = false
    var nextLook: Duration = .zero

    init(seed: UInt64, isVerbose: Bool, place: any SimulatedPlace) {
        let plan = Plan(seed: seed, isShared: place.isShared)
        self.plan = plan
        clock = SimulatedClock(start: plan.start)
        trace = Trace(isVerbose: isVerbose)
        provider = SimulatedProvider(plan)
        weather = Weather(plan.spells)
        network = Chance(seed: seed, purpose: "network")
        users = Chance(seed: seed, purpose: "users")
        accidents = Chance(seed: seed, purpose: "accidents")
        disk = Chance(seed: seed, purpose: "disk")
        chains = Chance(seed: seed, purpose: "chains of users")
        uploads = Chance(seed: seed, purpose: "files of users")
        daemons = plan.offsets.enumerated().map { number, offset in
            var daemon = SimulatedDaemon(life: number)
            daemon.offset = offset
            return daemon
        }
        nextLife = plan.offsets.count
        self.place = place
        schedule()
    }

    var now: Duration { clock.elapsed }
    /// What the ledger takes for now.
    var ledgerNow: Instant { place.hasOwnClock ? clock.trueInstant : clock.moment.instant }

    private func schedule() {
        for index in daemons.indices { agenda.add(.start(index), at: .seconds(index)) }
        for (time, index, blow) in plan.blows { agenda.add(.blow(index, blow), at: time) }
        agenda.add(.patrol, at: .seconds(600))
        if plan.uploads > 0 || plan.chains > 0 { agenda.add(.upload, at: .seconds(1)) }
        agenda.add(.dustSettles, at: plan.horizon)
        var left = plan.jobs
        while left > 0 {
            let count = min(left, plan.scale == .bulk ? users.whole(50...500) : users.whole(1...12))
            left -= count
            let early = users.happens(0.5) ? Duration.seconds(30) : plan.horizon
            agenda.add(.addJobs(count), at: users.part(of: min(early, plan.horizon)))
        }
        for time in plan.actions { agenda.add(.act, at: time) }
        for _ in 0..<plan.foreignStatements { agenda.add(.strike, at: users.part(of: plan.horizon)) }
        for time in plan.crashes { agenda.add(.crash(life: nil), at: time) }
        for time in plan.restarts { agenda.add(.restart, at: time) }
        for time in plan.reloads { agenda.add(.reload, at: time) }
        for (time, size) in plan.jumps { agenda.add(.jump(size), at: time) }
    }

    /// Lets everything happen until nothing is left to do.
    ///
    /// - Throws: `Violation`.
    func run() async throws {
        do {
            for (queue, limit) in plan.places { try setPlaces(limit, queue) }
            while !isOver, let (time, occurrence) = agenda.take() {
                clock.advance(to: time)
                place.setClock(clock.trueInstant)
                try await happen(occurrence)
                try checkLiveness()
                try checkPunctuality()
                if hasSettled, now >= nextLook { try lookWhetherOver() }
            }
            try place.fold()
            try checkAtTheEnd()
        } catch var violation as Violation {
            // What somebody has written himself shows in sums and states; it must not make anybody pay twice.
            if isTampered, ![.nothingPaidTwice, .rate, .recording, .wake].contains(violation.invariant) { return }
            violation.at = now
            throw violation
        } catch let error as LedgerError {
            var violation = Violation(.recording, "\(error.code): \(error.message)")
            violation.at = now
            throw violation
        }
    }

    private func happen(_ occurrence: Occurrence) async throws {
        switch occurrence {
        case .addJobs(let count): try addJobs(count)
        case .act: try act()
        case .strike:
            if canWrite() { try runForeignSQL() }
        case .settleUnconfirmed: try settleUnconfirmed()
        case .liftBudget(let name): try removeBudget(name)
        case .dustSettles: try await dustSettles()
        case .start(let index):
            turn = index
            try await start()
        case .blow(let index, let blow): try await strike(index, blow)
        case .crash(let life):
            if let life {
                guard givesTurn(to: life) else { return }
            } else {
                giveTurnToAny(&accidents)
            }
            if isUp, !hasSettled { try await crash() }
        case .restart:
            giveTurnToAny(&accidents)
            // One that is frozen takes no signal.
            if isUp, !isDraining, daemon.frozenUntil <= now { try await drain() }
        case .reload: try await reload()
        case .jump(let size):
            trace.note(now, "clock jumps", size.milliseconds)
            if hasSeveral {
                giveTurnToAny(&accidents)
                daemon.offset += size
            } else {
                clock.jump(by: size)
            }
            lastStir = now
            lastJump = now
        case .patrol:
            try place.fold()
            turn = daemons.firstIndex { $0.engine != nil } ?? turn
            try patrol()
            agenda.add(.patrol, at: now + .seconds(3_600))
        case .upload:
            agenda.add(.upload, at: now + .seconds(60))
            try await keepUploads()
        case .arrival(let request, let life): try arrive(request, life: life)
        case .taskEnds(let id): taskEnds(id)
        case .pollArrival(let poll): try pollArrives(poll)
        case .daemon(let life, let occurrence):
            guard givesTurn(to: life) else { return }
            guard daemon.frozenUntil <= now else {
                if daemon.deferred.isEmpty { agenda.add(.thaw(life: life), at: daemon.frozenUntil) }
                return daemon.deferred.append(occurrence)
            }
            try await happen(occurrence)
        case .thaw(let life):
            guard givesTurn(to: life) else { return }
            guard daemon.frozenUntil <= now else { return agenda.add(.thaw(life: life), at: daemon.frozenUntil) }
            let deferred = daemon.deferred
            daemon.deferred = []
            for occurrence in deferred { agenda.add(.daemon(life: life, occurrence), at: now) }
        }
    }

    /// From now on nothing goes wrong any more, and the operators put right what only they can.
    private func dustSettles() async throws {
        trace.note(now, "the dust settles")
        hasSettled = true
        for index in daemons.indices {
            daemons[index].frozenUntil = .zero
            if !daemons[index].deferred.isEmpty { agenda.add(.thaw(life: daemons[index].life), at: now) }
            daemons[index].awayUntil = .zero
        }
        weather.clear()
        provider.faults = Plan.Faults()
        plan.faults = Plan.Faults()
        plan.crashAtCommit = [:]
        plan.crashAtSubmission = []
        provider.topUp(1_000_000_000)
        for queue in paused.sorted() { try setPaused(false, queue) }
        for queue in places.keys.sorted() { try setPlaces(nil, queue) }
        for budget in budgets.keys.sorted() where !(plan.keepsBudgets && budgets[budget]?.period == .total) {
            try removeBudget(budget)
        }
        try await reload()
        agenda.add(.settleUnconfirmed, at: now + .seconds(60))
        nextLook = now + .seconds(30)
    }

    /// The slowest task there can be, and the longest a record is waited for.
    private var deadline: Duration {
        let tasks = provider.tasks.contains { $0.vanishesAt != nil } ? 64 : 4
        return plan.horizon + .seconds(tasks * 86_400)
    }

    private func lookWhetherOver() throws {
        nextLook = now + .seconds(30)
        guard now < deadline else {
            try checkEndings()
            isOver = true
            return
        }
        guard daemons.allSatisfy(\.isAtRest) else { return }
        if try !hasWork() {
            try checkEndings()
            isOver = true
        }
    }
}
