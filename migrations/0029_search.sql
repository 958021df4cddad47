-- promptd's schema, version 29: what an index of prompts cannot see by the number of the last job that it has.

PRAGMA user_version = 29;

-- promptd keeps an index of the words of prompts in a file of its own (DATABASE-search), takes these into it, and removes them here.
CREATE TABLE search_changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL
) STRICT;

CREATE TRIGGER jobs_search_changed AFTER UPDATE OF prompt ON jobs WHEN OLD.prompt IS NOT NEW.prompt
BEGIN
    INSERT INTO search_changes (job_id) VALUES (NEW.id);
END;

CREATE TRIGGER jobs_search_deleted AFTER DELETE ON jobs
BEGIN
    INSERT INTO search_changes (job_id) VALUES (OLD.id);
END;

-- A job that was given its number, below others.
CREATE TRIGGER jobs_search_inserted AFTER INSERT ON jobs WHEN NEW.id < (SELECT max(id) FROM jobs)
BEGIN
    INSERT INTO search_changes (job_id) VALUES (NEW.id);
END;
