-- The schema of the second store, for PostgreSQL 15 or later, version 1: tables, and what they refuse. Views are in
-- 0001_views.sql, what daemons call in 0001_upkeep.sql; the three are one version, applied in this order in one transaction.
--
-- The names are those of docs/schema.sql, SQLite's schema, and so is the order, mostly: whoever looks for a rule there finds it
-- here under the same name. What differs, and why, is in docs/decisions/0039. In short:
-- - Nothing that a producer does locks a row that others need: what SQLite counts in a row is appended here (..._deltas),
--   and folded into sums by daemons. The old names are views, which add both up.
-- - What an INSERT of jobs has to hold to is looked at once for the statement, so that COPY stays fast; what a change of jobs,
--   attempts and results has to hold to is in one function for each table.
-- - A text is valid UTF-8 without NUL by itself, and there is no INSERT OR REPLACE: the guards against those are gone.
-- - Instants are of this server's clock, as it is at that moment, not when the transaction began.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'promptd needs a database whose encoding is UTF8, not %', current_setting('server_encoding');
    END IF;
    IF current_setting('server_version_num')::int < 150000 THEN
        RAISE EXCEPTION 'promptd needs PostgreSQL 15 or later, not %', current_setting('server_version');
    END IF;
END $$;

CREATE SCHEMA promptd;

-- So that names need no schema before them in psql either.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = promptd, public', current_database());
END $$;

SET search_path = promptd;

-- Functions are written where their rule is, and the tables that they read may come later.
SET check_function_bodies = off;

-- The version of the schema, and the oldest program that may work with it.
CREATE TABLE schema_version (
    version int NOT NULL,
    compatible_from int NOT NULL
);

INSERT INTO schema_version (version, compatible_from) VALUES (1, 1);

-- MARK: What the rules are written with

-- Unix time in milliseconds, now.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (date_part('epoch', clock_timestamp()) * 1000)::bigint;

-- The largest number that a sum is kept as: sums of sums never overflow.
CREATE FUNCTION clamp(sum numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN sum IS NOT NULL THEN greatest(-4000000000000000, least(4000000000000000, sum))::bigint END;

-- Refuses a row: CHECK (condition IS NOT FALSE OR refuse('why')). The name of a constraint has too few characters for it.
CREATE FUNCTION refuse(message text) RETURNS boolean LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'check_violation';
END $$;

-- Refuses what a trigger's WHEN says.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation';
END $$;

-- Whether a path stays within the media directory: nothing in it is hidden, empty, or leads up.
CREATE FUNCTION is_safe_path(path text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '/' || path NOT LIKE '%/.%' AND '/' || path NOT LIKE '%//%' AND path NOT LIKE '%/';

-- Tells daemons that wait (LISTEN promptd_news); once for each transaction and payload. A daemon's own writes are silent:
-- it has said SET promptd.daemon = its epoch.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('promptd.daemon', true), '') = '' THEN
        PERFORM pg_notify('promptd_news', TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$;

-- MARK: account, accounts

CREATE TABLE account (
    name text COLLATE "C" NOT NULL PRIMARY KEY
        CONSTRAINT "account.name" CHECK (name ~ '^[A-Za-z0-9_-]{1,64}$' OR refuse('accounts.name: letters, digits, _ and -, 64 at most')),
    -- Whether promptd works with it, as the configuration was at its last start.
    is_configured int NOT NULL DEFAULT 1
        CONSTRAINT "account.is_configured" CHECK (is_configured IN (0, 1) OR refuse('accounts.is_configured: 0 or 1')),
    balance_millicredits bigint,
    balance_at bigint,
    -- When the balance was asked for, and the last attempt that there was when it was noted: later ones are not in it.
    balance_asked_at bigint,
    balance_attempt_id bigint,
    rate_limit bigint,
    rate_window_ms bigint,
    running_limit bigint,
    -- credits.reserve, unconfirmed.policy and unconfirmed.window, as they are kept now.
    credit_reserve_millicredits bigint,
    unconfirmed_policy text,
    unconfirmed_window_ms bigint,
    -- Until when the provider wants no requests (Retry-After), over a restart.
    shut_until bigint,
    -- Sums of what was folded; those that are true are in the view accounts.
    charged_millicredits bigint NOT NULL DEFAULT 0,
    presumed_millicredits bigint NOT NULL DEFAULT 0,
    adopted_millicredits bigint NOT NULL DEFAULT 0,
    -- The latest instant that a claim was given, and the server's timeline then: no later claim has an earlier one, and
    -- another server has another clock.
    clock_high bigint NOT NULL DEFAULT 0,
    -- By how much time here is ahead of this server's clock: it goes on from clock_high if that clock was set back, or belongs to a
    -- standby that has taken over.
    clock_ahead bigint NOT NULL DEFAULT 0,
    timeline int NOT NULL DEFAULT 0,
    CONSTRAINT accounts_bounded CHECK (
        (balance_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND balance_at BETWEEN -4000000000000000 AND 4000000000000000
            AND balance_asked_at BETWEEN -4000000000000000 AND 4000000000000000
            AND balance_attempt_id BETWEEN -4000000000000000 AND 4000000000000000
            AND rate_limit BETWEEN -4000000000000000 AND 4000000000000000
            AND rate_window_ms BETWEEN -4000000000000000 AND 4000000000000000
            AND running_limit BETWEEN -4000000000000000 AND 4000000000000000
            AND credit_reserve_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND unconfirmed_window_ms BETWEEN -4000000000000000 AND 4000000000000000
            AND charged_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND presumed_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND adopted_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND shut_until BETWEEN 0 AND 253402300799999 AND length(unconfirmed_policy) <= 20) IS NOT FALSE
        OR refuse('accounts: is written by promptd; a number is out of bounds'))
) WITH (fillfactor = 20);

CREATE TRIGGER accounts_kept BEFORE DELETE ON account FOR EACH ROW
    EXECUTE FUNCTION refuse('accounts: is kept; promptctl doctor compares it with the ledger');

CREATE TRIGGER accounts_kept_whole BEFORE TRUNCATE ON account FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('accounts: is kept; promptctl doctor compares it with the ledger');

-- Attempts bear it.
CREATE TRIGGER accounts_named BEFORE UPDATE ON account FOR EACH ROW WHEN (OLD.name <> NEW.name)
    EXECUTE FUNCTION refuse('accounts.name: does not change; attempts bear it');

-- The instant of a fact, and what leases go by: this server's clock, and never before what a claim was given, so that a slot of the
-- rate window is not given back early after the clock was set back, or by a standby that has taken over. From then on it is ahead of
-- that clock (begin_claim): if it stood still until that has caught up, nothing would be claimed for as long.
CREATE FUNCTION fact_time() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT greatest(now_ms() + coalesce(max(a.clock_ahead), 0), max(a.clock_high)) FROM account AS a);
END $$;

-- What attempts have added to an account's sums since those were folded.
CREATE TABLE account_deltas (
    account text COLLATE "C" NOT NULL,
    charged_millicredits bigint NOT NULL,
    presumed_millicredits bigint NOT NULL,
    adopted_millicredits bigint NOT NULL
);

-- MARK: account_readings

CREATE TABLE account_readings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at bigint NOT NULL,
    answered_at bigint NOT NULL,
    balance_millicredits bigint NOT NULL,
    -- The account's sums at that time.
    charged_millicredits bigint NOT NULL,
    presumed_millicredits bigint NOT NULL,
    adopted_millicredits bigint NOT NULL,
    -- Reserved for tasks that had not ended, and how many those were.
    open_millicredits bigint NOT NULL,
    open_tasks bigint NOT NULL,
    -- Reserved for requests whose answer was lost.
    unknown_millicredits bigint NOT NULL,
    -- Whether a request was between sending and answer, or its answer was lost a moment ago: such a reading proves nothing.
    in_flight int NOT NULL
        CONSTRAINT "account_readings.in_flight" CHECK (in_flight IN (0, 1) OR refuse('account_readings.in_flight: 0 or 1')),
    -- The last attempt that there was: the charges of later ones are not in the balance.
    last_attempt_id bigint NOT NULL,
    -- What was added to the account since the first reading.
    top_ups_millicredits bigint NOT NULL,
    -- By how much the top-ups since the last reading without open tasks may be overstated.
    slack_millicredits bigint NOT NULL,
    account text COLLATE "C" NOT NULL DEFAULT 'default'
        CONSTRAINT "account_readings.account" CHECK (length(account) BETWEEN 1 AND 64 OR refuse('account_readings.account: 1 to 64 characters')),
    CONSTRAINT account_readings_bounded CHECK (
        (balance_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND charged_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND presumed_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND adopted_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND open_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND open_tasks BETWEEN -4000000000000000 AND 4000000000000000
            AND unknown_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND last_attempt_id BETWEEN -4000000000000000 AND 4000000000000000
            AND top_ups_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND slack_millicredits BETWEEN -4000000000000000 AND 4000000000000000
            AND asked_at BETWEEN -4000000000000000 AND 4000000000000000
            AND answered_at BETWEEN -4000000000000000 AND 4000000000000000)
        OR refuse('account_readings: is written by promptd; a number is out of bounds'))
);

CREATE INDEX account_readings_account ON account_readings (account, id);

CREATE INDEX account_readings_settled ON account_readings (account, last_attempt_id) WHERE in_flight = 0 AND open_tasks = 0;

-- What a balance is compared with must be what was read then.
CREATE TRIGGER account_readings_frozen BEFORE UPDATE ON account_readings FOR EACH ROW
    EXECUTE FUNCTION refuse('account_readings: what was read stays as it is');

-- MARK: attempts

CREATE TABLE attempts (
    -- In the order of the claims, which exclude each other.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No foreign key: attempts outlive pruned jobs.
    job_id bigint NOT NULL,
    -- Names the attempt in its callback URL; unguessable.
    token text COLLATE "C" NOT NULL UNIQUE,
    state text COLLATE "C" NOT NULL DEFAULT 'sending',
    task_id text COLLATE "C",
    -- Who said that this is its task: the answer to the request; a callback, which the provider has confirmed; or an
    -- operator (promptctl resolve). NULL: nobody yet, or somebody by SQL.
    task_source text,
    queue text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    sent_at bigint NOT NULL,
    answered_at bigint,
    -- When the attempt was settled: its task ended, or it is certain that there is none.
    finished_at bigint,
    http_status bigint,
    api_code bigint,
    error_code text COLLATE "C",
    message text,
    -- What is held back for it; 0 once it is settled.
    reserved_millicredits bigint NOT NULL,
    charged_millicredits bigint,
    -- What was reserved at the claim; reserved_millicredits goes to 0 when the attempt is settled.
    estimated_millicredits bigint,
    estimate_basis text,
    -- 0: the provider reported no charge, and what was reserved is booked. NULL: not settled, or without a task.
    charge_reported int,
    -- The inputs that matter for how long a task takes: 'duration=5 resolution=720p'.
    profile text NOT NULL DEFAULT '',
    -- From the task's creation to its end by the provider's clock, or as well as polls can tell; NULL if that is not known.
    took_milliseconds bigint,
    -- What the account's balance says of a request whose answer was lost: both readings and the sums between them.
    evidence text,
    -- Only a hint: promptd asks the provider about it, again after each start, and its answer decides. NULL if none came.
    hinted_task_id text COLLATE "C",
    -- How often it was set: a few times at most, so that a flood of callbacks cannot cause commits without bound.
    hint_changes bigint NOT NULL DEFAULT 0,
    -- Until when a request whose answer was lost may still reach the provider: it keeps its slot of the rate window for as
    -- long. NULL where an answer came: then answered_at tells.
    arrives_until bigint,
    -- What the balance says of a lost request: 0, it cost nothing; 1, it was charged; NULL, nothing. Evidence, not proof: a
    -- request may be on its way for longer than anybody watched.
    evidence_charged int,
    -- The provider's resultJson as it came, where it holds more than the rows of results do; NULL where they hold all of it.
    result_json text,
    -- What was sent.
    input text,
    account text COLLATE "C" NOT NULL DEFAULT 'default',
    -- Whose request it is, for ever; who asks about its task now; and the claim that it was made by. 0: before there were several.
    owner bigint NOT NULL DEFAULT 0,
    keeper bigint,
    claim_id uuid
) WITH (fillfactor = 80);

CREATE INDEX attempts_answered ON attempts (answered_at) WHERE answered_at IS NOT NULL;

CREATE INDEX attempts_arriving ON attempts (arrives_until) WHERE arrives_until IS NOT NULL;

CREATE INDEX attempts_charged ON attempts (model)
    WHERE state = 'accepted' AND error_code IS NULL AND charged_millicredits IS NOT NULL;

CREATE INDEX attempts_failed ON attempts (finished_at)
    WHERE state = 'accepted' AND error_code IS NOT NULL AND finished_at IS NOT NULL;

-- What a rule asks of a job's attempts it asks of all of them (bool_or), so that no other index looks better: those of what is
-- open may hold thousands.
CREATE INDEX attempts_job ON attempts (job_id);

-- What a daemon asks about, and what a takeover finds.
CREATE INDEX attempts_keeper ON attempts (keeper) WHERE finished_at IS NULL;

CREATE UNIQUE INDEX attempts_one_open ON attempts (job_id) WHERE finished_at IS NULL;

CREATE INDEX attempts_open ON attempts (account, state) WHERE finished_at IS NULL;

CREATE INDEX attempts_sending ON attempts (account, id) WHERE state = 'sending';

-- Unique, since two transactions at once would not see each other's task: one task is one attempt's.
CREATE UNIQUE INDEX attempts_task ON attempts (account, task_id) WHERE task_id IS NOT NULL;

CREATE INDEX attempts_took ON attempts (model, profile, finished_at, took_milliseconds)
    WHERE took_milliseconds IS NOT NULL;

CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts FOR EACH ROW
    EXECUTE FUNCTION refuse('attempts: the ledger is kept for ever');

CREATE TRIGGER attempts_kept_whole BEFORE TRUNCATE ON attempts FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('attempts: the ledger is kept for ever');

-- What a claim reserves: for the narrow budgets that its jobs belong to, and for their queues.
CREATE FUNCTION spending_reserved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    -- budget_spending_reserved
    IF EXISTS (SELECT 1 FROM budgets WHERE model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL OR account IS NOT NULL) THEN
        INSERT INTO budget_attempts (budget, attempt_id)
        SELECT b.budget, n.id FROM new_attempts AS n CROSS JOIN LATERAL (
            SELECT budget FROM budget_jobs WHERE job_id = n.job_id AND (account IS NULL OR account = n.account)) AS b;
        INSERT INTO budget_spending_deltas (budget, hour_at, reserved_millicredits, charged_millicredits)
        SELECT m.budget, n.sent_at / 3600000 * 3600000, sum(n.reserved_millicredits), 0
        FROM new_attempts AS n JOIN budget_attempts AS m ON m.attempt_id = n.id GROUP BY 1, 2;
    END IF;
    INSERT INTO spending_deltas (queue, hour_at, reserved_millicredits, charged_millicredits)
    SELECT queue, sent_at / 3600000 * 3600000, sum(reserved_millicredits), 0 FROM new_attempts GROUP BY 1, 2;
    RETURN NULL;
END $$;

CREATE TRIGGER spending_reserved AFTER INSERT ON attempts REFERENCING NEW TABLE AS new_attempts FOR EACH STATEMENT
    EXECUTE FUNCTION spending_reserved();

