-- promptd's schema, version 6: queues stay while they have jobs, and views say more.

PRAGMA user_version = 6;

-- Jobs of a queue without a row would wait for ever, in nobody's sight.
CREATE TRIGGER queues_kept BEFORE DELETE ON queues
WHEN EXISTS (SELECT 1 FROM queue_counts
    WHERE queue = OLD.name AND jobs > 0 AND state IN ('queued', 'submitting', 'running', 'unconfirmed'))
BEGIN
    SELECT RAISE(ABORT, 'queues: it still has jobs that have not ended; cancel them, move them, or pause the queue');
END;

-- Of several reasons why nothing is submitted the one that stops everything comes first.
DROP VIEW queue_status;
CREATE VIEW queue_status AS
SELECT
    q.name AS queue,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'queued'), 0) AS queued,
    coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('submitting', 'running')), 0) AS running,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'succeeded'), 0) AS succeeded,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'failed'), 0) AS failed,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'cancelled'), 0) AS cancelled,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'unconfirmed'), 0) AS unconfirmed,
    q.max_running AS max_running,
    CASE
        WHEN q.paused THEN 'paused'
        -- What is scheduled for later is not held by anything but the time.
        WHEN NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.state = 'queued' AND j.turn IS NOT NULL AND j.queue = q.name)
            -- While a gate is closed nothing is claimed, so what becomes due has no turn yet.
            AND NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.state = 'queued' AND j.turn IS NULL
                AND j.run_at <= unixepoch('now') * 1000 AND j.queue = q.name)
            THEN NULL
        ELSE coalesce(
            (SELECT g.name FROM gates AS g WHERE g.queue IN ('', q.name) AND g.name NOT LIKE 'model:%'
                -- A smaller rate lets jobs through, if fewer; whatever else is closed stops them.
                ORDER BY g.name = 'rate', g.queue = '', g.closed_at, g.name LIMIT 1),
            -- Models' gates hold a queue when all its jobs are for models that are switched off.
            (WITH RECURSIVE models(model) AS (
                SELECT min(model) FROM jobs WHERE state = 'queued' AND turn IS NOT NULL AND queue = q.name
                UNION ALL
                SELECT (SELECT min(j.model) FROM jobs AS j
                    WHERE j.state = 'queued' AND j.turn IS NOT NULL AND j.queue = q.name AND j.model > models.model)
                FROM models WHERE models.model IS NOT NULL)
            SELECT CASE WHEN count(g.name) = count(*) THEN min(g.name) END
            FROM models LEFT JOIN gates AS g ON g.name = 'model:' || models.model AND g.queue = ''
            WHERE models.model IS NOT NULL),
            CASE WHEN q.max_running <= coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('submitting', 'running')), 0)
                THEN 'running' END,
            (SELECT CASE WHEN running >= running_limit THEN 'running' WHEN rate_used >= rate_limit THEN 'rate' END
                FROM daemon_load))
    END AS blocked_by
FROM queues AS q LEFT JOIN queue_counts AS c ON c.queue = q.name
GROUP BY q.name;

-- With what tells a job to its producer.
DROP VIEW job_status;
CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, unique_key, labels, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    estimated_millicredits / 1000.0 AS estimated_credits,
    estimate_basis,
    charged_millicredits / 1000.0 AS charged_credits,
    error_code, error_message,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    CASE WHEN run_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', run_at / 1000.0, 'unixepoch') END AS run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at / 1000.0, 'unixepoch') AS submitted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
    (SELECT group_concat(path, ' ') FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;
