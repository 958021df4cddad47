import GRDB

/// A SQLite queue with rows of every kind in every table, for moves.
enum MovedQueue {
    /// Carries out statements with the schema's triggers out of the way.
    static func write(_ sql: String, at path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \"\(trigger["name"] as String)\"") }
            try db.execute(sql: sql)
            for trigger in triggers { try db.execute(sql: trigger["sql"]) }
        }
        try queue.close()
    }

    static func fill(_ path: String) throws { try write(population, at: path) }

    /// All rows of all tables but those that a move makes for itself, by table, as text.
    static func rows(at path: String) throws -> [String: [String]] {
        let queue = try DatabaseQueue(path: path)
        let found = try queue.read { db in
            var found: [String: [String]] = [:]
            let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            for table in tables where !["moves", "moved_tables", "sqlite_stat1"].contains(table) {
                // Both are made anew, and say nothing of the queue.
                let without = ["accounts": ["shut_until"], "daemon": ["has_marks"]][table] ?? []
                found[table] = try Row.fetchAll(db, sql: "SELECT * FROM \"\(table)\"")
                    .map { row in
                        row.filter { !without.contains($0.0) }.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
                    }
                    .sorted()
            }
            return found
        }
        try queue.close()
        return found
    }

    private static let population = #"""
        UPDATE accounts SET balance_millicredits = -5, balance_at = 1796000000000, rate_limit = 20, rate_window_ms = 10000,
            running_limit = 100, credit_reserve_millicredits = 7, unconfirmed_policy = 'hold', unconfirmed_window_ms = 1800000,
            charged_millicredits = 12000, presumed_millicredits = 14000, adopted_millicredits = 3;
        INSERT INTO accounts (name, is_configured) VALUES ('second', 0);
        UPDATE queues SET paused = 1 WHERE name = 'default';
        INSERT INTO queues (name, max_running, account) VALUES ('nachts ☾', 3, 'second'), ('O''Neill', NULL, NULL);

        INSERT INTO jobs (id, prompt, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, state, attempt_count,
            task_id, provider_state, estimated_millicredits, charged_millicredits, error_code, error_message, created_at, submitted_at,
            finished_at, turn, estimate_basis, kept_turn, is_resumed, pruned_at, allow_unknown, waits)
        VALUES
        (1, 'a fox' || char(9) || 'and' || char(10) || 'a \n \\ \N ' || char(13, 11, 12, 8, 7, 127) || ' wölf 🦊',
            '{ "b" : 1.50, "a" : "\u00e9\\", "a": [1e5, -0] }', 'default', 0, 0, 'key 1', 'b', '{"sku" : "Ä"}', 3, 'succeeded', 1,
            't1', 'success', 14000, 12000, NULL, NULL, 1796000000000, 1796000000100, 1796000009500, 4, 'listed', NULL, 0, NULL, 1, NULL),
        (2, '', '{}', 'default', -1000000000, 0, '', 'b', NULL, 20, 'queued', 0, NULL, NULL, NULL, NULL, NULL, NULL, 1796000000001,
            NULL, NULL, 5, NULL, NULL, 0, NULL, 0, NULL),
        (3, '\N', '{"image":"job:1"}', 'nachts ☾', 9, 0, '\N', NULL, NULL, 1, 'queued', 0, NULL, NULL, NULL, NULL, NULL, NULL,
            1796000000002, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, 0),
        (4, NULL, '{"image":"file:///a b"}', 'O''Neill', 0, 0, NULL, '\.', '{}', 3, 'queued', 0, NULL, NULL, NULL, NULL, NULL, NULL, 0,
            NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 1),
        (5, 'later', '{}', 'default', 0, 253402300799999, NULL, NULL, NULL, 3, 'queued', 2, NULL, NULL, 1, NULL, 'rate_limited', 'slow',
            1796000000003, NULL, NULL, NULL, 'default', 17, 0, NULL, 0, NULL),
        (6, 'sent', '{}', 'default', 0, 0, NULL, NULL, NULL, 3, 'submitting', 1, NULL, NULL, 14000, NULL, NULL, NULL, 1796000000004,
            1796000000400, NULL, 18, 'observed', NULL, 0, NULL, 0, NULL),
        (7, 'runs', '{}', 'nachts ☾', 0, 0, NULL, NULL, NULL, 3, 'running', 1, 't7', 'generating', 14000, NULL, NULL, NULL,
            1796000000005, 1796000000400, NULL, 19, 'override', NULL, 1, NULL, 0, NULL),
        (8, 'lost', '{}', 'default', 0, 0, NULL, NULL, NULL, 3, 'unconfirmed', 1, NULL, NULL, 14000, NULL, 'answer_lost', 'lost',
            1796000000006, 1796000000400, NULL, 20, 'listed', NULL, 0, NULL, 0, NULL),
        (9, NULL, '{}', 'default', 0, 0, 'kept', NULL, NULL, 3, 'failed', 1, 't9', 'fail', 14000, 0, 'task_failed', 'no', 1796000000007,
            1796000000400, 1796000000500, 21, 'listed', NULL, 0, 1796900000000, 0, NULL),
        (11, 'no', '{}', 'default', 0, 0, NULL, NULL, NULL, 3, 'cancelled', 0, NULL, NULL, NULL, NULL, NULL, NULL, 1796000000008, NULL,
            1796000000500, NULL, NULL, NULL, 0, NULL, 0, NULL);
        INSERT INTO job_keys (unique_key, job_id) SELECT unique_key, id FROM jobs WHERE unique_key IS NOT NULL;
        INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, count(*) FROM jobs GROUP BY queue, state;
        INSERT INTO turns (queue, priority, batch, turn, waiting, taken) VALUES ('default', 0, '', 21, 0, 21),
            ('default', 0, 'b', 4, 0, 4), ('default', -1000000000, 'b', 5, 1, -1), ('nachts ☾', 9, '', 0, 1, -1);
        INSERT INTO turns_served (queue, priority, turn) VALUES ('default', 0, 21), ('nachts ☾', 0, 19);

        INSERT INTO attempts (id, job_id, token, state, task_id, task_source, queue, model, sent_at, answered_at, finished_at, http_status,
            api_code, error_code, message, reserved_millicredits, charged_millicredits, estimated_millicredits, estimate_basis,
            charge_reported, profile, took_milliseconds, evidence, hinted_task_id, hint_changes, arrives_until, evidence_charged,
            result_json, input, account)
        VALUES
        (1, 1, '00000000000000000000000000000001', 'accepted', 't1', 'answer', 'default', 'm', 1796000000100, 1796000000200, 1796000009000,
            200, 200, NULL, NULL, 0, 12000, 14000, 'listed', 1, 'd=5', 8800, NULL, NULL, 0, NULL, NULL, '{"x":"\\"}', '{"p":1}', 'default'),
        (2, 6, '00000000000000000000000000000002', 'sending', NULL, NULL, 'default', 'm', 1796000000400, NULL, NULL, NULL, NULL, NULL,
            NULL, 14000, NULL, 14000, 'observed', NULL, '', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 'default'),
        (3, 7, '00000000000000000000000000000003', 'accepted', 't7', 'callback', 'nachts ☾', 'm', 1796000000400, 1796000000500, NULL, 200,
            200, NULL, NULL, 14000, NULL, 14000, 'override', NULL, '', NULL, NULL, 't7', 1, NULL, NULL, NULL, NULL, 'second'),
        (4, 8, '00000000000000000000000000000004', 'unknown', NULL, NULL, 'default', 'm', 1796000000400, 1796000000500, NULL, NULL, NULL,
            'answer_lost', 'lost', 14000, NULL, 14000, 'listed', NULL, '', NULL, 'both', 'h', 2, 1796000060500, 1, NULL, NULL, 'default'),
        (7, 9, '00000000000000000000000000000007', 'accepted', 't9', 'operator', 'default', 'm', 1796000000400, 1796000000500,
            1796000000600, 200, 200, 'task_failed', 'no', 0, 0, 14000, 'listed', 0, '', 100, NULL, NULL, 0, NULL, NULL, NULL, NULL,
            'default'),
        (8, 10, '00000000000000000000000000000008', 'rejected', NULL, NULL, 'gone', 'm', 1796000000400, 1796000000500, 1796000000500, 429,
            429, 'rate_limited', 'no', 0, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 'default');
        INSERT INTO results (job_id, ordinal, attempt_id, url, content, path, content_type, bytes, sha256, state, error_message, created_at,
            saved_at, role)
        VALUES (1, 0, 1, 'https://x/1.png', NULL, '2026/1.png', 'image/png', 10, 'ab', 'saved', NULL, 1796000009000, 1796000009500, 'result'),
            (1, 1, 1, NULL, 'a text', NULL, NULL, NULL, NULL, 'pending', NULL, 1796000009000, NULL, 'first_frame'),
            (1, 2, 1, 'https://x/2.png', NULL, NULL, NULL, NULL, NULL, 'failed', 'gone', 1796000009000, NULL, 'result');
        INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits) VALUES
            ('hour', 1795996800000, 'default', 28000, 12000), ('day', 1795996800000, 'default', 28000, 12000),
            ('total', 0, 'default', 28000, 12000), ('total', 0, 'nachts ☾', 14000, 0);
        INSERT INTO completion_times (model, completions, mean_milliseconds) VALUES ('m', 2, 4450);

        INSERT INTO job_inputs (job_id, reference, source_id, ordinal) VALUES (3, 'job:1', 1, 0);
        INSERT INTO job_uploads (job_id, reference) VALUES (4, 'file:///a b'), (3, 'result:1/0');
        INSERT INTO uploads (reference, state, sha256, bytes, content_type, url, uploaded_at, expires_at, asked) VALUES
            ('result:1/0', 'ready', substr(hex(zeroblob(32)), 1, 64), 10, 'image/png', 'https://u/1', 1796000000000, 1796900000000, 1);
        INSERT INTO uploads (reference, message, tried_at, failing_since) VALUES ('file:///a b', 'no', 1796000000000, 1796000000000);
        INSERT INTO removals (path, job_id) VALUES ('2025/9.png', 9);

        INSERT INTO events (sequence, job_id, previous_state, state, queue, batch, error_code, at) VALUES
            (3, 1, NULL, 'queued', 'default', 'b', NULL, 1796000000000), (5, 9, 'running', 'failed', 'default', NULL, 'task_failed', 1);
        INSERT INTO gate_closings (id, name, message, at) VALUES (2, 'key', 'refused', 1796000000000);
        INSERT INTO gates (name, closed_at, message) VALUES ('restored', 1796000000000, 'a copy');
        INSERT INTO hook_deliveries (id, hook, event, job_id, subject, message, sequence, at, state, attempts, next_at, last_error, ended_at)
        VALUES (1, 'h', 'failed', 9, NULL, NULL, 5, 1, 'dead', 20, 1, '500', 1796000000000),
            (2, 'h', 'budget.reached', NULL, 'b''s', 'full', NULL, 1, 'pending', 0, 1, NULL, NULL);
        INSERT INTO budgets (name, queue, period, limit_millicredits, model, batch, label, account) VALUES
            ('all', NULL, 'month', 1000000, NULL, NULL, NULL, NULL), ('b''s', 'default', 'day', 0, 'm', 'b', 'sku=Ä', 'default');
        INSERT INTO budget_attempts (budget, attempt_id) VALUES ('b''s', 1);
        INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits) VALUES
            ('b''s', 'hour', 1795996800000, 0, 12000), ('b''s', 'day', 1795996800000, 0, 12000), ('b''s', 'total', 0, 0, 12000);
        INSERT INTO budget_warnings (budget, starts_at) VALUES ('all', 1796000000000);
        INSERT INTO account_readings (id, asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits,
            adopted_millicredits, open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits,
            slack_millicredits, account)
        VALUES (4, 1, 2, -3, 4, 5, 6, 7, 8, 9, 1, 10, -11, 12, 'second');
        INSERT INTO prices (model, input, millicredits, per, source, note) VALUES
            ('m', '{"resolution":"2K"}', 5000, 'duration', 'operator', 'a note'), ('m', '{}', 0, NULL, 'configuration', NULL);
        INSERT INTO provider_models (model, listed, title, task_types, pricing, input_schema, read_at) VALUES
            ('m', 0, 'M', '["image"]', 'much', '{"type" : "object"}', 1796000000000);
        INSERT INTO schedules (name, cron, time_zone, prompt, input, batch, labels, limit_millicredits, catch_up, enabled, created_at,
            next_run_at, last_run_at, last_job_id, last_error)
        VALUES ('morning', '0 9 * * MON', 'Europe/Berlin', 'sun', '{ }', '{date}', '{"a":"b"}', 5, 'all', 0, 1, 1796000000000, 2, 3, 'no');
        INSERT INTO set_aside (job_id, reason, since) VALUES (2, 'strange', 1);
        INSERT INTO suspects (step, subject, ordinal, job_id, weight, is_aside, version, reason) VALUES
            ('download', 1, 1, 1, 3, 1, '1.0', 'it died'), ('poll', 3, 0, 7, 1, 0, '1.0', 'it ended');
        UPDATE daemon SET pid = 12, version = '1.0', started_at = 1796000000000, stopped_at = 1796000900000,
            heartbeat_at = 1796000800000, last_error = 'none', last_error_at = 5, default_price_millicredits = 21000,
            restored_at = 1796000000000, restored_requests = 4, restored_job_id = 11, branch = '0123456789abcdef', catalogue_version = 6,
            events_removed = 2, hooks_read = 4;
        UPDATE sqlite_sequence SET seq = 12 WHERE name = 'jobs';
        UPDATE sqlite_sequence SET seq = 9 WHERE name = 'attempts';
        UPDATE sqlite_sequence SET seq = 6 WHERE name = 'events';
        """#
}
