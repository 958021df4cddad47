-- promptd's schema, version 1. Plain SQL for SQLite 3.38 or newer (STRICT tables, ->>, unixepoch).
--
-- Instants are INTEGER milliseconds since 1970-01-01T00:00:00Z. Money is INTEGER thousandths of a credit.
-- The rules are here, not in the programs, so that they hold for every client, the sqlite3 shell included.
-- docs/database.md explains the tables to people who write to them.

PRAGMA application_id = 1886548068; -- "prpd"
PRAGMA user_version = 1;

-- Queues ------------------------------------------------------------------------------------------------------------

CREATE TABLE queues (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "queues.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100),
    paused INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "queues.paused: 0 or 1" CHECK (paused IN (0, 1)),
    max_running INTEGER
        CONSTRAINT "queues.max_running: NULL (no limit of its own) or at least 0" CHECK (max_running >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO queues (name) VALUES ('default');

-- How many jobs each queue has in each state, kept by triggers: counting millions of rows would be slow.
CREATE TABLE queue_counts (
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;

-- Jobs --------------------------------------------------------------------------------------------------------------

CREATE TABLE jobs (
    -- AUTOINCREMENT: an id is never reused, so the ledger in attempts stays true after jobs are pruned.
    id INTEGER PRIMARY KEY AUTOINCREMENT,

    -- Written by producers.
    prompt TEXT,
    model TEXT NOT NULL DEFAULT 'flux-2/flex-text-to-image'
        CONSTRAINT "jobs.model: must not be empty" CHECK (model <> ''),
    input TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT "jobs.input: must be a JSON object, like {""aspect_ratio"":""16:9""}"
        CHECK (CASE WHEN json_valid(input) THEN json_type(input) = 'object' ELSE 0 END),
    queue TEXT NOT NULL DEFAULT 'default'
        CONSTRAINT "jobs.queue: 1 to 100 characters" CHECK (length(queue) BETWEEN 1 AND 100),
    priority INTEGER NOT NULL DEFAULT 0,
    run_at INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)"
        CHECK (run_at = 0 OR run_at >= 100000000000),
    unique_key TEXT UNIQUE,
    batch TEXT
        CONSTRAINT "jobs.batch: NULL or 1 to 200 characters" CHECK (length(batch) BETWEEN 1 AND 200),
    labels TEXT
        CONSTRAINT "jobs.labels: NULL or a JSON object, like {""sku"":""A-1""}"
        CHECK (labels IS NULL OR CASE WHEN json_valid(labels) THEN json_type(labels) = 'object' ELSE 0 END),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT "jobs.max_attempts: 1 to 20" CHECK (max_attempts BETWEEN 1 AND 20),

    -- Written by promptd.
    state TEXT NOT NULL DEFAULT 'queued'
        CONSTRAINT "jobs.state: queued, submitting, running, succeeded, failed, cancelled or unconfirmed"
        CHECK (state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
    attempt_count INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "jobs.attempt_count: at least 0" CHECK (attempt_count >= 0),
    task_id TEXT,
    provider_state TEXT,
    estimated_millicredits INTEGER
        CONSTRAINT "jobs.estimated_millicredits: at least 0" CHECK (estimated_millicredits >= 0),
    charged_millicredits INTEGER
        CONSTRAINT "jobs.charged_millicredits: at least 0" CHECK (charged_millicredits >= 0),
    error_code TEXT,
    error_message TEXT,
    created_at INTEGER NOT NULL DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
    submitted_at INTEGER,
    finished_at INTEGER,

    CONSTRAINT "jobs.state: a running job has the task_id that the provider gave it; only promptd sets it"
        CHECK (state <> 'running' OR task_id IS NOT NULL),
    CONSTRAINT "jobs.state: only promptd sets succeeded, together with finished_at"
        CHECK (state <> 'succeeded' OR finished_at IS NOT NULL),
    CONSTRAINT "jobs.state: only promptd sets failed, together with finished_at and error_code; to stop a job set cancelled"
        CHECK (state <> 'failed' OR (finished_at IS NOT NULL AND error_code IS NOT NULL))
) STRICT;

-- Claiming: per queue one seek to each priority, then run_at in order, then id (the rowid, the index's last column).
CREATE INDEX jobs_claim ON jobs (queue, priority DESC, run_at) WHERE state = 'queued';
-- The next instant at which a scheduled job becomes due.
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'queued' AND run_at > 0;
-- One index for each state: SQLite uses a partial index only where the query repeats its condition.
CREATE INDEX jobs_submitting ON jobs (id) WHERE state = 'submitting';
CREATE INDEX jobs_running ON jobs (attempt_count) WHERE state = 'running';
CREATE INDEX jobs_unconfirmed ON jobs (id) WHERE state = 'unconfirmed';
CREATE INDEX jobs_failed ON jobs (finished_at) WHERE state = 'failed';
CREATE INDEX jobs_batch ON jobs (batch, state) WHERE batch IS NOT NULL;

-- Attempts: one row for each createTask request, the ledger ---------------------------------------------------------

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- No foreign key: attempts outlive pruned jobs.
    job_id INTEGER NOT NULL,
    -- Names the attempt in its callback URL; unguessable.
    token TEXT NOT NULL UNIQUE
        CONSTRAINT "attempts.token: 32 hexadecimal digits" CHECK (length(token) = 32),
    state TEXT NOT NULL DEFAULT 'sending'
        CONSTRAINT "attempts.state: sending, accepted, rejected or unknown"
        CHECK (state IN ('sending', 'accepted', 'rejected', 'unknown')),
    task_id TEXT,
    queue TEXT NOT NULL,
    model TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    answered_at INTEGER,
    -- When the attempt was settled: its task ended, or it is certain that there is none.
    finished_at INTEGER,
    http_status INTEGER,
    api_code INTEGER,
    error_code TEXT,
    message TEXT,
    -- What is held back for it; 0 once it is settled.
    reserved_millicredits INTEGER NOT NULL
        CONSTRAINT "attempts.reserved_millicredits: at least 0" CHECK (reserved_millicredits >= 0),
    charged_millicredits INTEGER
        CONSTRAINT "attempts.charged_millicredits: at least 0" CHECK (charged_millicredits >= 0),

    CONSTRAINT "attempts: an answer has an instant" CHECK (state = 'sending' OR answered_at IS NOT NULL),
    CONSTRAINT "attempts: a request under way has no answer" CHECK (state <> 'sending' OR answered_at IS NULL),
    CONSTRAINT "attempts: an accepted attempt has a task" CHECK (state <> 'accepted' OR task_id IS NOT NULL),
    CONSTRAINT "attempts: a rejected attempt is finished, without reservation or charge"
        CHECK (state <> 'rejected'
            OR (finished_at IS NOT NULL AND reserved_millicredits = 0 AND coalesce(charged_millicredits, 0) = 0)),
    CONSTRAINT "attempts: what is charged is no longer reserved"
        CHECK (charged_millicredits IS NULL OR reserved_millicredits = 0)
) STRICT;

CREATE INDEX attempts_job ON attempts (job_id);
CREATE INDEX attempts_task ON attempts (task_id) WHERE task_id IS NOT NULL;
-- What may still be running, or billed, at the provider.
CREATE INDEX attempts_open ON attempts (state) WHERE finished_at IS NULL;
-- The rate window: requests under way, and requests answered within the last window.
CREATE INDEX attempts_sending ON attempts (id) WHERE state = 'sending';
CREATE INDEX attempts_answered ON attempts (answered_at) WHERE answered_at IS NOT NULL;
-- Spending by period.
CREATE INDEX attempts_sent ON attempts (sent_at, queue, reserved_millicredits, charged_millicredits);

-- Results -----------------------------------------------------------------------------------------------------------

CREATE TABLE results (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL
        CONSTRAINT "results.ordinal: at least 0" CHECK (ordinal >= 0),
    attempt_id INTEGER NOT NULL,
    -- Where the provider keeps it; NULL for a result that came as JSON in the answer itself (content).
    url TEXT,
    content TEXT,
    -- Relative to the media directory.
    path TEXT,
    content_type TEXT,
    bytes INTEGER,
    sha256 TEXT,
    state TEXT NOT NULL DEFAULT 'pending'
        CONSTRAINT "results.state: pending, saved or failed" CHECK (state IN ('pending', 'saved', 'failed')),
    error_message TEXT,
    created_at INTEGER NOT NULL,
    saved_at INTEGER,
    PRIMARY KEY (job_id, ordinal),
    CONSTRAINT "results: has a url or content" CHECK ((url IS NULL) <> (content IS NULL)),
    CONSTRAINT "results: a saved file has path, bytes and sha256"
        CHECK (state <> 'saved' OR (path IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX results_pending ON results (created_at) WHERE state = 'pending';

-- Budgets -----------------------------------------------------------------------------------------------------------

CREATE TABLE budgets (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "budgets.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100),
    queue TEXT,
    period TEXT NOT NULL
        CONSTRAINT "budgets.period: total, hour, day, week or month"
        CHECK (period IN ('total', 'hour', 'day', 'week', 'month')),
    limit_millicredits INTEGER NOT NULL
        CONSTRAINT "budgets.limit_millicredits: at least 0" CHECK (limit_millicredits >= 0)
) STRICT, WITHOUT ROWID;

-- The daemon's own notes --------------------------------------------------------------------------------------------

CREATE TABLE daemon (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pid INTEGER,
    version TEXT,
    started_at INTEGER,
    stopped_at INTEGER,
    heartbeat_at INTEGER,
    balance_millicredits INTEGER,
    balance_at INTEGER,
    rate_limit INTEGER,
    rate_window_ms INTEGER,
    running_limit INTEGER,
    last_error TEXT,
    last_error_at INTEGER
) STRICT;

INSERT INTO daemon (id) VALUES (1);

-- Why nothing is being submitted, as the daemon sees it now.
CREATE TABLE gates (
    -- budget:NAME, credits, rate, running, provider, key, model:NAME or disk.
    name TEXT NOT NULL,
    -- The queue that it holds; '' holds all.
    queue TEXT NOT NULL DEFAULT '',
    closed_at INTEGER NOT NULL,
    -- When it will be tried again, if that is known.
    reopens_at INTEGER,
    message TEXT,
    PRIMARY KEY (name, queue)
) STRICT, WITHOUT ROWID;

-- The state machine of jobs -----------------------------------------------------------------------------------------

CREATE TRIGGER jobs_insert_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: a new job is queued; leave the column out');
END;

CREATE TRIGGER jobs_insert_foreign BEFORE INSERT ON jobs
WHEN NEW.attempt_count <> 0 OR NEW.task_id IS NOT NULL OR NEW.provider_state IS NOT NULL
    OR NEW.charged_millicredits IS NOT NULL OR NEW.error_code IS NOT NULL OR NEW.error_message IS NOT NULL
    OR NEW.submitted_at IS NOT NULL OR NEW.finished_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: attempt_count, task_id, provider_state, charged_millicredits, error_code, error_message, submitted_at and finished_at are written by promptd; leave them out');
END;

CREATE TRIGGER jobs_state_transition BEFORE UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
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

-- A transition that speaks of the provider needs the attempt that proves it, whoever asks for it.
CREATE TRIGGER jobs_state_submitting BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'submitting' AND OLD.state <> 'submitting'
    AND ((SELECT count(*) FROM attempts WHERE job_id = NEW.id AND state = 'sending') <> 1
        OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL AND state <> 'sending'))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets submitting, together with the one attempt that it is about to send');
END;

CREATE TRIGGER jobs_state_unconfirmed BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'unconfirmed' AND OLD.state <> 'unconfirmed'
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets unconfirmed, when the answer to a request was lost');
END;

CREATE TRIGGER jobs_state_running BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'running' AND OLD.state <> 'running'
    AND NOT EXISTS (SELECT 1 FROM attempts AS a
        WHERE a.job_id = NEW.id AND a.state = 'accepted' AND a.task_id = NEW.task_id
            AND (a.finished_at IS NULL OR EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = NEW.id)))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve');
END;

CREATE TRIGGER jobs_state_succeeded BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state = 'running'
    AND (NOT EXISTS (SELECT 1 FROM attempts
            WHERE job_id = NEW.id AND state = 'accepted' AND task_id = NEW.task_id AND finished_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state = 'failed'))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets succeeded, when the task has ended and its results are saved');
END;

-- The rule that nothing is paid for twice: no way back to queued while an earlier request may have made a task.
CREATE TRIGGER jobs_state_queued BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('submitting', 'running', 'unconfirmed')
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve');
END;

-- A failed or cancelled job whose request is still under way: only the answer tells where it goes.
CREATE TRIGGER jobs_state_retried_too_early BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'sending')
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: a request of this job is under way; try again in a moment');
END;

-- Only an answer ends what was sent: a job does not fail while its attempt is open.
CREATE TRIGGER jobs_state_failed BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'failed' AND OLD.state <> 'failed'
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: its task may still be running; to stop the job set cancelled');
END;

-- A job's task is one that the ledger knows. (Where the state changes too, its own rules look.)
CREATE TRIGGER jobs_task_frozen BEFORE UPDATE OF task_id ON jobs
WHEN OLD.state = NEW.state AND OLD.task_id IS NOT NEW.task_id AND NEW.task_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND task_id = NEW.task_id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.task_id: is written by promptd');
END;

CREATE TRIGGER jobs_content_frozen BEFORE UPDATE OF priority, run_at, queue, prompt, input, labels, max_attempts ON jobs
WHEN OLD.state <> 'queued' AND NEW.state <> 'queued'
    AND (OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at OR OLD.queue <> NEW.queue
        OR OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input OR OLD.labels IS NOT NEW.labels
        OR OLD.max_attempts <> NEW.max_attempts)
BEGIN
    SELECT RAISE(ABORT, 'jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued');
END;

CREATE TRIGGER jobs_identity_frozen BEFORE UPDATE OF id, model, unique_key, batch, created_at ON jobs
WHEN OLD.id <> NEW.id OR OLD.model <> NEW.model OR OLD.unique_key IS NOT NEW.unique_key
    OR OLD.batch IS NOT NEW.batch OR OLD.created_at <> NEW.created_at
BEGIN
    SELECT RAISE(ABORT, 'jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another');
END;

CREATE TRIGGER jobs_cancelled AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'cancelled' AND OLD.state <> 'cancelled'
BEGIN
    UPDATE jobs SET finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) WHERE id = NEW.id;
    UPDATE results SET state = 'failed', error_message = 'cancelled before it was downloaded'
    WHERE job_id = NEW.id AND state = 'pending';
END;

-- Trying again starts the count of attempts again. What has been paid for is taken up again, not paid for again: a task
-- that may still be running, or one that has results, saved or not.
CREATE TRIGGER jobs_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    UPDATE jobs SET attempt_count = 0, error_code = NULL, error_message = NULL, finished_at = NULL, provider_state = NULL
    WHERE id = NEW.id;
    UPDATE results SET state = 'pending', error_message = NULL
    WHERE job_id = NEW.id AND state = 'failed';
    UPDATE jobs SET state = 'running', task_id = (
        SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted' ORDER BY id DESC LIMIT 1)
    WHERE id = NEW.id AND (
        EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted' AND finished_at IS NULL)
        OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id));
    UPDATE jobs SET state = 'unconfirmed'
    WHERE id = NEW.id AND state = 'queued'
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL);
END;

CREATE TRIGGER jobs_delete_open BEFORE DELETE ON jobs
WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND finished_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'jobs: cannot be deleted while the provider may be working on it; wait for it to end');
END;

