-- promptd's schema, version 22: what becomes of jobs, in order, for whoever waits for it.

PRAGMA user_version = 22;

-- A row for each change of a job's state, its insertion included, written by triggers in the transaction that makes the change. Writers
-- take turns, so the order of sequence is the order of the commits: whoever has read up to a number finds all that is new after it.
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- No foreign key: to check one would cost each change a search.
    job_id INTEGER NOT NULL,
    -- NULL: the job was added.
    previous_state TEXT,
    state TEXT NOT NULL
        CONSTRAINT "events.state: a state of jobs"
        CHECK (state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
    -- As they were then.
    queue TEXT NOT NULL,
    batch TEXT,
    error_code TEXT,
    at INTEGER NOT NULL
        CONSTRAINT "events.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999),
    CONSTRAINT "events: a change, or a job that was added"
        CHECK (state IS NOT previous_state AND (previous_state IS NOT NULL OR state = 'queued'))
) STRICT;

CREATE INDEX events_job ON events (job_id);

-- The last event that was removed. Whoever has read less far has missed something.
ALTER TABLE daemon ADD COLUMN events_removed INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.events_removed: at least 0" CHECK (events_removed >= 0);

CREATE TRIGGER daemon_events_removed BEFORE UPDATE OF events_removed ON daemon
WHEN NEW.events_removed IS NULL OR NEW.events_removed < OLD.events_removed
    OR NEW.events_removed > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
BEGIN
    SELECT RAISE(ABORT, 'daemon.events_removed: is written by the database; it only grows');
END;

CREATE TRIGGER jobs_event_added AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, NULL, NEW.state, NEW.queue, NEW.batch, NULL,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
END;

-- All but those of jobs_retried, which goes on to other states in the same statement: which of two triggers comes first is nowhere said
-- (https://sqlite.org/lang_createtrigger.html), so it writes its event itself, before anything else.
CREATE TRIGGER jobs_event_changed AFTER UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state AND NOT (NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled'))
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.queue, NEW.batch, NEW.error_code,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
END;

DROP TRIGGER IF EXISTS jobs_retried;
CREATE TRIGGER jobs_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.queue, NEW.batch, NULL,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
    UPDATE jobs SET attempt_count = 0, error_code = NULL, error_message = NULL, finished_at = NULL, provider_state = NULL
    WHERE id = NEW.id;
    -- What it asks for now has another price, and no task yet.
    UPDATE jobs SET task_id = NULL, estimated_millicredits = NULL, estimate_basis = NULL
    WHERE id = NEW.id AND (OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input);
    UPDATE results SET state = 'pending', error_message = NULL
    WHERE job_id = NEW.id AND state = 'failed';
    UPDATE jobs SET state = 'unconfirmed'
    WHERE id = NEW.id
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL);
    -- A task that failed, and is no longer the job's, was for what the job asked before.
    UPDATE jobs SET state = 'running', is_resumed = 1, task_id = (
        SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            AND (finished_at IS NULL OR task_id IS OLD.task_id OR coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))
        ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
    WHERE id = NEW.id AND state = 'queued' AND OLD.prompt IS NEW.prompt AND OLD.input = NEW.input
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            AND (finished_at IS NULL OR task_id IS OLD.task_id OR coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')));
END;

-- A job's events go from the state it had to the one that it has: whatever somebody else would add does not.
CREATE TRIGGER events_own BEFORE INSERT ON events
BEGIN
    SELECT RAISE(ABORT, 'events: are written by the database, when the state of a job changes')
    WHERE NOT EXISTS (SELECT 1 FROM jobs
            WHERE id = NEW.job_id AND state = NEW.state AND queue = NEW.queue AND batch IS NEW.batch)
        OR coalesce((SELECT state FROM events WHERE job_id = NEW.job_id ORDER BY sequence DESC LIMIT 1),
            NEW.previous_state) IS NOT NEW.previous_state
        OR NEW.previous_state IS NEW.state
        -- A number that somebody gives: what is left out is -1 here. A gap harms nobody, a number that is taken stops all.
        OR NEW.sequence NOT IN (-1, 0);
END;

CREATE TRIGGER events_frozen BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: what happened does not change');
END;

-- promptd removes the oldest. Those of the last week stay, unless there are many later ones, and those of a job go with it.
CREATE TRIGGER events_kept BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL)
    AND OLD.at > CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) - 604800000
    AND OLD.sequence > (SELECT max(sequence) FROM events) - 100000
BEGIN
    SELECT RAISE(ABORT, 'events: those of the last week stay; promptd removes the oldest');
END;

CREATE TRIGGER events_removed AFTER DELETE ON events
BEGIN
    UPDATE daemon SET events_removed = OLD.sequence WHERE events_removed < OLD.sequence;
END;

CREATE TRIGGER jobs_events_deleted AFTER DELETE ON jobs
BEGIN
    DELETE FROM events WHERE job_id = OLD.id;
END;

CREATE TRIGGER jobs_events_pruned AFTER UPDATE OF pruned_at ON jobs WHEN NEW.pruned_at IS NOT NULL
BEGIN
    DELETE FROM events WHERE job_id = NEW.id;
END;