-- What a new attempt holds to: one at a time for each job, and nothing is known of its answer.
CREATE FUNCTION attempts_inserting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    why text;
BEGIN
    -- attempts_account: sums are the accounts', so there must be one.
    IF NOT EXISTS (SELECT 1 FROM account WHERE name = NEW.account) THEN
        PERFORM refuse('attempts.account: there is no such account');
    END IF;
    -- attempts_id_given
    IF NEW.id < 1 THEN PERFORM refuse('attempts.id: is given by the database'); END IF;
    -- attempts_not_replaced
    IF EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM attempts WHERE token = NEW.token)
        OR NEW.id > 4000000000000000000
    THEN
        PERFORM refuse('attempts: the ledger cannot be rewritten');
    END IF;
    -- Two at once are kept apart by attempts_one_open.
    IF (SELECT bool_or(finished_at IS NULL) FROM attempts WHERE job_id = NEW.job_id) THEN
        PERFORM refuse('attempts: this job has a request that is not settled; another one might pay for it twice');
    END IF;
    IF NEW.state <> 'sending' OR NEW.finished_at IS NOT NULL OR NEW.task_id IS NOT NULL
        OR NEW.charged_millicredits IS NOT NULL OR NEW.answered_at IS NOT NULL OR NEW.http_status IS NOT NULL
        OR NEW.api_code IS NOT NULL OR NEW.error_code IS NOT NULL OR NEW.message IS NOT NULL OR NEW.task_source IS NOT NULL
        OR NEW.charge_reported IS NOT NULL OR NEW.took_milliseconds IS NOT NULL OR NEW.evidence IS NOT NULL
        OR NEW.evidence_charged IS NOT NULL OR NEW.hinted_task_id IS NOT NULL OR NEW.hint_changes <> 0
        OR NEW.arrives_until IS NOT NULL
    THEN
        PERFORM refuse('attempts: a new one is being sent; nothing is known of its answer');
    END IF;
    IF NEW.reserved_millicredits > 1000000000000 OR NEW.estimated_millicredits > 1000000000000
        OR NEW.sent_at NOT BETWEEN 0 AND 253402300799999 OR length(NEW.profile) > 4000 OR length(NEW.model) > 200
        OR length(NEW.queue) > 100
    THEN
        PERFORM refuse('attempts: a number or a text is out of bounds');
    END IF;
    why := attempts_problem(NEW);
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER attempts_inserting BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_inserting();

-- What the columns hold to.
CREATE FUNCTION attempts_problem(new attempts) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN NOT (length(NEW.token) = 32)
            THEN 'attempts.token: 32 hexadecimal digits'
        WHEN NOT (NEW.state IN ('sending', 'accepted', 'rejected', 'unknown'))
            THEN 'attempts.state: sending, accepted, rejected or unknown'
        WHEN NOT (NEW.task_source IN ('answer', 'callback', 'operator'))
            THEN 'attempts.task_source: answer, callback or operator'
        WHEN NOT (NEW.reserved_millicredits >= 0)
            THEN 'attempts.reserved_millicredits: at least 0'
        WHEN NOT (NEW.charged_millicredits >= 0)
            THEN 'attempts.charged_millicredits: at least 0'
        WHEN NOT (NEW.estimated_millicredits >= 0)
            THEN 'attempts.estimated_millicredits: at least 0'
        WHEN NOT (NEW.estimate_basis IN ('listed', 'override', 'observed', 'default'))
            THEN 'attempts.estimate_basis: listed, override, observed or default'
        WHEN NOT (NEW.charge_reported IN (0, 1))
            THEN 'attempts.charge_reported: NULL, 0 or 1'
        WHEN NOT (NEW.took_milliseconds >= 0)
            THEN 'attempts.took_milliseconds: at least 0'
        WHEN NOT (NEW.evidence_charged IN (0, 1))
            THEN 'attempts.evidence_charged: NULL, 0 or 1'
        WHEN NOT (octet_length(NEW.result_json) <= 1048576)
            THEN 'attempts.result_json: at most 1 MiB'
        WHEN NOT (octet_length(NEW.input) <= 4194304)
            THEN 'attempts.input: at most 4 MiB'
        WHEN NOT (length(NEW.account) BETWEEN 1 AND 64)
            THEN 'attempts.account: 1 to 64 characters'
        WHEN NOT (NEW.state = 'sending' OR NEW.answered_at IS NOT NULL)
            THEN 'attempts: an answer has an instant'
        WHEN NOT (NEW.state <> 'sending' OR NEW.answered_at IS NULL)
            THEN 'attempts: a request under way has no answer'
        WHEN NOT (NEW.state <> 'accepted' OR NEW.task_id IS NOT NULL)
            THEN 'attempts: an accepted attempt has a task'
        WHEN NOT (NEW.state <> 'rejected' OR (NEW.finished_at IS NOT NULL AND NEW.reserved_millicredits = 0 AND coalesce(NEW.charged_millicredits, 0) = 0))
            THEN 'attempts: a rejected attempt is finished, without reservation or charge'
        WHEN NOT (NEW.charged_millicredits IS NULL OR NEW.reserved_millicredits = 0)
            THEN 'attempts: what is charged is no longer reserved'
        END;
END $$;

-- All rules for a change of an attempt, each under its name (jobs_updating says why in one function).
CREATE FUNCTION attempts_updating() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    why text;
BEGIN
    -- attempts_estimate_frozen
    IF OLD.estimated_millicredits IS DISTINCT FROM NEW.estimated_millicredits OR OLD.estimate_basis IS DISTINCT FROM NEW.estimate_basis
    THEN
        PERFORM refuse('attempts: the ledger cannot be rewritten');
    END IF;

    -- attempts_settled_frozen: what is settled stays; but a task that was taken for failed, and is asked about once more, may turn out to have succeeded.
    IF OLD.finished_at IS NOT NULL
    THEN
        IF OLD.state <> NEW.state OR OLD.task_id IS DISTINCT FROM NEW.task_id OR OLD.answered_at IS DISTINCT FROM NEW.answered_at
            OR OLD.finished_at IS DISTINCT FROM NEW.finished_at OR OLD.http_status IS DISTINCT FROM NEW.http_status
            OR OLD.api_code IS DISTINCT FROM NEW.api_code OR OLD.reserved_millicredits <> NEW.reserved_millicredits
            OR OLD.arrives_until IS DISTINCT FROM NEW.arrives_until OR OLD.evidence IS DISTINCT FROM NEW.evidence
            OR OLD.evidence_charged IS DISTINCT FROM NEW.evidence_charged
            OR OLD.hinted_task_id IS DISTINCT FROM NEW.hinted_task_id
            OR OLD.hint_changes <> NEW.hint_changes OR OLD.profile <> NEW.profile
            -- attempts_took_frozen
            OR OLD.took_milliseconds IS DISTINCT FROM NEW.took_milliseconds
            OR ((OLD.error_code IS DISTINCT FROM NEW.error_code OR OLD.message IS DISTINCT FROM NEW.message
                    OR OLD.charged_millicredits IS DISTINCT FROM NEW.charged_millicredits
                    OR OLD.charge_reported IS DISTINCT FROM NEW.charge_reported)
                AND NOT (OLD.state = 'accepted' AND OLD.error_code IS NOT NULL AND NEW.error_code IS NULL
                    AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND state = 'running' AND task_id = OLD.task_id)
                    AND NOT EXISTS (SELECT 1 FROM results WHERE job_id = OLD.job_id)
                    AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = OLD.job_id AND o.finished_at IS NULL)))
        THEN
            PERFORM refuse('attempts: what is settled stays as it is');
        END IF;
    END IF;

    -- attempts_identity_frozen: what was sent was sent like that, and by that daemon.
    IF OLD.id <> NEW.id OR OLD.job_id <> NEW.job_id OR OLD.token <> NEW.token OR OLD.queue <> NEW.queue
        OR OLD.model <> NEW.model OR OLD.sent_at <> NEW.sent_at OR OLD.account <> NEW.account
        OR OLD.owner <> NEW.owner OR OLD.claim_id IS DISTINCT FROM NEW.claim_id
    THEN
        PERFORM refuse('attempts: the ledger cannot be rewritten');
    END IF;

    -- attempts_input_frozen: pruning takes it, with the job's own.
    IF OLD.input IS DISTINCT FROM NEW.input
    THEN
        IF NEW.input IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL) THEN
            PERFORM refuse('attempts.input: was sent like that');
        END IF;
    END IF;

    -- attempts_not_null
    IF NEW.state IS NULL OR NEW.profile IS NULL OR NEW.hint_changes IS NULL
    THEN
        PERFORM refuse('attempts: state, profile and hint_changes cannot be NULL');
    END IF;

    -- attempts_open_frozen: what an attempt may become, as long as it is open.
    why := CASE
        WHEN OLD.task_source IS DISTINCT FROM NEW.task_source AND (OLD.state = 'accepted' OR NEW.state <> 'accepted')
            THEN 'attempts.task_source: is written together with state accepted'
        WHEN OLD.state = 'accepted' AND OLD.task_id IS DISTINCT FROM NEW.task_id
            THEN 'attempts.task_id: the provider has named the task; it does not change'
        WHEN NEW.state <> 'accepted' AND NEW.task_id IS NOT NULL
            THEN 'attempts.task_id: is set together with state accepted'
        WHEN OLD.answered_at IS NOT NULL AND OLD.answered_at IS DISTINCT FROM NEW.answered_at
            THEN 'attempts.answered_at: is written once'
        WHEN OLD.arrives_until IS NOT NULL AND (NEW.arrives_until IS NULL
                OR (NEW.arrives_until <> OLD.arrives_until AND NEW.state = OLD.state))
            THEN 'attempts.arrives_until: a lost request keeps its slot'
        WHEN NEW.finished_at IS NULL
            AND (OLD.reserved_millicredits <> NEW.reserved_millicredits OR NEW.charged_millicredits IS NOT NULL)
            THEN 'attempts: a reservation is kept until the attempt is settled, together with finished_at'
        WHEN NEW.finished_at IS NOT NULL
            AND (NEW.reserved_millicredits <> 0 OR NEW.state = 'sending'
                OR (NEW.state <> 'rejected' AND NEW.charged_millicredits IS NULL))
            THEN 'attempts: to settle one is to book what it was charged, and to release what was reserved'
        WHEN OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.state = 'unknown'
            AND NEW.charged_millicredits < OLD.reserved_millicredits
            THEN 'attempts: what may have been spent counts as spent'
        WHEN NEW.charged_millicredits > 1000000000000
            THEN 'attempts.charged_millicredits: at most 1000000000000'
        WHEN length(NEW.task_id) > 1000 OR length(NEW.hinted_task_id) > 1000 OR length(NEW.error_code) > 100
            OR length(NEW.message) > 4000 OR length(NEW.evidence) > 4000 OR length(NEW.profile) > 4000
            THEN 'attempts: a text is too long'
        END;
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;

    -- attempts_outcome: what may be written of an answer.
    IF OLD.finished_at IS NULL
    THEN
        why := CASE
            WHEN NEW.answered_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
                OR NEW.arrives_until NOT BETWEEN 0 AND 253402300799999
                THEN 'attempts: answered_at, finished_at and arrives_until are written by promptd'
            WHEN NEW.took_milliseconds IS NOT NULL AND NEW.finished_at IS NULL
                THEN 'attempts.took_milliseconds: is written when the task has ended'
            WHEN OLD.state = 'sending' AND NEW.state = 'unknown' AND (NEW.error_code IS NULL
                    OR coalesce(NEW.arrives_until NOT BETWEEN NEW.answered_at AND NEW.answered_at + 86400000, true))
                THEN 'attempts.arrives_until: a request whose answer was lost may arrive later; promptd writes until when'
            WHEN OLD.arrives_until IS NULL AND NEW.arrives_until IS NOT NULL
                AND NOT (OLD.state = 'sending' AND NEW.state = 'unknown')
                THEN 'attempts.arrives_until: is written when the answer is lost'
            WHEN NEW.state = 'rejected' AND NEW.error_code IS NULL
                THEN 'attempts: promptd writes what was answered; to settle a lost request use promptctl resolve'
            WHEN NEW.state = 'accepted' AND NEW.finished_at IS NOT NULL AND NEW.charge_reported IS NULL
                THEN 'attempts: promptd books what the task cost when it has ended'
            WHEN NEW.state = 'rejected' AND NEW.hinted_task_id IS NOT NULL
                THEN 'attempts: a callback has named a task for this request, and the provider has not said whose it is'
            WHEN NEW.hint_changes NOT BETWEEN OLD.hint_changes AND OLD.hint_changes + 1
                THEN 'attempts.hint_changes: is written by promptd'
            END;
        IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    END IF;

    -- attempts_result_frozen: what the provider gave stays, until its job is pruned.
    IF OLD.finished_at IS NOT NULL AND OLD.result_json IS DISTINCT FROM NEW.result_json
        AND (OLD.error_code IS NULL OR NEW.error_code IS NOT NULL)
    THEN
        IF NEW.result_json IS NOT NULL OR EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL) THEN
            PERFORM refuse('attempts.result_json: what the provider gave stays as it is');
        END IF;
    END IF;

    -- attempts_state_transition
    IF OLD.state <> NEW.state AND NOT (OLD.state = 'sending' OR (OLD.state = 'unknown' AND NEW.state <> 'sending'))
    THEN
        PERFORM refuse('attempts.state: what the provider answered does not change');
    END IF;

    why := attempts_problem(NEW);
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER attempts_updating BEFORE UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_updating();

-- All that follows from a change of an attempt.
CREATE FUNCTION attempts_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    was bigint := coalesce(OLD.charged_millicredits, 0);
    is_now bigint := coalesce(NEW.charged_millicredits, 0);
    reserved bigint := NEW.reserved_millicredits - OLD.reserved_millicredits;
    charged bigint := coalesce(NEW.charged_millicredits, 0) - coalesce(OLD.charged_millicredits, 0);
BEGIN
    -- attempts_adopted: what was reserved or presumed for a lost request is not missing once its task turns up.
    IF OLD.state = 'unknown' AND NEW.state = 'accepted'
    THEN
        INSERT INTO account_deltas (account, charged_millicredits, presumed_millicredits, adopted_millicredits)
        VALUES (NEW.account, 0, 0, OLD.reserved_millicredits + coalesce(OLD.charged_millicredits, 0));
    END IF;

    -- attempts_booked: the account's sums: charged for tasks, presumed for requests that were given up without an answer.
    IF OLD.charged_millicredits IS DISTINCT FROM NEW.charged_millicredits
        OR (NEW.charged_millicredits IS NOT NULL AND (OLD.state = 'unknown') <> (NEW.state = 'unknown'))
    THEN
        INSERT INTO account_deltas (account, charged_millicredits, presumed_millicredits, adopted_millicredits)
        VALUES (NEW.account,
            CASE WHEN NEW.state = 'unknown' THEN 0 ELSE is_now END - CASE WHEN OLD.state = 'unknown' THEN 0 ELSE was END,
            CASE WHEN NEW.state = 'unknown' THEN is_now ELSE 0 END - CASE WHEN OLD.state = 'unknown' THEN was ELSE 0 END, 0);
    END IF;

    -- attempts_completed: how long a model's tasks take, on average over roughly the latest fifty.
    IF NEW.took_milliseconds IS NOT NULL AND OLD.took_milliseconds IS NULL
    THEN
        INSERT INTO completion_deltas (model, took_milliseconds)
        VALUES (NEW.model, least(NEW.took_milliseconds, 4000000000000000));
    END IF;

    -- spending_settled: what it costs in the end counts in the period in which it was sent.
    IF OLD.reserved_millicredits <> NEW.reserved_millicredits OR OLD.charged_millicredits IS DISTINCT FROM NEW.charged_millicredits
    THEN
        -- budget_spending_settled
        INSERT INTO budget_spending_deltas (budget, hour_at, reserved_millicredits, charged_millicredits)
        SELECT budget, NEW.sent_at / 3600000 * 3600000, reserved, charged FROM budget_attempts WHERE attempt_id = NEW.id;
        INSERT INTO spending_deltas (queue, hour_at, reserved_millicredits, charged_millicredits)
        VALUES (NEW.queue, NEW.sent_at / 3600000 * 3600000, reserved, charged);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER attempts_updated AFTER UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_updated();

-- MARK: budgets

CREATE TABLE budget_attempts (
    budget text COLLATE "C" NOT NULL,
    attempt_id bigint NOT NULL,
    PRIMARY KEY (budget, attempt_id)
);

CREATE INDEX budget_attempts_attempt ON budget_attempts (attempt_id);

CREATE TRIGGER budget_attempts_frozen BEFORE UPDATE ON budget_attempts FOR EACH ROW
    EXECUTE FUNCTION refuse('budget_attempts: is written by promptd');

-- The view budget_spending adds up both.
CREATE TABLE budget_spending_sums (
    budget text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL CHECK (period IN ('hour', 'day', 'total')),
    starts_at bigint NOT NULL,
    reserved_millicredits bigint NOT NULL,
    charged_millicredits bigint NOT NULL,
    PRIMARY KEY (budget, period, starts_at)
) WITH (fillfactor = 50);

CREATE TABLE budget_spending_deltas (
    budget text COLLATE "C" NOT NULL,
    hour_at bigint NOT NULL,
    reserved_millicredits bigint NOT NULL,
    charged_millicredits bigint NOT NULL
);

CREATE TABLE budget_warnings (
    budget text COLLATE "C" NOT NULL PRIMARY KEY,
    starts_at bigint NOT NULL
);