-- Queues come into being when first named; counts are kept ----------------------------------------------------------

-- INSERT OR REPLACE would delete a job, paid or not, without firing delete triggers
-- (https://sqlite.org/lang_conflict.html). The keys are kept apart, so that the new row is found out.
CREATE TABLE job_keys (
    unique_key TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_key_inserted AFTER INSERT ON jobs WHEN NEW.unique_key IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: INSERT OR REPLACE would forget a job with this unique_key; use ON CONFLICT DO NOTHING, or UPDATE it while it is queued')
    WHERE EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key);
    INSERT INTO job_keys (unique_key, job_id) VALUES (NEW.unique_key, NEW.id);
END;

CREATE TRIGGER jobs_key_deleted AFTER DELETE ON jobs WHEN OLD.unique_key IS NOT NULL
BEGIN
    DELETE FROM job_keys WHERE unique_key = OLD.unique_key;
END;

CREATE TRIGGER jobs_id_reused BEFORE INSERT ON jobs WHEN NEW.id > 0
    AND (EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id))
BEGIN
    SELECT RAISE(ABORT, 'jobs.id: is given by the database; leave the column out');
END;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF state, queue ON jobs
WHEN OLD.state <> NEW.state OR OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
    UPDATE queue_counts SET jobs = jobs - 1 WHERE queue = OLD.queue AND state = OLD.state;
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs
BEGIN
    -- The sqlite3 shell does not enforce foreign keys unless it is told to.
    DELETE FROM results WHERE job_id = OLD.id;
    UPDATE queue_counts SET jobs = jobs - 1 WHERE queue = OLD.queue AND state = OLD.state;
