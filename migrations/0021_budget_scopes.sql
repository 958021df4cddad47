-- promptd's schema, version 21: budgets for a model, a batch or a label.

PRAGMA user_version = 21;

ALTER TABLE budgets ADD COLUMN model TEXT
    CONSTRAINT "budgets.model: NULL (all) or a model" CHECK (length(model) BETWEEN 1 AND 1000 AND instr(model, char(0)) = 0);
ALTER TABLE budgets ADD COLUMN batch TEXT
    CONSTRAINT "budgets.batch: NULL (all) or 1 to 200 characters"
    CHECK (length(batch) BETWEEN 1 AND 200 AND instr(batch, char(0)) = 0);
ALTER TABLE budgets ADD COLUMN label TEXT
    CONSTRAINT "budgets.label: NULL (all) or NAME=VALUE, like client=acme"
    CHECK (length(label) <= 1000 AND instr(label, '=') > 1 AND instr(label, char(0)) = 0);

-- Which jobs the budgets are about that ask for more than a queue. The one place where that is decided.
CREATE VIEW budget_jobs AS
SELECT b.name AS budget, j.id AS job_id
FROM jobs AS j
JOIN budgets AS b ON (b.queue IS NULL OR b.queue = j.queue) AND (b.model IS NULL OR b.model = j.model)
    AND (b.batch IS NULL OR b.batch = j.batch)
    AND (b.label IS NULL OR EXISTS (
        -- Where somebody has got round the CHECK, the labels count as none.
        SELECT 1 FROM json_each(CASE WHEN json_valid(j.labels) THEN j.labels END) AS l
        WHERE l.key = substr(b.label, 1, instr(b.label, '=') - 1)
            -- true is 1 as a value, and true as a type.
            AND substr(b.label, instr(b.label, '=') + 1) IN (CAST(l.value AS TEXT), CASE WHEN l.type IN ('true', 'false') THEN l.type END)))
WHERE b.model IS NOT NULL OR b.batch IS NOT NULL OR b.label IS NOT NULL;

-- Which attempts count towards such a budget: decided when they were sent, and kept, as the labels of a job may change.
CREATE TABLE budget_attempts (
    budget TEXT NOT NULL,
    attempt_id INTEGER NOT NULL,
    PRIMARY KEY (budget, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX budget_attempts_attempt ON budget_attempts (attempt_id);

-- What such a budget has reserved and spent, by the time in which its attempts were sent, as `spending` has it by queue.
CREATE TABLE budget_spending (
    budget TEXT NOT NULL,
    period TEXT NOT NULL CHECK (period IN ('hour', 'day', 'total')),
    starts_at INTEGER NOT NULL,
    reserved_millicredits INTEGER NOT NULL
        CONSTRAINT "budget_spending: is written by promptd; a number is out of bounds"
        CHECK (reserved_millicredits BETWEEN -4000000000000000 AND 4000000000000000),
    charged_millicredits INTEGER NOT NULL
        CONSTRAINT "budget_spending: is written by promptd; a number is out of bounds"
        CHECK (charged_millicredits BETWEEN -4000000000000000 AND 4000000000000000),
    PRIMARY KEY (budget, period, starts_at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER budget_spending_reserved AFTER INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM budgets WHERE model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL)
BEGIN
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT budget, NEW.id FROM budget_jobs WHERE job_id = NEW.job_id;
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT m.budget, p.column1, p.column2, NEW.reserved_millicredits, 0
    FROM budget_attempts AS m, (VALUES ('hour', NEW.sent_at / 3600000 * 3600000),
        ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0)) AS p
    WHERE m.attempt_id = NEW.id
    ON CONFLICT (budget, period, starts_at) DO UPDATE SET
        reserved_millicredits = min(4000000000000000, reserved_millicredits + excluded.reserved_millicredits);
END;

CREATE TRIGGER budget_spending_settled AFTER UPDATE OF reserved_millicredits, charged_millicredits ON attempts
WHEN (OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS NOT NEW.charged_millicredits)
    AND EXISTS (SELECT 1 FROM budget_attempts WHERE attempt_id = NEW.id)
BEGIN
    UPDATE budget_spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE budget IN (SELECT budget FROM budget_attempts WHERE attempt_id = NEW.id)
        -- For the index; the pairs alone would read all of a budget.
        AND period IN ('hour', 'day', 'total')
        AND starts_at IN (NEW.sent_at / 3600000 * 3600000, NEW.sent_at / 86400000 * 86400000, 0)
        AND (period, starts_at) IN (VALUES ('hour', NEW.sent_at / 3600000 * 3600000),
            ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0));
END;

-- As it was, but for two conditions that let the key be used.
DROP TRIGGER spending_settled;
CREATE TRIGGER spending_settled AFTER UPDATE OF reserved_millicredits, charged_millicredits ON attempts
WHEN OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
BEGIN
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE queue = NEW.queue AND period IN ('hour', 'day', 'total')
        AND starts_at IN (NEW.sent_at / 3600000 * 3600000, NEW.sent_at / 86400000 * 86400000, 0)
        AND (period, starts_at) IN (VALUES
            ('hour', NEW.sent_at / 3600000 * 3600000), ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0));
END;

