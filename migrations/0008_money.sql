-- promptd's schema, version 8: one open attempt for each job, settled rows that stay as they are, texts and numbers
-- with bounds, and requests that may arrive late.

PRAGMA user_version = 8;

-- Attempts ----------------------------------------------------------------------------------------------------------

-- Until when a request whose answer was lost may still reach the provider: it keeps its slot of the rate window for as
-- long. NULL where an answer came: then answered_at tells.
ALTER TABLE attempts ADD COLUMN arrives_until INTEGER;
-- What the balance says of a lost request: 0, it cost nothing; 1, it was charged; NULL, nothing. Evidence, not proof: a
-- request may be on its way for longer than anybody watched.
ALTER TABLE attempts ADD COLUMN evidence_charged INTEGER
    CONSTRAINT "attempts.evidence_charged: NULL, 0 or 1" CHECK (evidence_charged IN (0, 1));
-- 1: an older version sent this request while another one of its job was open.
ALTER TABLE attempts ADD COLUMN is_surplus INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "attempts.is_surplus: 0 or 1" CHECK (is_surplus IN (0, 1));

UPDATE attempts SET is_surplus = 1
WHERE finished_at IS NULL AND EXISTS (SELECT 1 FROM attempts AS other
    WHERE other.job_id = attempts.job_id AND other.finished_at IS NULL AND other.id < attempts.id);

UPDATE attempts SET evidence_charged = 1 WHERE state = 'unknown' AND evidence IS NOT NULL;

-- The rule that nothing is paid for twice, as an index.
CREATE UNIQUE INDEX attempts_one_open ON attempts (job_id) WHERE finished_at IS NULL AND is_surplus = 0;
CREATE INDEX attempts_arriving ON attempts (arrives_until) WHERE arrives_until IS NOT NULL;

DROP TRIGGER attempts_not_replaced;
-- INSERT OR REPLACE deletes without firing delete triggers (https://sqlite.org/lang_conflict.html).
CREATE TRIGGER attempts_not_replaced BEFORE INSERT ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
    WHERE EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE token = NEW.token);
    SELECT RAISE(ABORT, 'attempts: this job has a request that is not settled; another one might pay for it twice')
    WHERE NEW.is_surplus <> 0 OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.job_id AND finished_at IS NULL);
    SELECT RAISE(ABORT, 'attempts: a new one is being sent; nothing is known of its answer')
    WHERE NEW.state <> 'sending' OR NEW.finished_at IS NOT NULL OR NEW.task_id IS NOT NULL
        OR NEW.charged_millicredits IS NOT NULL;
    SELECT RAISE(ABORT, 'attempts.reserved_millicredits: at most 1000000000000')
    WHERE NEW.reserved_millicredits > 1000000000000;
END;

-- What is settled stays as it is. One thing may come later: a task that was said to have failed has results after all.
CREATE TRIGGER attempts_settled_frozen BEFORE UPDATE ON attempts
WHEN OLD.finished_at IS NOT NULL AND (
    OLD.state <> NEW.state OR OLD.task_id IS NOT NEW.task_id OR OLD.answered_at IS NOT NEW.answered_at
    OR OLD.finished_at IS NOT NEW.finished_at OR OLD.http_status IS NOT NEW.http_status
    OR OLD.api_code IS NOT NEW.api_code OR OLD.reserved_millicredits <> NEW.reserved_millicredits
    OR OLD.arrives_until IS NOT NEW.arrives_until OR OLD.evidence IS NOT NEW.evidence
    OR OLD.evidence_charged IS NOT NEW.evidence_charged OR OLD.hinted_task_id IS NOT NEW.hinted_task_id
    OR OLD.hint_changes <> NEW.hint_changes OR OLD.profile <> NEW.profile
    OR (OLD.took_milliseconds IS NOT NEW.took_milliseconds AND OLD.took_milliseconds IS NOT NULL)
    OR ((OLD.error_code IS NOT NEW.error_code OR OLD.message IS NOT NEW.message
            OR OLD.charged_millicredits IS NOT NEW.charged_millicredits OR OLD.charge_reported IS NOT NEW.charge_reported)
        AND NOT (OLD.state = 'accepted' AND OLD.error_code IS NOT NULL AND NEW.error_code IS NULL
            AND EXISTS (SELECT 1 FROM results WHERE job_id = OLD.job_id AND attempt_id = OLD.id))))
