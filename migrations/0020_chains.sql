-- promptd's schema, version 20: a job may take the results of others, and waits for them.

PRAGMA user_version = 20;

-- Of how many jobs whose results it takes it waits for an end; NULL: it takes none. Kept by triggers. While it waits it has no turn, so
-- that no claim sees it, and none costs more for it.
ALTER TABLE jobs ADD COLUMN waits INTEGER
    CONSTRAINT "jobs.waits: is written by the database; a job that waits for others has no turn"
    CHECK (waits IS NULL OR (waits >= 0 AND (waits = 0 OR turn IS NULL OR state <> 'queued')));

DROP INDEX jobs_scheduled;
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0;
CREATE INDEX jobs_waiting ON jobs (queue) WHERE state = 'queued' AND waits > 0;

-- What an input takes from other jobs: each text in it that is job:ID, job:ID/ORDINAL, key:UNIQUE_KEY or key:UNIQUE_KEY/ORDINAL. A key
-- may hold slashes: only digits behind the last one are an ordinal. source_id is NULL if there is no such job.
CREATE VIEW input_references AS
SELECT DISTINCT
    job_id, reference,
    CASE WHEN reference GLOB 'key:*' THEN (SELECT id FROM jobs WHERE unique_key = name)
        WHEN name NOT GLOB '*[^0-9]*' AND length(name) <= 18 THEN (SELECT id FROM jobs WHERE id = CAST(name AS INTEGER))
        END AS source_id,
    ordinal
FROM (
    SELECT
        job_id, reference,
        CASE WHEN has_ordinal THEN substr(bare, 1, length(bare) - 1) ELSE rest END AS name,
        CASE WHEN has_ordinal THEN CAST(substr(rest, length(bare) + 1) AS INTEGER) ELSE 0 END AS ordinal
    FROM (
        SELECT
            job_id, reference, rest, bare,
            bare GLOB '?*/' AND length(rest) - length(bare) BETWEEN 1 AND 6 AS has_ordinal
        FROM (
            SELECT j.id AS job_id, t.atom AS reference, substr(t.atom, 5) AS rest,
                rtrim(substr(t.atom, 5), '0123456789') AS bare
            FROM jobs AS j, json_tree(j.input) AS t
            WHERE t.type = 'text' AND (t.atom GLOB 'job:[0-9]*' OR t.atom GLOB 'key:?*')
                AND t.atom NOT GLOB 'key://*' AND t.atom NOT GLOB '*[' || char(9, 10, 11, 12, 13, 32) || ']*')));

CREATE TABLE job_inputs (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- As it is in the job's input: job:12/0.
    reference TEXT NOT NULL,
    -- The job whose result is taken. It may be gone by now.
    source_id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (job_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_inputs_source ON job_inputs (source_id);

CREATE TRIGGER job_inputs_checked BEFORE INSERT ON job_inputs
BEGIN
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key')
    WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id);
    SELECT RAISE(ABORT, 'jobs.input: a job cannot take its own result') WHERE NEW.source_id = NEW.job_id;
    -- A new job is nobody's source yet.
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that waits for this one: a circle')
    WHERE EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.job_id)
        AND NEW.job_id IN (
            WITH RECURSIVE sources(id) AS (
                SELECT NEW.source_id
                UNION SELECT i.source_id FROM job_inputs AS i JOIN sources ON i.job_id = sources.id)
            SELECT id FROM sources);
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that has failed or was cancelled; retry that one first')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id AND state IN ('failed', 'cancelled'));
    SELECT RAISE(ABORT, 'jobs.input: takes a result that its job does not have, or that was pruned')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id AND state = 'succeeded')
        AND NOT EXISTS (SELECT 1 FROM results
            WHERE job_id = NEW.source_id AND ordinal = NEW.ordinal AND url IS NOT NULL);
    SELECT RAISE(ABORT, 'jobs.input: takes more than 100 results of others')
    WHERE (SELECT count(*) FROM job_inputs WHERE job_id = NEW.job_id) >= 100;
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input')
    WHERE NOT EXISTS (SELECT 1 FROM input_references WHERE job_id = NEW.job_id AND reference = NEW.reference
        AND source_id = NEW.source_id AND ordinal = NEW.ordinal);
END;

CREATE TRIGGER job_inputs_frozen BEFORE UPDATE ON job_inputs
BEGIN
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input');
END;

CREATE TRIGGER job_inputs_kept BEFORE DELETE ON job_inputs
WHEN EXISTS (SELECT 1 FROM input_references WHERE job_id = OLD.job_id AND reference = OLD.reference)
BEGIN
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input');
END;