END;

CREATE TRIGGER budgets_inserted AFTER INSERT ON budgets WHEN NEW.queue IS NOT NULL
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
END;

-- The ledger is written once ----------------------------------------------------------------------------------------

CREATE TRIGGER attempts_state_transition BEFORE UPDATE OF state ON attempts
WHEN OLD.state <> NEW.state AND NOT (OLD.state = 'sending' OR (OLD.state = 'unknown' AND NEW.state <> 'sending'))
BEGIN
    SELECT RAISE(ABORT, 'attempts.state: what the provider answered does not change');
END;

CREATE TRIGGER attempts_identity_frozen BEFORE UPDATE OF id, job_id, token, queue, model, sent_at ON attempts
WHEN OLD.id <> NEW.id OR OLD.job_id <> NEW.job_id OR OLD.token <> NEW.token OR OLD.queue <> NEW.queue
    OR OLD.model <> NEW.model OR OLD.sent_at <> NEW.sent_at
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

-- INSERT OR REPLACE deletes without firing delete triggers (https://sqlite.org/lang_conflict.html).
CREATE TRIGGER attempts_not_replaced BEFORE INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE token = NEW.token)
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger is kept for ever');
END;

-- Views for people --------------------------------------------------------------------------------------------------

-- How full the rate window and the provider are, from the ledger itself.
CREATE VIEW daemon_load AS
SELECT
    (SELECT count(*) FROM attempts WHERE state = 'sending')
        + (SELECT count(*) FROM attempts WHERE answered_at > unixepoch('now') * 1000 - daemon.rate_window_ms)
        AS rate_used,
    rate_limit,
    (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')) AS running,
    running_limit
FROM daemon;

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
        WHEN coalesce(sum(c.jobs) FILTER (WHERE c.state = 'queued'), 0) = 0 THEN NULL
        ELSE coalesce(
            (SELECT g.name FROM gates AS g WHERE g.queue IN ('', q.name)
                -- A model's gate holds a queue when the job that is next is one of that model.
                AND (g.name NOT LIKE 'model:%' OR substr(g.name, 7) = (SELECT j.model FROM jobs AS j
                    WHERE j.state = 'queued' AND j.queue = q.name ORDER BY j.priority DESC, j.run_at LIMIT 1))
                ORDER BY g.queue = '', g.closed_at, g.name LIMIT 1),
            CASE WHEN q.max_running <= coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('submitting', 'running')), 0)
                THEN 'running' END,
            (SELECT CASE WHEN running >= running_limit THEN 'running' WHEN rate_used >= rate_limit THEN 'rate' END
                FROM daemon_load))
    END AS blocked_by
