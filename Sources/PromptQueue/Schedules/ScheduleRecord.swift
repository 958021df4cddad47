/// What is made of runs whose time was missed, while promptd did not run or the clock stood wrong.
package enum CatchUp: String, Sendable, CaseIterable {
    /// Nothing, once they are ten minutes late.
    case skip
    /// The latest of them, once.
    case one
    /// All, up to 24.
    case all
}

/// A row of `schedules`: a job that recurs.
package struct ScheduleRecord: Sendable {
    package var name: String
    package var cron: String
    /// An IANA name.
    package var timeZone: String
    /// What each run adds; its key and its instant are those of the run.
    package var job: NewJob
    /// What a run may be estimated to cost; nil: anything.
    package var limit: Credits?
    package var catchUp: CatchUp
    package var isEnabled: Bool
    package var createdAt: Instant
    /// nil: promptd has yet to say.
    package var nextRunAt: Instant?
    package var lastRunAt: Instant?
    package var lastJob: JobID?
    /// Why the last run made no job.
    package var lastError: String?

    package init(name: String, cron: String, timeZone: String, job: NewJob, createdAt: Instant) {
        self.name = name
        self.cron = cron
        self.timeZone = timeZone
        self.job = job
        self.createdAt = createdAt
        catchUp = .one
        isEnabled = true
    }

    /// The unique key of a run: no crash, and no clock that is set back, makes two jobs of it.
    package func key(_ instant: Instant) -> String {
        // A run at a minute of its own, or at any other instant by hand.
        let text = instant.iso8601
        let short = text.hasSuffix(":00.000Z") ? text.dropLast(8) + "Z" : text[...]
        return "schedule:\(name):\(short)"
    }

    /// The job of a run, with `{date}` and `{time}` in its batch filled in by the zone's clocks, and a label `schedule`.
    package func job(at instant: Instant, in zone: any LocalClock) -> NewJob {
        var job = job
        let wall = CivilTime(milliseconds: zone.wall(at: instant).milliseconds)
        job.batch = job.batch.map {
            $0.replacing("{date}", with: wall.date).replacing("{time}", with: wall.minutes.filter { $0 != ":" })
        }
        var labels = job.labels.flatMap(JSONValue.object(in:)) ?? [:]
        if labels["schedule"] == nil { labels["schedule"] = .string(name) }
        job.labels = JSONValue.object(labels).json
        job.uniqueKey = key(instant)
        return job
    }

    /// Whether it comes at the same times, and makes the same jobs.
    package func isSame(as other: ScheduleRecord) -> Bool {
        cron == other.cron && timeZone == other.timeZone && nextRunAt == other.nextRunAt && catchUp == other.catchUp
            && limit == other.limit && lastJob == other.lastJob && job.isSame(as: other.job)
    }
}

extension NewJob {
    fileprivate func isSame(as other: NewJob) -> Bool {
        prompt == other.prompt && model == other.model && input == other.input && queue == other.queue
            && priority == other.priority && batch == other.batch && labels == other.labels
            && maxAttempts == other.maxAttempts && allowsUnknownFields == other.allowsUnknownFields
    }
}
