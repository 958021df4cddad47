-- promptd's schema, version 27: a job may take files of this machine, which are uploaded before it is sent.

PRAGMA user_version = 27;

-- What an input takes of this machine: upload:SHA256.EXTENSION, a file that promptctl has put into the spool; or file:///PATH.
CREATE VIEW upload_references AS
SELECT DISTINCT j.id AS job_id, t.atom AS reference
FROM jobs AS j, json_tree(j.input) AS t
WHERE t.type = 'text' AND (t.atom GLOB 'file:///?*'
    OR (t.atom GLOB 'upload:*' AND length(t.atom) BETWEEN 73 AND 80 AND substr(t.atom, 8, 64) NOT GLOB '*[^0-9a-f]*'
        AND substr(t.atom, 72, 1) = '.' AND substr(t.atom, 73) NOT GLOB '*[^0-9a-z]*'));

CREATE TABLE uploads (
    -- upload:SHA256.EXTENSION and file:///PATH as in inputs; result:JOB/ORDINAL for a result whose URL may have ended.
    reference TEXT NOT NULL PRIMARY KEY,
    -- wanted: a queued job needs it. ready: the provider has it until expires_at. idle: no queued job needed it when that had passed.
    -- failed: it cannot be uploaded.
    state TEXT NOT NULL DEFAULT 'wanted'
        CONSTRAINT "uploads.state: wanted, ready, idle or failed" CHECK (state IN ('wanted', 'ready', 'idle', 'failed')),
    sha256 TEXT,
    bytes INTEGER,
    content_type TEXT,
    url TEXT,
    uploaded_at INTEGER,
    expires_at INTEGER,
    -- Why the last try failed, if it did.
    message TEXT,
    -- Whose last try is longest ago comes first.
    tried_at INTEGER NOT NULL DEFAULT 0,
    -- Since when no try has succeeded.
    failing_since INTEGER,
    -- How often jobs have named a file: whatever was read before the last of them is not what that one means.
    asked INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "uploads: what is ready has sha256, url, uploaded_at and expires_at"
        CHECK (state <> 'ready' OR (sha256 IS NOT NULL AND url IS NOT NULL AND uploaded_at IS NOT NULL AND expires_at IS NOT NULL)),
    CONSTRAINT "uploads: is written by promptd; a number or a text is out of bounds"
        CHECK (length(CAST(reference AS BLOB)) <= 8192 AND coalesce(length(sha256) = 64, 1)
            AND coalesce(bytes BETWEEN 0 AND 1000000000, 1) AND coalesce(length(content_type) <= 200, 1)
            AND coalesce(length(CAST(url AS BLOB)) <= 8192, 1) AND coalesce(uploaded_at BETWEEN 0 AND 253402300799999, 1)
            AND coalesce(expires_at BETWEEN 0 AND 253402300799999, 1) AND coalesce(length(message) <= 4000, 1)
            AND tried_at BETWEEN 0 AND 253402300799999 AND coalesce(failing_since BETWEEN 0 AND 253402300799999, 1)
            AND asked >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_wanted ON uploads (tried_at) WHERE state = 'wanted';
CREATE INDEX uploads_ending ON uploads (expires_at) WHERE state = 'ready';
CREATE INDEX uploads_content ON uploads (sha256) WHERE url IS NOT NULL;

CREATE TABLE job_uploads (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    reference TEXT NOT NULL,
    PRIMARY KEY (job_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_uploads_reference ON job_uploads (reference);

-- Of how many jobs and files something is still missing; NULL: a job takes none.
CREATE VIEW job_waits AS
SELECT
    j.id AS job_id,
    CASE WHEN EXISTS (SELECT 1 FROM job_inputs WHERE job_id = j.id) OR EXISTS (SELECT 1 FROM job_uploads WHERE job_id = j.id)
        THEN (SELECT count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END)
                FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = j.id)
            + (SELECT count(*) FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
                WHERE u.job_id = j.id AND f.state IS NOT 'ready')
        END AS waits
FROM jobs AS j;

CREATE TRIGGER job_uploads_checked BEFORE INSERT ON job_uploads
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input')
    WHERE NOT EXISTS (SELECT 1 FROM upload_references WHERE job_id = NEW.job_id AND reference = NEW.reference)
        AND NOT EXISTS (SELECT 1 FROM job_inputs
            WHERE job_id = NEW.job_id AND NEW.reference = 'result:' || source_id || '/' || ordinal);
    SELECT RAISE(ABORT, 'jobs.input: takes more than 100 files')
    WHERE (SELECT count(*) FROM job_uploads WHERE job_id = NEW.job_id) >= 100;
    SELECT RAISE(ABORT, 'jobs.input: a file: URL has at most 4096 bytes') WHERE length(CAST(NEW.reference AS BLOB)) > 4096;
END;

CREATE TRIGGER job_uploads_frozen BEFORE UPDATE ON job_uploads
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input');
END;

CREATE TRIGGER job_uploads_kept BEFORE DELETE ON job_uploads
WHEN EXISTS (SELECT 1 FROM upload_references WHERE job_id = OLD.job_id AND reference = OLD.reference)
    OR EXISTS (SELECT 1 FROM job_inputs
        WHERE job_id = OLD.job_id AND OLD.reference = 'result:' || source_id || '/' || ordinal)
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input');
END;

CREATE TRIGGER uploads_kept BEFORE DELETE ON uploads
WHEN EXISTS (SELECT 1 FROM job_uploads WHERE reference = OLD.reference)
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd; jobs take this file');
END;

CREATE TRIGGER uploads_reference_frozen BEFORE UPDATE OF reference ON uploads WHEN OLD.reference <> NEW.reference
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd');
END;

CREATE TRIGGER job_uploads_added AFTER INSERT ON job_uploads
BEGIN
    -- A file may have been changed since another job named it, and what could not be uploaded then may be there now.
    INSERT INTO uploads (reference) VALUES (NEW.reference)
    ON CONFLICT (reference) DO UPDATE SET state = 'wanted', asked = asked + 1,
        message = CASE state WHEN 'failed' THEN NULL ELSE message END,
        failing_since = CASE state WHEN 'failed' THEN NULL ELSE failing_since END
    WHERE state IN ('failed', 'idle') OR reference GLOB 'file:*';
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.job_id AND state = 'queued' AND turn IS NOT NULL
        AND (SELECT state FROM uploads WHERE reference = NEW.reference) <> 'ready';
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.job_id) WHERE id = NEW.job_id;
END;

CREATE TRIGGER uploads_changed AFTER UPDATE OF state ON uploads WHEN OLD.state <> NEW.state
BEGIN
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE NEW.state <> 'ready' AND state = 'queued' AND turn IS NOT NULL
        AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = jobs.id)
    WHERE state = 'queued' AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'upload_failed', error_message = coalesce(NEW.message, 'a file could not be uploaded')
    WHERE NEW.state = 'failed' AND state = 'queued'
        AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
END;

-- Whoever comes back to the queue needs what may have ended meanwhile; what the provider could not use it may have lost.
CREATE TRIGGER jobs_uploads_again AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state <> 'queued' AND EXISTS (SELECT 1 FROM job_uploads WHERE job_id = NEW.id)
BEGIN
    UPDATE uploads SET state = CASE state WHEN 'ready' THEN 'wanted' ELSE state END, url = NULL, expires_at = NULL
    WHERE OLD.error_code IS 'input_unusable' AND url IS NOT NULL AND sha256 IN (
        SELECT f.sha256 FROM job_uploads AS u JOIN uploads AS f ON f.reference = u.reference WHERE u.job_id = NEW.id);
    UPDATE uploads SET state = 'wanted', message = NULL, failing_since = NULL
    WHERE state IN ('failed', 'idle') AND reference IN (SELECT reference FROM job_uploads WHERE job_id = NEW.id);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND turn IS NOT NULL AND (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) > 0;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id AND state = 'queued';
END;

-- What follows is as it was, but for files.
DROP TRIGGER jobs_turn_inserted;
CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
    -- What may take something of others has its turn from jobs_inputs_inserted.
    AND NOT (instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
        OR instr(NEW.input, '\u'))
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

DROP TRIGGER jobs_inputs_inserted;
CREATE TRIGGER jobs_inputs_inserted AFTER INSERT ON jobs
WHEN instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
    OR instr(NEW.input, '\u')
BEGIN
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    -- 0 is no job: what is not there is refused with a word about it.
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references WHERE job_id = NEW.id;
    INSERT INTO job_uploads (job_id, reference) SELECT job_id, reference FROM upload_references WHERE job_id = NEW.id;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id)
    WHERE id = NEW.id AND EXISTS (SELECT 1 FROM job_inputs WHERE job_id = NEW.id);
    UPDATE jobs SET turn = -1 WHERE id = NEW.id AND run_at = 0 AND turn IS NULL AND coalesce(waits, 0) = 0;
