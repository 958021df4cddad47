-- promptd's schema, version 15: what was sent is kept with the attempt, not completed again from a later catalogue.

PRAGMA user_version = 15;

-- A JSON object: complete, with the prompt and the defaults, as it was sent. NULL: sent by a version that did not keep it.
ALTER TABLE attempts ADD COLUMN input TEXT
    CONSTRAINT "attempts.input: at most 4 MiB" CHECK (length(CAST(input AS BLOB)) <= 4194304);

CREATE TRIGGER attempts_input_frozen BEFORE UPDATE OF input ON attempts WHEN OLD.input IS NOT NEW.input
BEGIN
    SELECT RAISE(ABORT, 'attempts.input: was sent like that');
END;
