import PromptConfiguration
import PromptQueue

/// When a schedule comes, as far as this machine can tell.
struct ScheduleTiming {
    let expression: CronExpression
    let zone: any LocalClock

    /// - Throws: `CommandError` that says what is wrong.
    init(cron: String, zone name: String) throws(CommandError) {
        do throws(CronExpression.Problem) { expression = try CronExpression(cron) } catch {
            throw CommandError(.usage, "--cron: \"\(oneLine(cron))\": \(error)")
        }
        guard let zone = TimeZoneFiles.clock(name) else {
            throw CommandError(
                .usage,
                "--time-zone: this machine knows no zone \"\(oneLine(name))\"; write it like Europe/Berlin (Debian: apt install tzdata)"
            )
        }
        self.zone = zone
    }

    func instants(after instant: Instant) -> CronInstants { expression.instants(after: instant, in: zone) }

    func next(after instant: Instant) -> Instant? { expression.next(after: instant, in: zone) }

    /// As the zone's clocks show it.
    func local(_ instant: Instant) -> String { ZonedTime.text(instant, zone) }

    /// The zone of this machine.
    static func localZone(_ console: Console) throws(CommandError) -> String {
        if let name = TimeZoneFiles.localName(console.environment) { return name }
        throw CommandError(
            .usage,
            "--time-zone: this machine does not say which zone it is in; write it like Europe/Berlin, or UTC"
        )
    }
}