END;

DROP TRIGGER jobs_inputs_changed;
CREATE TRIGGER jobs_inputs_changed AFTER UPDATE OF input ON jobs
WHEN OLD.input <> NEW.input
    AND (OLD.waits IS NOT NULL OR instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
        OR instr(NEW.input, '\u'))
BEGIN
    DELETE FROM job_inputs
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM input_references WHERE job_id = NEW.id);
    DELETE FROM job_uploads
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM upload_references WHERE job_id = NEW.id)
        AND reference NOT IN (SELECT 'result:' || source_id || '/' || ordinal FROM job_inputs WHERE job_id = NEW.id);
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM job_inputs WHERE job_id = NEW.id);
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that has failed, was cancelled, or is gone; retry that one first')
    WHERE NEW.state = 'queued' AND EXISTS (
        SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL));
    INSERT INTO job_uploads (job_id, reference)
    SELECT job_id, reference FROM upload_references
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM job_uploads WHERE job_id = NEW.id);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND turn IS NOT NULL AND (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) > 0;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id;
END;

DROP TRIGGER jobs_inputs_deleted;
CREATE TRIGGER jobs_inputs_deleted AFTER DELETE ON jobs WHEN OLD.waits IS NOT NULL
BEGIN
    DELETE FROM job_inputs WHERE job_id = OLD.id;
    DELETE FROM job_uploads WHERE job_id = OLD.id;
END;

DROP TRIGGER jobs_waits_frozen;
CREATE TRIGGER jobs_waits_frozen BEFORE UPDATE OF waits ON jobs
WHEN OLD.waits IS NOT NEW.waits AND NEW.waits IS NOT (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.waits: is written by the database');
END;

DROP TRIGGER jobs_inputs_ready;
CREATE TRIGGER jobs_inputs_ready AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state <> 'succeeded' AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = jobs.id)
    WHERE id IN (SELECT job_id FROM job_inputs WHERE source_id = NEW.id) AND waits IS NOT NULL;
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
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id AND state = 'queued' AND waits IS NOT NULL;
    UPDATE jobs SET turn = kept_turn, kept_turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND run_at = 0 AND coalesce(waits, 0) = 0;
END;
