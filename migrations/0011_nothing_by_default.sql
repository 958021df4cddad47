-- promptd's schema, version 11: what a statement could still undo.

PRAGMA user_version = 11;

-- NULL: under OR REPLACE a NOT NULL column takes its default instead, after the triggers have looked ------------------

CREATE TRIGGER jobs_not_null
BEFORE UPDATE OF model, input, queue, priority, run_at, max_attempts, state, attempt_count, created_at ON jobs
WHEN NEW.model IS NULL OR NEW.input IS NULL OR NEW.queue IS NULL OR NEW.priority IS NULL OR NEW.run_at IS NULL
    OR NEW.max_attempts IS NULL OR NEW.state IS NULL OR NEW.attempt_count IS NULL OR NEW.created_at IS NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: model, input, queue, priority, run_at, max_attempts, state, attempt_count and created_at cannot be NULL');
END;

CREATE TRIGGER attempts_not_null BEFORE UPDATE OF state, profile, hint_changes, is_surplus ON attempts
WHEN NEW.state IS NULL OR NEW.profile IS NULL OR NEW.hint_changes IS NULL OR NEW.is_surplus IS NULL
BEGIN
    SELECT RAISE(ABORT, 'attempts: state, profile, hint_changes and is_surplus cannot be NULL');
END;

CREATE TRIGGER results_not_null BEFORE UPDATE OF state ON results WHEN NEW.state IS NULL
BEGIN
    SELECT RAISE(ABORT, 'results.state: cannot be NULL');
END;

CREATE TRIGGER job_keys_frozen BEFORE UPDATE ON job_keys
BEGIN
    SELECT RAISE(ABORT, 'job_keys: goes with its job');
END;

-- What becomes of a request is promptd's to write ---------------------------------------------------------------------

CREATE TRIGGER attempts_outcome BEFORE UPDATE ON attempts WHEN OLD.finished_at IS NULL
BEGIN
    SELECT CASE
        WHEN NEW.answered_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
            OR NEW.arrives_until NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'attempts: answered_at, finished_at and arrives_until are written by promptd')
        WHEN NEW.took_milliseconds IS NOT NULL AND NEW.finished_at IS NULL
            THEN RAISE(ABORT, 'attempts.took_milliseconds: is written when the task has ended')
        WHEN OLD.state = 'sending' AND NEW.state = 'unknown' AND (NEW.error_code IS NULL
                OR coalesce(NEW.arrives_until NOT BETWEEN NEW.answered_at AND NEW.answered_at + 86400000, 1))
            THEN RAISE(ABORT, 'attempts.arrives_until: a request whose answer was lost may arrive later; promptd writes until when')
        WHEN OLD.arrives_until IS NULL AND NEW.arrives_until IS NOT NULL
            AND NOT (OLD.state = 'sending' AND NEW.state = 'unknown')
            THEN RAISE(ABORT, 'attempts.arrives_until: is written when the answer is lost')
        WHEN NEW.state = 'rejected' AND NEW.error_code IS NULL
            THEN RAISE(ABORT, 'attempts: promptd writes what was answered; to settle a lost request use promptctl resolve')
        WHEN NEW.state = 'accepted' AND NEW.finished_at IS NOT NULL AND NEW.charge_reported IS NULL
            THEN RAISE(ABORT, 'attempts: promptd books what the task cost when it has ended')
        WHEN NEW.state = 'rejected' AND NEW.hinted_task_id IS NOT NULL
            THEN RAISE(ABORT, 'attempts: a callback has named a task for this request, and the provider has not said whose it is')
        WHEN NEW.hint_changes NOT BETWEEN OLD.hint_changes AND OLD.hint_changes + 1
            THEN RAISE(ABORT, 'attempts.hint_changes: is written by promptd')
        END;
END;

