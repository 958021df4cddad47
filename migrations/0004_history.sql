-- promptd's schema, version 4: how long tasks take, so that polls and forecasts follow it.

PRAGMA user_version = 4;

-- The inputs that matter for how long a task takes: 'duration=5 resolution=720p'.
ALTER TABLE attempts ADD COLUMN profile TEXT NOT NULL DEFAULT '';
-- From the task's creation to its end by the provider's clock, or as well as polls can tell; NULL if that is not known.
ALTER TABLE attempts ADD COLUMN took_milliseconds INTEGER
    CONSTRAINT "attempts.took_milliseconds: at least 0" CHECK (took_milliseconds >= 0);

-- The latest completions of a model and profile, read from the index alone.
CREATE INDEX attempts_took ON attempts (model, profile, finished_at, took_milliseconds)
    WHERE took_milliseconds IS NOT NULL;

-- How long a model's tasks take on average, the latest fifty or so. Kept by a trigger.
CREATE TABLE completion_times (
    model TEXT NOT NULL PRIMARY KEY,
    completions INTEGER NOT NULL,
    mean_milliseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER attempts_completed AFTER UPDATE OF took_milliseconds ON attempts
WHEN NEW.took_milliseconds IS NOT NULL AND OLD.took_milliseconds IS NULL
BEGIN
    INSERT INTO completion_times (model, completions, mean_milliseconds)
    VALUES (NEW.model, 1, NEW.took_milliseconds)
    ON CONFLICT (model) DO UPDATE SET
        completions = completions + 1,
        mean_milliseconds = mean_milliseconds
            + (excluded.mean_milliseconds - mean_milliseconds) / min(completions + 1, 50);
END;

-- What is known from before, as seen by polls, teaches something already.
UPDATE attempts SET took_milliseconds = finished_at - answered_at
WHERE id > (SELECT max(id) - 10000 FROM attempts)
    AND state = 'accepted' AND finished_at >= answered_at;

DROP VIEW batch_status;

CREATE VIEW batch_status AS
SELECT
    batch,
    count(*) AS jobs,
    sum(state = 'queued') AS queued,
    sum(state IN ('submitting', 'running')) AS running,
    sum(state = 'succeeded') AS succeeded,
    sum(state = 'failed') AS failed,
    sum(state = 'cancelled') AS cancelled,
    sum(state = 'unconfirmed') AS unconfirmed,
    coalesce(sum(estimated_millicredits), 0) / 1000.0 AS estimated_credits,
    coalesce(sum(charged_millicredits), 0) / 1000.0 AS charged_credits,
    -- When the last job should be done if nothing else is waiting. Queued jobs leave at the pace of the provider's rate,
    -- or of places that become free, whichever is slower, and the last one takes as long as its model does on average;
    -- those that run are expected to take as long, too.
    strftime('%Y-%m-%dT%H:%M:%SZ', max(
        CASE WHEN sum(state IN ('queued', 'submitting', 'running')) > 0 THEN unixepoch('now') * 1000 END,
        CASE WHEN sum(state = 'queued') = 0 THEN 0 ELSE
            unixepoch('now') * 1000
            + sum(state = 'queued') * max(
                daemon.rate_window_ms * 1.0 / nullif(daemon.rate_limit, 0),
                coalesce(avg(CASE WHEN state = 'queued' THEN mean_milliseconds END) / nullif(daemon.running_limit, 0), 0))
            + coalesce(max(CASE WHEN state = 'queued' THEN mean_milliseconds END), 0)
        END,
        coalesce(max(CASE WHEN state IN ('submitting', 'running') THEN submitted_at + mean_milliseconds END), 0)
    ) / 1000, 'unixepoch') AS estimated_finish
FROM jobs
CROSS JOIN daemon
LEFT JOIN completion_times ON completion_times.model = jobs.model
WHERE batch IS NOT NULL
GROUP BY batch;