CREATE TABLE budgets (
    name text COLLATE "C" NOT NULL PRIMARY KEY
        CONSTRAINT "budgets.name" CHECK (length(name) BETWEEN 1 AND 100 OR refuse('budgets.name: 1 to 100 characters')),
    queue text COLLATE "C",
    period text COLLATE "C" NOT NULL
        CONSTRAINT "budgets.period" CHECK (period IN ('total', 'hour', 'day', 'week', 'month')
            OR refuse('budgets.period: total, hour, day, week or month')),
    limit_millicredits bigint NOT NULL
        CONSTRAINT "budgets.limit_millicredits" CHECK (limit_millicredits >= 0 OR refuse('budgets.limit_millicredits: at least 0')),
    model text COLLATE "C"
        CONSTRAINT "budgets.model" CHECK ((length(model) BETWEEN 1 AND 1000) IS NOT FALSE OR refuse('budgets.model: NULL (all) or a model')),
    batch text COLLATE "C"
        CONSTRAINT "budgets.batch" CHECK ((length(batch) BETWEEN 1 AND 200) IS NOT FALSE
            OR refuse('budgets.batch: NULL (all) or 1 to 200 characters')),
    label text COLLATE "C"
        CONSTRAINT "budgets.label" CHECK ((length(label) <= 1000 AND position('=' IN label) > 1) IS NOT FALSE
            OR refuse('budgets.label: NULL (all) or NAME=VALUE, like client=acme')),
    account text COLLATE "C"
        CONSTRAINT "budgets.account" CHECK ((length(account) BETWEEN 1 AND 64) IS NOT FALSE
            OR refuse('budgets.account: NULL (all) or an account'))
);

-- A queue exists once it is named.
CREATE FUNCTION budgets_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    PERFORM add_queues(ARRAY[NEW.queue]);
    RETURN NULL;
END $$;

CREATE TRIGGER budgets_inserted AFTER INSERT ON budgets FOR EACH ROW WHEN (NEW.queue IS NOT NULL)
    EXECUTE FUNCTION budgets_inserted();

-- budgets_scope_deleted, budgets_scope_inserted, budgets_scope_renamed and budgets_scope_updated: what a budget is about, and
-- what counts towards it, is worked out by apply_budget_changes, before the next claim: whoever changes budgets in a
-- transaction that stays open must not hold up claims.
CREATE FUNCTION budgets_scope_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.queue, OLD.model, OLD.batch, OLD.label, OLD.account) IS DISTINCT FROM (NEW.queue, NEW.model, NEW.batch, NEW.label, NEW.account)
        THEN
            INSERT INTO budget_changes (old_name, new_name, is_renamed) VALUES (OLD.name, NEW.name, false);
        ELSIF OLD.name <> NEW.name THEN
            INSERT INTO budget_changes (old_name, new_name, is_renamed) VALUES (OLD.name, NEW.name, true);
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO budget_changes (new_name) VALUES (NEW.name);
    ELSE
        INSERT INTO budget_changes (old_name) VALUES (OLD.name);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER budgets_scope_changed AFTER INSERT OR UPDATE OR DELETE ON budgets FOR EACH ROW
    EXECUTE FUNCTION budgets_scope_changed();

CREATE TABLE budget_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    old_name text COLLATE "C",
    new_name text COLLATE "C",
    -- Another name takes along what was spent.
    is_renamed boolean NOT NULL DEFAULT false
);

-- budgets_changed, too.
CREATE TRIGGER budgets_text BEFORE INSERT OR UPDATE ON budgets FOR EACH ROW
    WHEN (octet_length(NEW.name) > 400 OR NEW.limit_millicredits > 1000000000000000)
    EXECUTE FUNCTION refuse('budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000');

CREATE TRIGGER budgets_told AFTER INSERT OR UPDATE OR DELETE ON budgets FOR EACH STATEMENT EXECUTE FUNCTION tell('rules');

-- MARK: completion_times

CREATE TABLE completion_sums (
    model text COLLATE "C" NOT NULL PRIMARY KEY,
    completions bigint NOT NULL,
    mean_milliseconds bigint NOT NULL,
    CONSTRAINT completion_times_bounded CHECK (
        (completions BETWEEN 0 AND 4000000000000000 AND mean_milliseconds BETWEEN 0 AND 4000000000000000)
        OR refuse('completion_times: is written by promptd; a number is out of bounds'))
);

CREATE TABLE completion_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY,
    model text COLLATE "C" NOT NULL,
    took_milliseconds bigint NOT NULL
);

-- MARK: daemons, store, daemon

-- One row for each process that ever worked with this database; its epoch is never another's.
CREATE TABLE daemons (
    epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) <= 200),
    host text CHECK (length(host) <= 500),
    pid bigint,
    version text CHECK (length(version) <= 200),
    started_at bigint NOT NULL DEFAULT now_ms(),
    heartbeat_at bigint NOT NULL DEFAULT now_ms(),
    -- Until when it may claim and send; renewed by each heartbeat.
    lease_until bigint NOT NULL,
    -- Stopped in order, or fenced by another.
    ended_at bigint,
    fenced_by bigint,
    -- The members that it has last seen: its share of the polls' pace.
    membership_seen int NOT NULL DEFAULT 1
) WITH (fillfactor = 20);

CREATE INDEX daemons_alive ON daemons (epoch) WHERE ended_at IS NULL;

-- An epoch that has ended does not come back: what it would send might stand outside its slot.
CREATE TRIGGER daemons_ended BEFORE UPDATE ON daemons FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.lease_until > OLD.lease_until))
    EXECUTE FUNCTION refuse('daemons: this epoch has ended; join again');

-- What is the whole store's, of the one row of daemon.
CREATE TABLE store (
    id int PRIMARY KEY CHECK (id = 1),
    last_error text,
    last_error_at bigint,
    -- catalogue.defaultPrice, for programs that do not read the daemons' configuration.
    default_price_millicredits bigint NOT NULL DEFAULT 20000
        CONSTRAINT daemon_price_bounded CHECK (default_price_millicredits BETWEEN 0 AND 1000000000
            OR refuse('daemon.default_price_millicredits: 0 to 1000000000; it is written by promptd, from catalogue.defaultPrice')),
    database_id text,
    is_copy int NOT NULL DEFAULT 0 CONSTRAINT "store.is_copy" CHECK (is_copy IN (0, 1) OR refuse('daemon.is_copy: 0 or 1')),
    has_marks int NOT NULL DEFAULT 0 CONSTRAINT "store.has_marks" CHECK (has_marks IN (0, 1) OR refuse('daemon.has_marks: 0 or 1')),
    restored_at bigint
        CONSTRAINT "store.restored_at" CHECK ((restored_at BETWEEN 0 AND 253402300799999) IS NOT FALSE
            OR refuse('daemon.restored_at: Unix time in milliseconds')),
    restored_requests bigint
        CONSTRAINT "store.restored_requests" CHECK ((restored_requests >= 0) IS NOT FALSE OR refuse('daemon.restored_requests: at least 0')),
    restored_job_id bigint
        CONSTRAINT "store.restored_job_id" CHECK ((restored_job_id >= 0) IS NOT FALSE OR refuse('daemon.restored_job_id: at least 0')),
    branch text CONSTRAINT "store.branch" CHECK ((length(branch) <= 64) IS NOT FALSE OR refuse('daemon.branch: at most 64 characters')),
    catalogue_version bigint NOT NULL DEFAULT 0
        CONSTRAINT "store.catalogue_version" CHECK (catalogue_version >= 0 OR refuse('daemon.catalogue_version: at least 0')),
    events_removed bigint NOT NULL DEFAULT 0
        CONSTRAINT "store.events_removed" CHECK (events_removed >= 0 OR refuse('daemon.events_removed: at least 0')),
    hooks_read bigint CONSTRAINT "store.hooks_read" CHECK ((hooks_read >= 0) IS NOT FALSE OR refuse('daemon.hooks_read: at least 0')),
    -- The epoch that does what is done once for all: readings, takeovers, retention, folding; and until when.
    steward bigint,
    steward_until bigint NOT NULL DEFAULT 0,
    CONSTRAINT daemon_bounded CHECK ((last_error_at BETWEEN -4000000000000000 AND 4000000000000000) IS NOT FALSE
        OR refuse('daemon: is written by promptd; a number is out of bounds'))
) WITH (fillfactor = 20);

-- Whoever reads events keeps the last number: it must not be said that fewer were removed, or more than there were.
CREATE FUNCTION daemon_events_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF NEW.events_removed < OLD.events_removed OR NEW.events_removed > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_sequence_seq)
    THEN
        PERFORM refuse('daemon.events_removed: is written by the database; it only grows');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER daemon_events_removed BEFORE UPDATE ON store FOR EACH ROW
    WHEN (NEW.events_removed IS DISTINCT FROM OLD.events_removed) EXECUTE FUNCTION daemon_events_removed();

CREATE TRIGGER daemon_identity BEFORE UPDATE ON store FOR EACH ROW WHEN (OLD.database_id IS DISTINCT FROM NEW.database_id)
    EXECUTE FUNCTION refuse('daemon.database_id: does not change');

CREATE TRIGGER daemon_kept BEFORE DELETE ON store FOR EACH ROW EXECUTE FUNCTION refuse('daemon: its one row stays');

CREATE TRIGGER daemon_kept_whole BEFORE TRUNCATE ON store FOR EACH STATEMENT EXECUTE FUNCTION refuse('daemon: its one row stays');

CREATE TRIGGER daemon_not_replaced BEFORE INSERT ON store FOR EACH ROW WHEN (NEW.id <> 1)
    EXECUTE FUNCTION refuse('daemon: has one row, which promptd writes');

-- MARK: events

CREATE TABLE events (
    -- Given when the change can be seen by all (number_events): later ones have greater numbers.
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    -- NULL: the job was added.
    previous_state text COLLATE "C",
    state text COLLATE "C" NOT NULL
        CONSTRAINT "events.state" CHECK (state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed')
            OR refuse('events.state: a state of jobs')),
    -- As they were then.
    queue text COLLATE "C" NOT NULL,
    batch text COLLATE "C",
    error_code text COLLATE "C",
    at bigint NOT NULL
        CONSTRAINT "events.at" CHECK (at BETWEEN 0 AND 253402300799999 OR refuse('events.at: Unix time in milliseconds')),
    CONSTRAINT events_change CHECK ((state IS DISTINCT FROM previous_state AND (previous_state IS NOT NULL OR state = 'queued'))
        OR refuse('events: a change, or a job that was added'))
);

CREATE INDEX events_batch ON events (batch, sequence) WHERE batch IS NOT NULL;

CREATE INDEX events_job ON events (job_id);

CREATE TRIGGER events_frozen BEFORE UPDATE ON events FOR EACH ROW
    EXECUTE FUNCTION refuse('events: what happened does not change');

-- Readers have a week to come by.
CREATE FUNCTION events_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL)
        AND OLD.at > now_ms() - 604800000 AND OLD.sequence > (SELECT max(sequence) FROM events) - 100000
    THEN
        PERFORM refuse('events: those of the last week stay; promptd removes the oldest');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER events_kept BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_kept();

CREATE TRIGGER events_kept_whole BEFORE TRUNCATE ON events FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('events: those of the last week stay; promptd removes the oldest');

-- Only number_events inserts.
CREATE TRIGGER events_own BEFORE INSERT ON events FOR EACH ROW
    WHEN (coalesce(current_setting('promptd.numbering', true), '') <> 'on')
    EXECUTE FUNCTION refuse('events: are written by the database, when the state of a job changes');

-- Whoever has read less far than that may have missed something.
CREATE FUNCTION events_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    INSERT INTO event_removals (sequence) SELECT max(sequence) FROM old_events HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER events_removed AFTER DELETE ON events REFERENCING OLD TABLE AS old_events FOR EACH STATEMENT
    EXECUTE FUNCTION events_removed();

CREATE TABLE event_removals (sequence bigint NOT NULL);

-- Changes as they are made, by transactions that others do not see yet: they have no number before that.
CREATE TABLE new_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    job_id bigint NOT NULL,
    previous_state text COLLATE "C",
    state text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    batch text COLLATE "C",
    error_code text COLLATE "C",
    at bigint NOT NULL
);

-- MARK: gates, hooks

CREATE TABLE gate_closings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT "gate_closings.name" CHECK (length(name) <= 500 OR refuse('gate_closings.name: at most 500 characters')),
    message text
        CONSTRAINT "gate_closings.message" CHECK ((length(message) <= 4000) IS NOT FALSE OR refuse('gate_closings.message: at most 4000 characters')),
    at bigint NOT NULL
        CONSTRAINT "gate_closings.at" CHECK (at BETWEEN 0 AND 253402300799999 OR refuse('gate_closings.at: Unix time in milliseconds'))
);

-- What each daemon sees closed; the view gates has each once.
CREATE TABLE daemon_gates (
    -- The epoch; 0: all daemons'.
    owner bigint NOT NULL DEFAULT 0,
    -- budget:NAME, credits, rate, running, provider, key, model:NAME or disk.
    name text COLLATE "C" NOT NULL,
    -- The queue that it holds; '' holds all.
    queue text COLLATE "C" NOT NULL DEFAULT '',
    -- The account that it holds; '' holds all.
    account text COLLATE "C" NOT NULL DEFAULT '',
    closed_at bigint NOT NULL,
    -- When it will be tried again, if that is known.
    reopens_at bigint,
    message text,
    PRIMARY KEY (name, queue, account, owner),
    CONSTRAINT gates_bounded CHECK (
        (closed_at BETWEEN 0 AND 253402300799999 AND reopens_at BETWEEN 0 AND 253402300799999
            AND length(name) <= 500 AND length(queue) <= 400 AND length(message) <= 4000 AND length(account) <= 64) IS NOT FALSE
        OR refuse('gates: is written by promptd; a number or a text is out of bounds'))
);

CREATE TABLE hook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The hook's name in the configuration.
    hook text COLLATE "C" NOT NULL
        CONSTRAINT "hook_deliveries.hook" CHECK (length(hook) BETWEEN 1 AND 64 OR refuse('hook_deliveries.hook: 1 to 64 characters')),
    event text COLLATE "C" NOT NULL
        CONSTRAINT "hook_deliveries.event" CHECK (event IN ('succeeded', 'failed', 'unconfirmed', 'batch.done', 'gate.closed',
                'budget.warning', 'budget.reached', 'test')
            OR refuse('hook_deliveries.event: succeeded, failed, unconfirmed, batch.done, gate.closed, budget.warning, budget.reached or test')),
    job_id bigint,
    -- The batch, the gate or the budget.
    subject text
        CONSTRAINT "hook_deliveries.subject" CHECK ((length(subject) <= 500) IS NOT FALSE OR refuse('hook_deliveries.subject: at most 500 characters')),
    message text
        CONSTRAINT "hook_deliveries.message" CHECK ((length(message) <= 4000) IS NOT FALSE OR refuse('hook_deliveries.message: at most 4000 characters')),
    -- In events; NULL: of none of these.
    sequence bigint,
    at bigint NOT NULL
        CONSTRAINT "hook_deliveries.at" CHECK (at BETWEEN 0 AND 253402300799999 OR refuse('hook_deliveries.at: Unix time in milliseconds')),
    state text COLLATE "C" NOT NULL DEFAULT 'pending'
        CONSTRAINT "hook_deliveries.state" CHECK (state IN ('pending', 'delivered', 'dead')
            OR refuse('hook_deliveries.state: pending, delivered or dead')),
    attempts bigint NOT NULL DEFAULT 0
        CONSTRAINT "hook_deliveries.attempts" CHECK (attempts BETWEEN 0 AND 1000000 OR refuse('hook_deliveries.attempts: 0 to 1000000')),
    next_at bigint NOT NULL
        CONSTRAINT "hook_deliveries.next_at" CHECK (next_at BETWEEN 0 AND 253402300799999 OR refuse('hook_deliveries.next_at: Unix time in milliseconds')),
    last_error text
        CONSTRAINT "hook_deliveries.last_error" CHECK ((length(last_error) <= 1000) IS NOT FALSE
            OR refuse('hook_deliveries.last_error: at most 1000 characters')),
    ended_at bigint
        CONSTRAINT "hook_deliveries.ended_at" CHECK (
            (ended_at BETWEEN 0 AND 253402300799999 AND state <> 'pending' OR ended_at IS NULL AND state = 'pending') IS NOT FALSE
            OR refuse('hook_deliveries.ended_at: Unix time in milliseconds, of what is not pending'))
);

CREATE INDEX hook_deliveries_dead ON hook_deliveries (id) WHERE state = 'dead';

