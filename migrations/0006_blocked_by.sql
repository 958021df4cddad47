-- promptd's schema, version 6: of several reasons why nothing is submitted the one that stops everything comes first.

PRAGMA user_version = 6;

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
