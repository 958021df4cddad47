-- promptd's schema, version 33: the same rules in fewer triggers and indexes, for what happens to every job.

PRAGMA user_version = 33;

-- SQLite sets up each trigger before it looks at its WHEN, so a job that changes its state paid for ten triggers of which none had
-- anything to say. Rules for the same change are one trigger now; each is a WHEN of its own, with the words that it had.
DROP TRIGGER jobs_state_transition;
DROP TRIGGER jobs_state_submitting;
DROP TRIGGER jobs_state_running;
DROP TRIGGER jobs_state_succeeded;
DROP TRIGGER jobs_state_failed;
DROP TRIGGER jobs_state_unconfirmed;
DROP TRIGGER jobs_state_queued;
DROP TRIGGER jobs_state_retried_too_early;
DROP TRIGGER jobs_inputs_retried;
DROP TRIGGER jobs_account_gone;

CREATE TRIGGER jobs_state_rules BEFORE UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
BEGIN
    -- Where no job can go from a state, whoever sends it there.
    SELECT CASE OLD.state
        WHEN 'queued' THEN CASE NEW.state
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition queued -> succeeded')
            END
        WHEN 'submitting' THEN CASE NEW.state
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> succeeded')
            WHEN 'cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> cancelled (its request is under way; cancel it in a moment, when it is running)')
            END
        WHEN 'running' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> submitting')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> unconfirmed')
            END
        WHEN 'succeeded' THEN CASE NEW.state
            WHEN 'queued' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> queued')
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> submitting')
            WHEN 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> running')
            WHEN 'failed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> failed')
            WHEN 'cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> cancelled')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> unconfirmed')
            END
        WHEN 'failed' THEN CASE
            WHEN NEW.state = 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> submitting')
            WHEN NEW.state = 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> running')
            WHEN NEW.state = 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> succeeded')
            -- Whoever cancels a whole chain cancels also what has failed for it a moment ago.
            WHEN NEW.state = 'cancelled' AND OLD.error_code IS NOT 'input_failed'
                THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> cancelled')
            WHEN NEW.state = 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> unconfirmed')
            END
        WHEN 'cancelled' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> submitting')
            WHEN 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> running')
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> succeeded')
            WHEN 'failed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> failed')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> unconfirmed')
            END
        WHEN 'unconfirmed' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> submitting')
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> succeeded')
            END
        END;
    -- What the ledger says of each state that a job may come to.
    SELECT CASE NEW.state
        WHEN 'submitting' THEN CASE
            WHEN (SELECT count(*) FROM attempts WHERE job_id = NEW.id AND state = 'sending') <> 1
                OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL AND state <> 'sending')
                THEN RAISE(ABORT, 'jobs.state: only promptd sets submitting, together with the one attempt that it is about to send')
            END
        WHEN 'running' THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts
                    WHERE job_id = NEW.id AND state IN ('sending', 'unknown') AND finished_at IS NULL)
                OR NEW.task_id IS NOT (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                    ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
                THEN RAISE(ABORT, 'jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve')
            END
        WHEN 'succeeded' THEN CASE
            WHEN NOT EXISTS (SELECT 1 FROM attempts
                    WHERE job_id = NEW.id AND state = 'accepted' AND finished_at IS NOT NULL AND error_code IS NULL)
                OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state <> 'saved')
                THEN RAISE(ABORT, 'jobs.state: only promptd sets succeeded, when the task has ended and its results are saved')
            END
        WHEN 'failed' THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: its task may still be running; to stop the job set cancelled')
            END
        WHEN 'unconfirmed' THEN CASE
            WHEN NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: only promptd sets unconfirmed, when the answer to a request was lost')
            END
        END;
    -- What may be paid for does not come back to the queue, nor does what has to wait for something else.
    SELECT CASE
        WHEN OLD.state IN ('submitting', 'running', 'unconfirmed') THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve')
            WHEN EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id)
                OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                    AND (error_code IS NULL OR error_code = 'empty_result'))
                THEN RAISE(ABORT, 'jobs.state: its task has succeeded and is paid for; its results are being fetched')
            END
        -- It is taken up with the key that paid for it.
        WHEN OLD.prompt IS NEW.prompt AND OLD.input = NEW.input
            AND EXISTS (SELECT 1 FROM attempts AS a JOIN accounts AS c ON c.name = a.account
                WHERE a.job_id = NEW.id AND NOT c.is_configured AND a.state = 'accepted'
                    AND (a.finished_at IS NULL OR a.task_id IS OLD.task_id OR coalesce(a.error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
            THEN RAISE(ABORT, 'jobs.state: its task is of an account that is not in the configuration; put that back first')
        WHEN OLD.waits IS NOT NULL AND OLD.input = NEW.input
            AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND (state = 'unknown' AND finished_at IS NULL
                OR state = 'accepted' AND OLD.prompt IS NEW.prompt AND (finished_at IS NULL OR task_id IS OLD.task_id
                    OR coalesce(error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))))
            AND EXISTS (
                SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
                WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL))
            THEN RAISE(ABORT, 'jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first')
        WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'sending')
            THEN RAISE(ABORT, 'jobs.state: a request of this job is under way; try again in a moment')
        END
    WHERE NEW.state = 'queued';
