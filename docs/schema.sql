-- The schema, version 33, as the files in migrations/ make it. Written by a test; not edited.

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
, account TEXT NOT NULL DEFAULT 'default'
    CONSTRAINT "account_readings.account: 1 to 64 characters" CHECK (length(account) BETWEEN 1 AND 64)) STRICT;

CREATE INDEX account_readings_account ON account_readings (account);

CREATE INDEX account_readings_settled ON account_readings (account, last_attempt_id) WHERE in_flight = 0 AND open_tasks = 0;

CREATE TRIGGER account_readings_bounded_insert BEFORE INSERT ON account_readings
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_tasks NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unknown_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.top_ups_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.slack_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.answered_at NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_readings: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_readings_bounded_update BEFORE UPDATE ON account_readings
WHEN NEW.balance_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.presumed_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.adopted_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.open_tasks NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.unknown_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.last_attempt_id NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.top_ups_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.slack_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.asked_at NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.answered_at NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'account_readings: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER account_readings_frozen BEFORE UPDATE ON account_readings
BEGIN
    SELECT RAISE(ABORT, 'account_readings: what was read stays as it is');
END;

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

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- No foreign key: attempts outlive pruned jobs.
    job_id INTEGER NOT NULL,
    -- Names the attempt in its callback URL; unguessable.
    token TEXT NOT NULL UNIQUE
        CONSTRAINT "attempts.token: 32 hexadecimal digits" CHECK (length(token) = 32),
    state TEXT NOT NULL DEFAULT 'sending'
        CONSTRAINT "attempts.state: sending, accepted, rejected or unknown"
        CHECK (state IN ('sending', 'accepted', 'rejected', 'unknown')),
    task_id TEXT,
    -- Who said that this is its task: the answer to the request; a callback, which the provider has confirmed; or an
    -- operator (promptctl resolve). NULL: nobody yet, or somebody by SQL.
    task_source TEXT
        CONSTRAINT "attempts.task_source: answer, callback or operator" CHECK (task_source IN ('answer', 'callback', 'operator')),
    queue TEXT NOT NULL,
    model TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    answered_at INTEGER,
    -- When the attempt was settled: its task ended, or it is certain that there is none.
    finished_at INTEGER,
    http_status INTEGER,
    api_code INTEGER,
    error_code TEXT,
    message TEXT,
    -- What is held back for it; 0 once it is settled.
    reserved_millicredits INTEGER NOT NULL
        CONSTRAINT "attempts.reserved_millicredits: at least 0" CHECK (reserved_millicredits >= 0),
    charged_millicredits INTEGER
        CONSTRAINT "attempts.charged_millicredits: at least 0" CHECK (charged_millicredits >= 0),
    -- What was reserved at the claim; reserved_millicredits goes to 0 when the attempt is settled.
    estimated_millicredits INTEGER
        CONSTRAINT "attempts.estimated_millicredits: at least 0" CHECK (estimated_millicredits >= 0),
    estimate_basis TEXT
        CONSTRAINT "attempts.estimate_basis: listed, override, observed or default"
        CHECK (estimate_basis IN ('listed', 'override', 'observed', 'default')),
    -- 0: the provider reported no charge, and what was reserved is booked. NULL: not settled, or without a task.
    charge_reported INTEGER
        CONSTRAINT "attempts.charge_reported: NULL, 0 or 1" CHECK (charge_reported IN (0, 1)),
    -- The inputs that matter for how long a task takes: 'duration=5 resolution=720p'.
    profile TEXT NOT NULL DEFAULT '',
    -- From the task's creation to its end by the provider's clock, or as well as polls can tell; NULL if that is not known.
    took_milliseconds INTEGER
        CONSTRAINT "attempts.took_milliseconds: at least 0" CHECK (took_milliseconds >= 0),
    -- What the account's balance says of a request whose answer was lost: both readings and the sums between them.
    evidence TEXT,
    -- Only a hint: promptd asks the provider about it, again after each start, and its answer decides. NULL if none came.
    hinted_task_id TEXT,
    -- How often it was set: a few times at most, so that a flood of callbacks cannot cause commits without bound.
    hint_changes INTEGER NOT NULL DEFAULT 0,
    -- Until when a request whose answer was lost may still reach the provider: it keeps its slot of the rate window for as
    -- long. NULL where an answer came: then answered_at tells.
    arrives_until INTEGER,
    -- What the balance says of a lost request: 0, it cost nothing; 1, it was charged; NULL, nothing. Evidence, not proof: a
    -- request may be on its way for longer than anybody watched.
    evidence_charged INTEGER
        CONSTRAINT "attempts.evidence_charged: NULL, 0 or 1" CHECK (evidence_charged IN (0, 1)),
    -- The provider's resultJson as it came, where it holds more than the rows of results do; NULL where they hold all of it.
    result_json TEXT
        CONSTRAINT "attempts.result_json: at most 1 MiB" CHECK (length(CAST(result_json AS BLOB)) <= 1048576), input TEXT
    CONSTRAINT "attempts.input: at most 4 MiB" CHECK (length(CAST(input AS BLOB)) <= 4194304), account TEXT NOT NULL DEFAULT 'default'
    CONSTRAINT "attempts.account: 1 to 64 characters" CHECK (length(account) BETWEEN 1 AND 64),

    CONSTRAINT "attempts: an answer has an instant" CHECK (state = 'sending' OR answered_at IS NOT NULL),
    CONSTRAINT "attempts: a request under way has no answer" CHECK (state <> 'sending' OR answered_at IS NULL),
    CONSTRAINT "attempts: an accepted attempt has a task" CHECK (state <> 'accepted' OR task_id IS NOT NULL),
    CONSTRAINT "attempts: a rejected attempt is finished, without reservation or charge"
        CHECK (state <> 'rejected'
            OR (finished_at IS NOT NULL AND reserved_millicredits = 0 AND coalesce(charged_millicredits, 0) = 0)),
    CONSTRAINT "attempts: what is charged is no longer reserved"
        CHECK (charged_millicredits IS NULL OR reserved_millicredits = 0)
) STRICT;

CREATE INDEX attempts_answered ON attempts (answered_at) WHERE answered_at IS NOT NULL;

CREATE INDEX attempts_arriving ON attempts (arrives_until) WHERE arrives_until IS NOT NULL;

CREATE INDEX attempts_charged ON attempts (model)
    WHERE state = 'accepted' AND error_code IS NULL AND charged_millicredits IS NOT NULL;

CREATE INDEX attempts_failed ON attempts (finished_at)
    WHERE state = 'accepted' AND error_code IS NOT NULL AND finished_at IS NOT NULL;

CREATE INDEX attempts_job ON attempts (job_id);

CREATE UNIQUE INDEX attempts_one_open ON attempts (job_id) WHERE finished_at IS NULL;

CREATE INDEX attempts_open ON attempts (state, account) WHERE finished_at IS NULL;

CREATE INDEX attempts_task ON attempts (task_id) WHERE task_id IS NOT NULL;

CREATE INDEX attempts_took ON attempts (model, profile, finished_at, took_milliseconds)
    WHERE took_milliseconds IS NOT NULL;

CREATE TRIGGER attempts_account BEFORE INSERT ON attempts WHEN NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'attempts.account: there is no such account');
END;

CREATE TRIGGER attempts_adopted AFTER UPDATE OF state ON attempts
WHEN OLD.state = 'unknown' AND NEW.state = 'accepted'
BEGIN
    UPDATE accounts SET adopted_millicredits = max(-4000000000000000, min(4000000000000000, adopted_millicredits
        + OLD.reserved_millicredits + coalesce(OLD.charged_millicredits, 0)))
    WHERE name = NEW.account;
END;

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

CREATE TRIGGER attempts_completed AFTER UPDATE OF took_milliseconds ON attempts
WHEN NEW.took_milliseconds IS NOT NULL AND OLD.took_milliseconds IS NULL
BEGIN
    INSERT INTO completion_times (model, completions, mean_milliseconds)
    VALUES (NEW.model, 1, min(NEW.took_milliseconds, 4000000000000000))
    ON CONFLICT (model) DO UPDATE SET
        completions = min(completions + 1, 4000000000000000),
        mean_milliseconds = mean_milliseconds
            + (excluded.mean_milliseconds - mean_milliseconds) / min(completions + 1, 50);
END;

CREATE TRIGGER attempts_estimate_frozen BEFORE UPDATE OF estimated_millicredits, estimate_basis ON attempts
WHEN OLD.estimated_millicredits IS NOT NEW.estimated_millicredits OR OLD.estimate_basis IS NOT NEW.estimate_basis
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

CREATE TRIGGER attempts_id_given AFTER INSERT ON attempts WHEN NEW.id < 1
BEGIN
    SELECT RAISE(ABORT, 'attempts.id: is given by the database');
END;

CREATE TRIGGER attempts_identity_frozen BEFORE UPDATE OF id, job_id, token, queue, model, sent_at, account ON attempts
WHEN OLD.id <> NEW.id OR OLD.job_id <> NEW.job_id OR OLD.token <> NEW.token OR OLD.queue <> NEW.queue
    OR OLD.model <> NEW.model OR OLD.sent_at <> NEW.sent_at OR OLD.account <> NEW.account
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten');
END;

CREATE TRIGGER attempts_input_frozen BEFORE UPDATE OF input ON attempts
WHEN OLD.input IS NOT NEW.input
    AND (NEW.input IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'attempts.input: was sent like that');
END;

CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger is kept for ever');
END;

CREATE TRIGGER attempts_not_replaced BEFORE INSERT ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
    WHERE EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE token = NEW.token)
        OR NEW.id > 4000000000000000000;
    SELECT RAISE(ABORT, 'attempts: this job has a request that is not settled; another one might pay for it twice')
    WHERE EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.job_id AND finished_at IS NULL);
    SELECT RAISE(ABORT, 'attempts: a new one is being sent; nothing is known of its answer')
    WHERE NEW.state <> 'sending' OR NEW.finished_at IS NOT NULL OR NEW.task_id IS NOT NULL
        OR NEW.charged_millicredits IS NOT NULL OR NEW.answered_at IS NOT NULL OR NEW.http_status IS NOT NULL
        OR NEW.api_code IS NOT NULL OR NEW.error_code IS NOT NULL OR NEW.message IS NOT NULL OR NEW.task_source IS NOT NULL
        OR NEW.charge_reported IS NOT NULL OR NEW.took_milliseconds IS NOT NULL OR NEW.evidence IS NOT NULL
        OR NEW.evidence_charged IS NOT NULL OR NEW.hinted_task_id IS NOT NULL OR NEW.hint_changes <> 0
        OR NEW.arrives_until IS NOT NULL;
    SELECT RAISE(ABORT, 'attempts: a number or a text is out of bounds')
    WHERE NEW.reserved_millicredits > 1000000000000 OR NEW.estimated_millicredits > 1000000000000
        OR NEW.sent_at NOT BETWEEN 0 AND 253402300799999 OR length(NEW.profile) > 4000 OR length(NEW.model) > 200
        OR length(NEW.queue) > 100 OR instr(NEW.profile, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.queue, char(0));
END;

