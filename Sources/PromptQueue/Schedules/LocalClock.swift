/// What the clocks of a place show.
package protocol LocalClock: Sendable {
    /// How far they are ahead of UTC then.
    func secondsFromUTC(at instant: Instant) -> Int64
}

/// The clocks of UTC.
package struct UTCClock: LocalClock {
    package init() {}
    package func secondsFromUTC(at instant: Instant) -> Int64 { 0 }
}

extension LocalClock {
    /// What they show, as if it were UTC.
    package func wall(at instant: Instant) -> Instant { instant + .seconds(secondsFromUTC(at: instant)) }

    /// The instants at which they show a time: none or two around a change to or from summer time.
    package func instants(showing wall: Instant) -> [Instant] {
        let day = Duration.seconds(86_400)
        // The offsets of the days before and after are those on either side of a change.
        let offsets = Set([wall - day, wall, wall + day].map(secondsFromUTC))
        return offsets.map { wall - .seconds($0) }.filter { self.wall(at: $0) == wall }.sorted { $0 < $1 }
    }

    /// The first instant at which they show a time; if they never do, because they are set forward over it, the instant at
    /// which they are.
    func firstInstant(showing wall: Instant) -> Instant {
        if let first = instants(showing: wall).first { return first }
        // Before the change they show less, after it more.
        var before = (wall - .seconds(86_400 + 50_400)).milliseconds / 1_000
        var after = (wall + .seconds(86_400 + 50_400)).milliseconds / 1_000
        while after - before > 1 {
            let middle = before + (after - before) / 2
            let instant = Instant(milliseconds: middle * 1_000)
            if self.wall(at: instant) < wall { before = middle } else { after = middle }
        }
        return Instant(milliseconds: after * 1_000)
    }
}