END;

-- The same for what promptd writes of a job; what has not changed breaks none of these.
DROP TRIGGER jobs_rowid_frozen;
DROP TRIGGER jobs_not_null;
DROP TRIGGER jobs_own_frozen;

CREATE TRIGGER jobs_rules BEFORE UPDATE ON jobs
BEGIN
    SELECT CASE
        WHEN OLD.id <> NEW.id
            THEN RAISE(ABORT, 'jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another')
        WHEN NEW.model IS NULL OR NEW.input IS NULL OR NEW.queue IS NULL OR NEW.priority IS NULL OR NEW.run_at IS NULL
            OR NEW.max_attempts IS NULL OR NEW.state IS NULL OR NEW.attempt_count IS NULL OR NEW.is_resumed IS NULL
            OR NEW.created_at IS NULL
            THEN RAISE(ABORT, 'jobs: model, input, queue, priority, run_at, max_attempts, state, attempt_count, is_resumed and created_at cannot be NULL')
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

-- Which row counts a job is known: to try an insertion first had four triggers look at each of the two.
DROP TRIGGER jobs_counted;

CREATE TRIGGER jobs_counted AFTER UPDATE OF state, queue ON jobs
WHEN OLD.state <> NEW.state OR OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queue_counts (queue, state, jobs)
    SELECT NEW.queue, NEW.state, 0
    WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE queue = NEW.queue AND state = NEW.state);
    UPDATE queue_counts SET jobs = max(-4000000000000000, jobs - 1) WHERE queue = OLD.queue AND state = OLD.state;
    UPDATE queue_counts SET jobs = min(4000000000000000, jobs + 1) WHERE queue = NEW.queue AND state = NEW.state;
END;

DROP TRIGGER attempts_rowid_frozen;
DROP TRIGGER attempts_not_null;
DROP TRIGGER attempts_state_transition;
DROP TRIGGER attempts_open_frozen;
DROP TRIGGER attempts_outcome;
DROP TRIGGER attempts_settled_frozen;
DROP TRIGGER attempts_took_frozen;
DROP TRIGGER attempts_result_frozen;

