extension JobDetails {
    /// The job with its attempts, its results, and what is to come.
    ///
    /// - Parameter latest: by when a queued job should be done; nil if that cannot be told.
    package func object(latest: Instant?, now: Instant) -> JSONObject {
        var object = job.object
        object["expected_at"] = JSONValue(running?.end(0.5, now: now))
        object["expected_by"] = JSONValue(running?.end(0.9, now: now) ?? latest)
        object["attempts"] = .array(attempts.map { .object($0.object) })
        object["waiting"] = waiting.map { .object($0.object) } ?? .null
        object["blocked_by"] = JSONValue(blockedBy?.reason.rawValue)
        object["chain"] = .array(chain.map { .object($0.object) })
        object["results"] = .array(results.map { .object($0.object) })
        return object
    }
}
