/// A table as it travels from one store to another: the columns that mean the same in both, in the order in which they travel.
package struct MovedTable: Sendable, Hashable {
    package struct Column: Sendable, Hashable {
        package let name: String
        package let isText: Bool
    }

    package let name: String
    package let columns: [Column]
    /// The columns at the beginning that tell its rows apart, and order them: numbers by value, texts by their bytes.
    package let key: [Column]

    /// - Parameter columns: `name`, a number, or `name text`, separated by commas.
    init(_ name: String, key keys: Int = 1, _ columns: String) {
        self.name = name
        self.columns = columns.split(separator: ",").map { column in
            let words = column.split { $0 == " " || $0 == "\n" }
            return Column(name: words.first.map(String.init) ?? "", isText: words.last == "text")
        }
        key = Array(self.columns.prefix(keys))
    }

    /// All that is carried, in an order in which rows come after those that they name.
    ///
    /// Not carried, because it is made anew from these: what is counted in `queue_counts`, the guards of unique keys, the index of prompts,
    /// and how many jobs of a lane wait. Not carried, because it was the daemon's that has stopped: gates, but for `restored`.
    package static let all: [MovedTable] = [
        MovedTable(
            "accounts",
            """
            name text, is_configured, balance_millicredits, balance_at, balance_asked_at, balance_attempt_id, rate_limit, rate_window_ms,
            running_limit, credit_reserve_millicredits, unconfirmed_policy text, unconfirmed_window_ms, shut_until, charged_millicredits,
            presumed_millicredits, adopted_millicredits
            """
        ),
        MovedTable("queues", "name text, paused, max_running, account text"),
        // `turn` is the one that a job was taken with, or gets back; of a job that has its turn, that is in job_turns.
        MovedTable(
            "jobs",
            """
            id, prompt text, model text, input text, queue text, priority, run_at, unique_key text, batch text, labels text,
            max_attempts, state text, attempt_count, task_id text, provider_state text, estimated_millicredits, charged_millicredits,
            error_code text, error_message text, created_at, submitted_at, finished_at, turn, estimate_basis text, is_resumed, pruned_at,
            allow_unknown, waits
            """
        ),
        MovedTable("job_turns", "job_id, queue text, priority, model text, batch text, turn"),
        MovedTable("turns", key: 3, "queue text, priority, batch text, taken"),
        MovedTable("turns_served", key: 2, "queue text, priority, turn"),
        MovedTable(
            "attempts",
            """
            id, job_id, token text, state text, task_id text, task_source text, queue text, model text, sent_at, answered_at, finished_at,
            http_status, api_code, error_code text, message text, reserved_millicredits, charged_millicredits, estimated_millicredits,
            estimate_basis text, charge_reported, profile text, took_milliseconds, evidence text, hinted_task_id text, hint_changes,
            arrives_until, evidence_charged, result_json text, input text, account text
            """
        ),
        MovedTable(
            "results",
            key: 2,
            """
            job_id, ordinal, attempt_id, url text, content text, path text, content_type text, bytes, sha256 text, state text,
            error_message text, created_at, saved_at, role text
            """
        ),
        MovedTable("job_inputs", key: 2, "job_id, reference text, source_id, ordinal"),
        MovedTable("job_uploads", key: 2, "job_id, reference text"),
        MovedTable(
            "uploads",
            """
            reference text, state text, sha256 text, bytes, content_type text, url text, uploaded_at, expires_at, message text, tried_at,
            failing_since, asked
            """
        ),
        MovedTable("removals", "path text, job_id"),
        MovedTable(
            "events",
            "sequence, job_id, previous_state text, state text, queue text, batch text, error_code text, at"
        ),
        MovedTable("gate_closings", "id, name text, message text, at"),
        MovedTable("gates", key: 3, "name text, queue text, account text, closed_at, reopens_at, message text"),
        MovedTable(
            "hook_deliveries",
            """
            id, hook text, event text, job_id, subject text, message text, sequence, at, state text, attempts, next_at, last_error text,
            ended_at
            """
        ),
        MovedTable(
            "budgets",
            "name text, queue text, period text, limit_millicredits, model text, batch text, label text, account text"
        ),
        MovedTable("budget_attempts", key: 2, "budget text, attempt_id"),
        MovedTable(
            "budget_spending",
            key: 3,
            "budget text, period text, starts_at, reserved_millicredits, charged_millicredits"
        ),
        MovedTable("budget_warnings", "budget text, starts_at"),
        MovedTable(
            "spending",
            key: 3,
            "period text, starts_at, queue text, reserved_millicredits, charged_millicredits"
        ),
        MovedTable("completion_times", "model text, completions, mean_milliseconds"),
        MovedTable(
            "account_readings",
            """
            id, asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
            open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits,
            account text
            """
        ),
        MovedTable("prices", key: 3, "model text, input text, source text, millicredits, per text, note text"),
        MovedTable(
            "provider_models",
            "model text, listed, title text, task_types text, pricing text, input_schema text, read_at"
        ),
        MovedTable(
            "schedules",
            """
            name text, cron text, time_zone text, prompt text, model text, input text, queue text, priority, batch text, labels text,
            max_attempts, allow_unknown, limit_millicredits, catch_up text, enabled, created_at, next_run_at, last_run_at, last_job_id,
            last_error text
            """
        ),
        MovedTable("set_aside", "job_id, reason text, since"),
        MovedTable(
            "suspects",
            key: 3,
            "step text, subject, ordinal, job_id, weight, is_aside, version text, reason text"
        ),
        // `has_marks` is not: nothing is noted beside the new place yet.
        MovedTable(
            "daemon",
            """
            id, pid, version text, started_at, stopped_at, heartbeat_at, last_error text, last_error_at, default_price_millicredits,
            database_id text, is_copy, restored_at, restored_requests, restored_job_id, branch text, catalogue_version, events_removed,
            hooks_read
            """
        ),
        // The last number that was given, of each table that gives numbers.
        MovedTable("sequences", "name text, seq"),
    ]

    /// The tables that give numbers which are never given again.
    package static let numbered = [
        "account_readings", "attempts", "events", "gate_closings", "hook_deliveries", "jobs",
    ]
}