CREATE TRIGGER jobs_inputs_inserted AFTER INSERT ON jobs
WHEN instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, '\u')
BEGIN
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    -- 0 is no job: what is not there is refused with a word about it.
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references WHERE job_id = NEW.id;
    UPDATE jobs SET waits = (
        SELECT count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END)
        FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = NEW.id)
    WHERE id = NEW.id AND EXISTS (SELECT 1 FROM job_inputs WHERE job_id = NEW.id);
    UPDATE jobs SET turn = -1 WHERE id = NEW.id AND run_at = 0 AND turn IS NULL AND coalesce(waits, 0) = 0;
END;

CREATE TRIGGER jobs_inputs_changed AFTER UPDATE OF input ON jobs
WHEN OLD.input <> NEW.input
    AND (OLD.waits IS NOT NULL OR instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, '\u'))
BEGIN
    DELETE FROM job_inputs
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM input_references WHERE job_id = NEW.id);
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM job_inputs WHERE job_id = NEW.id);
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that has failed, was cancelled, or is gone; retry that one first')
    WHERE NEW.state = 'queued' AND EXISTS (
        SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL));
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND EXISTS (
        SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = NEW.id AND s.state IS NOT 'succeeded');
    UPDATE jobs SET waits = (
        SELECT CASE WHEN count(*) > 0 THEN count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END) END
        FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = NEW.id)
    WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_inputs_deleted AFTER DELETE ON jobs WHEN OLD.waits IS NOT NULL
BEGIN
    DELETE FROM job_inputs WHERE job_id = OLD.id;
END;

CREATE TRIGGER jobs_waits_inserted BEFORE INSERT ON jobs WHEN NEW.waits IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs.waits: is written by the database; leave it out');
END;

CREATE TRIGGER jobs_waits_frozen BEFORE UPDATE OF waits ON jobs
WHEN OLD.waits IS NOT NEW.waits AND NEW.waits IS NOT (
    SELECT CASE WHEN count(*) > 0 THEN count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END) END
    FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.waits: is written by the database');
END;

-- What was waited for is there: whoever waits for nothing else gets a turn from the next claim.
CREATE TRIGGER jobs_inputs_ready AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state <> 'succeeded' AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET waits = (
        SELECT count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END)
        FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = jobs.id)
    WHERE id IN (SELECT job_id FROM job_inputs WHERE source_id = NEW.id) AND waits IS NOT NULL;
END;

-- What was waited for does not come: all that wait for it, and for those, fail with it. In one statement, since a trigger does not fire
-- itself (recursive_triggers is off, and may be on).
CREATE TRIGGER jobs_inputs_failed AFTER UPDATE OF state ON jobs
WHEN NEW.state IN ('failed', 'cancelled') AND OLD.state <> NEW.state AND NEW.error_code IS NOT 'input_failed'
    AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || NEW.id || ', whose result it waits for, '
            || CASE NEW.state WHEN 'cancelled' THEN 'was cancelled'
                ELSE 'has failed (' || coalesce(NEW.error_code, 'unknown') || ')' END
            || '; retry that one, and then this one'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = NEW.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

CREATE TRIGGER jobs_inputs_source_deleted AFTER DELETE ON jobs
WHEN EXISTS (SELECT 1 FROM job_inputs WHERE source_id = OLD.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || OLD.id || ', whose result it takes, was deleted; insert it again'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = OLD.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

CREATE TRIGGER jobs_inputs_source_pruned AFTER UPDATE OF pruned_at ON jobs
WHEN NEW.pruned_at IS NOT NULL AND OLD.pruned_at IS NULL AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || NEW.id || ', whose result it takes, was pruned; insert it again'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = NEW.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

-- Whoever tries a chain again begins with its first job. What has a task is asked about, whatever became of the others.
CREATE TRIGGER jobs_inputs_retried BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled') AND OLD.waits IS NOT NULL AND OLD.input = NEW.input
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND (state = 'unknown' AND finished_at IS NULL
        OR state = 'accepted' AND OLD.prompt IS NEW.prompt AND (finished_at IS NULL OR task_id IS OLD.task_id
            OR coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))))
    AND EXISTS (
        SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first');
END;

-- What follows is as it was, but for jobs that wait.
DROP TRIGGER jobs_turn_inserted;
CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
    -- What may take something of others has its turn from jobs_inputs_inserted.
    AND NOT (instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, '\u'))
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = min(4000000000000000, max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn));
    UPDATE jobs SET turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

DROP TRIGGER jobs_turn_moved;
CREATE TRIGGER jobs_turn_moved AFTER UPDATE OF queue, priority, run_at ON jobs
WHEN OLD.state = 'queued' AND NEW.state = 'queued'
    AND (OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at)
BEGIN
    -- What waits is counted where it was, and now where it is, from where it is taken in a moment.
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1)
    WHERE OLD.turn >= 0 AND NEW.turn >= 0 AND queue = OLD.queue AND priority = OLD.priority
        AND batch = coalesce(OLD.batch, '');
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    SELECT NEW.queue, NEW.priority, coalesce(NEW.batch, ''), 0, 1 WHERE OLD.turn >= 0 AND NEW.turn >= 0
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = min(4000000000000000, waiting + 1);
    UPDATE jobs SET kept_turn = NULL, turn = CASE WHEN run_at = 0 AND coalesce(waits, 0) = 0 THEN -1 END WHERE id = NEW.id;
