-- Prices of the operator's own, and on what each estimate rests.

PRAGMA user_version = 3;

-- Overrides of the catalogue's prices -------------------------------------------------------------------------------

CREATE TABLE prices (
    model TEXT NOT NULL
        CONSTRAINT "prices.model: must not be empty" CHECK (model <> ''),
    -- Fields that the completed input must have, with these values; null: left out.
    input TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT "prices.input: must be a JSON object, like {""resolution"":""2K""}; {} fits every input"
        CHECK (CASE WHEN json_valid(input) THEN json_type(input) = 'object' ELSE 0 END),
    millicredits INTEGER NOT NULL
        CONSTRAINT "prices.millicredits: 0 to 1000000000, thousandths of a credit (5 credits are 5000)"
        CHECK (millicredits BETWEEN 0 AND 1000000000),
    -- What the price is multiplied by.
    per TEXT
        CONSTRAINT "prices.per: NULL (a task), a field with a number, like duration, or 1000 characters of FIELD"
        CHECK (per <> '' AND (instr(per, ' ') = 0 OR (per GLOB '1000 characters of ?*' AND instr(substr(per, 20), ' ') = 0))),
    source TEXT NOT NULL DEFAULT 'operator'
        CONSTRAINT "prices.source: operator; configuration is written by promptd, from catalogue.prices"
        CHECK (source IN ('operator', 'configuration')),
    note TEXT,
    PRIMARY KEY (model, input, source)
) STRICT, WITHOUT ROWID;

-- The daemon's catalogue.defaultPrice, for programs that do not read its configuration.
ALTER TABLE daemon ADD COLUMN default_price_millicredits INTEGER NOT NULL DEFAULT 20000
    CONSTRAINT "daemon.default_price_millicredits: at least 0" CHECK (default_price_millicredits >= 0);

-- What an estimate rests on -----------------------------------------------------------------------------------------

ALTER TABLE jobs ADD COLUMN estimate_basis TEXT
    CONSTRAINT "jobs.estimate_basis: listed, override, observed or default, together with estimated_millicredits"
    CHECK (estimate_basis IS NULL OR (estimate_basis IN ('listed', 'override', 'observed', 'default')
        AND estimated_millicredits IS NOT NULL));

-- What was reserved at the claim; reserved_millicredits goes to 0 when the attempt is settled.
ALTER TABLE attempts ADD COLUMN estimated_millicredits INTEGER
    CONSTRAINT "attempts.estimated_millicredits: at least 0" CHECK (estimated_millicredits >= 0);
ALTER TABLE attempts ADD COLUMN estimate_basis TEXT
    CONSTRAINT "attempts.estimate_basis: listed, override, observed or default"
    CHECK (estimate_basis IN ('listed', 'override', 'observed', 'default'));
-- 0: the provider reported no charge, and what was reserved is booked. NULL: settled by an older version.
ALTER TABLE attempts ADD COLUMN charge_reported INTEGER
    CONSTRAINT "attempts.charge_reported: NULL, 0 or 1" CHECK (charge_reported IN (0, 1));

UPDATE attempts SET estimated_millicredits = reserved_millicredits WHERE finished_at IS NULL;

CREATE TRIGGER attempts_estimate_frozen BEFORE UPDATE OF estimated_millicredits, estimate_basis ON attempts
WHEN OLD.estimated_millicredits IS NOT NEW.estimated_millicredits OR OLD.estimate_basis IS NOT NEW.estimate_basis
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

-- The latest charges of a model: by model, then id (the rowid, the index's last column).
CREATE INDEX attempts_charged ON attempts (model)
    WHERE state = 'accepted' AND error_code IS NULL AND charged_millicredits IS NOT NULL;

-- Views -------------------------------------------------------------------------------------------------------------

DROP VIEW job_status;
CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    estimated_millicredits / 1000.0 AS estimated_credits,
    estimate_basis,
    charged_millicredits / 1000.0 AS charged_credits,
    error_code, error_message,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    CASE WHEN run_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', run_at / 1000.0, 'unixepoch') END AS run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at / 1000.0, 'unixepoch') AS submitted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
    (SELECT group_concat(path, ' ') FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;