-- A settled attempt changes only while its job is tried again, and the provider is asked about its task once more: then
-- the task may have succeeded after all.
DROP TRIGGER attempts_settled_frozen;
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
            AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND state = 'running' AND task_id = OLD.task_id)
            AND NOT EXISTS (SELECT 1 FROM results WHERE job_id = OLD.job_id)
            AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = OLD.job_id AND o.finished_at IS NULL))))
BEGIN
    SELECT RAISE(ABORT, 'attempts: what is settled stays as it is');
END;

-- A new attempt is a request that is about to leave, and nothing else.
DROP TRIGGER attempts_not_replaced;
CREATE TRIGGER attempts_not_replaced BEFORE INSERT ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
    WHERE EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE token = NEW.token)
        OR NEW.id > 4000000000000000000;
    SELECT RAISE(ABORT, 'attempts: this job has a request that is not settled; another one might pay for it twice')
    WHERE NEW.is_surplus <> 0 OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.job_id AND finished_at IS NULL);
    SELECT RAISE(ABORT, 'attempts: a new one is being sent; nothing is known of its answer')
    WHERE NEW.state <> 'sending' OR NEW.finished_at IS NOT NULL OR NEW.task_id IS NOT NULL
        OR NEW.charged_millicredits IS NOT NULL OR NEW.answered_at IS NOT NULL OR NEW.http_status IS NOT NULL
        OR NEW.api_code IS NOT NULL OR NEW.error_code IS NOT NULL OR NEW.message IS NOT NULL
        OR NEW.charge_reported IS NOT NULL OR NEW.took_milliseconds IS NOT NULL OR NEW.evidence IS NOT NULL
        OR NEW.evidence_charged IS NOT NULL OR NEW.hinted_task_id IS NOT NULL OR NEW.hint_changes <> 0
        OR NEW.arrives_until IS NOT NULL;
    SELECT RAISE(ABORT, 'attempts: a number or a text is out of bounds')
    WHERE NEW.reserved_millicredits > 1000000000000 OR NEW.estimated_millicredits > 1000000000000
        OR NEW.sent_at NOT BETWEEN 0 AND 253402300799999 OR length(NEW.profile) > 4000 OR length(NEW.model) > 200
        OR length(NEW.queue) > 100 OR instr(NEW.profile, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.queue, char(0));
END;
CREATE TRIGGER attempts_id_given AFTER INSERT ON attempts WHEN NEW.id < 1
BEGIN
    SELECT RAISE(ABORT, 'attempts.id: is given by the database');
END;

-- Whose task a job runs on --------------------------------------------------------------------------------------------

