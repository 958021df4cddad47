-- promptd's schema, version 10: what a careless statement could still spoil.

PRAGMA user_version = 10;

-- How long tasks take: no row makes the next settlement fail ---------------------------------------------------------

DROP TRIGGER completion_times_bounded_insert;
CREATE TRIGGER completion_times_bounded_insert BEFORE INSERT ON completion_times
WHEN NEW.completions NOT BETWEEN 0 AND 4000000000000000 OR NEW.mean_milliseconds NOT BETWEEN 0 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

DROP TRIGGER completion_times_bounded_update;
CREATE TRIGGER completion_times_bounded_update BEFORE UPDATE ON completion_times
WHEN NEW.completions NOT BETWEEN 0 AND 4000000000000000 OR NEW.mean_milliseconds NOT BETWEEN 0 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

DELETE FROM completion_times
WHERE completions NOT BETWEEN 0 AND 4000000000000000 OR mean_milliseconds NOT BETWEEN 0 AND 4000000000000000;

-- Its sums stop at their bounds; they never pass them.
DROP TRIGGER attempts_completed;
CREATE TRIGGER attempts_completed AFTER UPDATE OF took_milliseconds ON attempts
WHEN NEW.took_milliseconds IS NOT NULL AND OLD.took_milliseconds IS NULL
BEGIN
    INSERT INTO completion_times (model, completions, mean_milliseconds)
    VALUES (NEW.model, 1, min(NEW.took_milliseconds, 4000000000000000))
    ON CONFLICT (model) DO UPDATE SET
        completions = min(completions + 1, 4000000000000000),
        mean_milliseconds = mean_milliseconds
            + (excluded.mean_milliseconds - mean_milliseconds) / min(completions + 1, 50);
END;

-- Jobs --------------------------------------------------------------------------------------------------------------

-- A job that is tried again takes up the task that was made for it: that is the task of the prompt that it was made from.
CREATE TRIGGER jobs_retried_as_it_was BEFORE UPDATE OF prompt, input ON jobs
WHEN OLD.state <> 'queued' AND NEW.state = 'queued'
    AND (OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input)
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id
        AND (state = 'accepted' OR (state <> 'rejected' AND finished_at IS NULL)))
BEGIN
    SELECT RAISE(ABORT, 'jobs: prompt and input of a job that has a task cannot be changed; insert another job');
END;

-- A queue may be deleted when its jobs have ended. One that is tried again brings it back.
CREATE TRIGGER jobs_queue_revived AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO queues (name) SELECT NEW.queue WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.queue);
END;

-- What is still to be fetched is not done. (Where nothing is downloaded, a job has succeeded before its results are noted.)
DROP TRIGGER jobs_state_succeeded;
CREATE TRIGGER jobs_state_succeeded BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state = 'running'
    AND (NOT EXISTS (SELECT 1 FROM attempts
            WHERE job_id = NEW.id AND state = 'accepted' AND task_id = NEW.task_id AND finished_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state <> 'saved'))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: only promptd sets succeeded, when the task has ended and its results are saved');
END;
