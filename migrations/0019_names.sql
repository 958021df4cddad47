-- promptd's schema, version 19: results are named as downloads.names says.

PRAGMA user_version = 19;

-- Whoever reads a path may follow it: it leads to a visible file in a visible folder of the media directory, or below one.
CREATE TRIGGER results_path BEFORE UPDATE OF path ON results
WHEN OLD.path IS NOT NEW.path AND NEW.path IS NOT NULL
    AND ('/' || NEW.path GLOB '*/.*' OR '/' || NEW.path GLOB '*//*' OR NEW.path GLOB '*/')
BEGIN
    SELECT RAISE(ABORT, 'results.path: is relative to the media directory, and stays within it');
END;

CREATE TRIGGER results_path_inserted BEFORE INSERT ON results
WHEN NEW.path IS NOT NULL
    AND ('/' || NEW.path GLOB '*/.*' OR '/' || NEW.path GLOB '*//*' OR NEW.path GLOB '*/')
BEGIN
    SELECT RAISE(ABORT, 'results.path: is relative to the media directory, and stays within it');
END;

-- A name need not have the number of its job any more. Instead a file is named for removal while its row is still there.
DROP TRIGGER removals_of_jobs;
DROP TRIGGER removals_frozen;
ALTER TABLE removals RENAME TO removals_before;

CREATE TABLE removals (
    -- Relative to the media directory.
    path TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL,
    CONSTRAINT "removals.path: a file in a folder of the media directory"
        CHECK (length(path) <= 4000 AND instr(path, char(0)) = 0 AND path GLOB '?*/?*'
            AND '/' || path NOT GLOB '*/.*' AND '/' || path NOT GLOB '*//*' AND path NOT GLOB '*/')
) STRICT, WITHOUT ROWID;

INSERT INTO removals SELECT path, job_id FROM removals_before;
DROP TABLE removals_before;

-- It is removed when the job is gone, or pruned: what a job still shows is paid for, and stays.
CREATE TRIGGER removals_of_results BEFORE INSERT ON removals
WHEN NOT EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND path = NEW.path AND state = 'saved')
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd, for the files of a job that it prunes');
END;

CREATE TRIGGER removals_frozen BEFORE UPDATE ON removals
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd');
END;

-- A name that was free again has another file now: that one stays.
CREATE TRIGGER results_path_taken AFTER UPDATE OF path ON results
WHEN NEW.path IS NOT NULL AND OLD.path IS NOT NEW.path
BEGIN
    DELETE FROM removals WHERE path = NEW.path;
END;
