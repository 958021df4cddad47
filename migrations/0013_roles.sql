-- promptd's schema, version 13: what each result is, and whatever else a task brought.

PRAGMA user_version = 13;

-- result: what was asked for; else the provider's field without Url, such as firstFrame or lastFrame.
ALTER TABLE results ADD COLUMN role TEXT NOT NULL DEFAULT 'result'
    CONSTRAINT "results.role: at most 200 characters" CHECK (length(role) <= 200 AND instr(role, char(0)) = 0);

-- The provider's resultJson as it came, where it holds more than the rows of results do; NULL where they hold all of it.
ALTER TABLE attempts ADD COLUMN result_json TEXT
    CONSTRAINT "attempts.result_json: at most 1 MiB" CHECK (length(CAST(result_json AS BLOB)) <= 1048576);

DROP TRIGGER results_frozen;
CREATE TRIGGER results_frozen BEFORE UPDATE ON results
WHEN OLD.job_id <> NEW.job_id OR OLD.ordinal <> NEW.ordinal OR OLD.attempt_id <> NEW.attempt_id
    OR OLD.url IS NOT NEW.url OR OLD.content IS NOT NEW.content OR OLD.created_at <> NEW.created_at
    OR OLD.role IS NOT NEW.role
    OR (OLD.state = 'saved' AND (NEW.state IS NOT 'saved' OR OLD.path IS NOT NEW.path OR OLD.bytes IS NOT NEW.bytes
        OR OLD.sha256 IS NOT NEW.sha256 OR OLD.content_type IS NOT NEW.content_type
        OR OLD.saved_at IS NOT NEW.saved_at OR OLD.error_message IS NOT NEW.error_message))
BEGIN
    SELECT RAISE(ABORT, 'results: what was paid for and saved stays as it is');
END;

-- It stays, but for a task that had failed and has succeeded after all.
CREATE TRIGGER attempts_result_frozen BEFORE UPDATE OF result_json ON attempts
WHEN OLD.finished_at IS NOT NULL AND OLD.result_json IS NOT NEW.result_json
    AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'attempts.result_json: what the provider gave stays as it is');
END;
