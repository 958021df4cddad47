-- promptd's schema, version 18: misspelt fields are refused, and a job that the provider has refused can be changed and tried again.

PRAGMA user_version = 18;

-- 1: fields of input that are spelt almost like those of the model are sent as they are. The claim refuses them otherwise.
ALTER TABLE jobs ADD COLUMN allow_unknown INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "jobs.allow_unknown: 0 or 1" CHECK (allow_unknown IN (0, 1));

CREATE TRIGGER jobs_allowance_frozen BEFORE UPDATE OF allow_unknown ON jobs
WHEN OLD.state <> 'queued' AND NEW.state <> 'queued' AND OLD.allow_unknown IS NOT NEW.allow_unknown
BEGIN
    SELECT RAISE(ABORT, 'jobs: allow_unknown can be changed only while the job is queued');
END;

-- What a job asks for can be changed while it is tried again, unless a task for what it asked before may still give something.
-- Of a task with one of these errors the provider itself has said that it failed.
DROP TRIGGER IF EXISTS jobs_retried_as_it_was;
CREATE TRIGGER jobs_retried_as_it_was BEFORE UPDATE OF prompt, input ON jobs
WHEN OLD.state <> 'queued' AND NEW.state = 'queued'
    AND (OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input)
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id
        AND (state <> 'rejected' AND finished_at IS NULL
            OR state = 'accepted' AND coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
BEGIN
    SELECT RAISE(ABORT, 'jobs: prompt and input of a job that has a task cannot be changed; insert another job');
END;

DROP TRIGGER IF EXISTS jobs_retried;
CREATE TRIGGER jobs_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
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
