-- promptd's schema, version 16: finished jobs can be pruned, and a copy that is put in place of the database is noticed.

PRAGMA user_version = 16;

-- What has ended, by when: found without reading the rest.
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- Files of pruned jobs that are still to be removed. A row is made together with the deletion of its job, and goes when the file
-- is gone, so that no crash leaves a file that nobody knows of.
CREATE TABLE removals (
    -- Relative to the media directory.
    path TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL,
    CONSTRAINT "removals.path: FOLDER/JOB-ORDINAL.EXTENSION, of its own job"
        CHECK (length(path) <= 4000 AND instr(path, char(0)) = 0 AND path NOT GLOB '*/*/*' AND path NOT GLOB '.*'
            AND path GLOB '?*/' || job_id || '-*')
) STRICT, WITHOUT ROWID;

-- What a job still shows is paid for, and stays.
CREATE TRIGGER removals_of_jobs BEFORE INSERT ON removals WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id)
BEGIN
    SELECT RAISE(ABORT, 'removals: the files of a job stay as long as the job');
END;

CREATE TRIGGER removals_frozen BEFORE UPDATE ON removals
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd');
END;

-- The ledger is kept for ever; the texts of a job that is gone may go with it.
DROP TRIGGER attempts_input_frozen;
CREATE TRIGGER attempts_input_frozen BEFORE UPDATE OF input ON attempts
WHEN OLD.input IS NOT NEW.input
    AND (NEW.input IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id))
BEGIN
    SELECT RAISE(ABORT, 'attempts.input: was sent like that');
END;

DROP TRIGGER attempts_result_frozen;
CREATE TRIGGER attempts_result_frozen BEFORE UPDATE OF result_json ON attempts
WHEN OLD.finished_at IS NOT NULL AND OLD.result_json IS NOT NEW.result_json
    AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
    AND (NEW.result_json IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id))
BEGIN
    SELECT RAISE(ABORT, 'attempts.result_json: what the provider gave stays as it is');
END;

CREATE TRIGGER jobs_suspicion_deleted AFTER DELETE ON jobs
BEGIN
    DELETE FROM suspects WHERE job_id = OLD.id;
    DELETE FROM set_aside WHERE job_id = OLD.id;
END;

-- A key whose job was paid for stays taken when the job is deleted: whoever inserts the same list again next year does not pay
-- again. To free it: DELETE FROM job_keys WHERE unique_key = '...'.
DROP TRIGGER jobs_key_deleted;
CREATE TRIGGER jobs_key_deleted AFTER DELETE ON jobs
WHEN OLD.unique_key IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND charged_millicredits > 0)
BEGIN
    DELETE FROM job_keys WHERE unique_key = OLD.unique_key;
END;

-- The first statement fails as a second job with the key would, with "UNIQUE constraint failed: job_keys.unique_key"; under INSERT
-- OR IGNORE, which statements in triggers inherit, it does nothing, and the last one skips the row.
CREATE TRIGGER jobs_key_kept BEFORE INSERT ON jobs
WHEN NEW.unique_key IS NOT NULL
    AND EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key)
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE unique_key = NEW.unique_key)
BEGIN
    INSERT INTO job_keys (unique_key, job_id) VALUES (NEW.unique_key, 0);
    SELECT RAISE(ABORT, 'jobs.unique_key: a job with this key was paid for, and deleted since; to make another, delete the key from job_keys')
    WHERE EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key AND job_id = 0);
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER job_keys_bounded BEFORE INSERT ON job_keys WHEN NEW.job_id < 0
BEGIN
    SELECT RAISE(ABORT, 'job_keys: goes with its job');
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
