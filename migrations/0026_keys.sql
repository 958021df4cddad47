-- promptd's schema, version 26: a job with a key is not replaced by clients that fire delete triggers either.

PRAGMA user_version = 26;

-- INSERT OR REPLACE deletes the older row between the BEFORE and the AFTER trigger of the new one. Under
-- recursive_triggers its key goes with it, so that job_keys cannot tell; but what was there before can be noted. One row.
CREATE TABLE key_sought (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    unique_key TEXT,
    -- The job that had the key when an INSERT with it began; NULL: none.
    job_id INTEGER
) STRICT;

INSERT INTO key_sought (id) VALUES (1);

CREATE TRIGGER key_sought_kept BEFORE DELETE ON key_sought
BEGIN
    SELECT RAISE(ABORT, 'key_sought: is kept by the database');
END;

-- Writes only where a key is known, or was the last time.
CREATE TRIGGER jobs_key_sought BEFORE INSERT ON jobs WHEN NEW.unique_key IS NOT NULL
BEGIN
    UPDATE key_sought
    SET unique_key = NEW.unique_key, job_id = (SELECT job_id FROM job_keys WHERE unique_key = NEW.unique_key)
    WHERE unique_key = NEW.unique_key OR EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key);
END;

DROP TRIGGER jobs_key_inserted;

CREATE TRIGGER jobs_key_inserted AFTER INSERT ON jobs WHEN NEW.unique_key IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: INSERT OR REPLACE would forget a job with this unique_key; use ON CONFLICT DO NOTHING, or UPDATE it while it is queued')
    WHERE EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key)
        OR EXISTS (SELECT 1 FROM key_sought WHERE unique_key = NEW.unique_key AND job_id IS NOT NULL);
    INSERT INTO job_keys (unique_key, job_id) VALUES (NEW.unique_key, NEW.id);
END;