DROP TRIGGER jobs_task_frozen;
CREATE TRIGGER jobs_task_frozen BEFORE UPDATE OF task_id ON jobs
WHEN OLD.task_id IS NOT NEW.task_id AND NEW.task_id IS NOT NULL
    AND NEW.task_id IS NOT (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
        ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
BEGIN
    SELECT RAISE(ABORT, 'jobs.task_id: is written by promptd');
END;

DROP TRIGGER jobs_state_running;
CREATE TRIGGER jobs_state_running BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'running' AND OLD.state <> 'running'
    AND ((EXISTS (SELECT 1 FROM attempts
                WHERE job_id = NEW.id AND state IN ('sending', 'unknown') AND finished_at IS NULL)
            -- Older versions sent some jobs twice.
            AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND is_surplus = 1))
        OR NEW.task_id IS NOT (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve');
END;

-- An id of a job that was pruned is not given again, whatever becomes of sqlite_sequence.
DROP TRIGGER jobs_id_given;
CREATE TRIGGER jobs_id_given AFTER INSERT ON jobs
WHEN NEW.id < 1 OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.id: is given by the database; leave the column out');
END;

-- There is one row of the daemon's, which bears the database's identity.
CREATE TRIGGER daemon_not_replaced BEFORE INSERT ON daemon WHEN EXISTS (SELECT 1 FROM daemon)
BEGIN
    SELECT RAISE(ABORT, 'daemon: has one row, which promptd writes');
END;

-- Results are a success's: of a task that has failed there are none ---------------------------------------------------

DROP TRIGGER results_not_replaced;
CREATE TRIGGER results_not_replaced BEFORE INSERT ON results
BEGIN
    SELECT RAISE(ABORT, 'results: are written by promptd, for a task that has succeeded')
    WHERE EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
        OR NOT EXISTS (SELECT 1 FROM attempts
            WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL
                AND error_code IS NULL)
        OR NEW.ordinal > 1000000 OR NEW.created_at NOT BETWEEN 0 AND 253402300799999;
END;

DROP TRIGGER jobs_state_succeeded;
CREATE TRIGGER jobs_state_succeeded BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state = 'running'
    AND (NOT EXISTS (SELECT 1 FROM attempts
            WHERE job_id = NEW.id AND state = 'accepted' AND finished_at IS NOT NULL AND error_code IS NULL)
        OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state <> 'saved'))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets succeeded, when the task has ended and its results are saved');
END;

DROP TRIGGER results_frozen;
CREATE TRIGGER results_frozen BEFORE UPDATE ON results
WHEN OLD.job_id <> NEW.job_id OR OLD.ordinal <> NEW.ordinal OR OLD.attempt_id <> NEW.attempt_id
    OR OLD.url IS NOT NEW.url OR OLD.content IS NOT NEW.content OR OLD.created_at <> NEW.created_at
    OR (OLD.state = 'saved' AND (NEW.state IS NOT 'saved' OR OLD.path IS NOT NEW.path OR OLD.bytes IS NOT NEW.bytes
        OR OLD.sha256 IS NOT NEW.sha256 OR OLD.content_type IS NOT NEW.content_type
        OR OLD.saved_at IS NOT NEW.saved_at OR OLD.error_message IS NOT NEW.error_message))
BEGIN
    SELECT RAISE(ABORT, 'results: what was paid for and saved stays as it is');
END;

-- Sums stop at their bounds: whoever spoils one does not keep anything from being settled, claimed or counted ----------

DROP TRIGGER spending_reserved;
CREATE TRIGGER spending_reserved AFTER INSERT ON attempts
BEGIN
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    VALUES
        ('hour', NEW.sent_at / 3600000 * 3600000, NEW.queue, NEW.reserved_millicredits, 0),
        ('day', NEW.sent_at / 86400000 * 86400000, NEW.queue, NEW.reserved_millicredits, 0),
        ('total', 0, NEW.queue, NEW.reserved_millicredits, 0)
    ON CONFLICT (period, starts_at, queue) DO UPDATE SET
        reserved_millicredits = min(4000000000000000, reserved_millicredits + excluded.reserved_millicredits);
END;

DROP TRIGGER spending_settled;
CREATE TRIGGER spending_settled AFTER UPDATE OF reserved_millicredits, charged_millicredits ON attempts
WHEN OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
BEGIN
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE queue = NEW.queue AND (period, starts_at) IN (VALUES
        ('hour', NEW.sent_at / 3600000 * 3600000), ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0));
END;

DROP TRIGGER attempts_booked;
CREATE TRIGGER attempts_booked AFTER UPDATE OF state, charged_millicredits ON attempts
WHEN OLD.charged_millicredits IS NOT NEW.charged_millicredits
    OR (NEW.charged_millicredits IS NOT NULL AND (OLD.state = 'unknown') <> (NEW.state = 'unknown'))
BEGIN
    UPDATE account_totals SET
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN 0 ELSE coalesce(OLD.charged_millicredits, 0) END
            + CASE WHEN NEW.state = 'unknown' THEN 0 ELSE coalesce(NEW.charged_millicredits, 0) END)),
        presumed_millicredits = max(-4000000000000000, min(4000000000000000, presumed_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN coalesce(OLD.charged_millicredits, 0) ELSE 0 END
            + CASE WHEN NEW.state = 'unknown' THEN coalesce(NEW.charged_millicredits, 0) ELSE 0 END))
    WHERE id = 1;
