/// What a delivery tells, where that is no job: as `promptctl status --json` has it.
package enum HookSubject {
    /// A job that was pruned before this could be delivered.
    package static func removed(_ job: JobID) -> JSONObject { ["id": .integer(job.rawValue), "state": .null] }

    package static func gate(_ delivery: HookDelivery) -> JSONObject {
        [
            "gate": JSONValue(delivery.subject), "message": JSONValue(delivery.message),
            "closed_at": JSONValue(delivery.at),
        ]
    }

    package static func test(_ delivery: HookDelivery) -> JSONObject {
        ["hook": .string(delivery.hook), "message": "a test of this hook"]
    }

    /// - Parameter states: of which state there are how many jobs, and what they were charged.
    package static func batch(
        _ name: String,
        _ states: [(state: String, jobs: Int64, charged: Credits)]
    ) -> JSONObject {
        var object: JSONObject = ["batch": .string(name)]
        for state in JobState.allCases { object[state.rawValue] = 0 }
        var (jobs, charged): (Int64, Credits) = (0, .zero)
        for entry in states {
            object[entry.state] = .integer(entry.jobs)
            jobs += entry.jobs
            charged = charged + entry.charged
        }
        object["jobs"] = .integer(jobs)
        object["charged_credits"] = JSONValue(charged)
        return object
    }

    /// - Parameter sums: nil if it is gone.
    package static func budget(
        _ delivery: HookDelivery,
        _ sums: (limit: Credits, reserved: Credits, charged: Credits)?
    ) -> JSONObject {
        var object: JSONObject = [
            "budget": JSONValue(delivery.subject), "message": JSONValue(delivery.message),
            delivery.event == .budgetReached ? "reached_at" : "warned_at": JSONValue(delivery.at),
        ]
        if let sums {
            object["limit_credits"] = JSONValue(sums.limit)
            object["reserved_credits"] = JSONValue(sums.reserved)
            object["charged_credits"] = JSONValue(sums.charged)
        }
        return object
    }
}