BEGIN
    SELECT RAISE(ABORT, 'attempts: what is settled stays as it is');
END;

CREATE TRIGGER attempts_open_frozen BEFORE UPDATE ON attempts
BEGIN
    SELECT CASE
        WHEN OLD.is_surplus <> NEW.is_surplus THEN RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
        WHEN OLD.state = 'accepted' AND OLD.task_id IS NOT NEW.task_id
            THEN RAISE(ABORT, 'attempts.task_id: the provider has named the task; it does not change')
        WHEN NEW.state <> 'accepted' AND NEW.task_id IS NOT NULL
            THEN RAISE(ABORT, 'attempts.task_id: is set together with state accepted')
        WHEN OLD.answered_at IS NOT NULL AND OLD.answered_at IS NOT NEW.answered_at
            THEN RAISE(ABORT, 'attempts.answered_at: is written once')
        WHEN OLD.arrives_until IS NOT NULL AND (NEW.arrives_until IS NULL
                OR (NEW.arrives_until <> OLD.arrives_until AND NEW.state = OLD.state))
            THEN RAISE(ABORT, 'attempts.arrives_until: a lost request keeps its slot')
        WHEN NEW.finished_at IS NULL
            AND (OLD.reserved_millicredits <> NEW.reserved_millicredits OR NEW.charged_millicredits IS NOT NULL)
            THEN RAISE(ABORT, 'attempts: a reservation is kept until the attempt is settled, together with finished_at')
        WHEN NEW.finished_at IS NOT NULL
            AND (NEW.reserved_millicredits <> 0 OR NEW.state = 'sending'
                OR (NEW.state <> 'rejected' AND NEW.charged_millicredits IS NULL))
            THEN RAISE(ABORT, 'attempts: to settle one is to book what it was charged, and to release what was reserved')
        WHEN OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.state = 'unknown'
            AND NEW.charged_millicredits < OLD.reserved_millicredits
            THEN RAISE(ABORT, 'attempts: what may have been spent counts as spent')
        WHEN NEW.charged_millicredits > 1000000000000
            THEN RAISE(ABORT, 'attempts.charged_millicredits: at most 1000000000000')
        WHEN instr(NEW.task_id, char(0)) OR instr(NEW.hinted_task_id, char(0)) OR instr(NEW.error_code, char(0))
            OR instr(NEW.message, char(0)) OR instr(NEW.evidence, char(0)) OR instr(NEW.profile, char(0))
            THEN RAISE(ABORT, 'attempts: a text holds a NUL character')
        WHEN length(NEW.task_id) > 1000 OR length(NEW.hinted_task_id) > 1000 OR length(NEW.error_code) > 100
            OR length(NEW.message) > 4000 OR length(NEW.evidence) > 4000 OR length(NEW.profile) > 4000
            THEN RAISE(ABORT, 'attempts: a text is too long')
        END;
END;

-- Jobs --------------------------------------------------------------------------------------------------------------

-- The turn that a job gets back when the time of its next try has come.
ALTER TABLE jobs ADD COLUMN kept_turn INTEGER;

-- Rows that no version should have taken: they would be sent other than they stand here.
UPDATE jobs SET state = 'failed', error_code = 'invalid_input',
    finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
    error_message = 'a text of this job holds a NUL character; add the job again without it'
WHERE state = 'queued' AND (instr(prompt, char(0)) OR instr(model, char(0)) OR instr(input, char(0))
    OR instr(queue, char(0)) OR instr(batch, char(0)) OR instr(unique_key, char(0)) OR instr(labels, char(0)));