CREATE TRIGGER attempts_rules BEFORE UPDATE ON attempts
BEGIN
    -- What is settled. A task that had failed may have succeeded after all, if nothing has come of its job since.
    SELECT CASE
        WHEN OLD.state <> NEW.state OR OLD.task_id IS NOT NEW.task_id OR OLD.answered_at IS NOT NEW.answered_at
            OR OLD.finished_at IS NOT NEW.finished_at OR OLD.http_status IS NOT NEW.http_status
            OR OLD.api_code IS NOT NEW.api_code OR OLD.reserved_millicredits <> NEW.reserved_millicredits
            OR OLD.arrives_until IS NOT NEW.arrives_until OR OLD.evidence IS NOT NEW.evidence
            OR OLD.evidence_charged IS NOT NEW.evidence_charged OR OLD.hinted_task_id IS NOT NEW.hinted_task_id
            OR OLD.hint_changes <> NEW.hint_changes OR OLD.profile <> NEW.profile
            OR OLD.took_milliseconds IS NOT NEW.took_milliseconds
            OR ((OLD.error_code IS NOT NEW.error_code OR OLD.message IS NOT NEW.message
                    OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
                    OR OLD.charge_reported IS NOT NEW.charge_reported)
                AND NOT (OLD.state = 'accepted' AND OLD.error_code IS NOT NULL AND NEW.error_code IS NULL
                    AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND state = 'running' AND task_id = OLD.task_id)
                    AND NOT EXISTS (SELECT 1 FROM results WHERE job_id = OLD.job_id)
                    AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = OLD.job_id AND o.finished_at IS NULL)))
            THEN RAISE(ABORT, 'attempts: what is settled stays as it is')
        WHEN OLD.result_json IS NOT NEW.result_json AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
            AND (NEW.result_json IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL))
            THEN RAISE(ABORT, 'attempts.result_json: what the provider gave stays as it is')
        END
    WHERE OLD.finished_at IS NOT NULL;
    -- Of all.
    SELECT CASE
        WHEN OLD.id <> NEW.id THEN RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
        WHEN NEW.state IS NULL OR NEW.profile IS NULL OR NEW.hint_changes IS NULL
            THEN RAISE(ABORT, 'attempts: state, profile and hint_changes cannot be NULL')
        WHEN OLD.task_source IS NOT NEW.task_source AND (OLD.state = 'accepted' OR NEW.state <> 'accepted')
            THEN RAISE(ABORT, 'attempts.task_source: is written together with state accepted')
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
        WHEN OLD.state <> NEW.state AND NOT (OLD.state = 'sending' OR (OLD.state = 'unknown' AND NEW.state <> 'sending'))
            THEN RAISE(ABORT, 'attempts.state: what the provider answered does not change')
        END;
    -- What is not settled.
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
        END
    WHERE OLD.finished_at IS NULL;
END;

DROP TRIGGER results_path_inserted;
DROP TRIGGER results_not_replaced;

CREATE TRIGGER results_inserted BEFORE INSERT ON results
BEGIN
    SELECT CASE
        WHEN '/' || NEW.path GLOB '*/.*' OR '/' || NEW.path GLOB '*//*' OR NEW.path GLOB '*/'
            THEN RAISE(ABORT, 'results.path: is relative to the media directory, and stays within it')
        WHEN EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
            OR NOT EXISTS (SELECT 1 FROM attempts
                WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL
                    AND error_code IS NULL)
            OR NEW.ordinal > 1000000 OR NEW.created_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'results: are written by promptd, for a task that has succeeded')
        END;
END;

-- The sums that budgets go by are in rows that are known, too.
DROP TRIGGER spending_reserved;

CREATE TRIGGER spending_reserved AFTER INSERT ON attempts
BEGIN
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'hour', NEW.sent_at / 3600000 * 3600000, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending
        WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue);
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'day', NEW.sent_at / 86400000 * 86400000, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending
        WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue);
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'total', 0, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue);
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue;
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue;
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue;
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
    WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue;
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue;
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue;
END;

-- What may still be running, or billed, at the provider, by account: a claim counts the requests that are under way and the tasks that
-- run, and read each of their rows for its account. Every request that is being sent is among them, so it needs no index of its own.
DROP INDEX attempts_open;
DROP INDEX attempts_sending;
CREATE INDEX attempts_open ON attempts (state, account) WHERE finished_at IS NULL;

DROP VIEW account_load;
CREATE VIEW account_load AS
SELECT
    a.name AS account,
    (SELECT count(*) FROM attempts WHERE state = 'sending' AND account = a.name AND finished_at IS NULL)
        + (SELECT count(*) FROM attempts
            WHERE answered_at > unixepoch('now') * 1000 - a.rate_window_ms
                -- Later than that is from before the clock was set back, and says nothing.
                AND answered_at <= unixepoch('now') * 1000 + a.rate_window_ms AND arrives_until IS NULL AND account = a.name)
        + (SELECT count(*) FROM attempts
            WHERE arrives_until > unixepoch('now') * 1000 - a.rate_window_ms AND account = a.name)
        AS rate_used,
    a.rate_limit,
    -- A task that is set aside may have ended long ago.
    (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted') AND account = a.name)
        - (SELECT count(*) FROM suspects AS s JOIN attempts AS t ON t.id = s.subject
            WHERE s.step = 'poll' AND s.is_aside = 1 AND t.finished_at IS NULL AND t.state = 'accepted' AND t.account = a.name)
        AS running,
    a.running_limit,
    a.is_configured
FROM accounts AS a;