FROM queues AS q LEFT JOIN queue_counts AS c ON c.queue = q.name
GROUP BY q.name;

CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    estimated_millicredits / 1000.0 AS estimated_credits,
    charged_millicredits / 1000.0 AS charged_credits,
    error_code, error_message,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    CASE WHEN run_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', run_at / 1000.0, 'unixepoch') END AS run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at / 1000.0, 'unixepoch') AS submitted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
    (SELECT group_concat(path, ' ') FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;

-- An attempt counts in the period in which it was sent. Periods are UTC; a week starts on Monday.
CREATE VIEW budget_periods AS
SELECT
    name, queue, period, limit_millicredits,
    CASE period
        WHEN 'hour' THEN unixepoch('now') / 3600 * 3600000
        WHEN 'day' THEN unixepoch('now', 'start of day') * 1000
        WHEN 'week' THEN unixepoch('now', 'start of day', 'weekday 0', '-6 days') * 1000
        WHEN 'month' THEN unixepoch('now', 'start of month') * 1000
        ELSE 0
    END AS starts_at,
    CASE period
        WHEN 'hour' THEN (unixepoch('now') / 3600 + 1) * 3600000
        WHEN 'day' THEN unixepoch('now', 'start of day', '+1 day') * 1000
        WHEN 'week' THEN unixepoch('now', 'start of day', 'weekday 0', '+1 day') * 1000
        WHEN 'month' THEN unixepoch('now', 'start of month', '+1 month') * 1000
    END AS resets_at
FROM budgets;

CREATE VIEW budget_status AS
SELECT
    p.name AS budget,
    p.queue,
    p.period,
    p.limit_millicredits / 1000.0 AS "limit",
    coalesce(sum(a.reserved_millicredits), 0) / 1000.0 AS reserved,
    coalesce(sum(a.charged_millicredits), 0) / 1000.0 AS spent,
    (p.limit_millicredits - coalesce(sum(a.reserved_millicredits), 0) - coalesce(sum(a.charged_millicredits), 0)) / 1000.0
        AS remaining,
    strftime('%Y-%m-%dT%H:%M:%SZ', p.resets_at / 1000, 'unixepoch') AS resets_at
FROM budget_periods AS p
LEFT JOIN attempts AS a ON a.sent_at >= p.starts_at AND (p.queue IS NULL OR a.queue = p.queue)
GROUP BY p.name;

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
    -- The earliest that the provider's rate allows, if nothing else is waiting.
    CASE WHEN sum(state = 'queued') > 0 THEN (
        SELECT strftime('%Y-%m-%dT%H:%M:%SZ',
            unixepoch('now') + sum(jobs.state = 'queued') * daemon.rate_window_ms / daemon.rate_limit / 1000, 'unixepoch')
        FROM daemon WHERE daemon.rate_limit > 0)
    END AS estimated_finish
FROM jobs
WHERE batch IS NOT NULL
GROUP BY batch;

CREATE VIEW spend_daily AS
SELECT
    date(sent_at / 1000, 'unixepoch') AS day,
    queue,
    model,
    count(*) AS attempts,
    sum(state = 'accepted') AS accepted,
    sum(state = 'unknown') AS unknown,
    coalesce(sum(charged_millicredits), 0) / 1000.0 AS charged_credits,
    sum(reserved_millicredits) / 1000.0 AS reserved_credits
FROM attempts
GROUP BY day, queue, model;

CREATE VIEW recent_failures AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000, 'unixepoch') AS finished_at,
    queue, batch, model, attempt_count AS attempts, error_code, error_message,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs
WHERE state = 'failed'
ORDER BY jobs.finished_at DESC
LIMIT 100;

CREATE VIEW daemon_status AS
SELECT
    CASE WHEN stopped_at IS NULL THEN pid END AS pid,
    version,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', stopped_at / 1000, 'unixepoch') AS stopped_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', heartbeat_at / 1000, 'unixepoch') AS heartbeat,
    balance_millicredits / 1000.0 AS balance,
    strftime('%Y-%m-%dT%H:%M:%SZ', balance_at / 1000, 'unixepoch') AS balance_at,
    daemon_load.rate_used,
    daemon_load.rate_limit,
    rate_window_ms / 1000.0 AS rate_window_seconds,
    daemon_load.running,
    daemon_load.running_limit,
    coalesce((SELECT group_concat(name, ' ') FROM gates WHERE queue = ''), 'ok') AS provider,
    last_error,
    strftime('%Y-%m-%dT%H:%M:%SZ', last_error_at / 1000, 'unixepoch') AS last_error_at
FROM daemon, daemon_load;