CREATE TRIGGER jobs_text_inserted BEFORE INSERT ON jobs
BEGIN
    SELECT CASE
        WHEN instr(NEW.prompt, char(0)) THEN RAISE(ABORT, 'jobs.prompt: holds a NUL character')
        WHEN instr(NEW.model, char(0)) THEN RAISE(ABORT, 'jobs.model: holds a NUL character')
        WHEN instr(NEW.input, char(0)) THEN RAISE(ABORT, 'jobs.input: holds a NUL character')
        WHEN instr(NEW.queue, char(0)) THEN RAISE(ABORT, 'jobs.queue: holds a NUL character')
        WHEN instr(NEW.batch, char(0)) THEN RAISE(ABORT, 'jobs.batch: holds a NUL character')
        WHEN instr(NEW.unique_key, char(0)) THEN RAISE(ABORT, 'jobs.unique_key: holds a NUL character')
        WHEN instr(NEW.labels, char(0)) THEN RAISE(ABORT, 'jobs.labels: holds a NUL character')
        WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200
            THEN RAISE(ABORT, 'jobs.model: 1 to 200 characters of ASCII, without spaces')
        -- length() of a BLOB counts bytes.
        WHEN length(CAST(NEW.prompt AS BLOB)) > 131072 THEN RAISE(ABORT, 'jobs.prompt: at most 131072 bytes')
        WHEN length(CAST(NEW.input AS BLOB)) > 262144 THEN RAISE(ABORT, 'jobs.input: at most 262144 bytes')
        WHEN length(CAST(NEW.labels AS BLOB)) > 65536 THEN RAISE(ABORT, 'jobs.labels: at most 65536 bytes')
        WHEN length(CAST(NEW.unique_key AS BLOB)) > 1000 THEN RAISE(ABORT, 'jobs.unique_key: at most 1000 bytes')
        WHEN length(CAST(NEW.queue AS BLOB)) > 400 THEN RAISE(ABORT, 'jobs.queue: at most 400 bytes')
        WHEN length(CAST(NEW.batch AS BLOB)) > 800 THEN RAISE(ABORT, 'jobs.batch: at most 800 bytes')
        WHEN NEW.priority NOT BETWEEN -1000000000 AND 1000000000
            THEN RAISE(ABORT, 'jobs.priority: -1000000000 to 1000000000')
        WHEN NEW.run_at > 253402300799999 THEN RAISE(ABORT, 'jobs.run_at: not after the year 9999')
        WHEN NEW.created_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'jobs.created_at: Unix time in milliseconds; leave the column out')
        WHEN NEW.estimated_millicredits > 1000000000000
            THEN RAISE(ABORT, 'jobs.estimated_millicredits: at most 1000000000000')
        WHEN NEW.turn IS NOT NULL OR NEW.kept_turn IS NOT NULL
            THEN RAISE(ABORT, 'jobs: turn and kept_turn are written by promptd; leave them out')
        WHEN NEW.id > 4000000000000000000 THEN RAISE(ABORT, 'jobs.id: is given by the database; leave the column out')
        END;
END;

CREATE TRIGGER jobs_id_given AFTER INSERT ON jobs WHEN NEW.id < 1
BEGIN
    SELECT RAISE(ABORT, 'jobs.id: is given by the database; leave the column out');
END;

CREATE TRIGGER jobs_text_changed BEFORE UPDATE OF prompt, input, queue, labels, priority, run_at ON jobs
BEGIN
    SELECT CASE
        WHEN instr(NEW.prompt, char(0)) THEN RAISE(ABORT, 'jobs.prompt: holds a NUL character')
        WHEN instr(NEW.input, char(0)) THEN RAISE(ABORT, 'jobs.input: holds a NUL character')
        WHEN instr(NEW.queue, char(0)) THEN RAISE(ABORT, 'jobs.queue: holds a NUL character')
        WHEN instr(NEW.labels, char(0)) THEN RAISE(ABORT, 'jobs.labels: holds a NUL character')
        WHEN length(CAST(NEW.prompt AS BLOB)) > 131072 THEN RAISE(ABORT, 'jobs.prompt: at most 131072 bytes')
        WHEN length(CAST(NEW.input AS BLOB)) > 262144 THEN RAISE(ABORT, 'jobs.input: at most 262144 bytes')
        WHEN length(CAST(NEW.labels AS BLOB)) > 65536 THEN RAISE(ABORT, 'jobs.labels: at most 65536 bytes')
        WHEN length(CAST(NEW.queue AS BLOB)) > 400 THEN RAISE(ABORT, 'jobs.queue: at most 400 bytes')
        WHEN NEW.priority NOT BETWEEN -1000000000 AND 1000000000
            THEN RAISE(ABORT, 'jobs.priority: -1000000000 to 1000000000')
        WHEN NEW.run_at > 253402300799999 THEN RAISE(ABORT, 'jobs.run_at: not after the year 9999')
        END;
END;