CREATE TRIGGER attempts_rules BEFORE UPDATE ON attempts
BEGIN
    -- What is settled. A task that had failed may have succeeded after all, if nothing has come of its job since.
    SELECT CASE
        WHEN OLD.state <> NEW.state OR OLD.task_id IS NOT NEW.task_id OR OLD.answered_at IS NOT NEW.answered_at
            OR OLD.finished_at IS NOT NEW.finished_at OR OLD.http_status IS NOT NEW.http_status
            OR OLD.api_code IS NOT NEW.api_code OR OLD.reserved_millicredits <> NEW.reserved_millicredits
            OR OLD.arrives_until IS NOT NEW.arrives_until OR OLD.evidence IS NOT NEW.evidence
            OR OLD.evidence_charged IS NOT NEW.evidence_charged OR OLD.hinted_task_id IS NOT NEW.hinted_task_id
            OR OLD.hint_changes <> NEW.hint_changes OR OLD.profile <> NEW.profile
            OR OLD.took_milliseconds IS NOT NEW.took_milliseconds
            OR ((OLD.error_code IS NOT NEW.error_code OR OLD.message IS NOT NEW.message
                    OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
                    OR OLD.charge_reported IS NOT NEW.charge_reported)
                AND NOT (OLD.state = 'accepted' AND OLD.error_code IS NOT NULL AND NEW.error_code IS NULL
                    AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND state = 'running' AND task_id = OLD.task_id)
                    AND NOT EXISTS (SELECT 1 FROM results WHERE job_id = OLD.job_id)
                    AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = OLD.job_id AND o.finished_at IS NULL)))
            THEN RAISE(ABORT, 'attempts: what is settled stays as it is')
        WHEN OLD.result_json IS NOT NEW.result_json AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
            AND (NEW.result_json IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL))
            THEN RAISE(ABORT, 'attempts.result_json: what the provider gave stays as it is')
        END
    WHERE OLD.finished_at IS NOT NULL;
    -- Of all.
    SELECT CASE
        WHEN OLD.id <> NEW.id THEN RAISE(ABORT, 'attempts: the ledger cannot be rewritten')
        WHEN NEW.state IS NULL OR NEW.profile IS NULL OR NEW.hint_changes IS NULL
            THEN RAISE(ABORT, 'attempts: state, profile and hint_changes cannot be NULL')
        WHEN OLD.task_source IS NOT NEW.task_source AND (OLD.state = 'accepted' OR NEW.state <> 'accepted')
            THEN RAISE(ABORT, 'attempts.task_source: is written together with state accepted')
        WHEN OLD.state = 'accepted' AND OLD.task_id IS NOT NEW.task_id
            THEN RAISE(ABORT, 'attempts.task_id: the provider has named the task; it does not change')
        WHEN NEW.state <> 'accepted' AND NEW.task_id IS NOT NULL
            THEN RAISE(ABORT, 'attempts.task_id: is set together with state accepted')
        WHEN OLD.answered_at IS NOT NULL AND OLD.answered_at IS NOT NEW.answered_at
            THEN RAISE(ABORT, 'attempts.answered_at: is written once')
        WHEN OLD.arrives_until IS NOT NULL AND (NEW.arrives_until IS NULL
                OR (NEW.arrives_until <> OLD.arrives_until AND NEW.state = OLD.state))
            THEN RAISE(ABORT, 'attempts.arrives_until: a lost request keeps its slot')
        WHEN NEW.finished_at IS NULL
            AND (OLD.reserved_millicredits <> NEW.reserved_millicredits OR NEW.charged_millicredits IS NOT NULL)
            THEN RAISE(ABORT, 'attempts: a reservation is kept until the attempt is settled, together with finished_at')
        WHEN NEW.finished_at IS NOT NULL
            AND (NEW.reserved_millicredits <> 0 OR NEW.state = 'sending'
                OR (NEW.state <> 'rejected' AND NEW.charged_millicredits IS NULL))
            THEN RAISE(ABORT, 'attempts: to settle one is to book what it was charged, and to release what was reserved')
        WHEN OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.state = 'unknown'
            AND NEW.charged_millicredits < OLD.reserved_millicredits
            THEN RAISE(ABORT, 'attempts: what may have been spent counts as spent')
        WHEN NEW.charged_millicredits > 1000000000000
            THEN RAISE(ABORT, 'attempts.charged_millicredits: at most 1000000000000')
        WHEN instr(NEW.task_id, char(0)) OR instr(NEW.hinted_task_id, char(0)) OR instr(NEW.error_code, char(0))
            OR instr(NEW.message, char(0)) OR instr(NEW.evidence, char(0)) OR instr(NEW.profile, char(0))
            THEN RAISE(ABORT, 'attempts: a text holds a NUL character')
        WHEN length(NEW.task_id) > 1000 OR length(NEW.hinted_task_id) > 1000 OR length(NEW.error_code) > 100
            OR length(NEW.message) > 4000 OR length(NEW.evidence) > 4000 OR length(NEW.profile) > 4000
            THEN RAISE(ABORT, 'attempts: a text is too long')
        WHEN OLD.state <> NEW.state AND NOT (OLD.state = 'sending' OR (OLD.state = 'unknown' AND NEW.state <> 'sending'))
            THEN RAISE(ABORT, 'attempts.state: what the provider answered does not change')
        END;
    -- What is not settled.
    SELECT CASE
        WHEN NEW.answered_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
            OR NEW.arrives_until NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'attempts: answered_at, finished_at and arrives_until are written by promptd')
        WHEN NEW.took_milliseconds IS NOT NULL AND NEW.finished_at IS NULL
            THEN RAISE(ABORT, 'attempts.took_milliseconds: is written when the task has ended')
        WHEN OLD.state = 'sending' AND NEW.state = 'unknown' AND (NEW.error_code IS NULL
                OR coalesce(NEW.arrives_until NOT BETWEEN NEW.answered_at AND NEW.answered_at + 86400000, 1))
            THEN RAISE(ABORT, 'attempts.arrives_until: a request whose answer was lost may arrive later; promptd writes until when')
        WHEN OLD.arrives_until IS NULL AND NEW.arrives_until IS NOT NULL
            AND NOT (OLD.state = 'sending' AND NEW.state = 'unknown')
            THEN RAISE(ABORT, 'attempts.arrives_until: is written when the answer is lost')
        WHEN NEW.state = 'rejected' AND NEW.error_code IS NULL
            THEN RAISE(ABORT, 'attempts: promptd writes what was answered; to settle a lost request use promptctl resolve')
        WHEN NEW.state = 'accepted' AND NEW.finished_at IS NOT NULL AND NEW.charge_reported IS NULL
            THEN RAISE(ABORT, 'attempts: promptd books what the task cost when it has ended')
        WHEN NEW.state = 'rejected' AND NEW.hinted_task_id IS NOT NULL
            THEN RAISE(ABORT, 'attempts: a callback has named a task for this request, and the provider has not said whose it is')
        WHEN NEW.hint_changes NOT BETWEEN OLD.hint_changes AND OLD.hint_changes + 1
            THEN RAISE(ABORT, 'attempts.hint_changes: is written by promptd')
        END
    WHERE OLD.finished_at IS NULL;
END;

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

CREATE TRIGGER spending_reserved AFTER INSERT ON attempts
BEGIN
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'hour', NEW.sent_at / 3600000 * 3600000, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending
        WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue);
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'day', NEW.sent_at / 86400000 * 86400000, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending
        WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue);
    INSERT INTO spending (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT 'total', 0, NEW.queue, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM spending WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue);
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue;
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue;
    UPDATE spending SET reserved_millicredits = min(4000000000000000, reserved_millicredits + NEW.reserved_millicredits)
    WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue;
END;

CREATE TRIGGER spending_settled AFTER UPDATE OF reserved_millicredits, charged_millicredits ON attempts
WHEN OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS NOT NEW.charged_millicredits
BEGIN
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE period = 'hour' AND starts_at = NEW.sent_at / 3600000 * 3600000 AND queue = NEW.queue;
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE period = 'day' AND starts_at = NEW.sent_at / 86400000 * 86400000 AND queue = NEW.queue;
    UPDATE spending SET
        reserved_millicredits = max(-4000000000000000, min(4000000000000000,
            reserved_millicredits + NEW.reserved_millicredits - OLD.reserved_millicredits)),
        charged_millicredits = max(-4000000000000000, min(4000000000000000, charged_millicredits
            + coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0)))
    WHERE period = 'total' AND starts_at = 0 AND queue = NEW.queue;
END;

CREATE TABLE budget_attempts (
    budget TEXT NOT NULL,
    attempt_id INTEGER NOT NULL,
    PRIMARY KEY (budget, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX budget_attempts_attempt ON budget_attempts (attempt_id);

CREATE TRIGGER budget_attempts_frozen BEFORE UPDATE ON budget_attempts
BEGIN
    SELECT RAISE(ABORT, 'budget_attempts: is written by promptd');
END;

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

CREATE TABLE budget_warnings (
    budget TEXT NOT NULL PRIMARY KEY,
    starts_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "budgets.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100),
    queue TEXT,
    period TEXT NOT NULL
        CONSTRAINT "budgets.period: total, hour, day, week or month"
        CHECK (period IN ('total', 'hour', 'day', 'week', 'month')),
    limit_millicredits INTEGER NOT NULL
        CONSTRAINT "budgets.limit_millicredits: at least 0" CHECK (limit_millicredits >= 0)
, model TEXT
    CONSTRAINT "budgets.model: NULL (all) or a model" CHECK (length(model) BETWEEN 1 AND 1000 AND instr(model, char(0)) = 0), batch TEXT
    CONSTRAINT "budgets.batch: NULL (all) or 1 to 200 characters"
    CHECK (length(batch) BETWEEN 1 AND 200 AND instr(batch, char(0)) = 0), label TEXT
    CONSTRAINT "budgets.label: NULL (all) or NAME=VALUE, like client=acme"
    CHECK (length(label) <= 1000 AND instr(label, '=') > 1 AND instr(label, char(0)) = 0), account TEXT
    CONSTRAINT "budgets.account: NULL (all) or an account" CHECK (length(account) BETWEEN 1 AND 64 AND instr(account, char(0)) = 0)) STRICT, WITHOUT ROWID;

CREATE TRIGGER budgets_changed BEFORE UPDATE ON budgets
WHEN instr(NEW.name, char(0)) OR instr(NEW.queue, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
    OR NEW.limit_millicredits > 1000000000000000
BEGIN
    SELECT RAISE(ABORT, 'budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000');
END;

CREATE TRIGGER budgets_inserted AFTER INSERT ON budgets WHEN NEW.queue IS NOT NULL
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER budgets_scope_deleted AFTER DELETE ON budgets
BEGIN
    DELETE FROM budget_attempts WHERE budget = OLD.name;
    DELETE FROM budget_spending WHERE budget = OLD.name;
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

CREATE TRIGGER budgets_text BEFORE INSERT ON budgets
WHEN instr(NEW.name, char(0)) OR instr(NEW.queue, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
    OR NEW.limit_millicredits > 1000000000000000
BEGIN
    SELECT RAISE(ABORT, 'budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000');
END;

CREATE TABLE completion_times (
    model TEXT NOT NULL PRIMARY KEY,
    completions INTEGER NOT NULL,
    mean_milliseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER completion_times_bounded_insert BEFORE INSERT ON completion_times
WHEN NEW.completions NOT BETWEEN 0 AND 4000000000000000 OR NEW.mean_milliseconds NOT BETWEEN 0 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER completion_times_bounded_update BEFORE UPDATE ON completion_times
WHEN NEW.completions NOT BETWEEN 0 AND 4000000000000000 OR NEW.mean_milliseconds NOT BETWEEN 0 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'completion_times: is written by promptd; a number is out of bounds');
END;

CREATE TABLE daemon (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pid INTEGER,
    version TEXT,
    started_at INTEGER,
    stopped_at INTEGER,
    heartbeat_at INTEGER,
    last_error TEXT,
    last_error_at INTEGER,
    -- The daemon's catalogue.defaultPrice, for programs that do not read its configuration.
    default_price_millicredits INTEGER NOT NULL DEFAULT 20000
        CONSTRAINT "daemon.default_price_millicredits: at least 0" CHECK (default_price_millicredits >= 0),
    -- When the balance was asked for, and the last attempt that there was when it was noted: later ones are not in it.
    database_id TEXT,
    -- Until when the provider wants no requests (Retry-After), over a restart.
    is_copy INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.is_copy: 0 or 1" CHECK (is_copy IN (0, 1)), has_marks INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.has_marks: 0 or 1" CHECK (has_marks IN (0, 1)), restored_at INTEGER
    CONSTRAINT "daemon.restored_at: Unix time in milliseconds" CHECK (restored_at BETWEEN 0 AND 253402300799999), restored_requests INTEGER
    CONSTRAINT "daemon.restored_requests: at least 0" CHECK (restored_requests >= 0), restored_job_id INTEGER
    CONSTRAINT "daemon.restored_job_id: at least 0" CHECK (restored_job_id >= 0), branch TEXT
    CONSTRAINT "daemon.branch: at most 64 characters" CHECK (length(branch) <= 64), catalogue_version INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.catalogue_version: at least 0" CHECK (catalogue_version >= 0), events_removed INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.events_removed: at least 0" CHECK (events_removed >= 0), hooks_read INTEGER
    CONSTRAINT "daemon.hooks_read: at least 0" CHECK (hooks_read >= 0)) STRICT;

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

CREATE TRIGGER daemon_events_removed BEFORE UPDATE OF events_removed ON daemon
WHEN NEW.events_removed IS NULL OR NEW.events_removed < OLD.events_removed
    OR NEW.events_removed > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
BEGIN
    SELECT RAISE(ABORT, 'daemon.events_removed: is written by the database; it only grows');
END;

CREATE TRIGGER daemon_identity BEFORE UPDATE OF database_id ON daemon WHEN OLD.database_id IS NOT NEW.database_id
BEGIN
    SELECT RAISE(ABORT, 'daemon.database_id: does not change');
END;

CREATE TRIGGER daemon_kept BEFORE DELETE ON daemon
BEGIN
    SELECT RAISE(ABORT, 'daemon: its one row stays');
END;

CREATE TRIGGER daemon_not_replaced BEFORE INSERT ON daemon WHEN EXISTS (SELECT 1 FROM daemon)
BEGIN
    SELECT RAISE(ABORT, 'daemon: has one row, which promptd writes');
END;

CREATE TRIGGER daemon_price_bounded BEFORE UPDATE OF default_price_millicredits ON daemon
WHEN NEW.default_price_millicredits IS NULL OR NEW.default_price_millicredits NOT BETWEEN 0 AND 1000000000
BEGIN
    SELECT RAISE(ABORT, 'daemon.default_price_millicredits: 0 to 1000000000; it is written by promptd, from catalogue.defaultPrice');
END;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- No foreign key: to check one would cost each change a search.
    job_id INTEGER NOT NULL,
    -- NULL: the job was added.
    previous_state TEXT,
    state TEXT NOT NULL
        CONSTRAINT "events.state: a state of jobs"
        CHECK (state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
    -- As they were then.
    queue TEXT NOT NULL,
    batch TEXT,
    error_code TEXT,
    at INTEGER NOT NULL
        CONSTRAINT "events.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999),
    CONSTRAINT "events: a change, or a job that was added"
        CHECK (state IS NOT previous_state AND (previous_state IS NOT NULL OR state = 'queued'))
) STRICT;

CREATE INDEX events_batch ON events (batch, sequence) WHERE batch IS NOT NULL;

CREATE INDEX events_job ON events (job_id);

CREATE TRIGGER events_frozen BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: what happened does not change');
END;

CREATE TRIGGER events_kept BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL)
    AND OLD.at > CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) - 604800000
    AND OLD.sequence > (SELECT max(sequence) FROM events) - 100000
BEGIN
    SELECT RAISE(ABORT, 'events: those of the last week stay; promptd removes the oldest');
END;

CREATE TRIGGER events_own BEFORE INSERT ON events
BEGIN
    SELECT RAISE(ABORT, 'events: are written by the database, when the state of a job changes')
    WHERE NOT EXISTS (SELECT 1 FROM jobs
            WHERE id = NEW.job_id AND state = NEW.state AND queue = NEW.queue AND batch IS NEW.batch)
        OR coalesce((SELECT state FROM events WHERE job_id = NEW.job_id ORDER BY sequence DESC LIMIT 1),
            NEW.previous_state) IS NOT NEW.previous_state
        OR NEW.previous_state IS NEW.state
        -- A number that somebody gives: what is left out is -1 here. A gap harms nobody, a number that is taken stops all.
        OR NEW.sequence NOT IN (-1, 0);
END;

CREATE TRIGGER events_removed AFTER DELETE ON events
BEGIN
    UPDATE daemon SET events_removed = OLD.sequence WHERE events_removed < OLD.sequence;
END;

CREATE TABLE gate_closings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT "gate_closings.name: at most 500 characters" CHECK (length(name) <= 500),
    message TEXT CONSTRAINT "gate_closings.message: at most 4000 characters" CHECK (length(message) <= 4000),
    at INTEGER NOT NULL
        CONSTRAINT "gate_closings.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999)
) STRICT;

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

CREATE TABLE "hook_deliveries" (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The hook's name in the configuration.
    hook TEXT NOT NULL
        CONSTRAINT "hook_deliveries.hook: 1 to 64 characters" CHECK (length(hook) BETWEEN 1 AND 64),
    event TEXT NOT NULL
        CONSTRAINT "hook_deliveries.event: succeeded, failed, unconfirmed, batch.done, gate.closed, budget.warning, budget.reached or test"
        CHECK (event IN ('succeeded', 'failed', 'unconfirmed', 'batch.done', 'gate.closed', 'budget.warning',
            'budget.reached', 'test')),
    job_id INTEGER,
    -- The batch, the gate or the budget.
    subject TEXT
        CONSTRAINT "hook_deliveries.subject: at most 500 characters" CHECK (length(subject) <= 500),
    message TEXT
        CONSTRAINT "hook_deliveries.message: at most 4000 characters" CHECK (length(message) <= 4000),
    -- In events; NULL: of none of these.
    sequence INTEGER,
    at INTEGER NOT NULL
        CONSTRAINT "hook_deliveries.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999),
    state TEXT NOT NULL DEFAULT 'pending'
        CONSTRAINT "hook_deliveries.state: pending, delivered or dead" CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "hook_deliveries.attempts: 0 to 1000000" CHECK (attempts BETWEEN 0 AND 1000000),
    next_at INTEGER NOT NULL
        CONSTRAINT "hook_deliveries.next_at: Unix time in milliseconds" CHECK (next_at BETWEEN 0 AND 253402300799999),
    last_error TEXT
        CONSTRAINT "hook_deliveries.last_error: at most 1000 characters" CHECK (length(last_error) <= 1000),
    ended_at INTEGER
        CONSTRAINT "hook_deliveries.ended_at: Unix time in milliseconds, of what is not pending"
        CHECK (ended_at BETWEEN 0 AND 253402300799999 AND state <> 'pending' OR ended_at IS NULL AND state = 'pending')
) STRICT;

CREATE INDEX hook_deliveries_dead ON hook_deliveries (id) WHERE state = 'dead';

CREATE INDEX hook_deliveries_due ON hook_deliveries (hook, next_at) WHERE state = 'pending';

CREATE INDEX hook_deliveries_ended ON hook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX hook_deliveries_job ON hook_deliveries (hook, job_id, id) WHERE state = 'pending' AND job_id IS NOT NULL;

CREATE UNIQUE INDEX hook_deliveries_once ON hook_deliveries (hook, event, sequence) WHERE sequence IS NOT NULL;

CREATE TABLE job_inputs (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- As it is in the job's input: job:12/0.
    reference TEXT NOT NULL,
    -- The job whose result is taken. It may be gone by now.
    source_id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (job_id, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_inputs_source ON job_inputs (source_id);

CREATE TRIGGER job_inputs_checked BEFORE INSERT ON job_inputs
BEGIN
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key')
    WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id);
    SELECT RAISE(ABORT, 'jobs.input: a job cannot take its own result') WHERE NEW.source_id = NEW.job_id;
    -- A new job is nobody's source yet.
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that waits for this one: a circle')
    WHERE EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.job_id)
        AND NEW.job_id IN (
            WITH RECURSIVE sources(id) AS (
                SELECT NEW.source_id
                UNION SELECT i.source_id FROM job_inputs AS i JOIN sources ON i.job_id = sources.id)
            SELECT id FROM sources);
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that has failed or was cancelled; retry that one first')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id AND state IN ('failed', 'cancelled'));
    SELECT RAISE(ABORT, 'jobs.input: takes a result that its job does not have, or that was pruned')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id AND state = 'succeeded')
        AND NOT EXISTS (SELECT 1 FROM results
            WHERE job_id = NEW.source_id AND ordinal = NEW.ordinal AND url IS NOT NULL);
    SELECT RAISE(ABORT, 'jobs.input: takes more than 100 results of others')
    WHERE (SELECT count(*) FROM job_inputs WHERE job_id = NEW.job_id) >= 100;
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input')
    WHERE NOT EXISTS (SELECT 1 FROM input_references WHERE job_id = NEW.job_id AND reference = NEW.reference
        AND source_id = NEW.source_id AND ordinal = NEW.ordinal);
