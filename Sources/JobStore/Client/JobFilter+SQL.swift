import GRDB
import PromptQueue

extension JobFilter {
    /// A condition for a WHERE clause over `jobs`.
    var condition: (sql: String, arguments: StatementArguments) {
        guard !isImpossible else { return ("0", []) }
        var parts: [String] = []
        var arguments = StatementArguments()
        func require(_ sql: String, _ values: StatementArguments) {
            parts.append(sql)
            arguments += values
        }
        if !states.isEmpty {
            // Literals, so that SQLite can use the partial indexes.
            parts.append("jobs.state IN (\(states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")))")
        }
        if let queue { require("jobs.queue = ?", [queue]) }
        if let batch { require("jobs.batch = ?", [batch]) }
        if let model { require("jobs.model = ?", [model]) }
        if let errorCode { require("jobs.error_code = ?", [errorCode]) }
        if let uniqueKey { require("jobs.unique_key = ?", [uniqueKey]) }
        if let createdSince { require("jobs.created_at >= ?", [createdSince.milliseconds]) }
        if !words.isEmpty { require("\(PromptFunction.name)(jobs.prompt, ?)", [PromptWords(words).text]) }
        if let finishedBefore { require("jobs.finished_at < ?", [finishedBefore.milliseconds]) }
        if isUncharged {
            parts.append(
                """
                EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.state = 'unknown'
                    AND a.finished_at IS NULL AND a.evidence_charged = 0 AND a.hinted_task_id IS NULL)
                """
            )
        }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            // true is 1 as a value, and true as a type: as for budgets.
            let path = "$.\"\(key)\""
            require(
                """
                ? IN (CAST(json_extract(jobs.labels, ?) AS TEXT),
                    CASE WHEN json_type(jobs.labels, ?) IN ('true', 'false') THEN json_type(jobs.labels, ?) END)
                """,
                [value, path, path, path]
            )
        }
        return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
    }
}

extension JobOrder {
    /// What follows ORDER BY.
    var sql: String {
        let direction = isAscending ? "ASC" : "DESC"
        let column: String
        switch key {
        case .id: return "jobs.id \(direction)"
        case .priority: column = "jobs.priority"
        case .submitted: column = "jobs.submitted_at"
        case .finished: column = "jobs.finished_at"
        case .charged: column = "jobs.charged_millicredits"
        }
        return "\(column) \(direction) NULLS LAST, jobs.id \(direction)"
    }
}
