extension BatchRecord {
    /// In the words of `promptctl status --batch`.
    package var object: JSONObject {
        var object: JSONObject = [
            "batch": .string(name),
            "jobs": .integer(Int64(total)),
            "ended": .integer(Int64(ended)),
            "charged_credits": JSONValue(charged),
            "is_exact": .bool(!isCountCut),
        ]
        for state in JobState.allCases { object[state.rawValue] = .integer(Int64(counts[state] ?? 0)) }
        return object
    }
}

extension SpendingRecord {
    package var object: JSONObject {
        [
            "starts_at": JSONValue(startsAt),
            "charged_credits": JSONValue(charged),
            "reserved_credits": JSONValue(reserved),
        ]
    }
}
