-- promptd's schema, version 28: several accounts at the provider.

PRAGMA user_version = 28;

DROP VIEW daemon_status;
DROP VIEW queue_status;
DROP VIEW batch_status;
DROP VIEW daemon_load;
DROP VIEW account_status;
DROP VIEW budget_status;
DROP VIEW budget_sums;
DROP VIEW budget_periods;
DROP VIEW budget_jobs;
DROP TRIGGER budget_spending_reserved;
DROP TRIGGER budgets_scope_inserted;
DROP TRIGGER budgets_scope_updated;
DROP TRIGGER budgets_scope_renamed;

-- An account is what a key opens: it has a balance, a rate window and places of its own. `default` is always there; the
-- configuration names others. None goes: the ledger needs it for ever.
CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "accounts.name: letters, digits, _ and -, 64 at most"
        CHECK (length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^A-Za-z0-9_-]*' AND instr(name, char(0)) = 0),
    -- Whether promptd works with it, as the configuration was at its last start.
    is_configured INTEGER NOT NULL DEFAULT 1
        CONSTRAINT "accounts.is_configured: 0 or 1" CHECK (is_configured IN (0, 1)),
    balance_millicredits INTEGER,
    balance_at INTEGER,
    -- When the balance was asked for, and the last attempt that there was when it was noted: later ones are not in it.
    balance_asked_at INTEGER,
    balance_attempt_id INTEGER,
    rate_limit INTEGER,
    rate_window_ms INTEGER,
    running_limit INTEGER,
    -- credits.reserve, unconfirmed.policy and unconfirmed.window, as they are kept now.
    credit_reserve_millicredits INTEGER,
    unconfirmed_policy TEXT,
    unconfirmed_window_ms INTEGER,
    -- Until when the provider wants no requests (Retry-After), over a restart.
    shut_until INTEGER,
    -- For tasks that the provider has made.
    charged_millicredits INTEGER NOT NULL DEFAULT 0,
    -- For requests that were given up without an answer: they may have been charged.
    presumed_millicredits INTEGER NOT NULL DEFAULT 0,
    -- Reserved or presumed for requests without an answer whose task turned up later.
    adopted_millicredits INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO accounts (name, balance_millicredits, balance_at, balance_asked_at, balance_attempt_id, rate_limit, rate_window_ms,
    running_limit, credit_reserve_millicredits, unconfirmed_policy, unconfirmed_window_ms, shut_until,
    charged_millicredits, presumed_millicredits, adopted_millicredits)
SELECT 'default', d.balance_millicredits, d.balance_at, d.balance_asked_at, d.balance_attempt_id, d.rate_limit, d.rate_window_ms,
    d.running_limit, d.credit_reserve_millicredits, d.unconfirmed_policy, d.unconfirmed_window_ms, d.shut_until,
    t.charged_millicredits, t.presumed_millicredits, t.adopted_millicredits
FROM daemon AS d, account_totals AS t;

