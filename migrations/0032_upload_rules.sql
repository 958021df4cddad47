-- promptd's schema, version 32: what is known of a file is not replaced, and how often it was named has a bound.

PRAGMA user_version = 32;

-- REPLACE fires no trigger for what it removes, so nobody would tell the jobs that take the file.
CREATE TRIGGER uploads_once BEFORE INSERT ON uploads
WHEN EXISTS (SELECT 1 FROM uploads WHERE reference = NEW.reference)
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd; this file is known already');
END;

CREATE TRIGGER uploads_asked_added BEFORE INSERT ON uploads WHEN NEW.asked > 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'uploads.asked: is written by the database; it is out of bounds');
END;

CREATE TRIGGER uploads_asked_changed BEFORE UPDATE OF asked ON uploads WHEN NEW.asked > 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'uploads.asked: is written by the database; it is out of bounds');
END;

-- As it was, but that it inserts only what is not there, and that asked begins anew at its bound: it changes each time.
DROP TRIGGER job_uploads_added;
CREATE TRIGGER job_uploads_added AFTER INSERT ON job_uploads
BEGIN
    -- A file may have been changed since another job named it, and what could not be uploaded then may be there now.
    UPDATE uploads SET state = 'wanted', asked = CASE WHEN asked < 4000000000000000 THEN asked + 1 ELSE 0 END,
        message = CASE state WHEN 'failed' THEN NULL ELSE message END,
        failing_since = CASE state WHEN 'failed' THEN NULL ELSE failing_since END
    WHERE reference = NEW.reference AND (state IN ('failed', 'idle') OR reference GLOB 'file:*');
    INSERT INTO uploads (reference)
    SELECT NEW.reference WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE reference = NEW.reference);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.job_id AND state = 'queued' AND turn IS NOT NULL
        AND (SELECT state FROM uploads WHERE reference = NEW.reference) <> 'ready';
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.job_id) WHERE id = NEW.job_id;
END;
