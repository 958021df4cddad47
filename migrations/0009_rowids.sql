-- promptd's schema, version 9: no way around the identity of jobs and attempts.

PRAGMA user_version = 9;

-- An INTEGER PRIMARY KEY is also called rowid, oid and _rowid_ (https://sqlite.org/lang_createtable.html#rowid), and a
-- trigger on UPDATE OF id does not fire for UPDATE … SET rowid.
CREATE TRIGGER jobs_rowid_frozen BEFORE UPDATE ON jobs WHEN OLD.id <> NEW.id
BEGIN
    SELECT RAISE(ABORT, 'jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another');
END;

CREATE TRIGGER attempts_rowid_frozen BEFORE UPDATE ON attempts WHEN OLD.id <> NEW.id
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

-- How long a task took is written when it is settled.
CREATE TRIGGER attempts_took_frozen BEFORE UPDATE OF took_milliseconds ON attempts
WHEN OLD.finished_at IS NOT NULL AND OLD.took_milliseconds IS NOT NEW.took_milliseconds
BEGIN
    SELECT RAISE(ABORT, 'attempts: what is settled stays as it is');
END;

-- Readings of the balance are evidence: they are written once. The oldest are removed.
CREATE TRIGGER account_readings_frozen BEFORE UPDATE ON account_readings
BEGIN
    SELECT RAISE(ABORT, 'account_readings: what was read stays as it is');
END;