CREATE INDEX hook_deliveries_due ON hook_deliveries (hook, next_at) WHERE state = 'pending';

CREATE INDEX hook_deliveries_ended ON hook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX hook_deliveries_job ON hook_deliveries (hook, job_id, id) WHERE state = 'pending' AND job_id IS NOT NULL;

CREATE UNIQUE INDEX hook_deliveries_once ON hook_deliveries (hook, event, sequence) WHERE sequence IS NOT NULL;

-- MARK: jobs

CREATE TABLE jobs (
    -- ALWAYS: an id is never reused, so the ledger in attempts stays true after jobs are pruned.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,

    -- Written by producers.
    prompt text,
    model text COLLATE "C" NOT NULL DEFAULT 'flux-2/flex-text-to-image',
    -- json, not jsonb: the text stays as it was written.
    input json NOT NULL DEFAULT '{}',
    queue text COLLATE "C" NOT NULL DEFAULT 'default',
    priority bigint NOT NULL DEFAULT 0,
    run_at bigint NOT NULL DEFAULT 0,
    unique_key text COLLATE "C" UNIQUE,
    batch text COLLATE "C",
    labels json,
    max_attempts int NOT NULL DEFAULT 3,

    -- Written by promptd.
    state text COLLATE "C" NOT NULL DEFAULT 'queued',
    attempt_count bigint NOT NULL DEFAULT 0,
    task_id text COLLATE "C",
    provider_state text,
    estimated_millicredits bigint,
    charged_millicredits bigint,
    error_code text COLLATE "C",
    error_message text,
    created_at bigint NOT NULL DEFAULT now_ms(),
    submitted_at bigint,
    finished_at bigint,
    -- The turn that it was taken with, or gets back. Of a job that waits for its turn, that is in job_turns: producers need
    -- not write a job twice.
    turn bigint,
    estimate_basis text,
    -- 1: somebody has taken its task or its results up again, and a daemon at work has yet to notice.
    is_resumed int NOT NULL DEFAULT 0,
    pruned_at bigint,
    allow_unknown int NOT NULL DEFAULT 0,
    -- How many results of others, and files, it waits for; NULL: it takes none.
    waits bigint
) WITH (fillfactor = 80);

-- With the id, so that pages have the jobs of a batch and a state, and below of a queue and a state, in their order.
CREATE INDEX jobs_batch ON jobs (batch, state, id) WHERE batch IS NOT NULL;

CREATE INDEX jobs_batch_charged ON jobs (batch, charged_millicredits) WHERE charged_millicredits > 0;

CREATE INDEX jobs_failed ON jobs (finished_at) WHERE state = 'failed';

CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL AND pruned_at IS NULL;

CREATE INDEX jobs_listed ON jobs (queue, state, id);

CREATE INDEX jobs_resumed ON jobs (id) WHERE is_resumed = 1;

CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';

CREATE INDEX jobs_submitting ON jobs (id) WHERE state = 'submitting';

CREATE INDEX jobs_unconfirmed ON jobs (id) WHERE state = 'unconfirmed';

CREATE INDEX jobs_waiting ON jobs (queue) WHERE state = 'queued' AND waits > 0;

-- Jobs that are due, in their order. Within a queue and a priority, jobs are taken by turn. Each batch counts its own jobs,
-- from the turn that is being served when its first one comes: of two batches, one with a million jobs and one with ten,
-- every other job is of the small one (start-time fair queueing; Goyal, Vin and Cheng, SIGCOMM 1996). Jobs without a batch
-- count as one batch.
CREATE TABLE job_turns (
    job_id bigint NOT NULL PRIMARY KEY,
    queue text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    model text COLLATE "C" NOT NULL,
    -- '': none.
    batch text COLLATE "C" NOT NULL,
    turn bigint NOT NULL,
    -- Somebody has queued it again: it goes next, but at most every second job is such a job.
    is_retried boolean NOT NULL DEFAULT false
);

-- What a claim reads.
CREATE INDEX job_turns_claim ON job_turns (queue, priority DESC, model, turn, job_id);

-- Where a lane ends.
CREATE INDEX job_turns_lane ON job_turns (queue, priority, batch, turn);

CREATE INDEX job_turns_retried ON job_turns (queue, priority, turn) WHERE is_retried;

-- Jobs that are not due yet, or wait for their next try. The claim gives them their turn when their time has come.
CREATE TABLE job_times (
    job_id bigint NOT NULL PRIMARY KEY,
    run_at bigint NOT NULL
);

CREATE INDEX job_times_due ON job_times (run_at, job_id);

-- The last turn of a lane (a batch in a queue, at a priority) that was taken; claims alone write it.
CREATE TABLE turns_taken (
    queue text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    batch text COLLATE "C" NOT NULL,
    taken bigint NOT NULL,
    PRIMARY KEY (queue, priority, batch)
) WITH (fillfactor = 30);

-- The last turn of a queue, at a priority, that was taken; claims alone write it.
CREATE TABLE turns_served (
    queue text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    turn bigint NOT NULL,
    PRIMARY KEY (queue, priority),
    CONSTRAINT turns_served_bounded CHECK (
        (turn BETWEEN -4000000000000000 AND 4000000000000000 AND priority BETWEEN -4000000000000000 AND 4000000000000000)
        OR refuse('turns_served: is written by promptd; a number is out of bounds'))
) WITH (fillfactor = 30);

-- Jobs by queue and state: sums of what was folded, and what has been added since. The view queue_counts adds up both.
CREATE TABLE queue_count_sums (
    queue text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    jobs bigint NOT NULL,
    PRIMARY KEY (queue, state)
) WITH (fillfactor = 50);

CREATE TABLE queue_count_deltas (
    queue text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    jobs bigint NOT NULL
);

