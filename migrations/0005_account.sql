-- The account: its balance against the ledger, and what is known of requests whose answer was lost.

PRAGMA user_version = 5;

-- Attempts ----------------------------------------------------------------------------------------------------------

-- What the account's balance says of a request whose answer was lost: both readings and the sums between them.
ALTER TABLE attempts ADD COLUMN evidence TEXT;

-- Tasks that failed, by the time of it: their charge may have been given back a little later.
CREATE INDEX attempts_failed ON attempts (finished_at)
    WHERE state = 'accepted' AND error_code IS NOT NULL AND finished_at IS NOT NULL;

-- The daemon's own notes --------------------------------------------------------------------------------------------

-- When the balance was asked for, and the last attempt that there was when it was noted: later ones are not in it.
ALTER TABLE daemon ADD COLUMN balance_asked_at INTEGER;
ALTER TABLE daemon ADD COLUMN balance_attempt_id INTEGER;
-- credits.reserve, unconfirmed.policy and unconfirmed.window, as they are kept now.
ALTER TABLE daemon ADD COLUMN credit_reserve_millicredits INTEGER;
ALTER TABLE daemon ADD COLUMN unconfirmed_policy TEXT;
ALTER TABLE daemon ADD COLUMN unconfirmed_window_ms INTEGER;

-- What the ledger has booked in all, kept by triggers: adding up millions of rows would be slow.
CREATE TABLE account_totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- For tasks that the provider has made.
    charged_millicredits INTEGER NOT NULL,
    -- For requests that were given up without an answer: they may have been charged.
    presumed_millicredits INTEGER NOT NULL,
    -- Reserved or presumed for requests without an answer whose task turned up later.
    adopted_millicredits INTEGER NOT NULL
) STRICT;

INSERT INTO account_totals (id, adopted_millicredits, charged_millicredits, presumed_millicredits)
SELECT 1, 0,
    coalesce(sum(charged_millicredits) FILTER (WHERE state <> 'unknown'), 0),
    coalesce(sum(charged_millicredits) FILTER (WHERE state = 'unknown'), 0)
FROM attempts;

CREATE TRIGGER attempts_booked AFTER UPDATE OF state, charged_millicredits ON attempts
WHEN OLD.charged_millicredits IS NOT NEW.charged_millicredits
    OR (NEW.charged_millicredits IS NOT NULL AND (OLD.state = 'unknown') <> (NEW.state = 'unknown'))
BEGIN
    UPDATE account_totals SET
        charged_millicredits = charged_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN 0 ELSE coalesce(OLD.charged_millicredits, 0) END
            + CASE WHEN NEW.state = 'unknown' THEN 0 ELSE coalesce(NEW.charged_millicredits, 0) END,
        presumed_millicredits = presumed_millicredits
            - CASE WHEN OLD.state = 'unknown' THEN coalesce(OLD.charged_millicredits, 0) ELSE 0 END
            + CASE WHEN NEW.state = 'unknown' THEN coalesce(NEW.charged_millicredits, 0) ELSE 0 END
    WHERE id = 1;
END;

CREATE TRIGGER attempts_adopted AFTER UPDATE OF state ON attempts
WHEN OLD.state = 'unknown' AND NEW.state = 'accepted'
BEGIN
    UPDATE account_totals SET adopted_millicredits = adopted_millicredits + OLD.reserved_millicredits
        + coalesce(OLD.charged_millicredits, 0)
    WHERE id = 1;
END;

-- Readings of the balance, each with what the ledger had booked by then. A row that would repeat the last is left out.
CREATE TABLE account_readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asked_at INTEGER NOT NULL,
    answered_at INTEGER NOT NULL,
    balance_millicredits INTEGER NOT NULL,
    -- account_totals at that time.
    charged_millicredits INTEGER NOT NULL,
    presumed_millicredits INTEGER NOT NULL,
    adopted_millicredits INTEGER NOT NULL,
    -- Reserved for tasks that had not ended, and how many those were.
    open_millicredits INTEGER NOT NULL,
    open_tasks INTEGER NOT NULL,
    -- Reserved for requests whose answer was lost.
    unknown_millicredits INTEGER NOT NULL,
    -- Whether a request was between sending and answer, or its answer was lost a moment ago: such a reading proves nothing.
    in_flight INTEGER NOT NULL
        CONSTRAINT "account_readings.in_flight: 0 or 1" CHECK (in_flight IN (0, 1)),
    -- The last attempt that there was: the charges of later ones are not in the balance.
    last_attempt_id INTEGER NOT NULL,
    -- What was added to the account since the first reading.
    top_ups_millicredits INTEGER NOT NULL,
    -- By how much the top-ups since the last reading without open tasks may be overstated.
    slack_millicredits INTEGER NOT NULL
) STRICT;

-- Those that can be compared exactly; in this order they are in the order of their ids, too.
CREATE INDEX account_readings_settled ON account_readings (last_attempt_id) WHERE in_flight = 0 AND open_tasks = 0;

-- Views for people --------------------------------------------------------------------------------------------------

-- The account's spending against the ledger's, since the first reading that can be compared: no request under way, and
-- no task open if there is such a reading.
CREATE VIEW account_status AS
WITH first AS (
    SELECT * FROM account_readings WHERE id = coalesce(
        (SELECT id FROM account_readings WHERE in_flight = 0 AND open_tasks = 0 ORDER BY last_attempt_id, id LIMIT 1),
        (SELECT min(id) FROM account_readings WHERE in_flight = 0))
), last AS (
    SELECT * FROM account_readings WHERE in_flight = 0 ORDER BY id DESC LIMIT 1
)
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
    (SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts WHERE state = 'unknown' AND finished_at IS NULL)
        / 1000.0 AS reserved_for_unknown,
    (last.presumed_millicredits - first.presumed_millicredits) / 1000.0 AS given_up
FROM first, last;

DROP VIEW daemon_status;

CREATE VIEW daemon_status AS
SELECT
    CASE WHEN stopped_at IS NULL THEN pid END AS pid,
    version,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', stopped_at / 1000, 'unixepoch') AS stopped_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', heartbeat_at / 1000, 'unixepoch') AS heartbeat,
    balance_millicredits / 1000.0 AS balance,
    strftime('%Y-%m-%dT%H:%M:%SZ', balance_at / 1000, 'unixepoch') AS balance_at,
    daemon_load.rate_used,
    daemon_load.rate_limit,
    rate_window_ms / 1000.0 AS rate_window_seconds,
    daemon_load.running,
    daemon_load.running_limit,
    coalesce((SELECT group_concat(name, ' ') FROM gates WHERE queue = ''), 'ok') AS provider,
    last_error,
    strftime('%Y-%m-%dT%H:%M:%SZ', last_error_at / 1000, 'unixepoch') AS last_error_at,
    credit_reserve_millicredits / 1000.0 AS credit_reserve,
    unconfirmed_policy,
    unconfirmed_window_ms / 1000.0 AS unconfirmed_window_seconds
FROM daemon, daemon_load;
