extension ScheduleRecord {
    /// The columns under their own names; instants as ISO 8601, money in credits.
    package var object: JSONObject {
        [
            "name": .string(name),
            "cron": .string(cron),
            "time_zone": .string(timeZone),
            "prompt": JSONValue(job.prompt),
            "model": .string(job.model),
            "input": JSONValue.object(in: job.input).map { .object($0) } ?? .string(job.input),
            "queue": .string(job.queue),
            "priority": .integer(job.priority),
            "batch": JSONValue(job.batch),
            "labels": job.labels.flatMap(JSONValue.object(in:)).map { .object($0) } ?? .null,
            "max_attempts": .integer(Int64(job.maxAttempts)),
            "limit_credits": JSONValue(limit),
            "catch_up": .string(catchUp.rawValue),
            "enabled": .bool(isEnabled),
            "created_at": JSONValue(createdAt),
            "next_run_at": JSONValue(nextRunAt),
            "last_run_at": JSONValue(lastRunAt),
            "last_job_id": lastJob.map { .integer($0.rawValue) } ?? .null,
            "last_error": JSONValue(lastError),
        ]
    }
}