-- The turn that the next job of a lane gets.
CREATE FUNCTION next_turn(p_queue text, p_priority bigint, p_batch text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(
        coalesce((SELECT turn FROM turns_served WHERE queue = p_queue AND priority = p_priority), 0),
        -- A lane in which nothing waits goes on from what was taken, whatever it once had waiting.
        coalesce(
            (SELECT turn FROM job_turns WHERE queue = p_queue AND priority = p_priority AND batch = p_batch ORDER BY turn DESC LIMIT 1),
            (SELECT taken FROM turns_taken WHERE queue = p_queue AND priority = p_priority AND batch = p_batch),
            -1) + 1)
$$;

-- Gives jobs that are due their turn, in this order: the one that they had, or the next ones of their lanes.
CREATE FUNCTION give_turns(due bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO job_turns (job_id, queue, priority, model, batch, turn)
    SELECT j.id, j.queue, j.priority, j.model, coalesce(j.batch, ''), coalesce(j.turn,
        next_turn(j.queue, j.priority, coalesce(j.batch, ''))
            + row_number() OVER (PARTITION BY j.queue, j.priority, coalesce(j.batch, ''), j.turn IS NULL ORDER BY d.place) - 1)
    FROM unnest(due) WITH ORDINALITY AS d (id, place) JOIN jobs AS j ON j.id = d.id
    WHERE j.state = 'queued' AND coalesce(j.waits, 0) = 0
    ON CONFLICT (job_id) DO NOTHING
$$;

-- The queues that jobs name, if they are not there yet. Two producers that name the same new one at once do not wait for each
-- other: the second leaves its name for the daemons.
CREATE FUNCTION add_queues(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    missing text;
BEGIN
    FOR missing IN SELECT DISTINCT n FROM unnest(names) AS n WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = n) ORDER BY n LOOP
        IF pg_try_advisory_xact_lock(hashtext('promptd.queue'), hashtext(missing)) THEN
            INSERT INTO queues (name) VALUES (missing) ON CONFLICT DO NOTHING;
        ELSE
            INSERT INTO new_queues (name) VALUES (missing);
        END IF;
    END LOOP;
END $$;

CREATE TABLE new_queues (name text COLLATE "C" NOT NULL);

CREATE FUNCTION jobs_delete_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF (SELECT bool_or(finished_at IS NULL) FROM attempts WHERE job_id = OLD.id) THEN
        PERFORM refuse('jobs: cannot be deleted while the provider may be working on it; wait for it to end');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER jobs_delete_open BEFORE DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_delete_open();

-- DELETE looks at each job; TRUNCATE would look at none.
CREATE TRIGGER jobs_kept_whole BEFORE TRUNCATE ON jobs FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('jobs: cannot be truncated; DELETE those that are over');

-- What goes with a job; results, job_inputs and job_uploads go by their foreign keys.
CREATE FUNCTION jobs_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    INSERT INTO queue_count_deltas (queue, state, jobs) VALUES (OLD.queue, OLD.state, -1);
    -- jobs_turn_deleted
    IF OLD.state = 'queued' THEN
        DELETE FROM job_turns WHERE job_id = OLD.id;
        DELETE FROM job_times WHERE job_id = OLD.id;
    END IF;
    -- jobs_events_deleted
    DELETE FROM events WHERE job_id = OLD.id;
    -- jobs_search_deleted
    INSERT INTO search_changes (job_id) VALUES (OLD.id);
    -- jobs_suspicion_deleted
    DELETE FROM suspects WHERE job_id = OLD.id;
    DELETE FROM set_aside WHERE job_id = OLD.id;
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_deleted();

-- Brings job_inputs and job_uploads of jobs to what their inputs say.
CREATE FUNCTION note_references(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM job_inputs AS i WHERE i.job_id = ANY (ids)
        AND NOT EXISTS (SELECT 1 FROM input_references AS r WHERE r.job_id = i.job_id AND r.reference = i.reference);
    DELETE FROM job_uploads AS u WHERE u.job_id = ANY (ids)
        AND NOT EXISTS (SELECT 1 FROM upload_references AS r WHERE r.job_id = u.job_id AND r.reference = u.reference)
        AND NOT EXISTS (SELECT 1 FROM job_inputs AS i
            WHERE i.job_id = u.job_id AND u.reference = 'result:' || i.source_id || '/' || i.ordinal);
    INSERT INTO job_inputs (job_id, reference, source_id, ordinal)
    -- 0 is no job: what is not there is refused with a word about it.
    SELECT r.job_id, r.reference, coalesce(r.source_id, 0), r.ordinal FROM input_references AS r
    WHERE r.job_id = ANY (ids)
        AND NOT EXISTS (SELECT 1 FROM job_inputs AS i WHERE i.job_id = r.job_id AND i.reference = r.reference);
    INSERT INTO job_uploads (job_id, reference)
    SELECT r.job_id, r.reference FROM upload_references AS r
    WHERE r.job_id = ANY (ids)
        AND NOT EXISTS (SELECT 1 FROM job_uploads AS u WHERE u.job_id = r.job_id AND u.reference = r.reference);
END $$;

-- The queued jobs that take a result of one of these, or of a job that does.
CREATE FUNCTION followers(sources bigint[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE found (id) AS (
        SELECT i.job_id FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job_id
        WHERE i.source_id = ANY (sources) AND j.state = 'queued'
        UNION
        SELECT i.job_id FROM found JOIN job_inputs AS i ON i.source_id = found.id JOIN jobs AS j ON j.id = i.job_id
        WHERE j.state = 'queued')
    SELECT id FROM found
$$;

-- Jobs whose waits have to be looked at again, when all can see what was done: two transactions at once do not see each other's.
CREATE TABLE wait_checks (job_id bigint NOT NULL);

-- Ends the jobs that take a result which does not come. Those that somebody else is changing just now are left to
-- check_waits: the outcome of one job must not wait for a transaction about another.
CREATE FUNCTION fail_followers(source bigint, why text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT followers(ARRAY[source]));
BEGIN
    INSERT INTO wait_checks (job_id) SELECT unnest(ids);
    UPDATE jobs SET state = 'failed', finished_at = now_ms(), error_code = 'input_failed', error_message = why
    WHERE id IN (SELECT id FROM jobs WHERE id = ANY (ids) AND state = 'queued' ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
END $$;

CREATE FUNCTION input_failure(source bigint, state text, error_code text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'job ' || source || ', whose result it waits for, '
        || CASE state WHEN 'cancelled' THEN 'was cancelled' ELSE 'has failed (' || coalesce(error_code, 'unknown') || ')' END
        || '; retry that one, and then this one'
$$;

-- A result has come.
CREATE FUNCTION feed_followers(source bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT DISTINCT job_id FROM job_inputs WHERE source_id = source);
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    INSERT INTO wait_checks (job_id) SELECT unnest(ids);
    UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
    WHERE w.job_id = j.id AND j.waits IS DISTINCT FROM w.waits
        AND j.id IN (SELECT id FROM jobs WHERE id = ANY (ids) AND waits IS NOT NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
END $$;

CREATE FUNCTION jobs_inputs_source_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM job_inputs WHERE source_id = OLD.id) THEN
        PERFORM fail_followers(OLD.id, 'job ' || OLD.id || ', whose result it takes, was deleted; insert it again');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_inputs_source_deleted AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_inputs_source_deleted();

-- All that an INSERT or a COPY of jobs has to hold to, and all that follows from it, once for the statement: a trigger for each
-- row would make COPY several times slower.
CREATE FUNCTION jobs_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    why text;
    waiting bigint[];
BEGIN
    SELECT r.why INTO why FROM new_jobs AS n CROSS JOIN LATERAL (SELECT CASE
        -- jobs_insert_queued
        WHEN n.state <> 'queued' THEN 'jobs.state: a new job is queued; leave the column out'
        -- jobs_insert_foreign
        WHEN n.attempt_count <> 0 OR n.is_resumed <> 0 OR n.task_id IS NOT NULL OR n.provider_state IS NOT NULL
            OR n.charged_millicredits IS NOT NULL OR n.error_code IS NOT NULL OR n.error_message IS NOT NULL
            OR n.submitted_at IS NOT NULL OR n.finished_at IS NOT NULL
            THEN 'jobs: attempt_count, is_resumed, task_id, provider_state, charged_millicredits, error_code, error_message, submitted_at and finished_at are written by promptd; leave them out'
        -- jobs_pruned_inserted
        WHEN n.pruned_at IS NOT NULL THEN 'jobs.pruned_at: is written by promptd; leave it out'
        -- jobs_waits_inserted
        WHEN n.waits IS NOT NULL THEN 'jobs.waits: is written by the database; leave it out'
        -- jobs_text_inserted
        WHEN octet_length(n.model) > 200 THEN 'jobs.model: 1 to 200 characters of ASCII, without spaces'
        WHEN octet_length(n.input::text) > 262144 THEN 'jobs.input: at most 262144 bytes'
        WHEN octet_length(n.labels::text) > 65536 THEN 'jobs.labels: at most 65536 bytes'
        WHEN octet_length(n.queue) > 400 THEN 'jobs.queue: at most 400 bytes'
        WHEN octet_length(n.batch) > 800 THEN 'jobs.batch: at most 800 bytes'
        WHEN n.estimated_millicredits > 1000000000000 THEN 'jobs.estimated_millicredits: at most 1000000000000'
        WHEN n.turn IS NOT NULL THEN 'jobs: turn and kept_turn are written by promptd; leave them out'
        -- What the columns hold to.
        WHEN NOT (n.run_at <= 253402300799999) THEN 'jobs.run_at: not after the year 9999'
        WHEN NOT (n.run_at = 0 OR n.run_at >= 100000000000) THEN 'jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)'
        WHEN NOT (octet_length(n.prompt) <= 131072) THEN 'jobs.prompt: at most 131072 bytes'
        WHEN NOT (n.model <> '') THEN 'jobs.model: must not be empty'
        WHEN NOT (json_typeof(n.input) = 'object') THEN 'jobs.input: must be a JSON object, like {"aspect_ratio":"16:9"}'
        WHEN NOT (length(n.queue) BETWEEN 1 AND 100) THEN 'jobs.queue: 1 to 100 characters'
        WHEN NOT (n.priority BETWEEN -1000000000 AND 1000000000) THEN 'jobs.priority: -1000000000 to 1000000000'
        WHEN NOT (octet_length(n.unique_key) <= 1000) THEN 'jobs.unique_key: at most 1000 bytes'
        WHEN NOT (length(n.batch) BETWEEN 1 AND 200) THEN 'jobs.batch: NULL or 1 to 200 characters'
        WHEN NOT (json_typeof(n.labels) = 'object') THEN 'jobs.labels: NULL or a JSON object, like {"sku":"A-1"}'
        WHEN NOT (n.max_attempts BETWEEN 1 AND 20) THEN 'jobs.max_attempts: 1 to 20'
        WHEN NOT (n.estimated_millicredits >= 0) THEN 'jobs.estimated_millicredits: at least 0'
        WHEN NOT (n.created_at BETWEEN 0 AND 253402300799999) THEN 'jobs.created_at: Unix time in milliseconds; leave the column out'
        WHEN NOT (n.estimate_basis IS NULL OR (n.estimate_basis IN ('listed', 'override', 'observed', 'default') AND n.estimated_millicredits IS NOT NULL)) THEN 'jobs.estimate_basis: listed, override, observed or default, together with estimated_millicredits'
        WHEN NOT (n.allow_unknown IN (0, 1)) THEN 'jobs.allow_unknown: 0 or 1'
        WHEN n.id < 1 OR n.id > 4000000000000000000 THEN 'jobs.id: is given by the database; leave the column out'
        END AS why) AS r WHERE r.why IS NOT NULL LIMIT 1;
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT model FROM new_jobs) AS n WHERE n.model ~ '[^!-~]') THEN
        PERFORM refuse('jobs.model: 1 to 200 characters of ASCII, without spaces');
    END IF;
    -- jobs_id_given: a COPY, or OVERRIDING SYSTEM VALUE, with the id of a job that is gone would take over its attempts.
    IF (SELECT min(id) FROM new_jobs) <= (SELECT max(job_id) FROM attempts)
        AND EXISTS (SELECT 1 FROM new_jobs AS n CROSS JOIN LATERAL (SELECT 1 FROM attempts WHERE job_id = n.id LIMIT 1) AS a)
    THEN
        PERFORM refuse('jobs.id: is given by the database; leave the column out');
    END IF;

    PERFORM add_queues(ARRAY(SELECT DISTINCT queue FROM new_jobs));
    INSERT INTO queue_count_deltas (queue, state, jobs) SELECT queue, 'queued', count(*) FROM new_jobs GROUP BY queue;
    -- jobs_event_added
    INSERT INTO new_events (job_id, state, queue, batch, at) SELECT id, 'queued', queue, batch, now_ms() FROM new_jobs;

    -- jobs_inputs_inserted
    waiting := ARRAY(SELECT id FROM new_jobs AS n WHERE n.input::text <> '{}' AND n.input::text ~ 'job:|key:|upload:|file:|\\u');
    IF cardinality(waiting) > 0 THEN
        PERFORM note_references(waiting);
        UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
        WHERE j.id = ANY (waiting) AND w.job_id = j.id AND j.waits IS DISTINCT FROM w.waits;
        waiting := ARRAY(SELECT id FROM jobs WHERE id = ANY (waiting) AND waits > 0);
    END IF;

    -- jobs_turn_inserted. What waits for others has its turn from jobs_turn_changed.
    IF (SELECT count(*) FROM (SELECT DISTINCT queue, priority, batch FROM new_jobs LIMIT 2) AS lanes) = 1 THEN
        -- One lane needs no sorting.
        INSERT INTO job_turns (job_id, queue, priority, model, batch, turn)
        SELECT n.id, n.queue, n.priority, n.model, coalesce(n.batch, ''), l.turn + row_number() OVER () - 1
        FROM (SELECT next_turn(queue, priority, coalesce(batch, '')) AS turn FROM new_jobs LIMIT 1) AS l, new_jobs AS n
        WHERE n.run_at = 0 AND n.id <> ALL (waiting);
    ELSE
        -- Each lane's first row asks where the lane goes on. Without a join: how many rows there are is not known beforehand.
        INSERT INTO job_turns (job_id, queue, priority, model, batch, turn)
        SELECT r.id, r.queue, r.priority, r.model, r.lane, first_value(r.begin) OVER (PARTITION BY r.queue, r.priority, r.lane ORDER BY r.id) + r.place - 1
        FROM (
            SELECT n.id, n.queue, n.priority, n.model, n.lane, row_number() OVER lanes AS place,
                CASE WHEN row_number() OVER lanes = 1 THEN next_turn(n.queue, n.priority, n.lane) END AS begin
            FROM (SELECT id, queue, priority, model, run_at, coalesce(batch, '') AS lane FROM new_jobs) AS n
            WHERE n.run_at = 0 AND n.id <> ALL (waiting)
            WINDOW lanes AS (PARTITION BY n.queue, n.priority, n.lane ORDER BY n.id)) AS r;
    END IF;
    INSERT INTO job_times (job_id, run_at)
    SELECT n.id, n.run_at FROM new_jobs AS n
    WHERE n.run_at > 0 AND n.id <> ALL (waiting);
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_jobs FOR EACH STATEMENT
    EXECUTE FUNCTION jobs_inserted();

CREATE TRIGGER jobs_told AFTER INSERT OR UPDATE OR DELETE ON jobs FOR EACH STATEMENT EXECUTE FUNCTION tell('jobs');

-- jobs_turn_asked, jobs_turn_came, jobs_turn_left, jobs_turn_moved and jobs_turn_retried: where a job waits. It has a row in
-- job_turns, or in job_times, exactly while it is queued and takes nothing that is missing.
CREATE FUNCTION place_job(old jobs, new jobs) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    lane text := coalesce(NEW.batch, '');
    has_moved boolean := OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at;
    retried bigint;
BEGIN
    IF OLD.state = 'queued' AND (NEW.state <> 'queued' OR has_moved OR coalesce(NEW.waits, 0) > 0) THEN
        DELETE FROM job_turns WHERE job_id = NEW.id;
        DELETE FROM job_times WHERE job_id = NEW.id;
        -- The lane goes on from there.
        IF NEW.state = 'submitting' AND NEW.turn IS NOT NULL THEN
            INSERT INTO turns_taken AS t (queue, priority, batch, taken) VALUES (OLD.queue, OLD.priority, lane, NEW.turn)
            ON CONFLICT (queue, priority, batch) DO UPDATE SET taken = excluded.taken WHERE excluded.taken > t.taken;
        END IF;
    END IF;
    IF NEW.state <> 'queued' OR coalesce(NEW.waits, 0) > 0 THEN RETURN; END IF;
    -- Only one whose place was taken, or who had none.
    IF OLD.state = 'queued' AND NOT has_moved AND coalesce(OLD.waits, 0) = 0 THEN RETURN; END IF;
    IF NEW.run_at > 0 THEN
        INSERT INTO job_times (job_id, run_at) VALUES (NEW.id, NEW.run_at) ON CONFLICT DO NOTHING;
    ELSIF OLD.state IN ('failed', 'cancelled') THEN
        SELECT greatest(
            coalesce((SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0),
            coalesce((SELECT max(turn) + 1 FROM job_turns WHERE queue = NEW.queue AND priority = NEW.priority AND is_retried), 0))
        INTO retried;
        -- Its own turn if that is later; but not behind its lane.
        retried := least(greatest(retried, coalesce(NEW.turn, -1)),
            greatest(next_turn(NEW.queue, NEW.priority, lane) - 1, coalesce(NEW.turn, -1),
                coalesce((SELECT turn FROM turns_served WHERE queue = NEW.queue AND priority = NEW.priority), 0)));
        INSERT INTO job_turns (job_id, queue, priority, model, batch, turn, is_retried)
        VALUES (NEW.id, NEW.queue, NEW.priority, NEW.model, lane, retried, true) ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO job_turns (job_id, queue, priority, model, batch, turn)
        VALUES (NEW.id, NEW.queue, NEW.priority, NEW.model, lane,
            coalesce(NEW.turn, next_turn(NEW.queue, NEW.priority, lane)))
        ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- All rules for a change of a job, each under its name, in one function: the conditions of triggers, and CHECKs, are read anew
-- for each statement, which cost more than the rest of it.
CREATE FUNCTION jobs_updating() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    why text;
    step text;
    task text;
    is_changed boolean := OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD.input::text <> NEW.input::text;
BEGIN
    -- jobs_not_null
    IF NEW.model IS NULL OR NEW.input IS NULL OR NEW.queue IS NULL OR NEW.priority IS NULL OR NEW.run_at IS NULL
        OR NEW.max_attempts IS NULL OR NEW.state IS NULL OR NEW.attempt_count IS NULL OR NEW.is_resumed IS NULL OR NEW.created_at IS NULL
    THEN
        PERFORM refuse('jobs: model, input, queue, priority, run_at, max_attempts, state, attempt_count, is_resumed and created_at cannot be NULL');
    END IF;

    -- jobs_account_gone: A retry takes up what is paid for, which needs the account that it was paid with.
    IF NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled') AND OLD.prompt IS NOT DISTINCT FROM NEW.prompt
        AND OLD.input::text = NEW.input::text
    THEN
        IF EXISTS (SELECT 1 FROM attempts AS a JOIN account AS c ON c.name = a.account
            WHERE a.job_id = NEW.id AND c.is_configured = 0 AND a.state = 'accepted'
                AND (a.finished_at IS NULL OR a.task_id IS NOT DISTINCT FROM OLD.task_id OR coalesce(a.error_code, '')
                    NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
        THEN
            PERFORM refuse('jobs.state: its task is of an account that is not in the configuration; put that back first');
        END IF;
    END IF;

    -- jobs_allowance_frozen
    IF OLD.state <> 'queued' AND NEW.state <> 'queued' AND OLD.allow_unknown IS DISTINCT FROM NEW.allow_unknown
    THEN
        PERFORM refuse('jobs: allow_unknown can be changed only while the job is queued');
    END IF;

    -- jobs_charge_frozen
    IF OLD.charged_millicredits IS DISTINCT FROM NEW.charged_millicredits
    THEN
        IF NEW.charged_millicredits IS DISTINCT FROM (SELECT sum(charged_millicredits) FROM attempts WHERE job_id = NEW.id) THEN
            PERFORM refuse('jobs.charged_millicredits: is written by promptd: the sum of its attempts'' charges');
        END IF;
    END IF;

    -- jobs_content_frozen
    IF OLD.state <> 'queued' AND NEW.state <> 'queued'
        AND (OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at OR OLD.queue <> NEW.queue
            OR OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD.input::text <> NEW.input::text
            OR OLD.labels::text IS DISTINCT FROM NEW.labels::text
            -- Fewer attempts than before harm nobody.
            OR OLD.max_attempts < NEW.max_attempts)
        -- Pruning takes all texts at once, and nothing else.
        AND NOT (OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL AND NEW.prompt IS NULL AND NEW.input::text = '{}'
            AND NEW.labels IS NULL AND OLD.priority = NEW.priority AND OLD.run_at = NEW.run_at AND OLD.queue = NEW.queue
            AND OLD.max_attempts = NEW.max_attempts)
    THEN
        PERFORM refuse('jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued');
    END IF;

    -- jobs_identity_frozen: jobs_rowid_frozen, too.
    IF OLD.id <> NEW.id OR OLD.model <> NEW.model OR OLD.unique_key IS DISTINCT FROM NEW.unique_key
        OR OLD.batch IS DISTINCT FROM NEW.batch OR OLD.created_at <> NEW.created_at
    THEN
        PERFORM refuse('jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another');
    END IF;

    -- jobs_state_transition
    IF OLD.state <> NEW.state
        -- Whoever cancels a whole chain cancels also what has failed for it a moment ago.
        AND NOT (OLD.state = 'failed' AND NEW.state = 'cancelled' AND OLD.error_code IS NOT DISTINCT FROM 'input_failed')
    THEN
        step := OLD.state || ' -> ' || NEW.state;
        IF step = 'submitting -> cancelled' THEN
            PERFORM refuse('jobs.state: illegal transition submitting -> cancelled (its request is under way; cancel it in a moment, when it is running)');
        END IF;
        IF step IN ('queued -> succeeded', 'submitting -> succeeded', 'running -> submitting', 'running -> unconfirmed',
                'succeeded -> queued', 'succeeded -> submitting', 'succeeded -> running', 'succeeded -> failed',
                'succeeded -> cancelled', 'succeeded -> unconfirmed', 'failed -> submitting', 'failed -> running',
                'failed -> succeeded', 'failed -> cancelled', 'failed -> unconfirmed', 'cancelled -> submitting',
                'cancelled -> running', 'cancelled -> succeeded', 'cancelled -> failed', 'cancelled -> unconfirmed',
                'unconfirmed -> submitting', 'unconfirmed -> succeeded')
        THEN
            PERFORM refuse('jobs.state: illegal transition ' || step);
        END IF;
    END IF;

    -- jobs_inputs_retried: what cannot be had is not waited for.
    IF NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled') AND OLD.waits IS NOT NULL AND OLD.input::text = NEW.input::text
    THEN
        IF NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND (state = 'unknown' AND finished_at IS NULL
                OR state = 'accepted' AND OLD.prompt IS NOT DISTINCT FROM NEW.prompt
                    AND (finished_at IS NULL OR task_id IS NOT DISTINCT FROM OLD.task_id OR coalesce(error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))))
            AND EXISTS (
                SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
                WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL))
        THEN
            PERFORM refuse('jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first');
        END IF;
    END IF;

    -- jobs_own_frozen: promptd's own columns.
    IF OLD.attempt_count <> NEW.attempt_count OR OLD.provider_state IS DISTINCT FROM NEW.provider_state
        OR OLD.error_code IS DISTINCT FROM NEW.error_code OR OLD.error_message IS DISTINCT FROM NEW.error_message
        OR OLD.submitted_at IS DISTINCT FROM NEW.submitted_at OR OLD.finished_at IS DISTINCT FROM NEW.finished_at
        OR OLD.estimated_millicredits IS DISTINCT FROM NEW.estimated_millicredits
        OR OLD.estimate_basis IS DISTINCT FROM NEW.estimate_basis OR OLD.turn IS DISTINCT FROM NEW.turn
    THEN
        why := CASE
            WHEN OLD.state = NEW.state AND OLD.state IN ('succeeded', 'failed')
                AND (OLD.attempt_count <> NEW.attempt_count OR OLD.provider_state IS DISTINCT FROM NEW.provider_state
                    OR OLD.error_code IS DISTINCT FROM NEW.error_code OR OLD.error_message IS DISTINCT FROM NEW.error_message
                    OR OLD.submitted_at IS DISTINCT FROM NEW.submitted_at OR OLD.finished_at IS DISTINCT FROM NEW.finished_at
                    OR OLD.estimated_millicredits IS DISTINCT FROM NEW.estimated_millicredits)
                THEN 'jobs: what has ended stays as it is'
            WHEN NEW.attempt_count > 1000 THEN 'jobs.attempt_count: at most 1000; it is written by promptd'
            WHEN NEW.submitted_at NOT BETWEEN 0 AND 253402300799999 OR NEW.finished_at NOT BETWEEN 0 AND 253402300799999
                THEN 'jobs: submitted_at and finished_at are written by promptd'
            WHEN NEW.estimated_millicredits > 1000000000000 THEN 'jobs.estimated_millicredits: at most 1000000000000'
            WHEN length(NEW.provider_state) > 200 OR length(NEW.error_code) > 100 OR length(NEW.error_message) > 4000
                THEN 'jobs: a text is too long'
            END;
        IF why IS NULL AND NEW.turn IS DISTINCT FROM OLD.turn AND NEW.turn NOT BETWEEN 0
            AND next_turn(NEW.queue, NEW.priority, coalesce(NEW.batch, '')) - 1
        THEN
            why := 'jobs.turn: is written by promptd';
        END IF;
        IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    END IF;

    -- jobs_pruned
    IF OLD.pruned_at IS DISTINCT FROM NEW.pruned_at
    THEN
        IF OLD.pruned_at IS NOT NULL THEN PERFORM refuse('jobs.pruned_at: what was removed does not come back'); END IF;
        IF OLD.state NOT IN ('succeeded', 'failed', 'cancelled') OR NEW.state <> OLD.state
            OR (SELECT bool_or(finished_at IS NULL) FROM attempts WHERE job_id = OLD.id)
        THEN
            PERFORM refuse('jobs.pruned_at: is written by promptd, when a job has ended and its attempts are settled');
        END IF;
    END IF;

    -- jobs_pruned_stays
    IF OLD.pruned_at IS NOT NULL
        AND (NEW.state <> OLD.state OR NEW.prompt IS DISTINCT FROM OLD.prompt OR NEW.input::text <> OLD.input::text
            OR NEW.labels::text IS DISTINCT FROM OLD.labels::text)
    THEN
        PERFORM refuse('jobs: what this job was about was removed; insert another one, with another unique_key');
    END IF;

    -- jobs_retried_as_it_was: A job whose task may still give something asks for that, and nothing else.
    IF OLD.state <> 'queued' AND NEW.state = 'queued'
        AND (OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD.input::text <> NEW.input::text)
    THEN
        IF EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id
            AND (state <> 'rejected' AND finished_at IS NULL
                OR state = 'accepted' AND coalesce(error_code, '')
                    NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault')))
        THEN
            PERFORM refuse('jobs: prompt and input of a job that has a task cannot be changed; insert another job');
        END IF;
    END IF;

    -- jobs_state_failed
    IF NEW.state = 'failed' AND OLD.state <> 'failed'
    THEN
        IF (SELECT bool_or(finished_at IS NULL) FROM attempts WHERE job_id = NEW.id) THEN
            PERFORM refuse('jobs.state: its task may still be running; to stop the job set cancelled');
        END IF;
    END IF;

    -- jobs_state_queued: never paid for twice.
    IF NEW.state = 'queued' AND OLD.state IN ('submitting', 'running', 'unconfirmed')
    THEN
        IF (SELECT bool_or(finished_at IS NULL) FROM attempts WHERE job_id = NEW.id) THEN
            PERFORM refuse('jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve');
        END IF;
        IF EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id)
            OR EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                AND (error_code IS NULL OR error_code = 'empty_result'))
        THEN
            PERFORM refuse('jobs.state: its task has succeeded and is paid for; its results are being fetched');
        END IF;
    END IF;

    -- jobs_state_retried_too_early
    IF NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled')
    THEN
        IF (SELECT bool_or(state = 'sending') FROM attempts WHERE job_id = NEW.id) THEN
            PERFORM refuse('jobs.state: a request of this job is under way; try again in a moment');
        END IF;
    END IF;

    -- jobs_state_running
    IF NEW.state = 'running' AND OLD.state <> 'running'
    THEN
        IF (SELECT bool_or(state IN ('sending', 'unknown') AND finished_at IS NULL) FROM attempts WHERE job_id = NEW.id)
            OR NEW.task_id IS DISTINCT FROM (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
        THEN
            PERFORM refuse('jobs.state: only promptd sets running, with an accepted attempt''s task; to settle an unconfirmed job use promptctl resolve');
        END IF;
    END IF;

    -- jobs_state_submitting
    IF NEW.state = 'submitting' AND OLD.state <> 'submitting'
    THEN
        IF NOT (SELECT count(*) FILTER (WHERE state = 'sending') = 1 AND count(*) FILTER (WHERE finished_at IS NULL AND state <> 'sending') = 0
            FROM attempts WHERE job_id = NEW.id)
        THEN
            PERFORM refuse('jobs.state: only promptd sets submitting, together with the one attempt that it is about to send');
        END IF;
    END IF;

    -- jobs_state_succeeded
    IF NEW.state = 'succeeded' AND OLD.state = 'running'
    THEN
        IF NOT EXISTS (SELECT 1 FROM attempts
                WHERE job_id = NEW.id AND state = 'accepted' AND finished_at IS NOT NULL AND error_code IS NULL)
            OR EXISTS (SELECT 1 FROM results WHERE job_id = NEW.id AND state <> 'saved')
        THEN
            PERFORM refuse('jobs.state: only promptd sets succeeded, when the task has ended and its results are saved');
        END IF;
    END IF;

    -- jobs_state_unconfirmed
    IF NEW.state = 'unconfirmed' AND OLD.state <> 'unconfirmed'
    THEN
        IF (SELECT bool_or(state = 'unknown' AND finished_at IS NULL) FROM attempts WHERE job_id = NEW.id) IS NOT TRUE THEN
            PERFORM refuse('jobs.state: only promptd sets unconfirmed, when the answer to a request was lost');
        END IF;
    END IF;

    -- jobs_task_frozen
    IF OLD.task_id IS DISTINCT FROM NEW.task_id AND NEW.task_id IS NOT NULL
    THEN
        IF NEW.task_id IS DISTINCT FROM (SELECT task_id FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
            ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1)
        THEN
            PERFORM refuse('jobs.task_id: is written by promptd');
        END IF;
    END IF;

    -- jobs_text_changed
    IF OLD.input::text <> NEW.input::text OR OLD.labels::text IS DISTINCT FROM NEW.labels::text OR OLD.queue <> NEW.queue THEN
        why := CASE
            WHEN octet_length(NEW.input::text) > 262144 THEN 'jobs.input: at most 262144 bytes'
            WHEN octet_length(NEW.labels::text) > 65536 THEN 'jobs.labels: at most 65536 bytes'
            WHEN octet_length(NEW.queue) > 400 THEN 'jobs.queue: at most 400 bytes'
            END;
        IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    END IF;

    -- jobs_waits_frozen: not of what a trigger or check_waits_of has worked out: a source may have ended since, which is seen to
    -- by wait_checks.
    IF OLD.waits IS DISTINCT FROM NEW.waits AND pg_trigger_depth() < 2 AND coalesce(current_setting('promptd.waits', true), '') <> 'on'
    THEN
        IF NEW.waits IS DISTINCT FROM (SELECT w.waits FROM job_waits AS w WHERE w.job_id = NEW.id) THEN
            PERFORM refuse('jobs.waits: is written by the database');
        END IF;
    END IF;

    -- What the database itself writes in a job's row, behind what judges what was asked for.
    IF OLD.state <> NEW.state OR OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at
        OR coalesce(OLD.waits, 0) <> coalesce(NEW.waits, 0)
    THEN
        -- The turn that it waited with; one that moves gets another.
        IF OLD.state = 'queued' THEN
            IF NEW.state = 'queued' AND (OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at) THEN
                NEW.turn := NULL;
            ELSE
                NEW.turn := coalesce((SELECT turn FROM job_turns WHERE job_id = NEW.id), NEW.turn);
            END IF;
        END IF;
        -- jobs_cancelled
        IF NEW.state = 'cancelled' AND OLD.state <> 'cancelled' THEN NEW.finished_at := now_ms(); END IF;
        -- jobs_requeued
        IF NEW.state = 'queued' AND OLD.state IN ('submitting', 'running', 'unconfirmed') AND NEW.attempt_count >= NEW.max_attempts THEN
            NEW.attempt_count := 0;
        END IF;
        -- jobs_resumption_over
        IF NEW.state IN ('succeeded', 'failed') THEN NEW.is_resumed := 0; END IF;
        -- jobs_retried
        IF NEW.state = 'queued' AND OLD.state IN ('failed', 'cancelled') THEN
            NEW.attempt_count := 0;
            NEW.error_code := NULL;
            NEW.error_message := NULL;
            NEW.finished_at := NULL;
            NEW.provider_state := NULL;
            IF is_changed THEN
                -- What it asks for now has another price, and no task yet.
                NEW.task_id := NULL;
                NEW.estimated_millicredits := NULL;
                NEW.estimate_basis := NULL;
            END IF;
            IF (SELECT bool_or(state = 'unknown' AND finished_at IS NULL) FROM attempts WHERE job_id = NEW.id) THEN
                NEW.state := 'unconfirmed';
            ELSIF NOT is_changed THEN
                -- A task that failed, and is no longer the job's, was for what the job asked before.
                SELECT task_id INTO task FROM attempts WHERE job_id = NEW.id AND state = 'accepted'
                    AND (finished_at IS NULL OR task_id IS NOT DISTINCT FROM OLD.task_id OR coalesce(error_code, '')
                        NOT IN ('content_refused', 'input_unusable', 'invalid_input', 'task_failed', 'provider_fault'))
                ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1;
                IF task IS NOT NULL THEN
                    NEW.state := 'running';
                    NEW.is_resumed := 1;
                    NEW.task_id := task;
                END IF;
            END IF;
        END IF;
    END IF;

    -- jobs_written_failed: what a state goes with; of new jobs jobs_inserted says that they are queued.
    IF NEW.state = 'failed' AND (NEW.finished_at IS NULL OR NEW.error_code IS NULL)
    THEN
        PERFORM refuse('jobs.state: only promptd sets failed, together with finished_at and error_code; to stop a job set cancelled');
    END IF;

    -- jobs_written_running
    IF NEW.state = 'running' AND NEW.task_id IS NULL
    THEN
        PERFORM refuse('jobs.state: a running job has the task_id that the provider gave it; only promptd sets it');
    END IF;

    -- jobs_written_succeeded
    IF NEW.state = 'succeeded' AND NEW.finished_at IS NULL
    THEN
        PERFORM refuse('jobs.state: only promptd sets succeeded, together with finished_at');
    END IF;

    -- What the columns hold to.
    why := CASE
        WHEN NOT (NEW.run_at <= 253402300799999)
            THEN 'jobs.run_at: not after the year 9999'
        WHEN NOT (NEW.run_at = 0 OR NEW.run_at >= 100000000000)
            THEN 'jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)'
        WHEN NOT (octet_length(NEW.prompt) <= 131072)
            THEN 'jobs.prompt: at most 131072 bytes'
        WHEN NOT (NEW.model <> '')
            THEN 'jobs.model: must not be empty'
        WHEN NOT (json_typeof(NEW.input) = 'object')
            THEN 'jobs.input: must be a JSON object, like {"aspect_ratio":"16:9"}'
        WHEN NOT (length(NEW.queue) BETWEEN 1 AND 100)
            THEN 'jobs.queue: 1 to 100 characters'
        WHEN NOT (NEW.priority BETWEEN -1000000000 AND 1000000000)
            THEN 'jobs.priority: -1000000000 to 1000000000'
        WHEN NOT (octet_length(NEW.unique_key) <= 1000)
            THEN 'jobs.unique_key: at most 1000 bytes'
        WHEN NOT (length(NEW.batch) BETWEEN 1 AND 200)
            THEN 'jobs.batch: NULL or 1 to 200 characters'
        WHEN NOT (json_typeof(NEW.labels) = 'object')
            THEN 'jobs.labels: NULL or a JSON object, like {"sku":"A-1"}'
        WHEN NOT (NEW.max_attempts BETWEEN 1 AND 20)
            THEN 'jobs.max_attempts: 1 to 20'
        WHEN NOT (NEW.state IN ('queued', 'submitting', 'running', 'succeeded', 'failed', 'cancelled', 'unconfirmed'))
            THEN 'jobs.state: queued, submitting, running, succeeded, failed, cancelled or unconfirmed'
        WHEN NOT (NEW.attempt_count >= 0)
            THEN 'jobs.attempt_count: at least 0'
        WHEN NOT (NEW.estimated_millicredits >= 0)
            THEN 'jobs.estimated_millicredits: at least 0'
        WHEN NOT (NEW.charged_millicredits >= 0)
            THEN 'jobs.charged_millicredits: at least 0'
        WHEN NOT (NEW.created_at BETWEEN 0 AND 253402300799999)
            THEN 'jobs.created_at: Unix time in milliseconds; leave the column out'
        WHEN NOT (NEW.estimate_basis IS NULL OR (NEW.estimate_basis IN ('listed', 'override', 'observed', 'default') AND NEW.estimated_millicredits IS NOT NULL))
            THEN 'jobs.estimate_basis: listed, override, observed or default, together with estimated_millicredits'
        WHEN NOT (NEW.is_resumed IN (0, 1))
            THEN 'jobs.is_resumed: 0 or 1'
        WHEN NOT (NEW.pruned_at BETWEEN 0 AND 253402300799999)
            THEN 'jobs.pruned_at: is written by promptd'
        WHEN NOT (NEW.allow_unknown IN (0, 1))
            THEN 'jobs.allow_unknown: 0 or 1'
        WHEN NOT (NEW.waits >= 0)
            THEN 'jobs.waits: is written by the database; a job that waits for others has no turn'
        END;
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER jobs_updating BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_updating();

-- All that follows from a change of a job.
CREATE FUNCTION jobs_updated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    -- jobs_cancelled: what is not downloaded yet is not wanted any more.
    IF NEW.state = 'cancelled' AND OLD.state <> 'cancelled'
    THEN
        UPDATE results SET state = 'failed', error_message = 'cancelled before it was downloaded'
        WHERE job_id = NEW.id AND state = 'pending';
        IF OLD.state = 'running' AND coalesce(current_setting('promptd.daemon', true), '') = '' THEN
            PERFORM pg_notify('promptd_news', 'cancel:' || NEW.id);
        END IF;
    END IF;

    -- jobs_counted
    IF OLD.state <> NEW.state OR OLD.queue <> NEW.queue
    THEN
        INSERT INTO queue_count_deltas (queue, state, jobs) VALUES (OLD.queue, OLD.state, -1), (NEW.queue, NEW.state, 1);
    END IF;

    -- jobs_event_changed: jobs_retried, too: a job that is queued again and takes up what is paid for goes through queued.
    IF OLD.state <> NEW.state
    THEN
        IF OLD.state IN ('failed', 'cancelled') AND NEW.state IN ('running', 'unconfirmed') THEN
            INSERT INTO new_events (job_id, previous_state, state, queue, batch, at)
            VALUES (NEW.id, OLD.state, 'queued', NEW.queue, NEW.batch, now_ms()),
                (NEW.id, 'queued', NEW.state, NEW.queue, NEW.batch, now_ms());
        ELSE
            INSERT INTO new_events (job_id, previous_state, state, queue, batch, error_code, at)
            VALUES (NEW.id, OLD.state, NEW.state, NEW.queue, NEW.batch, NEW.error_code, now_ms());
        END IF;
    END IF;

    -- jobs_events_pruned
    IF NEW.pruned_at IS NOT NULL AND OLD.pruned_at IS NULL
    THEN
        DELETE FROM events WHERE job_id = NEW.id;
    END IF;

    -- jobs_inputs_changed: what it takes from others, and the files that it takes, follow its input.
    IF OLD.input::text <> NEW.input::text
        AND (OLD.waits IS NOT NULL OR NEW.input::text ~ 'job:|key:|upload:|file:|\\u')
    THEN
        PERFORM note_references(ARRAY[NEW.id]);
        IF NEW.state = 'queued' AND EXISTS (
            SELECT 1 FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
            WHERE i.job_id = NEW.id AND (s.id IS NULL OR s.state IN ('failed', 'cancelled') OR s.pruned_at IS NOT NULL))
        THEN
            PERFORM refuse('jobs.input: takes the result of a job that has failed, was cancelled, or is gone; retry that one first');
        END IF;
        UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
        WHERE j.id = NEW.id AND w.job_id = NEW.id AND j.waits IS DISTINCT FROM w.waits;
    END IF;

    -- jobs_inputs_failed
    IF NEW.state IN ('failed', 'cancelled') AND OLD.state <> NEW.state AND NEW.error_code IS DISTINCT FROM 'input_failed'
    THEN
        IF EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id) THEN
            PERFORM fail_followers(NEW.id, input_failure(NEW.id, NEW.state, NEW.error_code));
        END IF;
    END IF;

    -- jobs_inputs_ready
    IF NEW.state = 'succeeded' AND OLD.state <> 'succeeded'
    THEN
        PERFORM feed_followers(NEW.id);
    END IF;

    -- jobs_inputs_source_pruned
    IF NEW.pruned_at IS NOT NULL AND OLD.pruned_at IS NULL
    THEN
        IF EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.id) THEN
            PERFORM fail_followers(NEW.id, 'job ' || NEW.id || ', whose result it takes, was pruned; insert it again');
        END IF;
    END IF;

    -- jobs_moved
    IF OLD.queue <> NEW.queue
    THEN
        PERFORM add_queues(ARRAY[NEW.queue]);
    END IF;

    -- jobs_retried: jobs_queue_revived: whoever removed the queue meanwhile gets it back. Results that failed are fetched again.
    IF OLD.state IN ('failed', 'cancelled') AND NEW.state IN ('queued', 'running', 'unconfirmed')
    THEN
        PERFORM add_queues(ARRAY[NEW.queue]);
        UPDATE results SET state = 'pending', error_message = NULL WHERE job_id = NEW.id AND state = 'failed';
    END IF;

    -- jobs_search_changed
    IF OLD.prompt IS DISTINCT FROM NEW.prompt
    THEN
        INSERT INTO search_changes (job_id) VALUES (NEW.id);
    END IF;

    -- jobs_turn_changed
    IF (OLD.state = 'queued' OR NEW.state = 'queued')
        AND (OLD.state <> NEW.state OR OLD.queue <> NEW.queue OR OLD.priority <> NEW.priority OR OLD.run_at <> NEW.run_at
            OR coalesce(OLD.waits, 0) <> coalesce(NEW.waits, 0))
    THEN
        PERFORM place_job(OLD, NEW);
    END IF;

    -- jobs_uploads_again: what the provider could not use is uploaded anew, and what could not be uploaded may be there now.
    IF NEW.state = 'queued' AND OLD.state <> 'queued'
    THEN
        IF EXISTS (SELECT 1 FROM job_uploads WHERE job_id = NEW.id) THEN
            INSERT INTO upload_asks (reference, is_again, is_unusable)
            SELECT reference, true, OLD.error_code IS NOT DISTINCT FROM 'input_unusable' FROM job_uploads WHERE job_id = NEW.id;
        END IF;
        IF NEW.waits IS NOT NULL THEN
            INSERT INTO wait_checks (job_id) VALUES (NEW.id);
            UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
            WHERE j.id = NEW.id AND w.job_id = NEW.id AND j.waits IS DISTINCT FROM w.waits;
        END IF;
    END IF;

    -- suspects_released: whoever queues a job again wants it tried.
    IF OLD.state <> NEW.state
        AND (NEW.state = 'queued' OR OLD.state IN ('failed', 'cancelled') AND NEW.state IN ('running', 'unconfirmed'))
    THEN
        DELETE FROM suspects WHERE job_id = NEW.id;
        DELETE FROM set_aside WHERE job_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_updated AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_updated();

-- MARK: job_inputs, job_uploads

CREATE TABLE job_inputs (
    job_id bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- As it is in the job's input: job:12/0.
    reference text COLLATE "C" NOT NULL,
    -- The job whose result is taken. It may be gone by now.
    source_id bigint NOT NULL,
    ordinal bigint NOT NULL,
    PRIMARY KEY (job_id, reference)
);

CREATE INDEX job_inputs_source ON job_inputs (source_id);

CREATE FUNCTION job_inputs_checked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    source jobs;
BEGIN
    SELECT * INTO source FROM jobs WHERE id = NEW.source_id;
    IF NOT FOUND THEN
        PERFORM refuse('jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key');
    END IF;
    IF NEW.source_id = NEW.job_id THEN PERFORM refuse('jobs.input: a job cannot take its own result'); END IF;
    -- A new job is nobody's source yet.
    IF EXISTS (SELECT 1 FROM job_inputs WHERE source_id = NEW.job_id)
        AND NEW.job_id IN (
            WITH RECURSIVE sources (id) AS (
                SELECT NEW.source_id
                UNION SELECT i.source_id FROM job_inputs AS i JOIN sources ON i.job_id = sources.id)
            SELECT id FROM sources)
    THEN
        PERFORM refuse('jobs.input: takes the result of a job that waits for this one: a circle');
    END IF;
    IF source.state IN ('failed', 'cancelled') THEN
        PERFORM refuse('jobs.input: takes the result of a job that has failed or was cancelled; retry that one first');
    END IF;
    IF source.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM results
        WHERE job_id = NEW.source_id AND ordinal = NEW.ordinal AND url IS NOT NULL)
    THEN
        PERFORM refuse('jobs.input: takes a result that its job does not have, or that was pruned');
    END IF;
    IF (SELECT count(*) FROM job_inputs WHERE job_id = NEW.job_id) >= 100 THEN
        PERFORM refuse('jobs.input: takes more than 100 results of others');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM input_references WHERE job_id = NEW.job_id AND reference = NEW.reference
        AND source_id = NEW.source_id AND ordinal = NEW.ordinal)
    THEN
        -- Deleted this moment.
        IF NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.source_id) THEN
            PERFORM refuse('jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key');
        END IF;
        PERFORM refuse('job_inputs: is written by the database, from jobs.input');
    END IF;
    -- Its source may be ending this moment, unseen.
    INSERT INTO wait_checks (job_id) VALUES (NEW.job_id);
    RETURN NEW;
END $$;

CREATE TRIGGER job_inputs_checked BEFORE INSERT ON job_inputs FOR EACH ROW EXECUTE FUNCTION job_inputs_checked();

CREATE TRIGGER job_inputs_frozen BEFORE UPDATE ON job_inputs FOR EACH ROW
    EXECUTE FUNCTION refuse('job_inputs: is written by the database, from jobs.input');

CREATE FUNCTION job_inputs_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM input_references WHERE job_id = OLD.job_id AND reference = OLD.reference) THEN
        PERFORM refuse('job_inputs: is written by the database, from jobs.input');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER job_inputs_kept BEFORE DELETE ON job_inputs FOR EACH ROW EXECUTE FUNCTION job_inputs_kept();