-- A job's charge is the sum of its attempts' charges, whoever writes it.
CREATE TRIGGER jobs_charge_frozen BEFORE UPDATE OF charged_millicredits ON jobs
WHEN OLD.charged_millicredits IS NOT NEW.charged_millicredits
    AND NEW.charged_millicredits IS NOT (SELECT sum(charged_millicredits) FROM attempts WHERE job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.charged_millicredits: is written by promptd: the sum of its attempts'' charges');
END;

-- What promptd alone writes, as far as a rule can tell it from others.
CREATE TRIGGER jobs_own_frozen
BEFORE UPDATE OF attempt_count, provider_state, error_code, error_message, submitted_at, finished_at,
    estimated_millicredits, estimate_basis, turn, kept_turn ON jobs
BEGIN
    SELECT CASE
        WHEN OLD.state = NEW.state AND OLD.state IN ('succeeded', 'failed')
            AND (OLD.attempt_count <> NEW.attempt_count OR OLD.provider_state IS NOT NEW.provider_state
                OR OLD.error_code IS NOT NEW.error_code OR OLD.error_message IS NOT NEW.error_message
                OR OLD.submitted_at IS NOT NEW.submitted_at OR OLD.finished_at IS NOT NEW.finished_at
                OR OLD.estimated_millicredits IS NOT NEW.estimated_millicredits)
            THEN RAISE(ABORT, 'jobs: what has ended stays as it is')
        WHEN NEW.attempt_count > 1000 THEN RAISE(ABORT, 'jobs.attempt_count: at most 1000; it is written by promptd')
        WHEN NEW.submitted_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'jobs: submitted_at and finished_at are written by promptd')
        WHEN NEW.estimated_millicredits > 1000000000000
            THEN RAISE(ABORT, 'jobs.estimated_millicredits: at most 1000000000000')
        WHEN NEW.turn IS NOT OLD.turn AND NEW.turn <> -1 AND NEW.turn IS NOT OLD.kept_turn
            AND NEW.turn NOT BETWEEN 0 AND coalesce((SELECT turn FROM turns
                WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, '')), 0)
            THEN RAISE(ABORT, 'jobs.turn: is written by promptd')
        WHEN NEW.kept_turn IS NOT OLD.kept_turn AND NEW.kept_turn IS NOT OLD.turn
            AND NEW.kept_turn NOT BETWEEN 0 AND coalesce((SELECT turn FROM turns
                WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, '')), 0)
            THEN RAISE(ABORT, 'jobs.kept_turn: is written by promptd')
        WHEN instr(NEW.provider_state, char(0)) OR instr(NEW.error_code, char(0)) OR instr(NEW.error_message, char(0))
            THEN RAISE(ABORT, 'jobs: a text holds a NUL character')
        WHEN length(NEW.provider_state) > 200 OR length(NEW.error_code) > 100 OR length(NEW.error_message) > 4000
            THEN RAISE(ABORT, 'jobs: a text is too long')
        END;
END;

-- No way back to the queue for what is paid for, or may be.
DROP TRIGGER jobs_state_queued;
CREATE TRIGGER jobs_state_queued BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('submitting', 'running', 'unconfirmed')
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve')
    WHERE EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL);
    SELECT RAISE(ABORT, 'jobs.state: its task has succeeded and is paid for; its results are being fetched')
    WHERE EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id)
        OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            AND (error_code IS NULL OR error_code = 'empty_result'));
END;

