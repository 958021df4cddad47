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
        WHEN OLD.state = 'sending' AND NEW.state = 'unknown' AND coalesce(NEW.arrives_until < NEW.answered_at, 1)
            THEN RAISE(ABORT, 'attempts.arrives_until: a request whose answer was lost may arrive later')
        WHEN OLD.arrives_until IS NULL AND NEW.arrives_until IS NOT NULL
            AND NOT (OLD.state = 'sending' AND NEW.state = 'unknown')
            THEN RAISE(ABORT, 'attempts.arrives_until: is written when the answer is lost')
        WHEN OLD.state = 'sending' AND NEW.state = 'rejected' AND NEW.error_code IS NULL
            THEN RAISE(ABORT, 'attempts: its request is under way; promptd writes what was answered')
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

-- Results are a success's: of a task that has failed there are none ---------------------------------------------------

DROP TRIGGER results_not_replaced;
CREATE TRIGGER results_not_replaced BEFORE INSERT ON results
BEGIN
    SELECT RAISE(ABORT, 'results: are written by promptd, for a task that has succeeded')
    WHERE EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
        OR NOT EXISTS (SELECT 1 FROM attempts
            WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL
                AND error_code IS NULL);
END;

DROP TRIGGER jobs_state_succeeded;
CREATE TRIGGER jobs_state_succeeded BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state = 'running'
    AND (NOT EXISTS (SELECT 1 FROM attempts
            WHERE job_id = NEW.id AND state = 'accepted' AND task_id = NEW.task_id AND finished_at IS NOT NULL
                AND error_code IS NULL)
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