END;

CREATE TRIGGER job_inputs_frozen BEFORE UPDATE ON job_inputs
BEGIN
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input');
END;

CREATE TRIGGER job_inputs_kept BEFORE DELETE ON job_inputs
WHEN EXISTS (SELECT 1 FROM input_references WHERE job_id = OLD.job_id AND reference = OLD.reference)
BEGIN
    SELECT RAISE(ABORT, 'job_inputs: is written by the database, from jobs.input');
END;

CREATE TABLE job_keys (
    unique_key TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_keys_frozen BEFORE UPDATE ON job_keys
BEGIN
    SELECT RAISE(ABORT, 'job_keys: goes with its job');
END;

CREATE TRIGGER job_keys_kept BEFORE DELETE ON job_keys
WHEN EXISTS (SELECT 1 FROM jobs WHERE unique_key = OLD.unique_key)
BEGIN
    SELECT RAISE(ABORT, 'job_keys: goes with its job');
END;

CREATE TABLE job_uploads (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    reference TEXT NOT NULL,
    PRIMARY KEY (job_id, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_uploads_reference ON job_uploads (reference);

CREATE TRIGGER job_uploads_added AFTER INSERT ON job_uploads
BEGIN
    -- A file may have been changed since another job named it, and what could not be uploaded then may be there now.
    UPDATE uploads SET state = 'wanted', asked = CASE WHEN asked < 4000000000000000 THEN asked + 1 ELSE 0 END,
        message = CASE state WHEN 'failed' THEN NULL ELSE message END,
        failing_since = CASE state WHEN 'failed' THEN NULL ELSE failing_since END
    WHERE reference = NEW.reference AND (state IN ('failed', 'idle') OR reference GLOB 'file:*');
    INSERT INTO uploads (reference)
    SELECT NEW.reference WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE reference = NEW.reference);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.job_id AND state = 'queued' AND turn IS NOT NULL
        AND (SELECT state FROM uploads WHERE reference = NEW.reference) <> 'ready';
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.job_id) WHERE id = NEW.job_id;
END;

CREATE TRIGGER job_uploads_checked BEFORE INSERT ON job_uploads
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input')
    WHERE NOT EXISTS (SELECT 1 FROM upload_references WHERE job_id = NEW.job_id AND reference = NEW.reference)
        AND NOT EXISTS (SELECT 1 FROM job_inputs
            WHERE job_id = NEW.job_id AND NEW.reference = 'result:' || source_id || '/' || ordinal);
    SELECT RAISE(ABORT, 'jobs.input: takes more than 100 files')
    WHERE (SELECT count(*) FROM job_uploads WHERE job_id = NEW.job_id) >= 100;
    SELECT RAISE(ABORT, 'jobs.input: a file: URL has at most 4096 bytes') WHERE length(CAST(NEW.reference AS BLOB)) > 4096;
END;

CREATE TRIGGER job_uploads_frozen BEFORE UPDATE ON job_uploads
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input');
END;

CREATE TRIGGER job_uploads_kept BEFORE DELETE ON job_uploads
WHEN EXISTS (SELECT 1 FROM upload_references WHERE job_id = OLD.job_id AND reference = OLD.reference)
    OR EXISTS (SELECT 1 FROM job_inputs
        WHERE job_id = OLD.job_id AND OLD.reference = 'result:' || source_id || '/' || ordinal)
BEGIN
    SELECT RAISE(ABORT, 'job_uploads: is written by the database, from jobs.input');
END;

CREATE TABLE jobs (
    -- AUTOINCREMENT: an id is never reused, so the ledger in attempts stays true after jobs are pruned.
    id INTEGER PRIMARY KEY AUTOINCREMENT,

    -- Written by producers.
    prompt TEXT,
    model TEXT NOT NULL DEFAULT 'flux-2/flex-text-to-image'
        CONSTRAINT "jobs.model: must not be empty" CHECK (model <> ''),
    input TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT "jobs.input: must be a JSON object, like {""aspect_ratio"":""16:9""}"
        CHECK (CASE WHEN json_valid(input) THEN json_type(input) = 'object' ELSE 0 END),
    queue TEXT NOT NULL DEFAULT 'default'
        CONSTRAINT "jobs.queue: 1 to 100 characters" CHECK (length(queue) BETWEEN 1 AND 100),
    priority INTEGER NOT NULL DEFAULT 0,
    run_at INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)"
        CHECK (run_at = 0 OR run_at >= 100000000000),
    unique_key TEXT UNIQUE,
    batch TEXT
        CONSTRAINT "jobs.batch: NULL or 1 to 200 characters" CHECK (length(batch) BETWEEN 1 AND 200),
    labels TEXT
        CONSTRAINT "jobs.labels: NULL or a JSON object, like {""sku"":""A-1""}"
        CHECK (labels IS NULL OR CASE WHEN json_valid(labels) THEN json_type(labels) = 'object' ELSE 0 END),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT "jobs.max_attempts: 1 to 20" CHECK (max_attempts BETWEEN 1 AND 20),

    -- Written by promptd.
    state TEXT NOT NULL DEFAULT 'queued'
        CONSTRAINT "jobs.state: queued, submitting, running, succeeded, failed, cancelled or unconfirmed"
        CHECK (state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
    attempt_count INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "jobs.attempt_count: at least 0" CHECK (attempt_count >= 0),
    task_id TEXT,
    provider_state TEXT,
    estimated_millicredits INTEGER
        CONSTRAINT "jobs.estimated_millicredits: at least 0" CHECK (estimated_millicredits >= 0),
    charged_millicredits INTEGER
        CONSTRAINT "jobs.charged_millicredits: at least 0" CHECK (charged_millicredits >= 0),
    error_code TEXT,
    error_message TEXT,
    created_at INTEGER NOT NULL DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
    submitted_at INTEGER,
    finished_at INTEGER,
    -- Within a queue and a priority, jobs are taken by turn. Each batch counts its own jobs, from the turn that is being
    -- served when its first one comes: of two batches, one with a million jobs and one with ten, every other job is of the
    -- small one (start-time fair queueing; Goyal, Vin and Cheng, SIGCOMM 1996). Jobs without a batch count as one batch.
    --
    -- NULL: not due yet; whether the instant of a scheduled job has come is for the claim to say, by the daemon's clock.
    -- -1 asks for a turn (jobs_turn_asked).
    turn INTEGER,
    estimate_basis TEXT
        CONSTRAINT "jobs.estimate_basis: listed, override, observed or default, together with estimated_millicredits"
        CHECK (estimate_basis IS NULL OR (estimate_basis IN ('listed', 'override', 'observed', 'default')
            AND estimated_millicredits IS NOT NULL)),
    -- The turn that a job gets back when the time of its next try has come.
    kept_turn INTEGER,
    -- 1: somebody has taken its task or its results up again, and a daemon at work has yet to notice.
    is_resumed INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "jobs.is_resumed: 0 or 1" CHECK (is_resumed IN (0, 1)), pruned_at INTEGER
    CONSTRAINT "jobs.pruned_at: is written by promptd" CHECK (pruned_at BETWEEN 0 AND 253402300799999), allow_unknown INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "jobs.allow_unknown: 0 or 1" CHECK (allow_unknown IN (0, 1)), waits INTEGER
    CONSTRAINT "jobs.waits: is written by the database; a job that waits for others has no turn"
    CHECK (waits IS NULL OR (waits >= 0 AND (waits = 0 OR turn IS NULL OR state <> 'queued'))),

    CONSTRAINT "jobs.state: a running job has the task_id that the provider gave it; only promptd sets it"
        CHECK (state <> 'running' OR task_id IS NOT NULL),
    CONSTRAINT "jobs.state: only promptd sets succeeded, together with finished_at"
        CHECK (state <> 'succeeded' OR finished_at IS NOT NULL),
    CONSTRAINT "jobs.state: only promptd sets failed, together with finished_at and error_code; to stop a job set cancelled"
        CHECK (state <> 'failed' OR (finished_at IS NOT NULL AND error_code IS NOT NULL))
) STRICT;

CREATE INDEX jobs_batch ON jobs (batch, state) WHERE batch IS NOT NULL;

CREATE INDEX jobs_batch_charged ON jobs (batch, charged_millicredits) WHERE charged_millicredits > 0;

CREATE INDEX jobs_claim ON jobs (queue, model, priority DESC, turn) WHERE state = 'queued' AND turn IS NOT NULL;

CREATE INDEX jobs_failed ON jobs (finished_at) WHERE state = 'failed';

CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL AND pruned_at IS NULL;

CREATE INDEX jobs_listed ON jobs (queue, state) WHERE id > 0;

CREATE INDEX jobs_resumed ON jobs (id) WHERE is_resumed = 1;

CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';

CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'queued' AND turn IS NULL AND coalesce(waits, 0) = 0;

CREATE INDEX jobs_submitting ON jobs (id) WHERE state = 'submitting';

CREATE INDEX jobs_unconfirmed ON jobs (id) WHERE state = 'unconfirmed';

CREATE INDEX jobs_waiting ON jobs (queue) WHERE state = 'queued' AND waits > 0;

CREATE TRIGGER jobs_allowance_frozen BEFORE UPDATE OF allow_unknown ON jobs
WHEN OLD.state <> 'queued' AND NEW.state <> 'queued' AND OLD.allow_unknown IS NOT NEW.allow_unknown
BEGIN
    SELECT RAISE(ABORT, 'jobs: allow_unknown can be changed only while the job is queued');
END;

CREATE TRIGGER jobs_cancelled AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'cancelled' AND OLD.state <> 'cancelled'
BEGIN
    UPDATE jobs SET finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) WHERE id = NEW.id;
    UPDATE results SET state = 'failed', error_message = 'cancelled before it was downloaded'
    WHERE job_id = NEW.id AND state = 'pending';