CREATE TRIGGER accounts_bounded_insert BEFORE INSERT ON accounts
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.running_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.credit_reserve_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unconfirmed_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.shut_until NOT BETWEEN 0 AND 253402300799999 OR length(NEW.unconfirmed_policy) > 20
BEGIN
    SELECT RAISE(ABORT, 'accounts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER accounts_bounded_update BEFORE UPDATE ON accounts
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.balance_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.rate_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.running_limit NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.credit_reserve_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unconfirmed_window_ms NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.shut_until NOT BETWEEN 0 AND 253402300799999 OR length(NEW.unconfirmed_policy) > 20
BEGIN
    SELECT RAISE(ABORT, 'accounts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER accounts_kept BEFORE DELETE ON accounts
BEGIN
    SELECT RAISE(ABORT, 'accounts: is kept; promptctl doctor compares it with the ledger');
END;

CREATE TRIGGER accounts_named BEFORE UPDATE OF name ON accounts WHEN OLD.name <> NEW.name
BEGIN
    SELECT RAISE(ABORT, 'accounts.name: does not change; attempts bear it');
END;

CREATE TRIGGER accounts_not_replaced BEFORE INSERT ON accounts WHEN EXISTS (SELECT 1 FROM accounts WHERE name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'accounts: is there already; promptd writes it');
END;

-- Under which account a request was sent: that one pays for it, is asked about its task, and has its slot.
ALTER TABLE attempts ADD COLUMN account TEXT NOT NULL DEFAULT 'default'
    CONSTRAINT "attempts.account: 1 to 64 characters" CHECK (length(account) BETWEEN 1 AND 64);

CREATE TRIGGER attempts_account BEFORE INSERT ON attempts WHEN NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'attempts.account: there is no such account');
END;

DROP TRIGGER attempts_identity_frozen;

CREATE TRIGGER attempts_identity_frozen BEFORE UPDATE OF id, job_id, token, queue, model, sent_at, account ON attempts
WHEN OLD.id <> NEW.id OR OLD.job_id <> NEW.job_id OR OLD.token <> NEW.token OR OLD.queue <> NEW.queue
    OR OLD.model <> NEW.model OR OLD.sent_at <> NEW.sent_at OR OLD.account <> NEW.account
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

DROP TRIGGER attempts_adopted;

CREATE TRIGGER attempts_adopted AFTER UPDATE OF state ON attempts
WHEN OLD.state = 'unknown' AND NEW.state = 'accepted'
BEGIN
    UPDATE accounts SET adopted_millicredits = max(-4000000000000000, min(4000000000000000, adopted_millicredits
        + OLD.reserved_millicredits + coalesce(OLD.charged_millicredits, 0)))
    WHERE name = NEW.account;
END;

DROP TRIGGER attempts_booked;

CREATE TRIGGER attempts_booked AFTER UPDATE OF state, charged_millicredits ON attempts
WHEN OLD.charged_millicredits IS NOT NEW.charged_millicredits
    OR (NEW.charged_millicredits IS NOT NULL AND (OLD.state = 'unknown') <> (NEW.state = 'unknown'))
BEGIN
    UPDATE accounts SET
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN 0 ELSE coalesce(OLD.charged_millicredits, 0) END
            + CASE WHEN NEW.state = 'unknown' THEN 0 ELSE coalesce(NEW.charged_millicredits, 0) END)),
        presumed_millicredits = max(-4000000000000000, min(4000000000000000, presumed_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN coalesce(OLD.charged_millicredits, 0) ELSE 0 END
            + CASE WHEN NEW.state = 'unknown' THEN coalesce(NEW.charged_millicredits, 0) ELSE 0 END))
    WHERE name = NEW.account;
END;

DROP TABLE account_totals;

ALTER TABLE account_readings ADD COLUMN account TEXT NOT NULL DEFAULT 'default'
    CONSTRAINT "account_readings.account: 1 to 64 characters" CHECK (length(account) BETWEEN 1 AND 64);

DROP INDEX account_readings_settled;
CREATE INDEX account_readings_settled ON account_readings (account, last_attempt_id) WHERE in_flight = 0 AND open_tasks = 0;
CREATE INDEX account_readings_account ON account_readings (account);

DROP TRIGGER daemon_shut_bounded;
DROP TRIGGER daemon_bounded;

ALTER TABLE daemon DROP COLUMN balance_millicredits;
ALTER TABLE daemon DROP COLUMN balance_at;
ALTER TABLE daemon DROP COLUMN balance_asked_at;
ALTER TABLE daemon DROP COLUMN balance_attempt_id;
ALTER TABLE daemon DROP COLUMN rate_limit;
ALTER TABLE daemon DROP COLUMN rate_window_ms;
ALTER TABLE daemon DROP COLUMN running_limit;
ALTER TABLE daemon DROP COLUMN credit_reserve_millicredits;
ALTER TABLE daemon DROP COLUMN unconfirmed_policy;
ALTER TABLE daemon DROP COLUMN unconfirmed_window_ms;
ALTER TABLE daemon DROP COLUMN shut_until;

CREATE TRIGGER daemon_bounded BEFORE UPDATE ON daemon
WHEN NEW.default_price_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.started_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.stopped_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.heartbeat_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_error_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.pid NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'daemon: is written by promptd; a number is out of bounds');
END;

-- What is closed is of an account; '' holds all of them.
CREATE TABLE gates_now AS SELECT name, queue, closed_at, reopens_at, message FROM gates;
DROP TABLE gates;

CREATE TABLE gates (
    -- budget:NAME, credits, rate, running, provider, key, model:NAME or disk.
    name TEXT NOT NULL,
    -- The queue that it holds; '' holds all.
    queue TEXT NOT NULL DEFAULT '',
    -- The account that it holds; '' holds all. Beside the other columns of the key: integrity_check of SQLite 3.40 takes a
    -- key's column behind others for one that is NULL.
    account TEXT NOT NULL DEFAULT '',
    closed_at INTEGER NOT NULL,
    -- When it will be tried again, if that is known.
    reopens_at INTEGER,
    message TEXT,
    PRIMARY KEY (name, queue, account)
) STRICT, WITHOUT ROWID;

