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

-- Texts that name files, or that others find jobs by: char(unicode(x)) is x again, unless it is no valid UTF-8. Only what is
-- not plain ASCII is looked at letter by letter.
CREATE TRIGGER jobs_utf8_inserted BEFORE INSERT ON jobs
WHEN NEW.batch GLOB '*[^ -~]*' OR NEW.unique_key GLOB '*[^ -~]*' OR NEW.labels GLOB '*[^ -~]*'
BEGIN
    SELECT RAISE(ABORT, 'jobs: batch, unique_key and labels are valid UTF-8')
    WHERE EXISTS (SELECT 1 FROM (
        WITH RECURSIVE
            texts(text) AS (VALUES (NEW.batch), (NEW.unique_key), (NEW.labels)),
            place(text, n) AS (
                SELECT text, 1 FROM texts WHERE text GLOB '*[^ -~]*'
                UNION ALL SELECT text, n + 1 FROM place WHERE n < length(text))
        SELECT text, n FROM place) AS p
        WHERE char(unicode(substr(p.text, p.n, 1))) <> substr(p.text, p.n, 1));
END;

CREATE TRIGGER jobs_labels_utf8 BEFORE UPDATE OF labels ON jobs WHEN NEW.labels GLOB '*[^ -~]*'
BEGIN
    SELECT RAISE(ABORT, 'jobs.labels: valid UTF-8')
    WHERE EXISTS (SELECT 1 FROM (
        WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < length(NEW.labels))
        SELECT n FROM place) AS p
        WHERE char(unicode(substr(NEW.labels, p.n, 1))) <> substr(NEW.labels, p.n, 1));
END;