DROP TRIGGER jobs_state_running;
CREATE TRIGGER jobs_state_running BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'running' AND OLD.state <> 'running'
    AND NOT EXISTS (SELECT 1 FROM attempts AS a
        WHERE a.job_id = NEW.id AND a.state = 'accepted' AND a.task_id = NEW.task_id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve');
END;

-- Trying again starts the count of attempts again. What has been paid for is taken up again, not paid for again: a task
-- that may still be running, or one that has results, saved or not. And a task that has ended otherwise is asked about
-- once more before a new one is paid for: what it was said to be may not have been its last word.
DROP TRIGGER jobs_retried;
CREATE TRIGGER jobs_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    UPDATE jobs SET attempt_count = 0, error_code = NULL, error_message = NULL, finished_at = NULL, provider_state = NULL
    WHERE id = NEW.id;
    UPDATE results SET state = 'pending', error_message = NULL
    WHERE job_id = NEW.id AND state = 'failed';
    UPDATE jobs SET state = 'unconfirmed'
    WHERE id = NEW.id
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL);
    UPDATE jobs SET state = 'running', task_id = (
        SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
        ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
    WHERE id = NEW.id AND state = 'queued'
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted');
END;

-- Jobs that the ledger could not handle, each with the reason: left alone, so that the others go on. They are tried again
-- at each start of promptd.
CREATE TABLE set_aside (
    job_id INTEGER NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- Results -----------------------------------------------------------------------------------------------------------

CREATE TRIGGER results_kept BEFORE DELETE ON results WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id)
BEGIN
    SELECT RAISE(ABORT, 'results: are paid for, and go with their job');
END;

CREATE TRIGGER results_not_replaced BEFORE INSERT ON results
BEGIN
    SELECT RAISE(ABORT, 'results: are written by promptd, for a task that has succeeded')
    WHERE EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
        OR NOT EXISTS (SELECT 1 FROM attempts
            WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL);
END;

CREATE TRIGGER results_frozen BEFORE UPDATE ON results
WHEN OLD.job_id <> NEW.job_id OR OLD.ordinal <> NEW.ordinal OR OLD.attempt_id <> NEW.attempt_id
    OR OLD.url IS NOT NEW.url OR OLD.content IS NOT NEW.content OR OLD.created_at <> NEW.created_at
    OR (OLD.state = 'saved' AND (NEW.state <> 'saved' OR OLD.path IS NOT NEW.path OR OLD.bytes IS NOT NEW.bytes
        OR OLD.sha256 IS NOT NEW.sha256 OR OLD.content_type IS NOT NEW.content_type))
BEGIN
    SELECT RAISE(ABORT, 'results: what was paid for and saved stays as it is');
END;

CREATE TRIGGER results_text BEFORE UPDATE OF path, content_type, sha256, error_message ON results
WHEN instr(NEW.path, char(0)) OR instr(NEW.content_type, char(0)) OR instr(NEW.sha256, char(0))
    OR instr(NEW.error_message, char(0)) OR length(NEW.path) > 4000 OR length(NEW.content_type) > 1000
    OR length(NEW.sha256) > 100 OR length(NEW.error_message) > 4000
BEGIN
    SELECT RAISE(ABORT, 'results: a text is too long, or holds a NUL character');
END;

-- Names -------------------------------------------------------------------------------------------------------------

-- char(unicode(x)) is x again, unless it is no valid UTF-8.
CREATE TRIGGER queues_name BEFORE INSERT ON queues WHEN NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'queues.name: valid UTF-8 without NUL, at most 400 bytes')
    WHERE instr(NEW.name, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
        OR EXISTS (SELECT 1 FROM (
            WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < length(NEW.name))
            SELECT n FROM place) AS p
            WHERE char(unicode(substr(NEW.name, p.n, 1))) <> substr(NEW.name, p.n, 1));
END;

CREATE TRIGGER queues_renamed BEFORE UPDATE OF name ON queues WHEN OLD.name <> NEW.name
BEGIN
    SELECT RAISE(ABORT, 'queues.name: cannot be changed; make another queue and move its jobs');
END;

