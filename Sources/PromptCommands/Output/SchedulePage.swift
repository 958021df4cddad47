import PromptConfiguration
import PromptQueue

/// A schedule, for people.
struct SchedulePage {
    let schedule: ScheduleRecord
    let console: Console

    var lines: [String] {
        let zone = TimeZoneFiles.clock(schedule.timeZone)
        func time(_ instant: Instant?) -> String {
            instant.map { i in zone.map { ZonedTime.text(i, $0) } ?? i.iso8601 } ?? "–"
        }
        let job = schedule.job
        var rows: [(String, String?)] = [
            ("schedule", schedule.name + (schedule.isEnabled ? "" : "  (paused)")),
            ("cron", "\(schedule.cron)  (\(schedule.timeZone))"),
            ("next", schedule.isEnabled ? time(schedule.nextRunAt) : nil),
            ("last", schedule.lastRunAt.map { time($0) }),
            ("last job", schedule.lastJob.map { "\($0)" }),
            ("error", schedule.lastError),
            ("prompt", job.prompt),
            ("model", job.model),
            ("input", job.input == "{}" ? nil : job.input),
            ("queue", job.queue),
            ("batch", job.batch),
            ("labels", job.labels),
            ("limit", schedule.limit.map { "\($0.inWords) a run" }),
            ("missed runs", schedule.catchUp.meaning),
        ]
        if job.priority != 0 { rows.append(("priority", "\(job.priority)")) }
        return rows.compactMap { name, value in
            value.map { "\(name)\(String(repeating: " ", count: max(1, 13 - name.count)))\(oneLine($0))" }
        }
    }
}

extension CatchUp {
    fileprivate var meaning: String {
        switch self {
        case .skip: "skipped"
        case .one: "the latest is made up for"
        case .all: "all are made up for, up to \(SchedulePlan.mostRuns)"
        }
    }
}
