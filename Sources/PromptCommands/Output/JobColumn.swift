import PromptQueue

/// The columns of a job by the names that `--json` shows, in the order in which they are offered.
enum JobColumn {
    static let names = [
        "id", "state", "queue", "batch", "model", "priority", "run_at", "prompt", "input", "labels", "unique_key",
        "attempt_count", "max_attempts", "task_id", "provider_state", "estimated_credits", "estimate_basis",
        "charged_credits", "error_code", "error_message", "created_at", "submitted_at", "finished_at", "pruned_at",
        "files", "waits_for", "waits_for_upload",
    ]

    static func isNumber(_ name: String) -> Bool {
        ["id", "priority", "attempt_count", "max_attempts", "estimated_credits", "charged_credits"].contains(name)
    }

    static func isLong(_ name: String) -> Bool {
        ["prompt", "input", "labels", "error_message", "files", "unique_key"].contains(name)
    }

    /// As a cell: texts as they are, nothing for null, several files a line each, all else as JSON.
    static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null?: ""
        case .string(let text)?: text
        case .array(let items)?: items.map { text($0) }.joined(separator: "\n")
        case let value?: value.json
        }
    }
}
