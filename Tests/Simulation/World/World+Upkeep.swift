import PromptQueue

// What a daemon does beside its jobs: it keeps the ledger short, hears of what others commit, and takes up what producers give it again.
extension World {
    /// What is written now is added up within ten seconds, where that is a daemon's to do.
    func planUpkeep() {
        guard place.isFolded, isUp, !daemon.isUpkeepPlanned, !hasSeveral else { return }
        daemon.isUpkeepPlanned = true
        later(.upkeep, in: .seconds(10))
    }

    func upkeep() async throws {
        daemon.isUpkeepPlanned = false
        guard !weather.has(.databaseFull, at: now) else { return planUpkeep() }
        try forgetDeleted()
        try await place.ledger.maintain()
        lastStir = now
        // As a daemon does that hears of nothing: it looks every few seconds.
        try await tell(.ledgerChanged)
    }

    /// Somebody else has committed.
    func noticeLater() {
        lastStir = now
        let before = turn
        for index in daemons.indices where daemons[index].engine != nil {
            turn = index
            planUpkeep()
            notifyLater()
        }
        turn = before
    }

    private func notifyLater() {
        lastStir = now
        daemon.notices += 1
        later(.notice, in: users.happens(plan.faults.noticeLost) ? .seconds(5) : users.milliseconds(1...20))
    }

    func notice() async throws {
        daemon.notices -= 1
        try await tell(.ledgerChanged)
        guard isUp, !isCutOff else { return }
        guard !isLedgerAway else { return notifyLater() }
        try await takeResumed()
    }

    func takeResumed() async throws {
        let point = nextCrashPoint()
        if point == .beforeCommit { return try await crash() }
        let resumed = try await place.ledger.takeResumed(now: moment.instant)
        if hasSeveral { try noteTakenOver() }
        if point == .afterCommit { return try await crash() }
        guard !resumed.tasks.isEmpty || !resumed.downloads.isEmpty || !resumed.unknown.isEmpty else { return }
        daemon.outstanding += 1
        later(.answer(.resumed(resumed)), in: .milliseconds(1))
    }
}
