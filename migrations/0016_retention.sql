-- promptd's schema, version 16: finished jobs can be pruned, and a copy that is put in place of the database is noticed.

PRAGMA user_version = 16;

-- When what a job was about was removed: prompt, input, labels and results. Most jobs are deleted instead; this stays of those with a
-- unique_key that were paid for, so that whoever inserts the same list again next year does not pay again.
ALTER TABLE jobs ADD COLUMN pruned_at INTEGER
    CONSTRAINT "jobs.pruned_at: is written by promptd" CHECK (pruned_at BETWEEN 0 AND 253402300799999);

-- What has ended and can be pruned, by when it ended: found without reading the rest.
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL AND pruned_at IS NULL;

CREATE TRIGGER jobs_pruned_inserted BEFORE INSERT ON jobs WHEN NEW.pruned_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs.pruned_at: is written by promptd; leave it out');
END;

CREATE TRIGGER jobs_pruned BEFORE UPDATE OF pruned_at ON jobs WHEN OLD.pruned_at IS NOT NEW.pruned_at
BEGIN
    SELECT RAISE(ABORT, 'jobs.pruned_at: what was removed does not come back') WHERE OLD.pruned_at IS NOT NULL;
    SELECT RAISE(ABORT, 'jobs.pruned_at: is written by promptd, when a job has ended and its attempts are settled')
    WHERE OLD.state NOT IN ('succeeded', 'failed', 'cancelled') OR NEW.state <> OLD.state
        OR EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND finished_at IS NULL);
END;

CREATE TRIGGER jobs_pruned_stays BEFORE UPDATE OF state, prompt, input, labels ON jobs
WHEN OLD.pruned_at IS NOT NULL
    AND (NEW.state <> OLD.state OR NEW.prompt IS NOT OLD.prompt OR NEW.input <> OLD.input OR NEW.labels IS NOT OLD.labels)
BEGIN
    SELECT RAISE(ABORT, 'jobs: what this job was about was removed; insert another one, with another unique_key');
END;

DROP TRIGGER IF EXISTS jobs_content_frozen;
CREATE TRIGGER jobs_content_frozen BEFORE UPDATE OF priority, run_at, queue, prompt, input, labels, max_attempts ON jobs
WHEN OLD.state <> 'queued' AND NEW.state <> 'queued'
    AND (OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at OR OLD.queue <> NEW.queue
        OR OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input OR OLD.labels IS NOT NEW.labels
        -- Fewer attempts than before harm nobody.
        OR OLD.max_attempts < NEW.max_attempts)
    -- Pruning takes all texts at once, and nothing else.
    AND NOT (OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL AND NEW.prompt IS NULL AND NEW.input = '{}'
        AND NEW.labels IS NULL AND OLD.priority = NEW.priority AND OLD.run_at = NEW.run_at AND OLD.queue = NEW.queue
        AND OLD.max_attempts = NEW.max_attempts)
BEGIN
    SELECT RAISE(ABORT, 'jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued');
END;

-- The results of a pruned job go with what it was about.
DROP TRIGGER IF EXISTS results_kept;
CREATE TRIGGER results_kept BEFORE DELETE ON results
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'results: are paid for, and go with their job');
END;

-- Files of pruned jobs that are still to be removed. A row is made together with the removal of its job, and goes when the file is
-- gone, so that no crash leaves a file that nobody knows of.
CREATE TABLE removals (
    -- Relative to the media directory.
    path TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL,
    CONSTRAINT "removals.path: FOLDER/JOB-ORDINAL.EXTENSION, of its own job"
        CHECK (length(path) <= 4000 AND instr(path, char(0)) = 0 AND path NOT GLOB '*/*/*' AND path NOT GLOB '.*'
            AND path GLOB '?*/' || job_id || '-*')
) STRICT, WITHOUT ROWID;

-- What a job still shows is paid for, and stays.
CREATE TRIGGER removals_of_jobs BEFORE INSERT ON removals
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id AND pruned_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'removals: the files of a job stay as long as the job');
END;

CREATE TRIGGER removals_frozen BEFORE UPDATE ON removals
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd');
END;

-- The ledger is kept for ever; the texts of a job that is gone may go with it.
DROP TRIGGER IF EXISTS attempts_input_frozen;
CREATE TRIGGER attempts_input_frozen BEFORE UPDATE OF input ON attempts
WHEN OLD.input IS NOT NEW.input
    AND (NEW.input IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'attempts.input: was sent like that');
END;

DROP TRIGGER IF EXISTS attempts_result_frozen;
CREATE TRIGGER attempts_result_frozen BEFORE UPDATE OF result_json ON attempts
WHEN OLD.finished_at IS NOT NULL AND OLD.result_json IS NOT NEW.result_json
    AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
    AND (NEW.result_json IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'attempts.result_json: what the provider gave stays as it is');
END;

CREATE TRIGGER jobs_suspicion_deleted AFTER DELETE ON jobs
BEGIN
    DELETE FROM suspects WHERE job_id = OLD.id;
    DELETE FROM set_aside WHERE job_id = OLD.id;
END;

-- A copy knows that it is one. Whoever starts promptd on it may have lost requests that were made, and paid for, since then.
ALTER TABLE daemon ADD COLUMN is_copy INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.is_copy: 0 or 1" CHECK (is_copy IN (0, 1));
-- Whether the number of the last request is noted outside the database, too, from where a copy does not get it.
ALTER TABLE daemon ADD COLUMN has_marks INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.has_marks: 0 or 1" CHECK (has_marks IN (0, 1));
-- Since when nothing is submitted, because this may be an older copy; NULL: it is not.
ALTER TABLE daemon ADD COLUMN restored_at INTEGER
    CONSTRAINT "daemon.restored_at: Unix time in milliseconds" CHECK (restored_at BETWEEN 0 AND 253402300799999);
-- How many requests the copy does not know of; NULL: nobody can tell.
ALTER TABLE daemon ADD COLUMN restored_requests INTEGER
    CONSTRAINT "daemon.restored_requests: at least 0" CHECK (restored_requests >= 0);
-- The last job of the copy: what is inserted later was never sent.
ALTER TABLE daemon ADD COLUMN restored_job_id INTEGER
    CONSTRAINT "daemon.restored_job_id: at least 0" CHECK (restored_job_id >= 0);
-- Renewed whenever a copy is found, here and outside: of two databases that went on from one, each knows that the other is not it.
ALTER TABLE daemon ADD COLUMN branch TEXT
    CONSTRAINT "daemon.branch: at most 64 characters" CHECK (length(branch) <= 64);
