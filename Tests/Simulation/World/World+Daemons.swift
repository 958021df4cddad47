import PromptQueue

// The daemon whose turn it is: most of what happens concerns one of them, whether or not there are others.

extension World {
    /// Whose turn it is.
    var daemon: SimulatedDaemon {
        get { daemons[turn] }
        _modify { yield &daemons[turn] }
    }

    var engine: Engine? {
        get { daemons[turn].engine }
        _modify { yield &daemons[turn].engine }
    }

    var life: Int { daemon.life }
    var startedAt: Duration { daemon.startedAt }
    var isDraining: Bool { daemon.isDraining }
    var isCutOff: Bool { daemon.isCutOff }
    var gatesDue: [Duration] { daemon.gatesDue }
    var notices: Int { daemon.notices }
    var outstanding: Int { daemon.outstanding }
    var isUp: Bool { daemon.engine != nil }
    var hasSeveral: Bool { daemons.count > 1 }
    /// What its own clocks show.
    var moment: Moment {
        let moment = clock.moment
        return Moment(instant: moment.instant + daemon.offset, uptime: moment.uptime - daemon.slept)
    }

    /// Nobody can write to a full disk, nor to a database that cannot be reached.
    var isLedgerAway: Bool { weather.has(.databaseFull, at: now) || daemon.awayUntil > now }

    /// Gives the turn to the daemon of a process, if that is still there.
    func givesTurn(to life: Int) -> Bool {
        guard let found = daemons.firstIndex(where: { $0.life == life && $0.engine != nil }) else { return false }
        turn = found
        return true
    }

    /// Gives the turn to any of those that are not gone for good.
    func giveTurnToAny(_ chance: inout Chance) {
        guard hasSeveral else { return }
        turn = chance.pick(daemons.indices.filter { !daemons[$0].isDead })
    }

    // MARK: - What becomes of daemons among others

    /// What may befall one of several, when it is so far.
    enum Blow {
        /// Its machine is gone, and does not come again.
        case dies
        /// Nothing of it runs for a while. Its own clocks may count that, or not.
        case freezes(Duration, isAsleep: Bool)
        /// It cannot reach the database for a while.
        case isCutOff(Duration)
    }

    func strike(_ index: Int, _ blow: Blow) async throws {
        guard hasSeveral, !hasSettled, !daemons[index].isDead else { return }
        turn = index
        switch blow {
        case .dies:
            trace.note(now, "dies", Int64(index))
            daemon.isDead = true
            if isUp {
                crashes += 1
                endLife()
            }
            try await place.reopen()
        case .freezes(let length, let isAsleep):
            trace.note(now, "freezes", Int64(index), length.milliseconds)
            daemon.frozenUntil = max(daemon.frozenUntil, now + length)
            if isAsleep { daemon.slept += length }
        case .isCutOff(let length):
            trace.note(now, "cut off from the database", Int64(index), length.milliseconds)
            daemon.awayUntil = max(daemon.awayUntil, now + length)
        }
    }

    /// Says every few seconds that it is alive, and looks what others have left.
    func beat() async throws {
        later(.beat, in: hasSettled ? Self.renewal * 3 : Self.renewal)
        guard !daemon.isFenced, !isLedgerAway else { return }
        let ledger = try place.ledger
        do throws(LedgerError) {
            try await ledger.beat(now: moment.instant)
        } catch {
            guard error.code == .fenced else { throw error }
            return try await beginAnew()
        }
        daemon.lastBeat = now
        let members = Int(
            try place.number("SELECT count(*) FROM daemons WHERE ended_at IS NULL AND lease_until > fact_time()")
        )
        if members != daemon.members {
            daemon.members = members
            try await tell(.members(members))
        }
        guard !isCutOff, isUp else { return }
        try forgetDeleted()
        try await place.ledger.maintain()
        try await tell(.ledgerChanged)
        guard isUp, !isCutOff else { return }
        try await takeResumed()
    }

    static var renewal: Duration { .seconds(5) }
    /// As promptd has them.
    private static var lease: Duration { .seconds(30) }
    private static var grace: Duration { .seconds(30) }

    /// A daemon whose lease is over records what it still knows, ends in order, and starts again.
    func beginAnew() async throws {
        guard isUp, !daemon.isFenced else { return }
        trace.note(now, "fenced", Int64(life))
        daemon.isFenced = true
        if !isDraining { try await drain() }
    }

    /// What is under way of others that have ended is lost now, which must not be too early: nothing of it may still be sent.
    func noteTakenOver() throws {
        for entry in books.sorted where entry.state == .sending {
            let state = try place.rows("SELECT state FROM attempts WHERE id = ?", [entry.attempt.rawValue]).first
            guard let state, state[0] == "unknown" else { continue }
            if let owner = daemons.first(where: { $0.life == entry.owner && $0.engine != nil }),
                now < owner.lastBeat + Self.lease + Self.grace
            {
                throw Violation(
                    .lease,
                    "attempt \(entry.attempt) was taken from a daemon that said \((now - owner.lastBeat).milliseconds) ms ago "
                        + "that it is alive"
                )
            }
            trace.note(now, "taken over", entry.attempt.rawValue)
            books.move(entry.attempt, to: .unknown)
            takenOver.insert(entry.attempt)
        }
    }

    /// Of a task one daemon asks at a time: the one that the ledger says.
    func checkAsked(_ task: OpenTask) throws {
        guard hasSeveral, !daemon.isFenced, !isTampered, try place.ledger.maySend else { return }
        let rows = try place.rows("SELECT keeper FROM attempts WHERE id = ?", [task.attempt.rawValue])
        let keeper: Int64? = rows.first?[0]
        guard let keeper, keeper != (try place.ledger.memberNumber) else { return }
        throw Violation(.lease, "attempt \(task.attempt) is asked about by a daemon, and is another's")
    }
}