CREATE TRIGGER budgets_text BEFORE INSERT ON budgets
WHEN instr(NEW.name, char(0)) OR instr(NEW.queue, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
    OR NEW.limit_millicredits > 1000000000000000
BEGIN
    SELECT RAISE(ABORT, 'budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000');
END;

CREATE TRIGGER budgets_changed BEFORE UPDATE ON budgets
WHEN instr(NEW.name, char(0)) OR instr(NEW.queue, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
    OR NEW.limit_millicredits > 1000000000000000
BEGIN
    SELECT RAISE(ABORT, 'budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000');
END;

CREATE TRIGGER prices_text BEFORE INSERT ON prices
WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200 OR length(CAST(NEW.input AS BLOB)) > 65536
    OR instr(NEW.input, char(0)) OR instr(NEW.per, char(0)) OR length(NEW.per) > 200 OR length(NEW.note) > 1000
BEGIN
    SELECT RAISE(ABORT, 'prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000');
END;

CREATE TRIGGER prices_changed BEFORE UPDATE ON prices
WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200 OR length(CAST(NEW.input AS BLOB)) > 65536
    OR instr(NEW.input, char(0)) OR instr(NEW.per, char(0)) OR length(NEW.per) > 200 OR length(NEW.note) > 1000
BEGIN
    SELECT RAISE(ABORT, 'prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000');
END;

-- The daemon's own tables: rows that are kept as long as the ledger.
CREATE TRIGGER daemon_kept BEFORE DELETE ON daemon
BEGIN
    SELECT RAISE(ABORT, 'daemon: its one row stays');
END;

CREATE TRIGGER spending_kept BEFORE DELETE ON spending
BEGIN
    SELECT RAISE(ABORT, 'spending: the sums that budgets go by are kept; promptctl doctor compares them with the ledger');
END;

CREATE TRIGGER account_totals_kept BEFORE DELETE ON account_totals
BEGIN
    SELECT RAISE(ABORT, 'account_totals: is kept; promptctl doctor compares it with the ledger');
END;

CREATE TRIGGER queue_counts_kept BEFORE DELETE ON queue_counts
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is kept; promptctl doctor compares it with the jobs');
END;

CREATE TRIGGER job_keys_kept BEFORE DELETE ON job_keys
WHEN EXISTS (SELECT 1 FROM jobs WHERE unique_key = OLD.unique_key)
BEGIN
    SELECT RAISE(ABORT, 'job_keys: goes with its job');
END;

CREATE TRIGGER turns_kept BEFORE DELETE ON turns WHEN OLD.waiting > 0
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd');
END;

-- Turns -------------------------------------------------------------------------------------------------------------

-- How many jobs of the lane (a batch in a queue, at a priority) are waiting with a turn, and the last turn of it that was
-- taken. A lane in which nothing waits goes on from what was taken, whatever it once had waiting.
ALTER TABLE turns ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN taken INTEGER NOT NULL DEFAULT -1;
-- The last turn that was given to a job that is tried again.
ALTER TABLE turns_served ADD COLUMN retried INTEGER NOT NULL DEFAULT -1;

UPDATE turns SET waiting = n.jobs
FROM (SELECT queue, priority, coalesce(batch, '') AS batch, count(*) AS jobs FROM jobs
    WHERE state = 'queued' AND turn IS NOT NULL GROUP BY queue, priority, coalesce(batch, '')) AS n
WHERE turns.queue = n.queue AND turns.priority = n.priority AND turns.batch = n.batch;
UPDATE turns SET taken = min(turn, coalesce((SELECT s.turn FROM turns_served AS s
    WHERE s.queue = turns.queue AND s.priority = turns.priority), -1));

-- The claim's first question: which queues have jobs of the highest priority.
CREATE INDEX turns_waiting ON turns (priority DESC, queue) WHERE waiting > 0;

DROP TRIGGER jobs_turn_inserted;
CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn);
    UPDATE jobs SET turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

DROP TRIGGER jobs_turn_asked;
CREATE TRIGGER jobs_turn_asked AFTER UPDATE OF turn ON jobs WHEN NEW.turn = -1
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn);
    UPDATE jobs SET kept_turn = NULL, turn = (
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
    UPDATE turns SET waiting = waiting - 1
    WHERE OLD.turn >= 0 AND NEW.turn >= 0 AND queue = OLD.queue AND priority = OLD.priority
        AND batch = coalesce(OLD.batch, '');
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    SELECT NEW.queue, NEW.priority, coalesce(NEW.batch, ''), 0, 1 WHERE OLD.turn >= 0 AND NEW.turn >= 0
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = waiting + 1;
    UPDATE jobs SET kept_turn = NULL, turn = CASE WHEN run_at = 0 THEN -1 END WHERE id = NEW.id;
END;

-- A job that is tried again goes next, but batches that wait keep their turns beside it: of two jobs the second at most is
-- one that is tried again.
DROP TRIGGER jobs_turn_retried;
CREATE TRIGGER jobs_turn_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn, excluded.turn);
    INSERT INTO turns_served (queue, priority, turn, retried) VALUES (NEW.queue, NEW.priority, 0, 0)
    ON CONFLICT (queue, priority) DO UPDATE SET retried = max(retried + 1, turn);
    UPDATE jobs SET turn = NULL, kept_turn = (
        SELECT min(l.turn, max(coalesce(jobs.turn, jobs.kept_turn, -1),
            (SELECT s.retried FROM turns_served AS s WHERE s.queue = NEW.queue AND s.priority = NEW.priority)))
        FROM turns AS l
        WHERE l.queue = NEW.queue AND l.priority = NEW.priority AND l.batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id AND state = 'queued';
    UPDATE jobs SET turn = kept_turn, kept_turn = NULL WHERE id = NEW.id AND state = 'queued' AND run_at = 0;
END;

CREATE TRIGGER jobs_turn_came AFTER UPDATE OF state, turn ON jobs
WHEN NEW.state = 'queued' AND NEW.turn >= 0 AND NOT (OLD.state = 'queued' AND coalesce(OLD.turn, -1) >= 0)
BEGIN
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), NEW.turn, 1)
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = waiting + 1;
END;

