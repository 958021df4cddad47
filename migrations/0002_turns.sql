-- promptd's schema, version 2: batches take turns, and what budgets have spent is kept as running sums.

PRAGMA user_version = 2;

-- Turns -------------------------------------------------------------------------------------------------------------

-- Within a queue and a priority, jobs are taken by turn. Each batch counts its own jobs, from the turn that is being
-- served when its first one comes: of two batches, one with a million jobs and one with ten, every other job is of the
-- small one (start-time fair queueing; Goyal, Vin and Cheng, SIGCOMM 1996). Jobs without a batch count as one batch.
--
-- NULL: not due yet; whether the instant of a scheduled job has come is for the claim to say, by the daemon's clock.
-- -1 asks for a turn (jobs_turn_asked).
ALTER TABLE jobs ADD COLUMN turn INTEGER;

-- The last turn that was given to a batch ('' for jobs without one).
CREATE TABLE turns (
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    batch TEXT NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (queue, priority, batch)
) STRICT, WITHOUT ROWID;

-- The highest turn that has been claimed.
CREATE TABLE turns_served (
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (queue, priority)
) STRICT, WITHOUT ROWID;

-- A batch's jobs are taken by run_at, then id.
UPDATE jobs SET turn = n.turn
FROM (
    SELECT id, row_number() OVER (PARTITION BY queue, priority, batch ORDER BY id) AS turn
    FROM jobs WHERE state = 'queued' AND run_at = 0
) AS n
WHERE jobs.id = n.id;

INSERT INTO turns (queue, priority, batch, turn)
SELECT queue, priority, coalesce(batch, ''), max(turn) FROM jobs
WHERE turn IS NOT NULL GROUP BY queue, priority, coalesce(batch, '');

-- Claiming: one seek to the best job of each queue and model. What is not due has no turn, so it costs nothing; nor do
-- the jobs of a model that is switched off.
DROP INDEX jobs_claim;
CREATE INDEX jobs_claim ON jobs (queue, model, priority DESC, turn) WHERE state = 'queued' AND turn IS NOT NULL;
-- What becomes due next, and what is due and has no turn yet.
DROP INDEX jobs_scheduled;
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'queued' AND turn IS NULL;

CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn + 1, excluded.turn);
    UPDATE jobs SET turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_turn_asked AFTER UPDATE OF turn ON jobs WHEN NEW.turn = -1
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn + 1, excluded.turn);
    UPDATE jobs SET turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

-- A queued job that is moved waits for its turn where it now is.
CREATE TRIGGER jobs_turn_moved AFTER UPDATE OF queue, priority, run_at ON jobs
WHEN OLD.state = 'queued' AND NEW.state = 'queued'
    AND (OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at)
BEGIN
    UPDATE jobs SET turn = CASE WHEN run_at = 0 THEN -1 END WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_turn_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    UPDATE jobs SET turn = CASE WHEN run_at = 0 THEN -1 END WHERE id = NEW.id AND state = 'queued';
END;

-- Counts --------------------------------------------------------------------------------------------------------------

-- A change of state, which is most of what happens, costs one statement; that the queue exists is looked at only when a
-- job moves to another.
DROP TRIGGER jobs_moved;
CREATE TRIGGER jobs_counted AFTER UPDATE OF state, queue ON jobs
WHEN OLD.state <> NEW.state OR OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queue_counts (queue, state, jobs) VALUES (OLD.queue, OLD.state, -1), (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + excluded.jobs;
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF queue ON jobs WHEN OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
END;

-- Running sums ------------------------------------------------------------------------------------------------------

-- What attempts reserve and have cost, by the hour and the day (UTC) in which they were sent, and in total. A claim reads
-- these few rows and not the ledger itself.
CREATE TABLE spending (
    period TEXT NOT NULL CHECK (period IN ('hour', 'day', 'total')),
    starts_at INTEGER NOT NULL,
    queue TEXT NOT NULL,
    reserved_millicredits INTEGER NOT NULL,
    charged_millicredits INTEGER NOT NULL,
    PRIMARY KEY (period, starts_at, queue)
) STRICT, WITHOUT ROWID;

INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
SELECT p.period, CASE WHEN p.length = 0 THEN 0 ELSE a.sent_at / p.length * p.length END AS starts, a.queue,
    sum(a.reserved_millicredits), sum(coalesce(a.charged_millicredits, 0))
FROM attempts AS a
JOIN (SELECT 'hour' AS period, 3600000 AS length UNION ALL SELECT 'day', 86400000 UNION ALL SELECT 'total', 0) AS p
GROUP BY p.period, starts, a.queue;

CREATE TRIGGER spending_reserved AFTER INSERT ON attempts
BEGIN
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    VALUES
        ('hour', NEW.sent_at / 3600000 * 3600000, NEW.queue, NEW.reserved_millicredits, coalesce(NEW.charged_millicredits, 0)),
        ('day', NEW.sent_at / 86400000 * 86400000, NEW.queue, NEW.reserved_millicredits, coalesce(NEW.charged_millicredits, 0)),
        ('total', 0, NEW.queue, NEW.reserved_millicredits, coalesce(NEW.charged_millicredits, 0))
    ON CONFLICT (period, starts_at, queue) DO UPDATE SET
        reserved_millicredits = reserved_millicredits + excluded.reserved_millicredits,
        charged_millicredits = charged_millicredits + excluded.charged_millicredits;
END;

CREATE TRIGGER spending_settled AFTER UPDATE OF reserved_millicredits, charged_millicredits ON attempts
WHEN OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
BEGIN
    UPDATE spending SET
        reserved_millicredits = reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits,
        charged_millicredits = charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)
    WHERE queue = NEW.queue AND (period, starts_at) IN (VALUES
        ('hour', NEW.sent_at / 3600000 * 3600000), ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0));
END;

DROP INDEX attempts_sent;

-- Views -------------------------------------------------------------------------------------------------------------

CREATE VIEW budget_sums AS
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(sum(s.reserved_millicredits), 0) AS reserved_millicredits,
    coalesce(sum(s.charged_millicredits), 0) AS charged_millicredits
FROM budget_periods AS p
LEFT JOIN spending AS s ON s.starts_at >= p.starts_at
    AND s.period = CASE p.period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END
    AND (p.queue IS NULL OR s.queue = p.queue)
GROUP BY p.name;

DROP VIEW budget_status;
-- A negative "remaining" is an overrun: a task cost more than it was estimated at. Nothing is claimed until it is made up.
CREATE VIEW budget_status AS
SELECT
    name AS budget, queue, period,
    limit_millicredits / 1000.0 AS "limit",
    reserved_millicredits / 1000.0 AS reserved,
    charged_millicredits / 1000.0 AS spent,
    (limit_millicredits - reserved_millicredits - charged_millicredits) / 1000.0 AS remaining,
    strftime('%Y-%m-%dT%H:%M:%SZ', resets_at / 1000, 'unixepoch') AS resets_at
FROM budget_sums;

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
                ORDER BY g.queue = '', g.closed_at, g.name LIMIT 1),
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