END;

DROP TRIGGER jobs_turn_retried;
CREATE TRIGGER jobs_turn_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn, excluded.turn);
    INSERT INTO turns_served (queue, priority, turn, retried) VALUES (NEW.queue, NEW.priority, 0, 0)
    ON CONFLICT (queue, priority) DO UPDATE SET retried = max(min(retried + 1, 4000000000000000), turn);
    UPDATE jobs SET turn = NULL, kept_turn = (
        SELECT min(l.turn, max(coalesce(jobs.turn, jobs.kept_turn, -1),
            (SELECT s.retried FROM turns_served AS s WHERE s.queue = NEW.queue AND s.priority = NEW.priority)))
        FROM turns AS l
        WHERE l.queue = NEW.queue AND l.priority = NEW.priority AND l.batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id AND state = 'queued';
    UPDATE jobs SET waits = (
        SELECT count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END)
        FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = NEW.id)
    WHERE id = NEW.id AND state = 'queued' AND EXISTS (SELECT 1 FROM job_inputs WHERE job_id = NEW.id);
    UPDATE jobs SET turn = kept_turn, kept_turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND run_at = 0 AND coalesce(waits, 0) = 0;
END;

DROP TRIGGER jobs_state_transition;
CREATE TRIGGER jobs_state_transition BEFORE UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
    -- Whoever cancels a whole chain cancels also what has failed for it a moment ago.
    AND NOT (OLD.state = 'failed' AND NEW.state = 'cancelled' AND OLD.error_code IS 'input_failed')
BEGIN
    SELECT CASE OLD.state || '>' || NEW.state
        WHEN 'queued>succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition queued -> succeeded')
        WHEN 'submitting>succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> succeeded')
        WHEN 'submitting>cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> cancelled (its request is under way; cancel it in a moment, when it is running)')
        WHEN 'running>submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> submitting')
        WHEN 'running>unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> unconfirmed')
        WHEN 'succeeded>queued' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> queued')
        WHEN 'succeeded>submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> submitting')
        WHEN 'succeeded>running' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> running')
        WHEN 'succeeded>failed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> failed')
        WHEN 'succeeded>cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> cancelled')
        WHEN 'succeeded>unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> unconfirmed')
        WHEN 'failed>submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> submitting')
        WHEN 'failed>running' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> running')
        WHEN 'failed>succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> succeeded')
        WHEN 'failed>cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> cancelled')
        WHEN 'failed>unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> unconfirmed')
        WHEN 'cancelled>submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> submitting')
        WHEN 'cancelled>running' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> running')
        WHEN 'cancelled>succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> succeeded')
        WHEN 'cancelled>failed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> failed')
        WHEN 'cancelled>unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> unconfirmed')
        WHEN 'unconfirmed>submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> submitting')
        WHEN 'unconfirmed>succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> succeeded')
        END;
END;

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
                AND coalesce(j.waits, 0) = 0 AND j.run_at <= unixepoch('now') * 1000 AND j.queue = q.name)
            -- Those whose jobs all wait for others.
            THEN (SELECT 'inputs' FROM jobs AS j WHERE j.state = 'queued' AND j.waits > 0 AND j.queue = q.name LIMIT 1)
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
                    - (SELECT count(DISTINCT j.id) FROM suspects AS s JOIN jobs AS j ON j.id = s.job_id
                        WHERE s.step = 'poll' AND s.is_aside = 1 AND j.queue = q.name AND j.state = 'running')
                THEN 'running' END,
            (SELECT CASE WHEN running >= running_limit THEN 'running' WHEN rate_used >= rate_limit THEN 'rate' END
                FROM daemon_load))
    END AS blocked_by
FROM queues AS q LEFT JOIN queue_counts AS c ON c.queue = q.name
GROUP BY q.name;

DROP VIEW job_status;
CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, unique_key, labels, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    estimated_millicredits / 1000.0 AS estimated_credits,
    estimate_basis,
    charged_millicredits / 1000.0 AS charged_credits,
    error_code,
    coalesce((SELECT 'set aside: ' || reason FROM set_aside WHERE job_id = jobs.id), error_message) AS error_message,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    CASE WHEN run_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', run_at / 1000.0, 'unixepoch') END AS run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at / 1000.0, 'unixepoch') AS submitted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
    (SELECT group_concat(path, ' ') FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    (SELECT group_concat(source_id, ' ') FROM (SELECT DISTINCT i.source_id FROM job_inputs AS i JOIN jobs AS s ON s.id = i.source_id
        WHERE jobs.waits > 0 AND i.job_id = jobs.id AND s.state <> 'succeeded')) AS waits_for,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;