INSERT INTO gates (name, queue, closed_at, reopens_at, message) SELECT name, queue, closed_at, reopens_at, message FROM gates_now;
DROP TABLE gates_now;

CREATE TRIGGER gates_bounded_insert BEFORE INSERT ON gates
WHEN NEW.closed_at NOT BETWEEN 0 AND 253402300799999 OR NEW.reopens_at NOT BETWEEN 0 AND 253402300799999
    OR length(NEW.name) > 500 OR length(NEW.queue) > 400 OR length(NEW.message) > 4000 OR length(NEW.account) > 64
BEGIN
    SELECT RAISE(ABORT, 'gates: is written by promptd; a number or a text is out of bounds');
END;

CREATE TRIGGER gates_bounded_update BEFORE UPDATE ON gates
WHEN NEW.closed_at NOT BETWEEN 0 AND 253402300799999 OR NEW.reopens_at NOT BETWEEN 0 AND 253402300799999
    OR length(NEW.name) > 500 OR length(NEW.queue) > 400 OR length(NEW.message) > 4000 OR length(NEW.account) > 64
BEGIN
    SELECT RAISE(ABORT, 'gates: is written by promptd; a number or a text is out of bounds');
END;

-- Which account a queue's jobs are sent under; NULL: `default`.
ALTER TABLE queues ADD COLUMN account TEXT
    CONSTRAINT "queues.account: NULL (default) or an account" CHECK (length(account) BETWEEN 1 AND 64);

CREATE TRIGGER queues_account_inserted BEFORE INSERT ON queues
WHEN NEW.account IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'queues.account: there is no such account; the configuration names them, and promptd adds them when it starts');
END;

CREATE TRIGGER queues_account_updated BEFORE UPDATE OF account ON queues
WHEN NEW.account IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'queues.account: there is no such account; the configuration names them, and promptd adds them when it starts');
END;

-- A budget may be an account's.
ALTER TABLE budgets ADD COLUMN account TEXT
    CONSTRAINT "budgets.account: NULL (all) or an account" CHECK (length(account) BETWEEN 1 AND 64 AND instr(account, char(0)) = 0);

-- Which jobs the budgets are about that ask for more than a queue, apart from the account: which of them an attempt is of
-- is for whoever asks to compare (NULL: any).
CREATE VIEW budget_jobs AS
SELECT b.name AS budget, j.id AS job_id, b.account
FROM jobs AS j
JOIN budgets AS b ON (b.queue IS NULL OR b.queue = j.queue) AND (b.model IS NULL OR b.model = j.model)
    AND (b.batch IS NULL OR b.batch = j.batch)
    AND (b.label IS NULL OR EXISTS (
        -- Where somebody has got round the CHECK, the labels count as none.
        SELECT 1 FROM json_each(CASE WHEN json_valid(j.labels) THEN j.labels END) AS l
        WHERE l.key = substr(b.label, 1, instr(b.label, '=') - 1)
            -- true is 1 as a value, and true as a type.
            AND substr(b.label, instr(b.label, '=') + 1) IN (CAST(l.value AS TEXT), CASE WHEN l.type IN ('true', 'false') THEN l.type END)))
WHERE b.model IS NOT NULL OR b.batch IS NOT NULL OR b.label IS NOT NULL OR b.account IS NOT NULL;

CREATE TRIGGER budget_spending_reserved AFTER INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM budgets WHERE model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL OR account IS NOT NULL)
BEGIN
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT budget, NEW.id FROM budget_jobs
    WHERE job_id = NEW.job_id AND (account IS NULL OR account = NEW.account);
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT m.budget, p.column1, p.column2, NEW.reserved_millicredits, 0
    FROM budget_attempts AS m, (VALUES ('hour', NEW.sent_at / 3600000 * 3600000),
        ('day', NEW.sent_at / 86400000 * 86400000), ('total', 0)) AS p
    WHERE m.attempt_id = NEW.id
    ON CONFLICT (budget, period, starts_at) DO UPDATE SET
        reserved_millicredits = min(4000000000000000, reserved_millicredits + excluded.reserved_millicredits);
END;