END;

CREATE TRIGGER jobs_charge_frozen BEFORE UPDATE OF charged_millicredits ON jobs
WHEN OLD.charged_millicredits IS NOT NEW.charged_millicredits
    AND NEW.charged_millicredits IS NOT (SELECT sum(charged_millicredits) FROM attempts WHERE job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.charged_millicredits: is written by promptd: the sum of its attempts'' charges');
END;

CREATE TRIGGER jobs_content_frozen BEFORE UPDATE OF priority, run_at, queue, prompt, input, labels, max_attempts ON jobs
WHEN OLD.state <> 'queued' AND NEW.state <> 'queued'
    AND (OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at OR OLD.queue <> NEW.queue
        OR OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input OR OLD.labels IS NOT NEW.labels
        -- Fewer attempts than before harm nobody.
        OR OLD.max_attempts < NEW.max_attempts)
    -- Pruning takes all texts at once, and nothing else.
    AND NOT (OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL AND NEW.prompt IS NULL AND NEW.input = '{}'
        AND NEW.labels IS NULL AND OLD.priority = NEW.priority AND OLD.run_at = NEW.run_at AND OLD.queue = NEW.queue
        AND OLD.max_attempts = NEW.max_attempts)
BEGIN
    SELECT RAISE(ABORT, 'jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued');
END;

CREATE TRIGGER jobs_counted AFTER UPDATE OF state, queue ON jobs
WHEN OLD.state <> NEW.state OR OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queue_counts (queue, state, jobs)
    SELECT NEW.queue, NEW.state, 0
    WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE queue = NEW.queue AND state = NEW.state);
    UPDATE queue_counts SET jobs = max(-4000000000000000, jobs - 1) WHERE queue = OLD.queue AND state = OLD.state;
    UPDATE queue_counts SET jobs = min(4000000000000000, jobs + 1) WHERE queue = NEW.queue AND state = NEW.state;
END;

CREATE TRIGGER jobs_delete_open BEFORE DELETE ON jobs
WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND finished_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'jobs: cannot be deleted while the provider may be working on it; wait for it to end');
END;

CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs
BEGIN
    -- The sqlite3 shell does not enforce foreign keys unless it is told to.
    DELETE FROM results WHERE job_id = OLD.id;
    UPDATE queue_counts SET jobs = max(-4000000000000000, jobs - 1) WHERE queue = OLD.queue AND state = OLD.state;
END;

CREATE TRIGGER jobs_event_added AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, NULL, NEW.state, NEW.queue, NEW.batch, NULL,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
END;

CREATE TRIGGER jobs_event_changed AFTER UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state AND NOT (NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled'))
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.queue, NEW.batch, NEW.error_code,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
END;

CREATE TRIGGER jobs_events_deleted AFTER DELETE ON jobs
BEGIN
    DELETE FROM events WHERE job_id = OLD.id;
END;

CREATE TRIGGER jobs_events_pruned AFTER UPDATE OF pruned_at ON jobs WHEN NEW.pruned_at IS NOT NULL
BEGIN
    DELETE FROM events WHERE job_id = NEW.id;
END;

CREATE TRIGGER jobs_id_given AFTER INSERT ON jobs
WHEN NEW.id < 1 OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.id: is given by the database; leave the column out');
END;

CREATE TRIGGER jobs_id_reused BEFORE INSERT ON jobs WHEN NEW.id > 0
    AND (EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id))
BEGIN
    SELECT RAISE(ABORT, 'jobs.id: is given by the database; leave the column out');
END;

CREATE TRIGGER jobs_identity_frozen BEFORE UPDATE OF id, model, unique_key, batch, created_at ON jobs
WHEN OLD.id <> NEW.id OR OLD.model <> NEW.model OR OLD.unique_key IS NOT NEW.unique_key
    OR OLD.batch IS NOT NEW.batch OR OLD.created_at <> NEW.created_at
BEGIN
    SELECT RAISE(ABORT, 'jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another');
END;

CREATE TRIGGER jobs_inputs_changed AFTER UPDATE OF input ON jobs
WHEN OLD.input <> NEW.input
    AND (OLD.waits IS NOT NULL OR instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
        OR instr(NEW.input, '\u'))
BEGIN
    DELETE FROM job_inputs
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM input_references WHERE job_id = NEW.id);
    DELETE FROM job_uploads
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM upload_references WHERE job_id = NEW.id)
        AND reference NOT IN (SELECT 'result:' || source_id || '/' || ordinal FROM job_inputs WHERE job_id = NEW.id);
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM job_inputs WHERE job_id = NEW.id);
    SELECT RAISE(ABORT, 'jobs.input: takes the result of a job that has failed, was cancelled, or is gone; retry that one first')
    WHERE NEW.state = 'queued' AND EXISTS (
        SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL));
    INSERT INTO job_uploads (job_id, reference)
    SELECT job_id, reference FROM upload_references
    WHERE job_id = NEW.id AND reference NOT IN (SELECT reference FROM job_uploads WHERE job_id = NEW.id);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND turn IS NOT NULL AND (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) > 0;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_inputs_deleted AFTER DELETE ON jobs WHEN OLD.waits IS NOT NULL
BEGIN
    DELETE FROM job_inputs WHERE job_id = OLD.id;
    DELETE FROM job_uploads WHERE job_id = OLD.id;
END;

CREATE TRIGGER jobs_inputs_failed AFTER UPDATE OF state ON jobs
WHEN NEW.state IN ('failed', 'cancelled') AND OLD.state <> NEW.state AND NEW.error_code IS NOT 'input_failed'
    AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || NEW.id || ', whose result it waits for, '
            || CASE NEW.state WHEN 'cancelled' THEN 'was cancelled'
                ELSE 'has failed (' || coalesce(NEW.error_code, 'unknown') || ')' END
            || '; retry that one, and then this one'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = NEW.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

CREATE TRIGGER jobs_inputs_inserted AFTER INSERT ON jobs
WHEN instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
    OR instr(NEW.input, '\u')
BEGIN
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    -- 0 is no job: what is not there is refused with a word about it.
    SELECT job_id, reference, coalesce(source_id, 0), ordinal FROM input_references WHERE job_id = NEW.id;
    INSERT INTO job_uploads (job_id, reference) SELECT job_id, reference FROM upload_references WHERE job_id = NEW.id;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id)
    WHERE id = NEW.id AND EXISTS (SELECT 1 FROM job_inputs WHERE job_id = NEW.id);
    UPDATE jobs SET turn = -1 WHERE id = NEW.id AND run_at = 0 AND turn IS NULL AND coalesce(waits, 0) = 0;
END;

CREATE TRIGGER jobs_inputs_ready AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' AND OLD.state <> 'succeeded' AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = jobs.id)
    WHERE id IN (SELECT job_id FROM job_inputs WHERE source_id = NEW.id) AND waits IS NOT NULL;
END;

CREATE TRIGGER jobs_inputs_source_deleted AFTER DELETE ON jobs
WHEN EXISTS (SELECT 1 FROM job_inputs WHERE source_id = OLD.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || OLD.id || ', whose result it takes, was deleted; insert it again'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = OLD.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

CREATE TRIGGER jobs_inputs_source_pruned AFTER UPDATE OF pruned_at ON jobs
WHEN NEW.pruned_at IS NOT NULL AND OLD.pruned_at IS NULL AND EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id)
BEGIN
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'input_failed', error_message = 'job ' || NEW.id || ', whose result it takes, was pruned; insert it again'
    WHERE state = 'queued' AND id IN (
        WITH RECURSIVE followers(id) AS (
            SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
            WHERE i.source_id = NEW.id AND j.state = 'queued'
            UNION
            SELECT i.job_id FROM followers JOIN job_inputs AS i ON i.source_id = followers.id
                JOIN jobs AS j ON j.id = i.job_id
            WHERE j.state = 'queued')
        SELECT id FROM followers);
END;

CREATE TRIGGER jobs_insert_foreign BEFORE INSERT ON jobs
WHEN NEW.attempt_count <> 0 OR NEW.is_resumed <> 0 OR NEW.task_id IS NOT NULL OR NEW.provider_state IS NOT NULL
    OR NEW.charged_millicredits IS NOT NULL OR NEW.error_code IS NOT NULL OR NEW.error_message IS NOT NULL
    OR NEW.submitted_at IS NOT NULL OR NEW.finished_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: attempt_count, is_resumed, task_id, provider_state, charged_millicredits, error_code, error_message, submitted_at and finished_at are written by promptd; leave them out');
END;

CREATE TRIGGER jobs_insert_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'jobs.state: a new job is queued; leave the column out');
END;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs
BEGIN
    INSERT INTO queues (name) SELECT NEW.queue WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.queue);
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = min(4000000000000000, jobs + 1);
END;

CREATE TRIGGER jobs_key_deleted AFTER DELETE ON jobs WHEN OLD.unique_key IS NOT NULL
BEGIN
    DELETE FROM job_keys WHERE unique_key = OLD.unique_key;
END;

CREATE TRIGGER jobs_key_inserted AFTER INSERT ON jobs WHEN NEW.unique_key IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs: INSERT OR REPLACE would forget a job with this unique_key; use ON CONFLICT DO NOTHING, or UPDATE it while it is queued')
    WHERE EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key)
        OR EXISTS (SELECT 1 FROM key_sought WHERE unique_key = NEW.unique_key AND job_id IS NOT NULL);
    INSERT INTO job_keys (unique_key, job_id) VALUES (NEW.unique_key, NEW.id);
END;

CREATE TRIGGER jobs_key_sought BEFORE INSERT ON jobs WHEN NEW.unique_key IS NOT NULL
BEGIN
    UPDATE key_sought
    SET unique_key = NEW.unique_key, job_id = (SELECT job_id FROM job_keys WHERE unique_key = NEW.unique_key)
    WHERE unique_key = NEW.unique_key OR EXISTS (SELECT 1 FROM job_keys WHERE unique_key = NEW.unique_key);
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

