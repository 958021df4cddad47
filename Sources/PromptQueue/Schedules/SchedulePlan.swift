/// What is due of a schedule, and when it comes next.
package struct SchedulePlan: Sendable, Equatable {
    /// How many runs are made up for at most.
    package static let mostRuns = 24
    /// How late a run may be that counts as in time.
    package static let tolerance: Duration = .seconds(600)
    /// Runs that were missed are counted up to here.
    private static let mostMissed = 10_000

    /// The oldest first.
    package let runs: [Instant]
    /// How many are left out.
    package let missed: Int
    /// nil: it never comes again.
    package let next: Instant?

    /// - Parameters:
    ///   - due: when it was to come; nil: that is not known yet, and nothing is due.
    package init(
        _ expression: CronExpression,
        in zone: any LocalClock,
        due: Instant?,
        now: Instant,
        catchUp: CatchUp
    ) {
        guard let due else {
            self.init(runs: [], missed: 0, next: expression.next(after: now, in: zone))
            return
        }
        guard due <= now else {
            self.init(runs: [], missed: 0, next: due)
            return
        }
        var passed = [due]
        var instants = expression.instants(after: due, in: zone)
        var next = instants.next()
        while let instant = next, instant <= now, passed.count < Self.mostMissed {
            passed.append(instant)
            next = instants.next()
        }
        if let instant = next, instant <= now {
            // So many were missed that only the latest are looked at.
            let recent = max(due, now - .seconds(2 * 86_400))
            passed = [due] + expression.instants(after: recent, in: zone).prefix { $0 <= now }
            next = expression.next(after: now, in: zone)
        }
        let runs: [Instant]
        switch catchUp {
        case .skip: runs = passed.suffix(1).filter { now - $0 <= Self.tolerance }
        case .one: runs = passed.suffix(1)
        case .all: runs = passed.suffix(Self.mostRuns)
        }
        self.init(runs: runs, missed: passed.count - runs.count, next: next)
    }

    private init(runs: [Instant], missed: Int, next: Instant?) {
        (self.runs, self.missed, self.next) = (runs, missed, next)
    }
}