-- What was sent before a budget was made counts as well, as far as its job is still known. INSERT OR REPLACE fires no delete
-- trigger, so what is there of the name goes first.
CREATE TRIGGER budgets_scope_inserted AFTER INSERT ON budgets
BEGIN
    DELETE FROM budget_attempts WHERE budget = NEW.name;
    DELETE FROM budget_spending WHERE budget = NEW.name;
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT NEW.name, a.id FROM budget_jobs AS b JOIN attempts AS a ON a.job_id = b.job_id WHERE b.budget = NEW.name;
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT NEW.name, p.column1, a.sent_at / p.column2 * p.column2, sum(a.reserved_millicredits),
        sum(coalesce(a.charged_millicredits, 0))
    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p
    WHERE m.budget = NEW.name GROUP BY 2, 3;
END;

-- Another name takes along what was spent.
CREATE TRIGGER budgets_scope_renamed AFTER UPDATE OF name ON budgets
WHEN OLD.name <> NEW.name AND OLD.queue IS NEW.queue AND OLD.model IS NEW.model AND OLD.batch IS NEW.batch
    AND OLD.label IS NEW.label
BEGIN
    DELETE FROM budget_attempts WHERE budget = NEW.name;
    DELETE FROM budget_spending WHERE budget = NEW.name;
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT NEW.name, attempt_id FROM budget_attempts WHERE budget = OLD.name;
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT NEW.name, period, starts_at, reserved_millicredits, charged_millicredits FROM budget_spending WHERE budget = OLD.name;
    DELETE FROM budget_attempts WHERE budget = OLD.name;
    DELETE FROM budget_spending WHERE budget = OLD.name;
END;

CREATE TRIGGER budgets_scope_updated AFTER UPDATE OF name, queue, model, batch, label ON budgets
WHEN OLD.queue IS NOT NEW.queue OR OLD.model IS NOT NEW.model OR OLD.batch IS NOT NEW.batch
    OR OLD.label IS NOT NEW.label
BEGIN
    DELETE FROM budget_attempts WHERE budget IN (OLD.name, NEW.name);
    DELETE FROM budget_spending WHERE budget IN (OLD.name, NEW.name);
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT NEW.name, a.id FROM budget_jobs AS b JOIN attempts AS a ON a.job_id = b.job_id WHERE b.budget = NEW.name;
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT NEW.name, p.column1, a.sent_at / p.column2 * p.column2, sum(a.reserved_millicredits),
        sum(coalesce(a.charged_millicredits, 0))
    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p
    WHERE m.budget = NEW.name GROUP BY 2, 3;
END;

CREATE TRIGGER budgets_scope_deleted AFTER DELETE ON budgets
BEGIN
    DELETE FROM budget_attempts WHERE budget = OLD.name;
    DELETE FROM budget_spending WHERE budget = OLD.name;
END;

CREATE TRIGGER budget_attempts_frozen BEFORE UPDATE ON budget_attempts
BEGIN
    SELECT RAISE(ABORT, 'budget_attempts: is written by promptd');
END;

DROP VIEW budget_status;
DROP VIEW budget_sums;
DROP VIEW budget_periods;

CREATE VIEW budget_periods AS
SELECT
    name, queue, period, limit_millicredits,
    CASE period
        WHEN 'hour' THEN unixepoch('now') / 3600 * 3600000
        WHEN 'day' THEN unixepoch('now', 'start of day') * 1000
        WHEN 'week' THEN unixepoch('now', 'start of day', 'weekday 0', '-6 days') * 1000
        WHEN 'month' THEN unixepoch('now', 'start of month') * 1000
        ELSE 0
    END AS starts_at,
    CASE period
        WHEN 'hour' THEN (unixepoch('now') / 3600 + 1) * 3600000
        WHEN 'day' THEN unixepoch('now', 'start of day', '+1 day') * 1000
        WHEN 'week' THEN unixepoch('now', 'start of day', 'weekday 0', '+1 day') * 1000
        WHEN 'month' THEN unixepoch('now', 'start of month', '+1 month') * 1000
    END AS resets_at,
    model, batch, label,
    model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL AS is_scoped,
    CASE period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END AS sums
FROM budgets;

CREATE VIEW budget_sums AS
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(sum(s.reserved_millicredits), 0) AS reserved_millicredits,
    coalesce(sum(s.charged_millicredits), 0) AS charged_millicredits,
    p.model, p.batch, p.label
FROM budget_periods AS p
LEFT JOIN spending AS s ON s.starts_at >= p.starts_at AND s.period = p.sums AND (p.queue IS NULL OR s.queue = p.queue)
WHERE NOT p.is_scoped
GROUP BY p.name
UNION ALL
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(sum(s.reserved_millicredits), 0), coalesce(sum(s.charged_millicredits), 0),
    p.model, p.batch, p.label
FROM budget_periods AS p
LEFT JOIN budget_spending AS s ON s.budget = p.name AND s.period = p.sums AND s.starts_at >= p.starts_at
WHERE p.is_scoped
GROUP BY p.name;

CREATE VIEW budget_status AS
SELECT
    name AS budget, queue, period,
    limit_millicredits / 1000.0 AS "limit",
    reserved_millicredits / 1000.0 AS reserved,
    charged_millicredits / 1000.0 AS spent,
    (limit_millicredits - reserved_millicredits - charged_millicredits) / 1000.0 AS remaining,
    strftime('%Y-%m-%dT%H:%M:%SZ', resets_at / 1000, 'unixepoch') AS resets_at,
    model, batch, label
FROM budget_sums;