CREATE TRIGGER jobs_moved AFTER UPDATE OF queue ON jobs WHEN OLD.queue <> NEW.queue
BEGIN
    INSERT INTO queues (name) VALUES (NEW.queue) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER jobs_pruned BEFORE UPDATE OF pruned_at ON jobs WHEN OLD.pruned_at IS NOT NEW.pruned_at
BEGIN
    SELECT RAISE(ABORT, 'jobs.pruned_at: what was removed does not come back') WHERE OLD.pruned_at IS NOT NULL;
    SELECT RAISE(ABORT, 'jobs.pruned_at: is written by promptd, when a job has ended and its attempts are settled')
    WHERE OLD.state NOT IN ('succeeded', 'failed', 'cancelled') OR NEW.state <> OLD.state
        OR EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND finished_at IS NULL);
END;

CREATE TRIGGER jobs_pruned_inserted BEFORE INSERT ON jobs WHEN NEW.pruned_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs.pruned_at: is written by promptd; leave it out');
END;

CREATE TRIGGER jobs_pruned_stays BEFORE UPDATE OF state, prompt, input, labels ON jobs
WHEN OLD.pruned_at IS NOT NULL
    AND (NEW.state <> OLD.state OR NEW.prompt IS NOT OLD.prompt OR NEW.input <> OLD.input OR NEW.labels IS NOT OLD.labels)
BEGIN
    SELECT RAISE(ABORT, 'jobs: what this job was about was removed; insert another one, with another unique_key');
END;

CREATE TRIGGER jobs_queue_revived AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO queues (name) SELECT NEW.queue WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.queue);
END;

CREATE TRIGGER jobs_requeued AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('submitting', 'running', 'unconfirmed')
    AND NEW.attempt_count >= NEW.max_attempts
BEGIN
    UPDATE jobs SET attempt_count = 0 WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_resumption_over AFTER UPDATE OF state ON jobs
WHEN NEW.state IN ('succeeded', 'failed') AND NEW.is_resumed = 1
BEGIN
    UPDATE jobs SET is_resumed = 0 WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.queue, NEW.batch, NULL,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
    UPDATE jobs SET attempt_count = 0, error_code = NULL, error_message = NULL, finished_at = NULL, provider_state = NULL
    WHERE id = NEW.id;
    -- What it asks for now has another price, and no task yet.
    UPDATE jobs SET task_id = NULL, estimated_millicredits = NULL, estimate_basis = NULL
    WHERE id = NEW.id AND (OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input);
    UPDATE results SET state = 'pending', error_message = NULL
    WHERE job_id = NEW.id AND state = 'failed';
    UPDATE jobs SET state = 'unconfirmed'
    WHERE id = NEW.id
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL);
    -- A task that failed, and is no longer the job's, was for what the job asked before.
    UPDATE jobs SET state = 'running', is_resumed = 1, task_id = (
        SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            AND (finished_at IS NULL OR task_id IS OLD.task_id OR coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))
        ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
    WHERE id = NEW.id AND state = 'queued' AND OLD.prompt IS NEW.prompt AND OLD.input = NEW.input
        AND EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            AND (finished_at IS NULL OR task_id IS OLD.task_id OR coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')));
END;

CREATE TRIGGER jobs_retried_as_it_was BEFORE UPDATE OF prompt, input ON jobs
WHEN OLD.state <> 'queued' AND NEW.state = 'queued'
    AND (OLD.prompt IS NOT NEW.prompt OR OLD.input <> NEW.input)
    AND EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id
        AND (state <> 'rejected' AND finished_at IS NULL
            OR state = 'accepted' AND coalesce(error_code, '')
                NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
BEGIN
    SELECT RAISE(ABORT, 'jobs: prompt and input of a job that has a task cannot be changed; insert another job');
END;

CREATE TRIGGER jobs_rules BEFORE UPDATE ON jobs
BEGIN
    SELECT CASE
        WHEN OLD.id <> NEW.id
            THEN RAISE(ABORT, 'jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another')
        WHEN NEW.model IS NULL OR NEW.input IS NULL OR NEW.queue IS NULL OR NEW.priority IS NULL OR NEW.run_at IS NULL
            OR NEW.max_attempts IS NULL OR NEW.state IS NULL OR NEW.attempt_count IS NULL OR NEW.is_resumed IS NULL
            OR NEW.created_at IS NULL
            THEN RAISE(ABORT, 'jobs: model, input, queue, priority, run_at, max_attempts, state, attempt_count, is_resumed and created_at cannot be NULL')
        WHEN OLD.state = NEW.state AND OLD.state IN ('succeeded', 'failed')
            AND (OLD.attempt_count <> NEW.attempt_count OR OLD.provider_state IS NOT NEW.provider_state
                OR OLD.error_code IS NOT NEW.error_code OR OLD.error_message IS NOT NEW.error_message
                OR OLD.submitted_at IS NOT NEW.submitted_at OR OLD.finished_at IS NOT NEW.finished_at
                OR OLD.estimated_millicredits IS NOT NEW.estimated_millicredits)
            THEN RAISE(ABORT, 'jobs: what has ended stays as it is')
        WHEN NEW.attempt_count > 1000 THEN RAISE(ABORT, 'jobs.attempt_count: at most 1000; it is written by promptd')
        WHEN NEW.submitted_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'jobs: submitted_at and finished_at are written by promptd')
        WHEN NEW.estimated_millicredits > 1000000000000
            THEN RAISE(ABORT, 'jobs.estimated_millicredits: at most 1000000000000')
        WHEN NEW.turn IS NOT OLD.turn AND NEW.turn <> -1 AND NEW.turn IS NOT OLD.kept_turn
            AND NEW.turn NOT BETWEEN 0 AND coalesce((SELECT turn FROM turns
                WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, '')), 0)
            THEN RAISE(ABORT, 'jobs.turn: is written by promptd')
        WHEN NEW.kept_turn IS NOT OLD.kept_turn AND NEW.kept_turn IS NOT OLD.turn
            AND NEW.kept_turn NOT BETWEEN 0 AND coalesce((SELECT turn FROM turns
                WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, '')), 0)
            THEN RAISE(ABORT, 'jobs.kept_turn: is written by promptd')
        WHEN instr(NEW.provider_state, char(0)) OR instr(NEW.error_code, char(0)) OR instr(NEW.error_message, char(0))
            THEN RAISE(ABORT, 'jobs: a text holds a NUL character')
        WHEN length(NEW.provider_state) > 200 OR length(NEW.error_code) > 100 OR length(NEW.error_message) > 4000
            THEN RAISE(ABORT, 'jobs: a text is too long')
        END;
END;

CREATE TRIGGER jobs_search_changed AFTER UPDATE OF prompt ON jobs WHEN OLD.prompt IS NOT NEW.prompt
BEGIN
    INSERT INTO search_changes (job_id) VALUES (NEW.id);
END;

CREATE TRIGGER jobs_search_deleted AFTER DELETE ON jobs
BEGIN
    INSERT INTO search_changes (job_id) VALUES (OLD.id);
END;

CREATE TRIGGER jobs_search_inserted AFTER INSERT ON jobs WHEN NEW.id < (SELECT max(id) FROM jobs)
BEGIN
    INSERT INTO search_changes (job_id) VALUES (NEW.id);
END;

CREATE TRIGGER jobs_state_rules BEFORE UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
BEGIN
    -- Where no job can go from a state, whoever sends it there.
    SELECT CASE OLD.state
        WHEN 'queued' THEN CASE NEW.state
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition queued -> succeeded')
            END
        WHEN 'submitting' THEN CASE NEW.state
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> succeeded')
            WHEN 'cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition submitting -> cancelled (its request is under way; cancel it in a moment, when it is running)')
            END
        WHEN 'running' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> submitting')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition running -> unconfirmed')
            END
        WHEN 'succeeded' THEN CASE NEW.state
            WHEN 'queued' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> queued')
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> submitting')
            WHEN 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> running')
            WHEN 'failed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> failed')
            WHEN 'cancelled' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> cancelled')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition succeeded -> unconfirmed')
            END
        WHEN 'failed' THEN CASE
            WHEN NEW.state = 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> submitting')
            WHEN NEW.state = 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> running')
            WHEN NEW.state = 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> succeeded')
            -- Whoever cancels a whole chain cancels also what has failed for it a moment ago.
            WHEN NEW.state = 'cancelled' AND OLD.error_code IS NOT 'input_failed'
                THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> cancelled')
            WHEN NEW.state = 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition failed -> unconfirmed')
            END
        WHEN 'cancelled' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> submitting')
            WHEN 'running' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> running')
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> succeeded')
            WHEN 'failed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> failed')
            WHEN 'unconfirmed' THEN RAISE(ABORT, 'jobs.state: illegal transition cancelled -> unconfirmed')
            END
        WHEN 'unconfirmed' THEN CASE NEW.state
            WHEN 'submitting' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> submitting')
            WHEN 'succeeded' THEN RAISE(ABORT, 'jobs.state: illegal transition unconfirmed -> succeeded')
            END
        END;
    -- What the ledger says of each state that a job may come to.
    SELECT CASE NEW.state
        WHEN 'submitting' THEN CASE
            WHEN (SELECT count(*) FROM attempts WHERE job_id = NEW.id AND state = 'sending') <> 1
                OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL AND state <> 'sending')
                THEN RAISE(ABORT, 'jobs.state: only promptd sets submitting, together with the one attempt that it is about to send')
            END
        WHEN 'running' THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts
                    WHERE job_id = NEW.id AND state IN ('sending', 'unknown') AND finished_at IS NULL)
                OR NEW.task_id IS NOT (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                    ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
                THEN RAISE(ABORT, 'jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve')
            END
        WHEN 'succeeded' THEN CASE
            WHEN NOT EXISTS (SELECT 1 FROM attempts
                    WHERE job_id = NEW.id AND state = 'accepted' AND finished_at IS NOT NULL AND error_code IS NULL)
                OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state <> 'saved')
                THEN RAISE(ABORT, 'jobs.state: only promptd sets succeeded, when the task has ended and its results are saved')
            END
        WHEN 'failed' THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: its task may still be running; to stop the job set cancelled')
            END
        WHEN 'unconfirmed' THEN CASE
            WHEN NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'unknown' AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: only promptd sets unconfirmed, when the answer to a request was lost')
            END
        END;
    -- What may be paid for does not come back to the queue, nor does what has to wait for something else.
    SELECT CASE
        WHEN OLD.state IN ('submitting', 'running', 'unconfirmed') THEN CASE
            WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND finished_at IS NULL)
                THEN RAISE(ABORT, 'jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve')
            WHEN EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id)
                OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                    AND (error_code IS NULL OR error_code = 'empty_result'))
                THEN RAISE(ABORT, 'jobs.state: its task has succeeded and is paid for; its results are being fetched')
            END
        -- It is taken up with the key that paid for it.
        WHEN OLD.prompt IS NEW.prompt AND OLD.input = NEW.input
            AND EXISTS (SELECT 1 FROM attempts AS a JOIN accounts AS c ON c.name = a.account
                WHERE a.job_id = NEW.id AND NOT c.is_configured AND a.state = 'accepted'
                    AND (a.finished_at IS NULL OR a.task_id IS OLD.task_id OR coalesce(a.error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
            THEN RAISE(ABORT, 'jobs.state: its task is of an account that is not in the configuration; put that back first')
        WHEN OLD.waits IS NOT NULL AND OLD.input = NEW.input
            AND NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND (state = 'unknown' AND finished_at IS NULL
                OR state = 'accepted' AND OLD.prompt IS NEW.prompt AND (finished_at IS NULL OR task_id IS OLD.task_id
                    OR coalesce(error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))))
            AND EXISTS (
                SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
                WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL))
            THEN RAISE(ABORT, 'jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first')
        WHEN EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'sending')
            THEN RAISE(ABORT, 'jobs.state: a request of this job is under way; try again in a moment')
        END
    WHERE NEW.state = 'queued';
END;

CREATE TRIGGER jobs_suspicion_deleted AFTER DELETE ON jobs
BEGIN
    DELETE FROM suspects WHERE job_id = OLD.id;
    DELETE FROM set_aside WHERE job_id = OLD.id;
END;

