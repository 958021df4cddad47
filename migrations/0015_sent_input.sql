-- promptd's schema, version 15: what was sent is kept with the attempt, not completed again from a later catalogue; bounds.

PRAGMA user_version = 15;

-- A JSON object: complete, with the prompt and the defaults, as it was sent. NULL: sent by a version that did not keep it.
ALTER TABLE attempts ADD COLUMN input TEXT
    CONSTRAINT "attempts.input: at most 4 MiB" CHECK (length(CAST(input AS BLOB)) <= 4194304);

CREATE TRIGGER attempts_input_frozen BEFORE UPDATE OF input ON attempts WHEN OLD.input IS NOT NEW.input
BEGIN
    SELECT RAISE(ABORT, 'attempts.input: was sent like that');
END;

-- What promptd writes about itself has bounds like everything else that somebody may write by SQL.
CREATE TRIGGER gates_bounded_insert BEFORE INSERT ON gates
WHEN NEW.closed_at NOT BETWEEN 0 AND 253402300799999 OR NEW.reopens_at NOT BETWEEN 0 AND 253402300799999
    OR length(NEW.name) > 500 OR length(NEW.queue) > 400 OR length(NEW.message) > 4000
BEGIN
    SELECT RAISE(ABORT, 'gates: is written by promptd; a number or a text is out of bounds');
END;

CREATE TRIGGER gates_bounded_update BEFORE UPDATE ON gates
WHEN NEW.closed_at NOT BETWEEN 0 AND 253402300799999 OR NEW.reopens_at NOT BETWEEN 0 AND 253402300799999
    OR length(NEW.name) > 500 OR length(NEW.queue) > 400 OR length(NEW.message) > 4000
BEGIN
    SELECT RAISE(ABORT, 'gates: is written by promptd; a number or a text is out of bounds');
END;

CREATE TRIGGER daemon_shut_bounded BEFORE UPDATE OF shut_until ON daemon
WHEN NEW.shut_until NOT BETWEEN 0 AND 253402300799999
BEGIN
    SELECT RAISE(ABORT, 'daemon: is written by promptd; a number is out of bounds');
END;

-- Texts that name files, or that others find jobs by: char(unicode(x)) is x again, unless it is no valid UTF-8 (or one of the two
-- that SQLite cannot name). Only what is not plain ASCII is looked at letter by letter, 256 at a time, since to find the nth letter
-- SQLite counts from the first. What is too long is refused elsewhere.
CREATE TRIGGER jobs_utf8_inserted BEFORE INSERT ON jobs
WHEN (NEW.batch GLOB '*[^ -~]*' OR NEW.unique_key GLOB '*[^ -~]*' OR NEW.labels GLOB '*[^ -~]*')
    AND length(CAST(coalesce(NEW.batch, '') AS BLOB)) <= 800
    AND length(CAST(coalesce(NEW.unique_key, '') AS BLOB)) <= 1000
    AND length(CAST(coalesce(NEW.labels, '') AS BLOB)) <= 65536
BEGIN
    SELECT RAISE(ABORT, 'jobs: batch, unique_key and labels are valid UTF-8')
    WHERE EXISTS (SELECT 1 FROM (
        WITH RECURSIVE
            parts(source, k, part) AS (
                SELECT c.column1, 0, substr(CASE c.column1 WHEN 1 THEN NEW.batch WHEN 2 THEN NEW.unique_key ELSE NEW.labels END,
                    1, 256)
                FROM (VALUES (1), (2), (3)) AS c
                UNION ALL
                SELECT source, k + 1, substr(CASE source WHEN 1 THEN NEW.batch WHEN 2 THEN NEW.unique_key ELSE NEW.labels END,
                    (k + 1) * 256 + 1, 256)
                FROM parts WHERE length(part) = 256),
            place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 256)
        SELECT substr(parts.part, place.n, 1) AS letter FROM parts JOIN place ON place.n <= length(parts.part)
        WHERE parts.part GLOB '*[^ -~]*') AS p
        WHERE char(unicode(p.letter)) <> p.letter AND hex(p.letter) NOT IN ('EFBFBE', 'EFBFBF'));
END;

CREATE TRIGGER jobs_labels_utf8 BEFORE UPDATE OF labels ON jobs
WHEN NEW.labels GLOB '*[^ -~]*' AND length(CAST(NEW.labels AS BLOB)) <= 65536
BEGIN
    SELECT RAISE(ABORT, 'jobs.labels: valid UTF-8')
    WHERE EXISTS (SELECT 1 FROM (
        WITH RECURSIVE
            parts(k, part) AS (
                SELECT 0, substr(NEW.labels, 1, 256)
                UNION ALL SELECT k + 1, substr(NEW.labels, (k + 1) * 256 + 1, 256) FROM parts WHERE length(part) = 256),
            place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 256)
        SELECT substr(parts.part, place.n, 1) AS letter FROM parts JOIN place ON place.n <= length(parts.part)
        WHERE parts.part GLOB '*[^ -~]*') AS p
        WHERE char(unicode(p.letter)) <> p.letter AND hex(p.letter) NOT IN ('EFBFBE', 'EFBFBF'));
END;