CREATE TABLE job_uploads (
    job_id bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    reference text COLLATE "C" NOT NULL,
    PRIMARY KEY (job_id, reference)
);

CREATE INDEX job_uploads_reference ON job_uploads (reference);

-- A file may have been changed since another job named it, and what could not be uploaded then may be there now. That is for
-- the daemons to note: the row of a file is many jobs'.
CREATE FUNCTION job_uploads_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    INSERT INTO upload_asks (reference) VALUES (NEW.reference);
    INSERT INTO wait_checks (job_id) VALUES (NEW.job_id);
    UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
    WHERE j.id = NEW.job_id AND w.job_id = j.id AND j.waits IS DISTINCT FROM w.waits;
    RETURN NULL;
END $$;

CREATE TRIGGER job_uploads_added AFTER INSERT ON job_uploads FOR EACH ROW EXECUTE FUNCTION job_uploads_added();

CREATE FUNCTION job_uploads_checked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM upload_references WHERE job_id = NEW.job_id AND reference = NEW.reference)
        AND NOT EXISTS (SELECT 1 FROM job_inputs
            WHERE job_id = NEW.job_id AND NEW.reference = 'result:' || source_id || '/' || ordinal)
    THEN
        PERFORM refuse('job_uploads: is written by the database, from jobs.input');
    END IF;
    IF (SELECT count(*) FROM job_uploads WHERE job_id = NEW.job_id) >= 100 THEN
        PERFORM refuse('jobs.input: takes more than 100 files');
    END IF;
    IF octet_length(NEW.reference) > 4096 THEN PERFORM refuse('jobs.input: a file: URL has at most 4096 bytes'); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER job_uploads_checked BEFORE INSERT ON job_uploads FOR EACH ROW EXECUTE FUNCTION job_uploads_checked();