CREATE TRIGGER jobs_task_frozen BEFORE UPDATE OF task_id ON jobs
WHEN OLD.task_id IS NOT NEW.task_id AND NEW.task_id IS NOT NULL
    AND NEW.task_id IS NOT (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
        ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
BEGIN
    SELECT RAISE(ABORT, 'jobs.task_id: is written by promptd');
END;

CREATE TRIGGER jobs_text_changed BEFORE UPDATE OF prompt, input, queue, labels, priority, run_at ON jobs
BEGIN
    SELECT CASE
        WHEN instr(NEW.prompt, char(0)) THEN RAISE(ABORT, 'jobs.prompt: holds a NUL character')
        WHEN instr(NEW.input, char(0)) THEN RAISE(ABORT, 'jobs.input: holds a NUL character')
        WHEN instr(NEW.queue, char(0)) THEN RAISE(ABORT, 'jobs.queue: holds a NUL character')
        WHEN instr(NEW.labels, char(0)) THEN RAISE(ABORT, 'jobs.labels: holds a NUL character')
        WHEN length(CAST(NEW.prompt AS BLOB)) > 131072 THEN RAISE(ABORT, 'jobs.prompt: at most 131072 bytes')
        WHEN length(CAST(NEW.input AS BLOB)) > 262144 THEN RAISE(ABORT, 'jobs.input: at most 262144 bytes')
        WHEN length(CAST(NEW.labels AS BLOB)) > 65536 THEN RAISE(ABORT, 'jobs.labels: at most 65536 bytes')
        WHEN length(CAST(NEW.queue AS BLOB)) > 400 THEN RAISE(ABORT, 'jobs.queue: at most 400 bytes')
        WHEN NEW.priority NOT BETWEEN -1000000000 AND 1000000000
            THEN RAISE(ABORT, 'jobs.priority: -1000000000 to 1000000000')
        WHEN NEW.run_at > 253402300799999 THEN RAISE(ABORT, 'jobs.run_at: not after the year 9999')
        END;
END;

CREATE TRIGGER jobs_text_inserted BEFORE INSERT ON jobs
BEGIN
    SELECT CASE
        WHEN instr(NEW.prompt, char(0)) THEN RAISE(ABORT, 'jobs.prompt: holds a NUL character')
        WHEN instr(NEW.model, char(0)) THEN RAISE(ABORT, 'jobs.model: holds a NUL character')
        WHEN instr(NEW.input, char(0)) THEN RAISE(ABORT, 'jobs.input: holds a NUL character')
        WHEN instr(NEW.queue, char(0)) THEN RAISE(ABORT, 'jobs.queue: holds a NUL character')
        WHEN instr(NEW.batch, char(0)) THEN RAISE(ABORT, 'jobs.batch: holds a NUL character')
        WHEN instr(NEW.unique_key, char(0)) THEN RAISE(ABORT, 'jobs.unique_key: holds a NUL character')
        WHEN instr(NEW.labels, char(0)) THEN RAISE(ABORT, 'jobs.labels: holds a NUL character')
        WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200
            THEN RAISE(ABORT, 'jobs.model: 1 to 200 characters of ASCII, without spaces')
        -- length() of a BLOB counts bytes.
        WHEN length(CAST(NEW.prompt AS BLOB)) > 131072 THEN RAISE(ABORT, 'jobs.prompt: at most 131072 bytes')
        WHEN length(CAST(NEW.input AS BLOB)) > 262144 THEN RAISE(ABORT, 'jobs.input: at most 262144 bytes')
        WHEN length(CAST(NEW.labels AS BLOB)) > 65536 THEN RAISE(ABORT, 'jobs.labels: at most 65536 bytes')
        WHEN length(CAST(NEW.unique_key AS BLOB)) > 1000 THEN RAISE(ABORT, 'jobs.unique_key: at most 1000 bytes')
        WHEN length(CAST(NEW.queue AS BLOB)) > 400 THEN RAISE(ABORT, 'jobs.queue: at most 400 bytes')
        WHEN length(CAST(NEW.batch AS BLOB)) > 800 THEN RAISE(ABORT, 'jobs.batch: at most 800 bytes')
        WHEN NEW.priority NOT BETWEEN -1000000000 AND 1000000000
            THEN RAISE(ABORT, 'jobs.priority: -1000000000 to 1000000000')
        WHEN NEW.run_at > 253402300799999 THEN RAISE(ABORT, 'jobs.run_at: not after the year 9999')
        WHEN NEW.created_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'jobs.created_at: Unix time in milliseconds; leave the column out')
        WHEN NEW.estimated_millicredits > 1000000000000
            THEN RAISE(ABORT, 'jobs.estimated_millicredits: at most 1000000000000')
        WHEN NEW.turn IS NOT NULL OR NEW.kept_turn IS NOT NULL
            THEN RAISE(ABORT, 'jobs: turn and kept_turn are written by promptd; leave them out')
        WHEN NEW.id > 4000000000000000000 THEN RAISE(ABORT, 'jobs.id: is given by the database; leave the column out')
        END;
END;

CREATE TRIGGER jobs_turn_asked AFTER UPDATE OF turn ON jobs WHEN NEW.turn = -1
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = min(4000000000000000, max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn));
    UPDATE jobs SET kept_turn = NULL, turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_turn_came AFTER UPDATE OF state, turn ON jobs
WHEN NEW.state = 'queued' AND NEW.turn >= 0 AND NOT (OLD.state = 'queued' AND coalesce(OLD.turn, -1) >= 0)
BEGIN
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), NEW.turn, 1)
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = min(4000000000000000, waiting + 1);
END;

CREATE TRIGGER jobs_turn_deleted AFTER DELETE ON jobs WHEN OLD.state = 'queued' AND OLD.turn >= 0
BEGIN
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1)
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
END;

CREATE TRIGGER jobs_turn_inserted AFTER INSERT ON jobs
WHEN NEW.run_at = 0
    -- What may take something of others has its turn from jobs_inputs_inserted.
    AND NOT (instr(NEW.input, 'job:') OR instr(NEW.input, 'key:') OR instr(NEW.input, 'upload:') OR instr(NEW.input, 'file:')
        OR instr(NEW.input, '\u'))
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET
        turn = min(4000000000000000, max(CASE WHEN waiting > 0 THEN turn + 1 ELSE taken + 1 END, excluded.turn));
    UPDATE jobs SET turn = (
        SELECT turn FROM turns
        WHERE queue = NEW.queue AND priority = NEW.priority AND batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_turn_left AFTER UPDATE OF state, turn ON jobs
WHEN OLD.state = 'queued' AND OLD.turn >= 0 AND NOT (NEW.state = 'queued' AND coalesce(NEW.turn, -1) >= 0)
BEGIN
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1),
        taken = CASE WHEN NEW.state = 'submitting' THEN max(taken, OLD.turn) ELSE taken END
    WHERE queue = OLD.queue AND priority = OLD.priority AND batch = coalesce(OLD.batch, '');
END;

CREATE TRIGGER jobs_turn_moved AFTER UPDATE OF queue, priority, run_at ON jobs
WHEN OLD.state = 'queued' AND NEW.state = 'queued'
    AND (OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at)
BEGIN
    -- What waits is counted where it was, and now where it is, from where it is taken in a moment.
    UPDATE turns SET waiting = max(-4000000000000000, waiting - 1)
    WHERE OLD.turn >= 0 AND NEW.turn >= 0 AND queue = OLD.queue AND priority = OLD.priority
        AND batch = coalesce(OLD.batch, '');
    INSERT INTO turns (queue, priority, batch, turn, waiting)
    SELECT NEW.queue, NEW.priority, coalesce(NEW.batch, ''), 0, 1 WHERE OLD.turn >= 0 AND NEW.turn >= 0
    ON CONFLICT (queue, priority, batch) DO UPDATE SET waiting = min(4000000000000000, waiting + 1);
    UPDATE jobs SET kept_turn = NULL, turn = CASE WHEN run_at = 0 AND coalesce(waits, 0) = 0 THEN -1 END WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_turn_retried AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
BEGIN
    INSERT INTO turns (queue, priority, batch, turn)
    VALUES (NEW.queue, NEW.priority, coalesce(NEW.batch, ''), coalesce(
        (SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0))
    ON CONFLICT (queue, priority, batch) DO UPDATE SET turn = max(turn, excluded.turn);
    INSERT INTO turns_served (queue, priority, turn, retried) VALUES (NEW.queue, NEW.priority, 0, 0)
    ON CONFLICT (queue, priority) DO UPDATE SET retried = max(min(retried + 1, 4000000000000000), turn);
    UPDATE jobs SET turn = NULL, kept_turn = (
        SELECT min(l.turn, max(coalesce(jobs.turn, jobs.kept_turn, -1),
            (SELECT s.retried FROM turns_served AS s WHERE s.queue = NEW.queue AND s.priority = NEW.priority)))
        FROM turns AS l
        WHERE l.queue = NEW.queue AND l.priority = NEW.priority AND l.batch = coalesce(NEW.batch, ''))
    WHERE id = NEW.id AND state = 'queued';
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id AND state = 'queued' AND waits IS NOT NULL;
    UPDATE jobs SET turn = kept_turn, kept_turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND run_at = 0 AND coalesce(waits, 0) = 0;
END;

CREATE TRIGGER jobs_uploads_again AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state <> 'queued' AND EXISTS (SELECT 1 FROM job_uploads WHERE job_id = NEW.id)
BEGIN
    UPDATE uploads SET state = CASE state WHEN 'ready' THEN 'wanted' ELSE state END, url = NULL, expires_at = NULL
    WHERE OLD.error_code IS 'input_unusable' AND url IS NOT NULL AND sha256 IN (
        SELECT f.sha256 FROM job_uploads AS u JOIN uploads AS f ON f.reference = u.reference WHERE u.job_id = NEW.id);
    UPDATE uploads SET state = 'wanted', message = NULL, failing_since = NULL
    WHERE state IN ('failed', 'idle') AND reference IN (SELECT reference FROM job_uploads WHERE job_id = NEW.id);
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE id = NEW.id AND state = 'queued' AND turn IS NOT NULL AND (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) > 0;
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) WHERE id = NEW.id AND state = 'queued';
END;

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

CREATE TRIGGER jobs_waits_frozen BEFORE UPDATE OF waits ON jobs
WHEN OLD.waits IS NOT NEW.waits AND NEW.waits IS NOT (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'jobs.waits: is written by the database');
END;

CREATE TRIGGER jobs_waits_inserted BEFORE INSERT ON jobs WHEN NEW.waits IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'jobs.waits: is written by the database; leave it out');
END;

CREATE TRIGGER suspects_released AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state <> 'queued'
BEGIN
    DELETE FROM suspects WHERE job_id = NEW.id;
    DELETE FROM set_aside WHERE job_id = NEW.id;
END;

CREATE TABLE key_sought (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    unique_key TEXT,
    -- The job that had the key when an INSERT with it began; NULL: none.
    job_id INTEGER
) STRICT;

CREATE TRIGGER key_sought_kept BEFORE DELETE ON key_sought
BEGIN
    SELECT RAISE(ABORT, 'key_sought: is kept by the database');
END;

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

CREATE TRIGGER prices_changed BEFORE UPDATE ON prices
WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200 OR length(CAST(NEW.input AS BLOB)) > 65536
    OR instr(NEW.input, char(0)) OR instr(NEW.per, char(0)) OR length(NEW.per) > 200 OR length(NEW.note) > 1000
BEGIN
    SELECT RAISE(ABORT, 'prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000');
END;

CREATE TRIGGER prices_text BEFORE INSERT ON prices
WHEN NEW.model GLOB '*[^!-~]*' OR length(NEW.model) > 200 OR length(CAST(NEW.input AS BLOB)) > 65536
    OR instr(NEW.input, char(0)) OR instr(NEW.per, char(0)) OR length(NEW.per) > 200 OR length(NEW.note) > 1000
BEGIN
    SELECT RAISE(ABORT, 'prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000');
END;