CREATE TRIGGER budgets_scope_inserted AFTER INSERT ON budgets
BEGIN
    DELETE FROM budget_attempts WHERE budget = NEW.name;
    DELETE FROM budget_spending WHERE budget = NEW.name;
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT NEW.name, a.id FROM budget_jobs AS b JOIN attempts AS a ON a.job_id = b.job_id
    WHERE b.budget = NEW.name AND (b.account IS NULL OR b.account = a.account);
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT NEW.name, p.column1, a.sent_at / p.column2 * p.column2, sum(a.reserved_millicredits),
        sum(coalesce(a.charged_millicredits, 0))
    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p
    WHERE m.budget = NEW.name GROUP BY 2, 3;
END;

CREATE TRIGGER budgets_scope_updated AFTER UPDATE OF name, queue, model, batch, label, account ON budgets
WHEN OLD.queue IS NOT NEW.queue OR OLD.model IS NOT NEW.model OR OLD.batch IS NOT NEW.batch
    OR OLD.label IS NOT NEW.label OR OLD.account IS NOT NEW.account
BEGIN
    DELETE FROM budget_attempts WHERE budget IN (OLD.name, NEW.name);
    DELETE FROM budget_spending WHERE budget IN (OLD.name, NEW.name);
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT NEW.name, a.id FROM budget_jobs AS b JOIN attempts AS a ON a.job_id = b.job_id
    WHERE b.budget = NEW.name AND (b.account IS NULL OR b.account = a.account);
    INSERT INTO budget_spending (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT NEW.name, p.column1, a.sent_at / p.column2 * p.column2, sum(a.reserved_millicredits),
        sum(coalesce(a.charged_millicredits, 0))
    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p
    WHERE m.budget = NEW.name GROUP BY 2, 3;
END;

CREATE TRIGGER budgets_scope_renamed AFTER UPDATE OF name ON budgets
WHEN OLD.name <> NEW.name AND OLD.queue IS NEW.queue AND OLD.model IS NEW.model AND OLD.batch IS NEW.batch
    AND OLD.label IS NEW.label AND OLD.account IS NEW.account
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
    model, batch, label, account,
    model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL OR account IS NOT NULL AS is_scoped,
    CASE period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END AS sums
FROM budgets;

CREATE VIEW budget_sums AS
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(sum(s.reserved_millicredits), 0) AS reserved_millicredits,
    coalesce(sum(s.charged_millicredits), 0) AS charged_millicredits,
    p.model, p.batch, p.label, p.account
FROM budget_periods AS p
LEFT JOIN spending AS s ON s.starts_at >= p.starts_at AND s.period = p.sums AND (p.queue IS NULL OR s.queue = p.queue)
WHERE NOT p.is_scoped
GROUP BY p.name
UNION ALL
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(sum(s.reserved_millicredits), 0), coalesce(sum(s.charged_millicredits), 0),
    p.model, p.batch, p.label, p.account
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
    model, batch, label, account
FROM budget_sums;

CREATE VIEW account_load AS
SELECT
    a.name AS account,
    (SELECT count(*) FROM attempts WHERE state = 'sending' AND account = a.name)
        + (SELECT count(*) FROM attempts
            WHERE answered_at > unixepoch('now') * 1000 - a.rate_window_ms
                -- Later than that is from before the clock was set back, and says nothing.
                AND answered_at <= unixepoch('now') * 1000 + a.rate_window_ms AND arrives_until IS NULL AND account = a.name)
        + (SELECT count(*) FROM attempts
            WHERE arrives_until > unixepoch('now') * 1000 - a.rate_window_ms AND account = a.name)
        AS rate_used,
    a.rate_limit,
    -- A task that is set aside may have ended long ago.
    (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted') AND account = a.name)
        - (SELECT count(*) FROM suspects AS s JOIN attempts AS t ON t.id = s.subject
            WHERE s.step = 'poll' AND s.is_aside = 1 AND t.finished_at IS NULL AND t.state = 'accepted' AND t.account = a.name)
        AS running,
    a.running_limit,
    a.is_configured
FROM accounts AS a;

CREATE VIEW daemon_load AS
SELECT
    coalesce(sum(rate_used), 0) AS rate_used,
    sum(CASE WHEN is_configured THEN rate_limit END) AS rate_limit,
    sum(running) AS running,
    sum(CASE WHEN is_configured THEN running_limit END) AS running_limit
FROM account_load;

CREATE VIEW account_status AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', first.asked_at / 1000, 'unixepoch') AS since,
    strftime('%Y-%m-%dT%H:%M:%SZ', last.asked_at / 1000, 'unixepoch') AS compared_at,
    last.balance_millicredits / 1000.0 AS balance,
    (last.charged_millicredits + last.open_millicredits - first.charged_millicredits - first.open_millicredits)
        / 1000.0 AS ledger_spend,
    (first.balance_millicredits - last.balance_millicredits + last.top_ups_millicredits - first.top_ups_millicredits)
        / 1000.0 AS account_spend,
    (last.top_ups_millicredits - first.top_ups_millicredits) / 1000.0 AS top_ups,
    ((first.balance_millicredits + first.charged_millicredits + first.open_millicredits - first.top_ups_millicredits)
        - (last.balance_millicredits + last.charged_millicredits + last.open_millicredits - last.top_ups_millicredits))
        / 1000.0 AS unexplained,
    -- Tasks that have not ended count at their estimate; the difference is certain only without any.
    last.open_millicredits / 1000.0 AS estimated,
    (SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts WHERE state = 'unknown' AND finished_at IS NULL
        AND account = a.name)
        / 1000.0 AS reserved_for_unknown,
    (last.presumed_millicredits - first.presumed_millicredits) / 1000.0 AS given_up,
    a.name AS account
FROM accounts AS a
JOIN account_readings AS first ON first.id = coalesce(
    (SELECT id FROM account_readings WHERE account = a.name AND in_flight = 0 AND open_tasks = 0
        ORDER BY last_attempt_id, id LIMIT 1),
    (SELECT min(id) FROM account_readings WHERE account = a.name AND in_flight = 0))
JOIN account_readings AS last ON last.id = (
    SELECT id FROM account_readings WHERE account = a.name AND in_flight = 0 ORDER BY id DESC LIMIT 1);

CREATE VIEW batch_status AS
SELECT
    g.batch, g.jobs, g.queued, g.running, g.succeeded, g.failed, g.cancelled, g.unconfirmed,
    g.estimated_credits, g.charged_credits,
    -- When the last job should be done if nothing else is waiting. Queued jobs leave at the pace of the provider's rate,
    -- or of places that become free, whichever is slower, and the last one takes as long as its model does on average;
    -- those that run are expected to take as long, too. Of a batch in several accounts, as if all were in one of them.
    strftime('%Y-%m-%dT%H:%M:%SZ', max(
        CASE WHEN g.queued + g.running > 0 THEN unixepoch('now') * 1000 END,
        CASE WHEN g.queued = 0 THEN 0 ELSE
            unixepoch('now') * 1000
            + g.queued * max(
                a.rate_window_ms * 1.0 / nullif(a.rate_limit, 0),
                coalesce(g.queued_mean / nullif(a.running_limit, 0), 0))
            + coalesce(g.queued_longest, 0)
        END,
        coalesce(g.running_end, 0)
    ) / 1000, 'unixepoch') AS estimated_finish
FROM (
    SELECT
        batch,
        count(*) AS jobs,
        sum(state = 'queued') AS queued,
        sum(state IN ('submitting', 'running')) AS running,
        sum(state = 'succeeded') AS succeeded,
        sum(state = 'failed') AS failed,
        sum(state = 'cancelled') AS cancelled,
        sum(state = 'unconfirmed') AS unconfirmed,
        coalesce(sum(estimated_millicredits), 0) / 1000.0 AS estimated_credits,
        coalesce(sum(charged_millicredits), 0) / 1000.0 AS charged_credits,
        avg(CASE WHEN state = 'queued' THEN mean_milliseconds END) AS queued_mean,
        max(CASE WHEN state = 'queued' THEN mean_milliseconds END) AS queued_longest,
        max(CASE WHEN state IN ('submitting', 'running') THEN submitted_at + mean_milliseconds END) AS running_end,
        min(queue) AS queue
    FROM jobs
    LEFT JOIN completion_times ON completion_times.model = jobs.model
    WHERE batch IS NOT NULL
    GROUP BY batch) AS g
JOIN accounts AS a ON a.name = coalesce((SELECT account FROM queues WHERE name = g.queue), 'default');

CREATE VIEW daemon_status AS
SELECT
    CASE WHEN stopped_at IS NULL THEN pid END AS pid,
    version,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', stopped_at / 1000, 'unixepoch') AS stopped_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', heartbeat_at / 1000, 'unixepoch') AS heartbeat,
    (SELECT sum(balance_millicredits) FROM accounts WHERE is_configured) / 1000.0 AS balance,
    -- The oldest of them.
    strftime('%Y-%m-%dT%H:%M:%SZ', (SELECT min(balance_at) FROM accounts WHERE is_configured) / 1000, 'unixepoch')
        AS balance_at,
    daemon_load.rate_used,
    daemon_load.rate_limit,
    own.rate_window_ms / 1000.0 AS rate_window_seconds,
    daemon_load.running,
    daemon_load.running_limit,
    coalesce((SELECT group_concat(name, ' ') FROM (SELECT DISTINCT name FROM gates WHERE queue = '' ORDER BY name)), 'ok')
        AS provider,
    last_error,
    strftime('%Y-%m-%dT%H:%M:%SZ', last_error_at / 1000, 'unixepoch') AS last_error_at,
    (SELECT sum(credit_reserve_millicredits) FROM accounts WHERE is_configured) / 1000.0 AS credit_reserve,
    own.unconfirmed_policy,
    own.unconfirmed_window_ms / 1000.0 AS unconfirmed_window_seconds
FROM daemon, daemon_load JOIN accounts AS own ON own.name = 'default';

CREATE VIEW queue_status AS
SELECT
    q.name AS queue,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'queued'), 0) AS queued,
    coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('submitting', 'running')), 0) AS running,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'succeeded'), 0) AS succeeded,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'failed'), 0) AS failed,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'cancelled'), 0) AS cancelled,
    coalesce(sum(c.jobs) FILTER (WHERE c.state = 'unconfirmed'), 0) AS unconfirmed,
    q.max_running AS max_running,
    CASE
        WHEN q.paused THEN 'paused'
        -- What is scheduled for later is not held by anything but the time.
        WHEN NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.state = 'queued' AND j.turn IS NOT NULL AND j.queue = q.name)
            -- While a gate is closed nothing is claimed, so what becomes due has no turn yet.
            AND NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.state = 'queued' AND j.turn IS NULL
                AND coalesce(j.waits, 0) = 0 AND j.run_at <= unixepoch('now') * 1000 AND j.queue = q.name)
            -- Those whose jobs all wait for others.
            THEN (SELECT 'inputs' FROM jobs AS j WHERE j.state = 'queued' AND j.waits > 0 AND j.queue = q.name LIMIT 1)
        WHEN NOT EXISTS (SELECT 1 FROM accounts WHERE name = coalesce(q.account, 'default') AND is_configured) THEN 'account'
        ELSE coalesce(
            (SELECT g.name FROM gates AS g WHERE g.queue IN ('', q.name) AND g.account IN ('', coalesce(q.account, 'default'))
                AND g.name NOT LIKE 'model:%'
                -- A smaller rate lets jobs through, if fewer; whatever else is closed stops them.
                ORDER BY g.name = 'rate', g.queue = '', g.closed_at, g.name LIMIT 1),
            -- Models' gates hold a queue when all its jobs are for models that are switched off.
            (WITH RECURSIVE models(model) AS (
                SELECT min(model) FROM jobs WHERE state = 'queued' AND turn IS NOT NULL AND queue = q.name
                UNION ALL
                SELECT (SELECT min(j.model) FROM jobs AS j
                    WHERE j.state = 'queued' AND j.turn IS NOT NULL AND j.queue = q.name AND j.model > models.model)
                FROM models WHERE models.model IS NOT NULL)
            SELECT CASE WHEN count(g.name) = count(*) THEN min(g.name) END
            FROM models LEFT JOIN gates AS g ON g.name = 'model:' || models.model AND g.queue = ''
                AND g.account = coalesce(q.account, 'default')
            WHERE models.model IS NOT NULL),
            CASE WHEN q.max_running <= coalesce(sum(c.jobs) FILTER (WHERE c.state IN ('submitting', 'running')), 0)
                    - (SELECT count(DISTINCT j.id) FROM suspects AS s JOIN jobs AS j ON j.id = s.job_id
                        WHERE s.step = 'poll' AND s.is_aside = 1 AND j.queue = q.name AND j.state = 'running')
                THEN 'running' END,
            (SELECT CASE WHEN running >= running_limit THEN 'running' WHEN rate_used >= rate_limit THEN 'rate' END
                FROM account_load WHERE account = coalesce(q.account, 'default')))
    END AS blocked_by,
    coalesce(q.account, 'default') AS account
FROM queues AS q LEFT JOIN queue_counts AS c ON c.queue = q.name
GROUP BY q.name;