CREATE TRIGGER job_uploads_frozen BEFORE UPDATE ON job_uploads FOR EACH ROW
    EXECUTE FUNCTION refuse('job_uploads: is written by the database, from jobs.input');

CREATE FUNCTION job_uploads_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM upload_references WHERE job_id = OLD.job_id AND reference = OLD.reference)
        OR EXISTS (SELECT 1 FROM job_inputs
            WHERE job_id = OLD.job_id AND OLD.reference = 'result:' || source_id || '/' || ordinal)
    THEN
        PERFORM refuse('job_uploads: is written by the database, from jobs.input');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER job_uploads_kept BEFORE DELETE ON job_uploads FOR EACH ROW EXECUTE FUNCTION job_uploads_kept();

-- MARK: prices, provider_models

CREATE TABLE prices (
    model text COLLATE "C" NOT NULL
        CONSTRAINT "prices.model" CHECK (model <> '' OR refuse('prices.model: must not be empty')),
    -- Fields that the completed input must have, with these values; null: left out. A text, since it is part of the key.
    input text COLLATE "C" NOT NULL DEFAULT '{}'
        CONSTRAINT "prices.input" CHECK (json_typeof(input::json) = 'object'
            OR refuse('prices.input: must be a JSON object, like {"resolution":"2K"}; {} fits every input')),
    millicredits bigint NOT NULL
        CONSTRAINT "prices.millicredits" CHECK (millicredits BETWEEN 0 AND 1000000000
            OR refuse('prices.millicredits: 0 to 1000000000, thousandths of a credit (5 credits are 5000)')),
    -- What the price is multiplied by.
    per text
        CONSTRAINT "prices.per" CHECK (
            (per <> '' AND (position(' ' IN per) = 0 OR (per LIKE '1000 characters of _%' AND position(' ' IN substr(per, 20)) = 0))) IS NOT FALSE
            OR refuse('prices.per: NULL (a task), a field with a number, like duration, or 1000 characters of FIELD')),
    source text COLLATE "C" NOT NULL DEFAULT 'operator'
        CONSTRAINT "prices.source" CHECK (source IN ('operator', 'configuration')
            OR refuse('prices.source: operator; configuration is written by promptd, from catalogue.prices')),
    note text,
    PRIMARY KEY (model, input, source)
);

-- prices_changed, too.
CREATE TRIGGER prices_text BEFORE INSERT OR UPDATE ON prices FOR EACH ROW
    WHEN (NEW.model ~ '[^!-~]' OR length(NEW.model) > 200 OR octet_length(NEW.input) > 65536
        OR length(NEW.per) > 200 OR length(NEW.note) > 1000)
    EXECUTE FUNCTION refuse('prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000');

CREATE TRIGGER prices_told AFTER INSERT OR UPDATE OR DELETE ON prices FOR EACH STATEMENT EXECUTE FUNCTION tell('rules');

CREATE TABLE provider_models (
    model text COLLATE "C" NOT NULL PRIMARY KEY
        CONSTRAINT "provider_models.model" CHECK (length(model) BETWEEN 1 AND 200 OR refuse('provider_models.model: 1 to 200 characters')),
    -- Whether it was in the provider's list when that was last read.
    listed int NOT NULL DEFAULT 1
        CONSTRAINT "provider_models.listed" CHECK (listed IN (0, 1) OR refuse('provider_models.listed: 0 or 1')),
    title text
        CONSTRAINT "provider_models.title" CHECK ((length(title) <= 500) IS NOT FALSE OR refuse('provider_models.title: at most 500 characters')),
    -- What it does, in the provider's words: a JSON list of texts.
    task_types text NOT NULL DEFAULT '[]'
        CONSTRAINT "provider_models.task_types" CHECK (length(task_types) <= 4000 AND json_typeof(task_types::json) = 'array'
            OR refuse('provider_models.task_types: a JSON list, of at most 4000 characters')),
    -- What it costs, in the provider's words.
    pricing text
        CONSTRAINT "provider_models.pricing" CHECK ((length(pricing) <= 4000) IS NOT FALSE OR refuse('provider_models.pricing: at most 4000 characters')),
    -- The JSON schema of input; NULL: the provider publishes none.
    input_schema text
        CONSTRAINT "provider_models.input_schema" CHECK (
            (octet_length(input_schema) <= 262144 AND json_typeof(input_schema::json) = 'object') IS NOT FALSE
            OR refuse('provider_models.input_schema: a JSON object of at most 256 KiB')),
    read_at bigint NOT NULL
        CONSTRAINT "provider_models.read_at" CHECK (read_at BETWEEN 0 AND 253402300799999
            OR refuse('provider_models.read_at: Unix time in milliseconds'))
);

-- provider_models_deleted, provider_models_inserted and provider_models_updated: whoever has read them knows by the number
-- whether to read them again. Only daemons write here.
CREATE FUNCTION provider_models_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    UPDATE store SET catalogue_version = catalogue_version + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER provider_models_changed AFTER INSERT OR UPDATE OR DELETE ON provider_models FOR EACH ROW
    EXECUTE FUNCTION provider_models_changed();

-- MARK: queues

CREATE TABLE queues (
    name text COLLATE "C" NOT NULL PRIMARY KEY
        CONSTRAINT "queues.name" CHECK (length(name) BETWEEN 1 AND 100 OR refuse('queues.name: 1 to 100 characters')),
    paused int NOT NULL DEFAULT 0
        CONSTRAINT "queues.paused" CHECK (paused IN (0, 1) OR refuse('queues.paused: 0 or 1')),
    max_running bigint
        CONSTRAINT "queues.max_running" CHECK ((max_running >= 0) IS NOT FALSE
            OR refuse('queues.max_running: NULL (no limit of its own) or at least 0')),
    account text COLLATE "C"
        CONSTRAINT "queues.account" CHECK ((length(account) BETWEEN 1 AND 64) IS NOT FALSE OR refuse('queues.account: NULL (default) or an account'))
) WITH (fillfactor = 50);

-- queues_account_inserted and queues_account_updated.
CREATE FUNCTION queues_account() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM account WHERE name = NEW.account) THEN
        PERFORM refuse('queues.account: there is no such account; the configuration names them, and promptd adds them when it starts');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER queues_account BEFORE INSERT OR UPDATE OF account ON queues FOR EACH ROW WHEN (NEW.account IS NOT NULL)
    EXECUTE FUNCTION queues_account();

CREATE FUNCTION queues_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    -- By the rows: a count may not know yet of a job that came a moment ago.
    IF EXISTS (SELECT 1 FROM jobs WHERE queue = OLD.name AND state IN ('queued', 'submitting', 'running', 'unconfirmed')) THEN
        PERFORM refuse('queues: it still has jobs that have not ended; cancel them, move them, or pause the queue');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER queues_kept BEFORE DELETE ON queues FOR EACH ROW EXECUTE FUNCTION queues_kept();

-- So that add_queues can see that somebody is at it, and does not wait.
CREATE FUNCTION queues_being_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('promptd.queue'), hashtext(NEW.name));
    RETURN NEW;
END $$;

CREATE TRIGGER queues_being_made BEFORE INSERT ON queues FOR EACH ROW EXECUTE FUNCTION queues_being_made();

CREATE TRIGGER queues_name BEFORE INSERT ON queues FOR EACH ROW WHEN (octet_length(NEW.name) > 400)
    EXECUTE FUNCTION refuse('queues.name: valid UTF-8 without NUL, at most 400 bytes');

CREATE TRIGGER queues_renamed BEFORE UPDATE ON queues FOR EACH ROW WHEN (OLD.name <> NEW.name)
    EXECUTE FUNCTION refuse('queues.name: cannot be changed; make another queue and move its jobs');

CREATE FUNCTION queues_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('promptd.daemon', true), '') = '' THEN
        PERFORM pg_notify('promptd_news', 'queue:' || coalesce(NEW.name, OLD.name));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER queues_told AFTER UPDATE OR DELETE ON queues FOR EACH ROW EXECUTE FUNCTION queues_told();

-- MARK: removals, results

CREATE TABLE removals (
    -- Relative to the media directory.
    path text COLLATE "C" NOT NULL PRIMARY KEY,
    job_id bigint NOT NULL,
    CONSTRAINT "removals.path" CHECK ((length(path) <= 4000 AND path LIKE '_%/_%' AND is_safe_path(path))
        OR refuse('removals.path: a file in a folder of the media directory'))
);

CREATE TRIGGER removals_frozen BEFORE UPDATE ON removals FOR EACH ROW EXECUTE FUNCTION refuse('removals: is written by promptd');

CREATE FUNCTION removals_of_results() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND path = NEW.path AND state = 'saved') THEN
        PERFORM refuse('removals: is written by promptd, for the files of a job that it prunes');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER removals_of_results BEFORE INSERT ON removals FOR EACH ROW EXECUTE FUNCTION removals_of_results();

CREATE TABLE results (
    job_id bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    ordinal bigint NOT NULL,
    attempt_id bigint NOT NULL,
    -- Where the provider keeps it; NULL for a result that came as JSON in the answer itself (content).
    url text,
    content text,
    -- Relative to the media directory.
    path text COLLATE "C",
    content_type text,
    bytes bigint,
    sha256 text,
    state text COLLATE "C" NOT NULL DEFAULT 'pending',
    error_message text,
    created_at bigint NOT NULL,
    saved_at bigint,
    -- result: what was asked for; else the provider's field without Url, such as firstFrame or lastFrame.
    role text NOT NULL DEFAULT 'result',
    -- The epoch that fetches it.
    keeper bigint,
    PRIMARY KEY (job_id, ordinal)
);

CREATE INDEX results_pending ON results (created_at) WHERE state = 'pending';

CREATE FUNCTION results_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND pruned_at IS NULL) THEN
        PERFORM refuse('results: are paid for, and go with their job');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER results_kept BEFORE DELETE ON results FOR EACH ROW EXECUTE FUNCTION results_kept();

CREATE TRIGGER results_kept_whole BEFORE TRUNCATE ON results FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('results: are paid for, and go with their job');