CREATE TABLE provider_models (
    model TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "provider_models.model: 1 to 200 characters"
        CHECK (length(model) BETWEEN 1 AND 200 AND instr(model, char(0)) = 0),
    -- Whether it was in the provider's list when that was last read.
    listed INTEGER NOT NULL DEFAULT 1
        CONSTRAINT "provider_models.listed: 0 or 1" CHECK (listed IN (0, 1)),
    title TEXT
        CONSTRAINT "provider_models.title: at most 500 characters" CHECK (length(title) <= 500),
    -- What it does, in the provider's words: a JSON list of texts.
    task_types TEXT NOT NULL DEFAULT '[]'
        CONSTRAINT "provider_models.task_types: a JSON list, of at most 4000 characters"
        CHECK (length(task_types) <= 4000 AND CASE WHEN json_valid(task_types) THEN json_type(task_types) = 'array' ELSE 0 END),
    -- What it costs, in the provider's words.
    pricing TEXT
        CONSTRAINT "provider_models.pricing: at most 4000 characters" CHECK (length(pricing) <= 4000),
    -- The JSON schema of input; NULL: the provider publishes none.
    input_schema TEXT
        CONSTRAINT "provider_models.input_schema: a JSON object of at most 256 KiB"
        CHECK (input_schema IS NULL OR length(CAST(input_schema AS BLOB)) <= 262144
            AND CASE WHEN json_valid(input_schema) THEN json_type(input_schema) = 'object' ELSE 0 END),
    read_at INTEGER NOT NULL
        CONSTRAINT "provider_models.read_at: Unix time in milliseconds" CHECK (read_at BETWEEN 0 AND 253402300799999)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER provider_models_deleted AFTER DELETE ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;

CREATE TRIGGER provider_models_inserted AFTER INSERT ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;

CREATE TRIGGER provider_models_updated AFTER UPDATE ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;

CREATE TABLE queue_counts (
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER queue_counts_bounded_insert BEFORE INSERT ON queue_counts
WHEN NEW.jobs NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER queue_counts_bounded_update BEFORE UPDATE ON queue_counts
WHEN NEW.jobs NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER queue_counts_kept BEFORE DELETE ON queue_counts
BEGIN
    SELECT RAISE(ABORT, 'queue_counts: is kept; promptctl doctor compares it with the jobs');
END;

CREATE TABLE queue_sought (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT,
    account TEXT
) STRICT;

CREATE TRIGGER queue_sought_kept BEFORE DELETE ON queue_sought
BEGIN
    SELECT RAISE(ABORT, 'queue_sought: is kept by the database');
END;

CREATE TABLE queues (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "queues.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100),
    paused INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "queues.paused: 0 or 1" CHECK (paused IN (0, 1)),
    max_running INTEGER
        CONSTRAINT "queues.max_running: NULL (no limit of its own) or at least 0" CHECK (max_running >= 0)
, account TEXT
    CONSTRAINT "queues.account: NULL (default) or an account" CHECK (length(account) BETWEEN 1 AND 64)) STRICT, WITHOUT ROWID;

CREATE TRIGGER queues_account_inserted BEFORE INSERT ON queues
WHEN NEW.account IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'queues.account: there is no such account; the configuration names them, and promptd adds them when it starts');
END;

CREATE TRIGGER queues_account_kept AFTER INSERT ON queues
WHEN NEW.account IS NULL AND EXISTS (SELECT 1 FROM queue_sought WHERE name = NEW.name AND account IS NOT NULL)
BEGIN
    UPDATE queues SET account = (SELECT account FROM queue_sought WHERE id = 1) WHERE name = NEW.name;
END;

CREATE TRIGGER queues_account_sought BEFORE INSERT ON queues
WHEN EXISTS (SELECT 1 FROM queues WHERE name = NEW.name AND account IS NOT NULL)
    OR EXISTS (SELECT 1 FROM queue_sought WHERE name = NEW.name)
BEGIN
    UPDATE queue_sought SET name = NEW.name, account = (SELECT account FROM queues WHERE name = NEW.name)
    WHERE name IS NOT NEW.name OR account IS NOT (SELECT account FROM queues WHERE name = NEW.name);
END;

CREATE TRIGGER queues_account_updated BEFORE UPDATE OF account ON queues
WHEN NEW.account IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account)
BEGIN
    SELECT RAISE(ABORT, 'queues.account: there is no such account; the configuration names them, and promptd adds them when it starts');
END;

CREATE TRIGGER queues_kept BEFORE DELETE ON queues
WHEN EXISTS (SELECT 1 FROM queue_counts
    WHERE queue = OLD.name AND jobs > 0 AND state IN ('queued', 'submitting', 'running', 'unconfirmed'))
BEGIN
    SELECT RAISE(ABORT, 'queues: it still has jobs that have not ended; cancel them, move them, or pause the queue');
END;

CREATE TRIGGER queues_name BEFORE INSERT ON queues WHEN NOT EXISTS (SELECT 1 FROM queues WHERE name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'queues.name: valid UTF-8 without NUL, at most 400 bytes')
    WHERE instr(NEW.name, char(0)) OR length(CAST(NEW.name AS BLOB)) > 400
        OR EXISTS (SELECT 1 FROM (
            WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < length(NEW.name))
            SELECT n FROM place) AS p
            WHERE char(unicode(substr(NEW.name, p.n, 1))) <> substr(NEW.name, p.n, 1));
END;

CREATE TRIGGER queues_renamed BEFORE UPDATE OF name ON queues WHEN OLD.name <> NEW.name
BEGIN
    SELECT RAISE(ABORT, 'queues.name: cannot be changed; make another queue and move its jobs');
END;

CREATE TABLE removals (
    -- Relative to the media directory.
    path TEXT NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL,
    CONSTRAINT "removals.path: a file in a folder of the media directory"
        CHECK (length(path) <= 4000 AND instr(path, char(0)) = 0 AND path GLOB '?*/?*'
            AND '/' || path NOT GLOB '*/.*' AND '/' || path NOT GLOB '*//*' AND path NOT GLOB '*/')
) STRICT, WITHOUT ROWID;

CREATE TRIGGER removals_frozen BEFORE UPDATE ON removals
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd');
END;

CREATE TRIGGER removals_of_results BEFORE INSERT ON removals
WHEN NOT EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND path = NEW.path AND state = 'saved')
BEGIN
    SELECT RAISE(ABORT, 'removals: is written by promptd, for the files of a job that it prunes');
END;

CREATE TABLE results (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL
        CONSTRAINT "results.ordinal: at least 0" CHECK (ordinal >= 0),
    attempt_id INTEGER NOT NULL,
    -- Where the provider keeps it; NULL for a result that came as JSON in the answer itself (content).
    url TEXT,
    content TEXT,
    -- Relative to the media directory.
    path TEXT,
    content_type TEXT,
    bytes INTEGER,
    sha256 TEXT,
    state TEXT NOT NULL DEFAULT 'pending'
        CONSTRAINT "results.state: pending, saved or failed" CHECK (state IN ('pending', 'saved', 'failed')),
    error_message TEXT,
    created_at INTEGER NOT NULL,
    saved_at INTEGER,
    -- result: what was asked for; else the provider's field without Url, such as firstFrame or lastFrame.
    role TEXT NOT NULL DEFAULT 'result'
        CONSTRAINT "results.role: at most 200 characters" CHECK (length(role) <= 200 AND instr(role, char(0)) = 0),
    PRIMARY KEY (job_id, ordinal),
    CONSTRAINT "results: has a url or content" CHECK ((url IS NULL) <> (content IS NULL)),
    CONSTRAINT "results: a saved file has path, bytes and sha256"
        CHECK (state <> 'saved' OR (path IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX results_pending ON results (created_at) WHERE state = 'pending';

CREATE TRIGGER results_frozen BEFORE UPDATE ON results
WHEN OLD.job_id <> NEW.job_id OR OLD.ordinal <> NEW.ordinal OR OLD.attempt_id <> NEW.attempt_id
    OR OLD.url IS NOT NEW.url OR OLD.content IS NOT NEW.content OR OLD.created_at <> NEW.created_at
    OR OLD.role IS NOT NEW.role
    OR (OLD.state = 'saved' AND (NEW.state IS NOT 'saved' OR OLD.path IS NOT NEW.path OR OLD.bytes IS NOT NEW.bytes
        OR OLD.sha256 IS NOT NEW.sha256 OR OLD.content_type IS NOT NEW.content_type
        OR OLD.saved_at IS NOT NEW.saved_at OR OLD.error_message IS NOT NEW.error_message))
BEGIN
    SELECT RAISE(ABORT, 'results: what was paid for and saved stays as it is');
END;

CREATE TRIGGER results_inserted BEFORE INSERT ON results
BEGIN
    SELECT CASE
        WHEN '/' || NEW.path GLOB '*/.*' OR '/' || NEW.path GLOB '*//*' OR NEW.path GLOB '*/'
            THEN RAISE(ABORT, 'results.path: is relative to the media directory, and stays within it')
        WHEN EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
            OR NOT EXISTS (SELECT 1 FROM attempts
                WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL
                    AND error_code IS NULL)
            OR NEW.ordinal > 1000000 OR NEW.created_at NOT BETWEEN 0 AND 253402300799999
            THEN RAISE(ABORT, 'results: are written by promptd, for a task that has succeeded')
        END;
END;

CREATE TRIGGER results_kept BEFORE DELETE ON results
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'results: are paid for, and go with their job');
END;

CREATE TRIGGER results_not_null BEFORE UPDATE OF state ON results WHEN NEW.state IS NULL
BEGIN
    SELECT RAISE(ABORT, 'results.state: cannot be NULL');
END;

CREATE TRIGGER results_path BEFORE UPDATE OF path ON results
WHEN OLD.path IS NOT NEW.path AND NEW.path IS NOT NULL
    AND ('/' || NEW.path GLOB '*/.*' OR '/' || NEW.path GLOB '*//*' OR NEW.path GLOB '*/')
BEGIN
    SELECT RAISE(ABORT, 'results.path: is relative to the media directory, and stays within it');
END;

CREATE TRIGGER results_path_taken AFTER UPDATE OF path ON results
WHEN NEW.path IS NOT NULL AND OLD.path IS NOT NEW.path
BEGIN
    DELETE FROM removals WHERE path = NEW.path;
END;

CREATE TRIGGER results_text BEFORE UPDATE OF path, content_type, sha256, error_message ON results
WHEN instr(NEW.path, char(0)) OR instr(NEW.content_type, char(0)) OR instr(NEW.sha256, char(0))
    OR instr(NEW.error_message, char(0)) OR length(NEW.path) > 4000 OR length(NEW.content_type) > 1000
    OR length(NEW.sha256) > 100 OR length(NEW.error_message) > 4000
BEGIN
    SELECT RAISE(ABORT, 'results: a text is too long, or holds a NUL character');
END;

CREATE TABLE schedules (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "schedules.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100 AND instr(name, char(0)) = 0),
    -- Minute, hour, day of the month, month, day of the week (crontab(5)), or @daily and the like. promptd says in last_error
    -- what it does not understand.
    cron TEXT NOT NULL
        CONSTRAINT "schedules.cron: five fields, like 0 9 * * MON, or @daily"
        CHECK (length(cron) BETWEEN 2 AND 200 AND (cron GLOB '@*' OR cron GLOB '?* ?* ?* ?* ?*') AND instr(cron, char(0)) = 0),
    time_zone TEXT NOT NULL DEFAULT 'UTC'
        CONSTRAINT "schedules.time_zone: an IANA name, like Europe/Berlin"
        CHECK (length(time_zone) BETWEEN 1 AND 64 AND time_zone NOT GLOB '*[^A-Za-z0-9/_+-]*' AND time_zone NOT GLOB '/*'),

    -- As in jobs. {date} and {time} in batch are those of the run, in the time zone.
    prompt TEXT,
    model TEXT NOT NULL DEFAULT 'flux-2/flex-text-to-image'
        CONSTRAINT "schedules.model: must not be empty" CHECK (model <> ''),
    input TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT "schedules.input: must be a JSON object, like {""aspect_ratio"":""16:9""}"
        CHECK (CASE WHEN json_valid(input) THEN json_type(input) = 'object' ELSE 0 END),
    queue TEXT NOT NULL DEFAULT 'default'
        CONSTRAINT "schedules.queue: 1 to 100 characters" CHECK (length(queue) BETWEEN 1 AND 100),
    priority INTEGER NOT NULL DEFAULT 0,
    batch TEXT
        CONSTRAINT "schedules.batch: NULL or 1 to 190 characters" CHECK (length(batch) BETWEEN 1 AND 190),
    labels TEXT
        CONSTRAINT "schedules.labels: NULL or a JSON object, like {""sku"":""A-1""}"
        CHECK (labels IS NULL OR CASE WHEN json_valid(labels) THEN json_type(labels) = 'object' ELSE 0 END),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT "schedules.max_attempts: 1 to 20" CHECK (max_attempts BETWEEN 1 AND 20),
    allow_unknown INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "schedules.allow_unknown: 0 or 1" CHECK (allow_unknown IN (0, 1)),

    -- A run that is estimated to cost more makes no job. A budget for its label limits what all of them cost.
    limit_millicredits INTEGER
        CONSTRAINT "schedules.limit_millicredits: NULL or at least 0" CHECK (limit_millicredits >= 0),
    -- Of runs that were missed: none, the latest, or all, up to 24.
    catch_up TEXT NOT NULL DEFAULT 'one'
        CONSTRAINT "schedules.catch_up: skip, one or all" CHECK (catch_up IN ('skip', 'one', 'all')),
    enabled INTEGER NOT NULL DEFAULT 1
        CONSTRAINT "schedules.enabled: 0 or 1" CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),

    -- NULL: promptd has yet to work it out. An instant that is set is kept, and the first run is then.
    next_run_at INTEGER
        CONSTRAINT "schedules.next_run_at: Unix time in milliseconds (seconds times 1000)"
        CHECK (next_run_at BETWEEN 100000000000 AND 253402300799999),

    -- Written by promptd.
    last_run_at INTEGER
        CONSTRAINT "schedules.last_run_at: Unix time in milliseconds" CHECK (last_run_at BETWEEN 0 AND 253402300799999),
    last_job_id INTEGER,
    -- Why the last run made no job.
    last_error TEXT
        CONSTRAINT "schedules.last_error: at most 4000 characters" CHECK (length(last_error) <= 4000)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER schedules_changed AFTER UPDATE OF cron, time_zone, enabled ON schedules
WHEN (OLD.cron <> NEW.cron OR OLD.time_zone <> NEW.time_zone OR OLD.enabled < NEW.enabled)
    AND OLD.next_run_at IS NEW.next_run_at
BEGIN
    UPDATE schedules SET next_run_at = NULL, last_error = NULL WHERE name = NEW.name;
END;

CREATE TRIGGER schedules_name_frozen BEFORE UPDATE OF name ON schedules WHEN OLD.name <> NEW.name
BEGIN
    SELECT RAISE(ABORT, 'schedules.name: cannot be changed; remove the schedule and add another');
END;

CREATE TRIGGER schedules_not_replaced BEFORE INSERT ON schedules WHEN EXISTS (SELECT 1 FROM schedules WHERE name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'schedules.name: there is a schedule of this name; UPDATE it');
END;

CREATE TRIGGER schedules_text BEFORE UPDATE ON schedules
WHEN instr(NEW.prompt, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.input, char(0)) OR instr(NEW.queue, char(0))
    OR instr(NEW.batch, char(0)) OR instr(NEW.labels, char(0)) OR instr(NEW.last_error, char(0))
BEGIN
    SELECT RAISE(ABORT, 'schedules: a text holds a NUL character');
END;

CREATE TRIGGER schedules_text_inserted BEFORE INSERT ON schedules
WHEN instr(NEW.prompt, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.input, char(0)) OR instr(NEW.queue, char(0))
    OR instr(NEW.batch, char(0)) OR instr(NEW.labels, char(0))
    OR NEW.last_run_at IS NOT NULL OR NEW.last_job_id IS NOT NULL OR NEW.last_error IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'schedules: a text holds a NUL character, or last_run_at, last_job_id or last_error are given, which promptd writes');
END;

CREATE TABLE search_changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL
) STRICT;

