import PromptQueue

extension Console {
    /// `09:31:07.204`, in local time.
    func clockTime(_ instant: Instant) -> String { local(instant).milliseconds }

    /// `09:31 +01:00`, with the date if it is not today: `2026-11-21 09:31 UTC`.
    func time(_ instant: Instant) -> String {
        let time = local(instant)
        let minutes = "\(time.minutes) \(zone(instant))"
        return time.date == local(now()).date ? minutes : "\(time.date) \(minutes)"
    }

    /// The local zone then: `+01:00`, as `--at` takes it, or `UTC`.
    func zone(_ instant: Instant) -> String {
        let minutes = secondsFromUTC(instant) / 60
        guard minutes != 0 else { return "UTC" }
        let time = CivilTime(milliseconds: abs(minutes) * 60_000)
        return (minutes < 0 ? "-" : "+") + time.minutes
    }

    /// Reads a local time without a zone: `2026-12-24 18:00`, or `18:00` for when the clock shows that next.
    ///
    /// - Returns: `nil` for what is none, and for a time that the change to summer time leaves out.
    func instant(local text: String, now: Instant) -> Instant? {
        if let match = text.wholeMatch(of: /(\d\d?):(\d\d)/) {
            let today = local(now)
            let time = "\(match.1.count == 1 ? "0" : "")\(match.1):\(match.2)"
            if let instant = instant(local: "\(today.date) \(time)", now: now), instant > now { return instant }
            let noon = now + .seconds(86_400 + (12 - today.hour) * 3_600)
            return instant(local: "\(local(noon).date) \(time)", now: now)
        }
        // As if it were UTC; a zone of its own makes it no local time.
        guard let shown = Instant(iso8601: text + "Z"), !text.contains(where: { "zZ".contains($0) }) else { return nil }
        // The offsets of the day before and after are those on either side of a change.
        let offsets = [-86_400, 86_400].map { secondsFromUTC(shown + .seconds($0)) }
        return offsets.map { shown + .seconds(-$0) }.first { $0 + .seconds(secondsFromUTC($0)) == shown }
    }

    /// `2026-11-21`.
    func date(_ instant: Instant) -> String { local(instant).date }

    private func local(_ instant: Instant) -> CivilTime {
        CivilTime(milliseconds: instant.milliseconds + secondsFromUTC(instant) * 1_000)
    }
}