-- All rules for a new result, and for a change of one (jobs_updating says why in one function).
CREATE FUNCTION results_writing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    why text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- results_frozen
        IF OLD.job_id <> NEW.job_id OR OLD.ordinal <> NEW.ordinal OR OLD.attempt_id <> NEW.attempt_id
            OR OLD.url IS DISTINCT FROM NEW.url OR OLD.content IS DISTINCT FROM NEW.content OR OLD.created_at <> NEW.created_at
            OR OLD.role IS DISTINCT FROM NEW.role
            OR (OLD.state = 'saved' AND (NEW.state IS DISTINCT FROM 'saved' OR OLD.path IS DISTINCT FROM NEW.path
                OR OLD.bytes IS DISTINCT FROM NEW.bytes OR OLD.sha256 IS DISTINCT FROM NEW.sha256
                OR OLD.content_type IS DISTINCT FROM NEW.content_type OR OLD.saved_at IS DISTINCT FROM NEW.saved_at
                OR OLD.error_message IS DISTINCT FROM NEW.error_message))
        THEN
            PERFORM refuse('results: what was paid for and saved stays as it is');
        END IF;

        -- results_not_null
        IF NEW.state IS NULL
        THEN
            PERFORM refuse('results.state: cannot be NULL');
        END IF;

        -- results_text
        IF length(NEW.path) > 4000 OR length(NEW.content_type) > 1000 OR length(NEW.sha256) > 100 OR length(NEW.error_message) > 4000
        THEN
            PERFORM refuse('results: a text is too long, or holds a NUL character');
        END IF;
    ELSE
        -- results_not_replaced
        IF EXISTS (SELECT 1 FROM results WHERE job_id = NEW.job_id AND ordinal = NEW.ordinal)
            OR NOT EXISTS (SELECT 1 FROM attempts
                WHERE id = NEW.attempt_id AND job_id = NEW.job_id AND state = 'accepted' AND finished_at IS NOT NULL
                    AND error_code IS NULL)
            OR NEW.ordinal > 1000000 OR NEW.created_at NOT BETWEEN 0 AND 253402300799999
        THEN
            PERFORM refuse('results: are written by promptd, for a task that has succeeded');
        END IF;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.path IS DISTINCT FROM OLD.path THEN
        -- results_path: results_path_inserted, too: what a path leads to stays within the media directory.
        IF NEW.path IS NOT NULL AND NOT is_safe_path(NEW.path)
        THEN
            PERFORM refuse('results.path: is relative to the media directory, and stays within it');
        END IF;
    END IF;
    -- What the columns hold to.
    why := CASE
        WHEN NOT (NEW.ordinal >= 0)
            THEN 'results.ordinal: at least 0'
        WHEN NOT (NEW.state IN ('pending', 'saved', 'failed'))
            THEN 'results.state: pending, saved or failed'
        WHEN NOT (length(NEW.role) <= 200)
            THEN 'results.role: at most 200 characters'
        WHEN NOT ((NEW.url IS NULL) <> (NEW.content IS NULL))
            THEN 'results: has a url or content'
        WHEN NOT (NEW.state <> 'saved' OR (NEW.path IS NOT NULL AND NEW.bytes IS NOT NULL AND NEW.sha256 IS NOT NULL))
            THEN 'results: a saved file has path, bytes and sha256'
        END;
    IF why IS NOT NULL THEN PERFORM refuse(why); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER results_writing BEFORE INSERT OR UPDATE ON results FOR EACH ROW EXECUTE FUNCTION results_writing();

CREATE FUNCTION results_path_taken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    -- results_path_taken: A file that is needed again is not removed.
    IF NEW.path IS NOT NULL AND OLD.path IS DISTINCT FROM NEW.path
    THEN
        DELETE FROM removals WHERE path = NEW.path;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER results_path_taken AFTER UPDATE ON results FOR EACH ROW EXECUTE FUNCTION results_path_taken();

-- MARK: schedules

CREATE TABLE schedules (
    name text COLLATE "C" NOT NULL PRIMARY KEY
        CONSTRAINT "schedules.name" CHECK (length(name) BETWEEN 1 AND 100 OR refuse('schedules.name: 1 to 100 characters')),
    -- Minute, hour, day of the month, month, day of the week (crontab(5)), or @daily and the like. promptd says in last_error
    -- what it does not understand.
    cron text NOT NULL
        CONSTRAINT "schedules.cron" CHECK (length(cron) BETWEEN 2 AND 200 AND (cron LIKE '@%' OR cron LIKE '_% _% _% _% _%')
            OR refuse('schedules.cron: five fields, like 0 9 * * MON, or @daily')),
    time_zone text NOT NULL DEFAULT 'UTC'
        CONSTRAINT "schedules.time_zone" CHECK (time_zone ~ '^[A-Za-z0-9_+-][A-Za-z0-9/_+-]{0,63}$'
            OR refuse('schedules.time_zone: an IANA name, like Europe/Berlin')),

    -- As in jobs. {date} and {time} in batch are those of the run, in the time zone.
    prompt text,
    model text COLLATE "C" NOT NULL DEFAULT 'flux-2/flex-text-to-image'
        CONSTRAINT "schedules.model" CHECK (model <> '' OR refuse('schedules.model: must not be empty')),
    input json NOT NULL DEFAULT '{}'
        CONSTRAINT "schedules.input" CHECK (json_typeof(input) = 'object'
            OR refuse('schedules.input: must be a JSON object, like {"aspect_ratio":"16:9"}')),
    queue text COLLATE "C" NOT NULL DEFAULT 'default'
        CONSTRAINT "schedules.queue" CHECK (length(queue) BETWEEN 1 AND 100 OR refuse('schedules.queue: 1 to 100 characters')),
    priority bigint NOT NULL DEFAULT 0,
    batch text COLLATE "C"
        CONSTRAINT "schedules.batch" CHECK ((length(batch) BETWEEN 1 AND 190) IS NOT FALSE OR refuse('schedules.batch: NULL or 1 to 190 characters')),
    labels json
        CONSTRAINT "schedules.labels" CHECK ((json_typeof(labels) = 'object') IS NOT FALSE
            OR refuse('schedules.labels: NULL or a JSON object, like {"sku":"A-1"}')),
    max_attempts int NOT NULL DEFAULT 3
        CONSTRAINT "schedules.max_attempts" CHECK (max_attempts BETWEEN 1 AND 20 OR refuse('schedules.max_attempts: 1 to 20')),
    allow_unknown int NOT NULL DEFAULT 0
        CONSTRAINT "schedules.allow_unknown" CHECK (allow_unknown IN (0, 1) OR refuse('schedules.allow_unknown: 0 or 1')),

    -- A run that is estimated to cost more makes no job. A budget for its label limits what all of them cost.
    limit_millicredits bigint
        CONSTRAINT "schedules.limit_millicredits" CHECK ((limit_millicredits >= 0) IS NOT FALSE
            OR refuse('schedules.limit_millicredits: NULL or at least 0')),
    -- Of runs that were missed: none, the latest, or all, up to 24.
    catch_up text NOT NULL DEFAULT 'one'
        CONSTRAINT "schedules.catch_up" CHECK (catch_up IN ('skip', 'one', 'all') OR refuse('schedules.catch_up: skip, one or all')),
    enabled int NOT NULL DEFAULT 1
        CONSTRAINT "schedules.enabled" CHECK (enabled IN (0, 1) OR refuse('schedules.enabled: 0 or 1')),
    created_at bigint NOT NULL DEFAULT now_ms(),

    -- NULL: promptd has yet to work it out. An instant that is set is kept, and the first run is then.
    next_run_at bigint
        CONSTRAINT "schedules.next_run_at" CHECK ((next_run_at BETWEEN 100000000000 AND 253402300799999) IS NOT FALSE
            OR refuse('schedules.next_run_at: Unix time in milliseconds (seconds times 1000)')),

    -- Written by promptd.
    last_run_at bigint
        CONSTRAINT "schedules.last_run_at" CHECK ((last_run_at BETWEEN 0 AND 253402300799999) IS NOT FALSE
            OR refuse('schedules.last_run_at: Unix time in milliseconds')),
    last_job_id bigint,
    -- Why the last run made no job.
    last_error text
        CONSTRAINT "schedules.last_error" CHECK ((length(last_error) <= 4000) IS NOT FALSE OR refuse('schedules.last_error: at most 4000 characters'))
);

-- Another time begins anew.
CREATE FUNCTION schedules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.next_run_at := NULL;
    NEW.last_error := NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER schedules_changed BEFORE UPDATE ON schedules FOR EACH ROW
    WHEN ((OLD.cron <> NEW.cron OR OLD.time_zone <> NEW.time_zone OR OLD.enabled < NEW.enabled)
        AND OLD.next_run_at IS NOT DISTINCT FROM NEW.next_run_at)
    EXECUTE FUNCTION schedules_changed();

CREATE TRIGGER schedules_name_frozen BEFORE UPDATE ON schedules FOR EACH ROW WHEN (OLD.name <> NEW.name)
    EXECUTE FUNCTION refuse('schedules.name: cannot be changed; remove the schedule and add another');

CREATE FUNCTION schedules_not_replaced() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM schedules WHERE name = NEW.name) THEN
        PERFORM refuse('schedules.name: there is a schedule of this name; UPDATE it');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER schedules_not_replaced BEFORE INSERT ON schedules FOR EACH ROW EXECUTE FUNCTION schedules_not_replaced();

CREATE TRIGGER schedules_text_inserted BEFORE INSERT ON schedules FOR EACH ROW
    WHEN (NEW.last_run_at IS NOT NULL OR NEW.last_job_id IS NOT NULL OR NEW.last_error IS NOT NULL)
    EXECUTE FUNCTION refuse('schedules: a text holds a NUL character, or last_run_at, last_job_id or last_error are given, which promptd writes');

CREATE TRIGGER schedules_told AFTER INSERT OR UPDATE OR DELETE ON schedules FOR EACH STATEMENT EXECUTE FUNCTION tell('schedules');

-- MARK: search_changes, set_aside, spending, suspects

-- Prompts that were changed or removed; new ones are in events.
CREATE TABLE search_changes (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL
);

CREATE TABLE set_aside (
    job_id bigint NOT NULL PRIMARY KEY,
    reason text NOT NULL
        CONSTRAINT set_aside_bounded CHECK (length(reason) <= 4000 OR refuse('set_aside: is written by promptd; the reason is too long')),
    since bigint NOT NULL
);

-- The view spending adds up both.
CREATE TABLE spending_sums (
    period text COLLATE "C" NOT NULL CHECK (period IN ('hour', 'day', 'total')),
    starts_at bigint NOT NULL,
    queue text COLLATE "C" NOT NULL,
    reserved_millicredits bigint NOT NULL,
    charged_millicredits bigint NOT NULL,
    PRIMARY KEY (period, starts_at, queue)
) WITH (fillfactor = 50);

CREATE TABLE spending_deltas (
    queue text COLLATE "C" NOT NULL,
    hour_at bigint NOT NULL,
    reserved_millicredits bigint NOT NULL,
    charged_millicredits bigint NOT NULL
);

CREATE TABLE suspects (
    -- claim: preparing a queued job; poll: asking about a task, and what was answered; download: fetching a result.
    step text COLLATE "C" NOT NULL
        CONSTRAINT "suspects.step" CHECK (step IN ('claim', 'poll', 'download') OR refuse('suspects.step: claim, poll or download')),
    -- The job, of a claim or a download; the attempt, of a poll.
    subject bigint NOT NULL,
    -- Of a download: the result's ordinal; else 0.
    ordinal bigint NOT NULL DEFAULT 0,
    job_id bigint NOT NULL,
    -- How strong the suspicion is: 3 for each crash in a row, 1 for each other end that nobody asked for.
    weight bigint NOT NULL
        CONSTRAINT "suspects.weight" CHECK (weight BETWEEN 0 AND 1000 OR refuse('suspects.weight: 0 to 1000')),
    -- 1: it is left alone.
    is_aside int NOT NULL DEFAULT 0
        CONSTRAINT "suspects.is_aside" CHECK (is_aside IN (0, 1) OR refuse('suspects.is_aside: 0 or 1')),
    -- The version that died: another one tries again.
    version text NOT NULL,
    reason text NOT NULL
        CONSTRAINT "suspects.reason" CHECK (length(reason) <= 1000 OR refuse('suspects.reason: at most 1000 characters')),
    PRIMARY KEY (step, subject, ordinal)
);

CREATE INDEX suspects_job ON suspects (job_id);

-- MARK: uploads

CREATE TABLE uploads (
    -- upload:SHA256.EXTENSION and file:///PATH as in inputs; result:JOB/ORDINAL for a result whose URL may have ended.
    reference text COLLATE "C" NOT NULL PRIMARY KEY,
    -- wanted: a queued job needs it. ready: the provider has it until expires_at. idle: no queued job needed it when that had passed.
    -- failed: it cannot be uploaded.
    state text COLLATE "C" NOT NULL DEFAULT 'wanted'
        CONSTRAINT "uploads.state" CHECK (state IN ('wanted', 'ready', 'idle', 'failed') OR refuse('uploads.state: wanted, ready, idle or failed')),
    sha256 text COLLATE "C",
    bytes bigint,
    content_type text,
    url text,
    uploaded_at bigint,
    expires_at bigint,
    -- Why the last try failed, if it did.
    message text,
    -- Whose last try is longest ago comes first.
    tried_at bigint NOT NULL DEFAULT 0,
    -- Since when no try has succeeded.
    failing_since bigint,
    -- How often jobs have named a file: whatever was read before the last of them is not what that one means.
    asked bigint NOT NULL DEFAULT 0,
    CONSTRAINT uploads_asked CHECK (asked <= 4000000000000000 OR refuse('uploads.asked: is written by the database; it is out of bounds')),
    CONSTRAINT uploads_ready CHECK (state <> 'ready'
        OR (sha256 IS NOT NULL AND url IS NOT NULL AND uploaded_at IS NOT NULL AND expires_at IS NOT NULL)
        OR refuse('uploads: what is ready has sha256, url, uploaded_at and expires_at')),
    CONSTRAINT uploads_written CHECK (
        (octet_length(reference) <= 8192 AND length(sha256) = 64 AND bytes BETWEEN 0 AND 1000000000 AND length(content_type) <= 200
            AND octet_length(url) <= 8192 AND uploaded_at BETWEEN 0 AND 253402300799999
            AND expires_at BETWEEN 0 AND 253402300799999 AND length(message) <= 4000
            AND tried_at BETWEEN 0 AND 253402300799999 AND failing_since BETWEEN 0 AND 253402300799999 AND asked >= 0) IS NOT FALSE
        OR refuse('uploads: is written by promptd; a number or a text is out of bounds'))
);

CREATE INDEX uploads_content ON uploads (sha256) WHERE url IS NOT NULL;

CREATE INDEX uploads_ending ON uploads (expires_at) WHERE state = 'ready';

CREATE INDEX uploads_wanted ON uploads (tried_at) WHERE state = 'wanted';

-- What jobs have asked for, until note_uploads has seen to it.
CREATE TABLE upload_asks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    reference text COLLATE "C" NOT NULL,
    -- A job that was tried before.
    is_again boolean NOT NULL DEFAULT false,
    -- The provider could not use it.
    is_unusable boolean NOT NULL DEFAULT false
);

CREATE INDEX upload_asks_reference ON upload_asks (reference);

-- Whoever takes the file waits for it, or no longer.
CREATE FUNCTION uploads_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    PERFORM check_waits_of(ARRAY(SELECT job_id FROM job_uploads WHERE reference = NEW.reference));
    RETURN NULL;
END $$;

CREATE TRIGGER uploads_changed AFTER UPDATE ON uploads FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION uploads_changed();

CREATE FUNCTION uploads_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM job_uploads WHERE reference = OLD.reference) THEN
        PERFORM refuse('uploads: is written by promptd; jobs take this file');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER uploads_kept BEFORE DELETE ON uploads FOR EACH ROW EXECUTE FUNCTION uploads_kept();

CREATE FUNCTION uploads_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM uploads WHERE reference = NEW.reference) THEN
        PERFORM refuse('uploads: is written by promptd; this file is known already');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER uploads_once BEFORE INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION uploads_once();

CREATE TRIGGER uploads_reference_frozen BEFORE UPDATE ON uploads FOR EACH ROW WHEN (OLD.reference <> NEW.reference)
    EXECUTE FUNCTION refuse('uploads: is written by promptd');

-- MARK: The rows that there are from the beginning

INSERT INTO account (name) VALUES ('default');
INSERT INTO queues (name) VALUES ('default');
INSERT INTO store (id, database_id) VALUES (1, replace(gen_random_uuid()::text, '-', ''));

-- MARK: Vacuum

-- What is appended and folded is dead within seconds, and what waits for its turn when it is taken: claims would read past it. The
-- server's own settings wait for a fifth of a table, and look once a minute.
ALTER TABLE job_turns SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE job_times SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE new_events SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE queue_count_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE spending_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE budget_spending_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE account_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE completion_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE wait_checks SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Large ones, which each job changes two to five times: sooner, but at the server's pace.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE attempts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE results SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02);