CREATE TABLE set_aside (
    job_id INTEGER NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

CREATE TRIGGER set_aside_bounded BEFORE INSERT ON set_aside WHEN length(NEW.reason) > 4000
BEGIN
    SELECT RAISE(ABORT, 'set_aside: is written by promptd; the reason is too long');
END;

CREATE TABLE spending (
    period TEXT NOT NULL CHECK (period IN ('hour', 'day', 'total')),
    starts_at INTEGER NOT NULL,
    queue TEXT NOT NULL,
    reserved_millicredits INTEGER NOT NULL,
    charged_millicredits INTEGER NOT NULL,
    PRIMARY KEY (period, starts_at, queue)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER spending_bounded_insert BEFORE INSERT ON spending
WHEN NEW.reserved_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'spending: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER spending_bounded_update BEFORE UPDATE ON spending
WHEN NEW.reserved_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.charged_millicredits NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'spending: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER spending_kept BEFORE DELETE ON spending
BEGIN
    SELECT RAISE(ABORT, 'spending: the sums that budgets go by are kept; promptctl doctor compares them with the ledger');
END;

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

CREATE TABLE turns (
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    batch TEXT NOT NULL,
    turn INTEGER NOT NULL,
    -- How many jobs of the lane (a batch in a queue, at a priority) are waiting with a turn, and the last turn of it that was
    -- taken. A lane in which nothing waits goes on from what was taken, whatever it once had waiting.
    waiting INTEGER NOT NULL DEFAULT 0,
    taken INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY (queue, priority, batch)
) STRICT, WITHOUT ROWID;

CREATE INDEX turns_waiting ON turns (priority DESC, queue) WHERE waiting > 0;

CREATE TRIGGER turns_bounded_insert BEFORE INSERT ON turns
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.waiting NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.taken NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_bounded_update BEFORE UPDATE ON turns
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.waiting NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.taken NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_frozen BEFORE UPDATE OF queue, priority, batch ON turns
WHEN OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.batch <> NEW.batch
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd');
END;

CREATE TRIGGER turns_kept BEFORE DELETE ON turns WHEN OLD.waiting > 0
BEGIN
    SELECT RAISE(ABORT, 'turns: is written by promptd');
END;

CREATE TABLE turns_served (
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    -- The last turn that was given to a job that is tried again.
    retried INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY (queue, priority)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER turns_served_bounded_insert BEFORE INSERT ON turns_served
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.retried NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns_served: is written by promptd; a number is out of bounds');
END;

CREATE TRIGGER turns_served_bounded_update BEFORE UPDATE ON turns_served
WHEN NEW.turn NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.retried NOT BETWEEN -4000000000000000 AND 4000000000000000
    OR NEW.priority NOT BETWEEN -4000000000000000 AND 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'turns_served: is written by promptd; a number is out of bounds');
END;

CREATE TABLE uploads (
    -- upload:SHA256.EXTENSION and file:///PATH as in inputs; result:JOB/ORDINAL for a result whose URL may have ended.
    reference TEXT NOT NULL PRIMARY KEY,
    -- wanted: a queued job needs it. ready: the provider has it until expires_at. idle: no queued job needed it when that had passed.
    -- failed: it cannot be uploaded.
    state TEXT NOT NULL DEFAULT 'wanted'
        CONSTRAINT "uploads.state: wanted, ready, idle or failed" CHECK (state IN ('wanted', 'ready', 'idle', 'failed')),
    sha256 TEXT,
    bytes INTEGER,
    content_type TEXT,
    url TEXT,
    uploaded_at INTEGER,
    expires_at INTEGER,
    -- Why the last try failed, if it did.
    message TEXT,
    -- Whose last try is longest ago comes first.
    tried_at INTEGER NOT NULL DEFAULT 0,
    -- Since when no try has succeeded.
    failing_since INTEGER,
    -- How often jobs have named a file: whatever was read before the last of them is not what that one means.
    asked INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "uploads: what is ready has sha256, url, uploaded_at and expires_at"
        CHECK (state <> 'ready' OR (sha256 IS NOT NULL AND url IS NOT NULL AND uploaded_at IS NOT NULL AND expires_at IS NOT NULL)),
    CONSTRAINT "uploads: is written by promptd; a number or a text is out of bounds"
        CHECK (length(CAST(reference AS BLOB)) <= 8192 AND coalesce(length(sha256) = 64, 1)
            AND coalesce(bytes BETWEEN 0 AND 1000000000, 1) AND coalesce(length(content_type) <= 200, 1)
            AND coalesce(length(CAST(url AS BLOB)) <= 8192, 1) AND coalesce(uploaded_at BETWEEN 0 AND 253402300799999, 1)
            AND coalesce(expires_at BETWEEN 0 AND 253402300799999, 1) AND coalesce(length(message) <= 4000, 1)
            AND tried_at BETWEEN 0 AND 253402300799999 AND coalesce(failing_since BETWEEN 0 AND 253402300799999, 1)
            AND asked >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_content ON uploads (sha256) WHERE url IS NOT NULL;

CREATE INDEX uploads_ending ON uploads (expires_at) WHERE state = 'ready';

CREATE INDEX uploads_wanted ON uploads (tried_at) WHERE state = 'wanted';

CREATE TRIGGER uploads_asked_added BEFORE INSERT ON uploads WHEN NEW.asked > 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'uploads.asked: is written by the database; it is out of bounds');
END;

CREATE TRIGGER uploads_asked_changed BEFORE UPDATE OF asked ON uploads WHEN NEW.asked > 4000000000000000
BEGIN
    SELECT RAISE(ABORT, 'uploads.asked: is written by the database; it is out of bounds');
END;

CREATE TRIGGER uploads_changed AFTER UPDATE OF state ON uploads WHEN OLD.state <> NEW.state
BEGIN
    UPDATE jobs SET kept_turn = coalesce(turn, kept_turn), turn = NULL
    WHERE NEW.state <> 'ready' AND state = 'queued' AND turn IS NOT NULL
        AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
    UPDATE jobs SET waits = (SELECT w.waits FROM job_waits AS w WHERE w.job_id = jobs.id)
    WHERE state = 'queued' AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
    UPDATE jobs SET state = 'failed', finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),
        error_code = 'upload_failed', error_message = coalesce(NEW.message, 'a file could not be uploaded')
    WHERE NEW.state = 'failed' AND state = 'queued'
        AND id IN (SELECT job_id FROM job_uploads WHERE reference = NEW.reference);
END;

CREATE TRIGGER uploads_kept BEFORE DELETE ON uploads
WHEN EXISTS (SELECT 1 FROM job_uploads WHERE reference = OLD.reference)
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd; jobs take this file');
END;

CREATE TRIGGER uploads_once BEFORE INSERT ON uploads
WHEN EXISTS (SELECT 1 FROM uploads WHERE reference = NEW.reference)
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd; this file is known already');
END;

CREATE TRIGGER uploads_reference_frozen BEFORE UPDATE OF reference ON uploads WHEN OLD.reference <> NEW.reference
BEGIN
    SELECT RAISE(ABORT, 'uploads: is written by promptd');
END;

CREATE VIEW account_load AS
SELECT
    a.name AS account,
    (SELECT count(*) FROM attempts WHERE state = 'sending' AND account = a.name AND finished_at IS NULL)
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

CREATE VIEW daemon_load AS
SELECT
    coalesce(sum(rate_used), 0) AS rate_used,
    sum(CASE WHEN is_configured THEN rate_limit END) AS rate_limit,
    sum(running) AS running,
    sum(CASE WHEN is_configured THEN running_limit END) AS running_limit
FROM account_load;

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

CREATE VIEW input_references AS
SELECT DISTINCT
    job_id, reference,
    CASE WHEN reference GLOB 'key:*' THEN (SELECT id FROM jobs WHERE unique_key = name)
        WHEN name NOT GLOB '*[^0-9]*' AND length(name) <= 18 THEN (SELECT id FROM jobs WHERE id = CAST(name AS INTEGER))
        END AS source_id,
    ordinal
FROM (
    SELECT
        job_id, reference,
        CASE WHEN has_ordinal THEN substr(bare, 1, length(bare) - 1) ELSE rest END AS name,
        CASE WHEN has_ordinal THEN CAST(substr(rest, length(bare) + 1) AS INTEGER) ELSE 0 END AS ordinal
    FROM (
        SELECT
            job_id, reference, rest, bare,
            bare GLOB '?*/' AND length(rest) - length(bare) BETWEEN 1 AND 6 AS has_ordinal
        FROM (
            SELECT j.id AS job_id, t.atom AS reference, substr(t.atom, 5) AS rest,
                rtrim(substr(t.atom, 5), '0123456789') AS bare
            FROM jobs AS j, json_tree(j.input) AS t
            WHERE t.type = 'text' AND (t.atom GLOB 'job:[0-9]*' OR t.atom GLOB 'key:?*')
                AND t.atom NOT GLOB 'key://*' AND t.atom NOT GLOB '*[' || char(9, 10, 11, 12, 13, 32) || ']*')));

CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, unique_key, labels, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    estimated_millicredits / 1000.0 AS estimated_credits,
    estimate_basis,
    charged_millicredits / 1000.0 AS charged_credits,
    error_code,
    coalesce((SELECT 'set aside: ' || reason FROM set_aside WHERE job_id = jobs.id), error_message) AS error_message,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
    CASE WHEN run_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', run_at / 1000.0, 'unixepoch') END AS run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at / 1000.0, 'unixepoch') AS submitted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
    (SELECT group_concat(path, ' ') FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    (SELECT group_concat(source_id, ' ') FROM (SELECT DISTINCT i.source_id FROM job_inputs AS i JOIN jobs AS s ON s.id = i.source_id
        WHERE jobs.waits > 0 AND i.job_id = jobs.id AND s.state <> 'succeeded')) AS waits_for,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;

CREATE VIEW job_waits AS
SELECT
    j.id AS job_id,
    CASE WHEN EXISTS (SELECT 1 FROM job_inputs WHERE job_id = j.id) OR EXISTS (SELECT 1 FROM job_uploads WHERE job_id = j.id)
        THEN (SELECT count(DISTINCT CASE WHEN s.state IS NOT 'succeeded' THEN i.source_id END)
                FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = j.id)
            + (SELECT count(*) FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
                WHERE u.job_id = j.id AND f.state IS NOT 'ready')
        END AS waits
FROM jobs AS j;

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

CREATE VIEW recent_failures AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000, 'unixepoch') AS finished_at,
    queue, batch, model, attempt_count AS attempts, error_code, error_message,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs
WHERE state = 'failed'
ORDER BY jobs.finished_at DESC
LIMIT 100;

CREATE VIEW spend_daily AS
SELECT
    date(sent_at / 1000, 'unixepoch') AS day,
    queue,
    model,
    count(*) AS attempts,
    sum(state = 'accepted') AS accepted,
    sum(state = 'unknown') AS unknown,
    coalesce(sum(charged_millicredits), 0) / 1000.0 AS charged_credits,
    sum(reserved_millicredits) / 1000.0 AS reserved_credits
FROM attempts
GROUP BY day, queue, model;

CREATE VIEW upload_references AS
SELECT DISTINCT j.id AS job_id, t.atom AS reference
FROM jobs AS j, json_tree(j.input) AS t
WHERE t.type = 'text' AND (t.atom GLOB 'file:///?*'
    OR (t.atom GLOB 'upload:*' AND length(t.atom) BETWEEN 73 AND 80 AND substr(t.atom, 8, 64) NOT GLOB '*[^0-9a-f]*'
        AND substr(t.atom, 72, 1) = '.' AND substr(t.atom, 73) NOT GLOB '*[^0-9a-z]*'));