END;

DROP TRIGGER attempts_adopted;
CREATE TRIGGER attempts_adopted AFTER UPDATE OF state ON attempts
WHEN OLD.state = 'unknown' AND NEW.state = 'accepted'
BEGIN
    UPDATE account_totals SET adopted_millicredits = max(-4000000000000000, min(4000000000000000, adopted_millicredits
        + OLD.reserved_millicredits + coalesce(OLD.charged_millicredits, 0)))
    WHERE id = 1;
END;

DROP TRIGGER jobs_counted;
CREATE TRIGGER jobs_counted AFTER UPDATE OF state, queue ON jobs
WHEN OLD.state <> NEW.state OR OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queue_counts (queue, state, jobs) VALUES (OLD.queue, OLD.state, -1), (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = max(-4000000000000000, min(4000000000000000, jobs + excluded.jobs));
END;

DROP TRIGGER jobs_inserted;
CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs
BEGIN
    INSERT INTO queues (name) SELECT NEW.queue WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.queue);
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = min(4000000000000000, jobs + 1);
END;

DROP TRIGGER jobs_deleted;
CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs
BEGIN
    -- The sqlite3 shell does not enforce foreign keys unless it is told to.
    DELETE FROM results WHERE job_id = OLD.id;
    UPDATE queue_counts SET jobs = max(-4000000000000000, jobs - 1) WHERE queue = OLD.queue AND state = OLD.state;
END;

DROP TRIGGER jobs_turn_inserted;
CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
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

DROP TRIGGER jobs_turn_asked;
CREATE TRIGGER jobs_turn_asked AFTER UPDATE OF turn ON jobs WHEN NEW.turn = -1
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = min(4000000000000000, max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn));
    UPDATE jobs SET kept_turn = NULL, turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

DROP TRIGGER jobs_turn_came;
CREATE TRIGGER jobs_turn_came AFTER UPDATE OF state, turn ON jobs
WHEN NEW.state = 'queued' AND NEW.turn >= 0 AND NOT (OLD.state = 'queued' AND coalesce(OLD.turn, -1) >= 0)
BEGIN
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), NEW.turn, 1)
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = min(4000000000000000, waiting + 1);
END;

DROP TRIGGER jobs_turn_left;
CREATE TRIGGER jobs_turn_left AFTER UPDATE OF state, turn ON jobs
WHEN OLD.state = 'queued' AND OLD.turn >= 0 AND NOT (NEW.state = 'queued' AND coalesce(NEW.turn, -1) >= 0)
BEGIN
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1),
        taken = CASE WHEN NEW.state = 'submitting' THEN max(taken, OLD.turn) ELSE taken END
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
END;

DROP TRIGGER jobs_turn_deleted;
CREATE TRIGGER jobs_turn_deleted AFTER DELETE ON jobs WHEN OLD.state = 'queued' AND OLD.turn >= 0
BEGIN
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1)
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
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
    UPDATE jobs SET kept_turn = NULL, turn = CASE WHEN run_at = 0 THEN -1 END WHERE id = NEW.id;
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
    UPDATE jobs SET turn = kept_turn, kept_turn = NULL WHERE id = NEW.id AND state = 'queued' AND run_at = 0;
END;

-- A price is within the bounds of one in `prices`, so that an attempt can be made of it.
CREATE TRIGGER daemon_price_bounded BEFORE UPDATE OF default_price_millicredits ON daemon
WHEN NEW.default_price_millicredits IS NULL OR NEW.default_price_millicredits NOT BETWEEN 0 AND 1000000000
BEGIN
    SELECT RAISE(ABORT, 'daemon.default_price_millicredits: 0 to 1000000000; it is written by promptd, from catalogue.defaultPrice');
END;
UPDATE daemon SET default_price_millicredits = 20000 WHERE default_price_millicredits > 1000000000;
