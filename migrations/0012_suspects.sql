-- promptd's schema, version 12: what was under way when promptd died.

PRAGMA user_version = 12;

CREATE TABLE suspects (
    -- claim: preparing a queued job; poll: asking about a task, and what was answered; download: fetching a result.
    step TEXT NOT NULL
        CONSTRAINT "suspects.step: claim, poll or download" CHECK (step IN ('claim', 'poll', 'download')),
    -- The job, of a claim or a download; the attempt, of a poll.
    subject INTEGER NOT NULL,
    -- Of a download: the result's ordinal; else 0.
    ordinal INTEGER NOT NULL DEFAULT 0,
    job_id INTEGER NOT NULL,
    -- How strong the suspicion is: 3 for each crash in a row, 1 for each other end that nobody asked for.
    weight INTEGER NOT NULL
        CONSTRAINT "suspects.weight: 0 to 1000" CHECK (weight BETWEEN 0 AND 1000),
    -- 1: it is left alone.
    is_aside INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "suspects.is_aside: 0 or 1" CHECK (is_aside IN (0, 1)),
    -- The version that died: another one tries again.
    version TEXT NOT NULL,
    reason TEXT NOT NULL
        CONSTRAINT "suspects.reason: at most 1000 characters" CHECK (length(reason) <= 1000),
    PRIMARY KEY (step, subject, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX suspects_job ON suspects (job_id);

-- Whoever tries a job again, tries all of it again; and of a job that waits again, what became of its last task is over.
CREATE TRIGGER suspects_released AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state <> 'queued'
BEGIN
    DELETE FROM suspects WHERE job_id = NEW.id;
    DELETE FROM set_aside WHERE job_id = NEW.id;
END;

-- Until when the provider wants no requests (Retry-After), over a restart.
ALTER TABLE daemon ADD COLUMN shut_until INTEGER;