CREATE TRIGGER jobs_turn_left AFTER UPDATE OF state, turn ON jobs
WHEN OLD.state = 'queued' AND OLD.turn >= 0 AND NOT (NEW.state = 'queued' AND coalesce(NEW.turn, -1) >= 0)
BEGIN
    UPDATE turns SET waiting = waiting - 1,
        taken = CASE WHEN NEW.state = 'submitting' THEN max(taken, OLD.turn) ELSE taken END
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
END;

CREATE TRIGGER jobs_turn_deleted AFTER DELETE ON jobs WHEN OLD.state = 'queued' AND OLD.turn >= 0
BEGIN
    UPDATE turns SET waiting = waiting - 1
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
END;

-- Queues come into being when first named; the name is looked at only then.
DROP TRIGGER jobs_inserted;
CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs
BEGIN
    INSERT INTO queues (name) SELECT NEW.queue WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.queue);
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + 1;
END;

-- Views -------------------------------------------------------------------------------------------------------------

DROP VIEW daemon_load;
CREATE VIEW daemon_load AS
SELECT
    (SELECT count(*) FROM attempts WHERE state = 'sending')
        + (SELECT count(*) FROM attempts
            WHERE answered_at > unixepoch('now') * 1000 - daemon.rate_window_ms AND arrives_until IS NULL)
        + (SELECT count(*) FROM attempts WHERE arrives_until > unixepoch('now') * 1000 - daemon.rate_window_ms)
        AS rate_used,
    rate_limit,
    (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted')) AS running,
    running_limit
FROM daemon;

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
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;

-- The database's own name: its media directory bears it, so that no other database writes there.
ALTER TABLE daemon ADD COLUMN database_id TEXT;
UPDATE daemon SET database_id = lower(hex(randomblob(16)));

CREATE TRIGGER daemon_identity BEFORE UPDATE OF database_id ON daemon WHEN OLD.database_id IS NOT NEW.database_id
BEGIN
    SELECT RAISE(ABORT, 'daemon.database_id: does not change');
END;

-- Sums and counts that are kept have bounds, so that no row that somebody wrote makes the next one overflow.
CREATE TRIGGER spending_bounded_insert BEFORE INSERT ON spending
WHEN NEW.reserved_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'spending: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER spending_bounded_update BEFORE UPDATE ON spending
WHEN NEW.reserved_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'spending: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_totals_bounded_insert BEFORE INSERT ON account_totals
WHEN NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_totals: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_totals_bounded_update BEFORE UPDATE ON account_totals
WHEN NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_totals: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER queue_counts_bounded_insert BEFORE INSERT ON queue_counts
WHEN NEW.jobs NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER queue_counts_bounded_update BEFORE UPDATE ON queue_counts
WHEN NEW.jobs NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_bounded_insert BEFORE INSERT ON turns
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.waiting NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.taken NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_bounded_update BEFORE UPDATE ON turns
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.waiting NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.taken NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_served_bounded_insert BEFORE INSERT ON turns_served
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.retried NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns_served: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_served_bounded_update BEFORE UPDATE ON turns_served
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.retried NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns_served: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER completion_times_bounded_insert BEFORE INSERT ON completion_times
WHEN NEW.completions NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.mean_milliseconds NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER completion_times_bounded_update BEFORE UPDATE ON completion_times
WHEN NEW.completions NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.mean_milliseconds NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_readings_bounded_insert BEFORE INSERT ON account_readings
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_tasks NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unknown_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.top_ups_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.slack_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.answered_at NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_readings: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_readings_bounded_update BEFORE UPDATE ON account_readings
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_tasks NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unknown_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.top_ups_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.slack_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.answered_at NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_readings: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER daemon_bounded BEFORE UPDATE ON daemon
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.credit_reserve_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unconfirmed_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.default_price_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.running_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.started_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.stopped_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.heartbeat_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_error_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.pid NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'daemon: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER set_aside_bounded BEFORE INSERT ON set_aside WHEN length(NEW.reason) > 4000
BEGIN
    SELECT RAISE(ABORT, 'set_aside: is written by promptd; the reason is too long');
END;

CREATE TRIGGER turns_frozen BEFORE UPDATE OF queue, priority, batch ON turns
WHEN OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.batch <> NEW.batch
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd');
END;
