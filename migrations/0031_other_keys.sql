-- promptd's schema, version 31: nothing slips from one account to another, and nothing is taken up that nobody can ask about.

PRAGMA user_version = 31;

-- INSERT OR REPLACE of a queue would forget its account, and send its jobs with another key. What was there is noted before
-- (one row), and put back after.
CREATE TABLE queue_sought (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT,
    account TEXT
) STRICT;

INSERT INTO queue_sought (id) VALUES (1);

CREATE TRIGGER queue_sought_kept BEFORE DELETE ON queue_sought
BEGIN
    SELECT RAISE(ABORT, 'queue_sought: is kept by the database');
END;

-- Writes only where an account is named, or was the last time.
CREATE TRIGGER queues_account_sought BEFORE INSERT ON queues
WHEN EXISTS (SELECT 1 FROM queues WHERE name = NEW.name AND account IS NOT NULL)
    OR EXISTS (SELECT 1 FROM queue_sought WHERE name = NEW.name)
BEGIN
    UPDATE queue_sought SET name = NEW.name, account = (SELECT account FROM queues WHERE name = NEW.name)
    WHERE name IS NOT NEW.name OR account IS NOT (SELECT account FROM queues WHERE name = NEW.name);
END;

CREATE TRIGGER queues_account_kept AFTER INSERT ON queues
WHEN NEW.account IS NULL AND EXISTS (SELECT 1 FROM queue_sought WHERE name = NEW.name AND account IS NOT NULL)
BEGIN
    UPDATE queues SET account = (SELECT account FROM queue_sought WHERE id = 1) WHERE name = NEW.name;
END;

-- What is paid for is taken up with the key that paid for it.
CREATE TRIGGER jobs_account_gone BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled') AND OLD.prompt IS NEW.prompt AND OLD.input = NEW.input
    AND EXISTS (SELECT 1 FROM attempts AS a JOIN accounts AS c ON c.name = a.account
        WHERE a.job_id = NEW.id AND NOT c.is_configured AND a.state = 'accepted'
            AND (a.finished_at IS NULL OR a.task_id IS OLD.task_id OR coalesce(a.error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: its task is of an account that is not in the configuration; put that back first');
END;
