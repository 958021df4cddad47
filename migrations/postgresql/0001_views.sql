-- The views of version 1: those of docs/schema.sql, with the same columns, and those that stand in for SQLite's tables whose
-- sums are kept in two parts here. Instants are ISO texts in UTC, credits are numbers.

SET search_path = promptd;

-- MARK: What they are written with

CREATE FUNCTION iso(instant bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(to_timestamp(instant / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

CREATE FUNCTION iso_ms(instant bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(to_timestamp(instant / 1000.0::float8) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

CREATE FUNCTION credits(millicredits bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN millicredits / 1000.0::float8;

-- A JSON text whose strings can be read: NUL, and halves of characters, can be written in JSON but are no text here. U+FFFF,
-- which is no character either, stands for them.
CREATE FUNCTION readable(value json) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN position('\u' IN value::text) = 0 THEN value ELSE regexp_replace(value::text,
        '\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}',
        '\\uffff', 'g')::json END
$$;

-- All texts in a JSON value, however deep, but those that are none.
CREATE FUNCTION texts_in(value json) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE walk (part) AS (
        SELECT promptd.readable(value)
        UNION ALL
        SELECT inner_part.value FROM walk CROSS JOIN LATERAL (
            SELECT e.value FROM json_each(CASE json_typeof(walk.part) WHEN 'object' THEN walk.part ELSE '{}' END) AS e
            UNION ALL
            SELECT e.value FROM json_array_elements(CASE json_typeof(walk.part) WHEN 'array' THEN walk.part ELSE '[]' END) AS e
        ) AS inner_part)
    SELECT part #>> '{}' FROM walk WHERE json_typeof(part) = 'string' AND position(U&'\FFFF' IN part #>> '{}') = 0
$$;

-- The priorities and models that jobs of a queue wait with, by one seek in job_turns_claim each.
CREATE FUNCTION lanes_of(p_queue text) RETURNS TABLE (priority bigint, model text) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE lane AS (
        (SELECT t.priority, t.model FROM promptd.job_turns AS t WHERE t.queue = p_queue ORDER BY t.priority DESC, t.model LIMIT 1)
        UNION ALL
        SELECT next.priority, next.model FROM lane CROSS JOIN LATERAL (
            (SELECT t.priority, t.model FROM promptd.job_turns AS t
                WHERE t.queue = p_queue AND t.priority = lane.priority AND t.model > lane.model ORDER BY t.model LIMIT 1)
            UNION ALL
            (SELECT t.priority, t.model FROM promptd.job_turns AS t
                WHERE t.queue = p_queue AND t.priority < lane.priority ORDER BY t.priority DESC, t.model LIMIT 1)
            LIMIT 1) AS next)
    SELECT priority, model FROM lane
$$;

-- MARK: Tables of SQLite that are kept in two parts

CREATE VIEW accounts AS
SELECT
    a.name, a.is_configured, a.balance_millicredits, a.balance_at, a.balance_asked_at, a.balance_attempt_id, a.rate_limit,
    a.rate_window_ms, a.running_limit, a.credit_reserve_millicredits, a.unconfirmed_policy, a.unconfirmed_window_ms,
    a.shut_until,
    clamp(a.charged_millicredits + coalesce(d.charged, 0)) AS charged_millicredits,
    clamp(a.presumed_millicredits + coalesce(d.presumed, 0)) AS presumed_millicredits,
    clamp(a.adopted_millicredits + coalesce(d.adopted, 0)) AS adopted_millicredits
FROM account AS a CROSS JOIN LATERAL (
    SELECT sum(charged_millicredits) AS charged, sum(presumed_millicredits) AS presumed, sum(adopted_millicredits) AS adopted
    FROM account_deltas WHERE account = a.name) AS d;

ALTER VIEW accounts ALTER COLUMN is_configured SET DEFAULT 1;

-- What a program writes of an account goes to its row; its sums are those of attempts.
CREATE FUNCTION accounts_written() RETURNS trigger LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM refuse('accounts: is kept; promptctl doctor compares it with the ledger'); END IF;
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT 1 FROM account WHERE name = NEW.name) THEN
            PERFORM refuse('accounts: is there already; promptd writes it');
        END IF;
        INSERT INTO account (name, is_configured, balance_millicredits, balance_at, balance_asked_at, balance_attempt_id,
            rate_limit, rate_window_ms, running_limit, credit_reserve_millicredits, unconfirmed_policy, unconfirmed_window_ms,
            shut_until, charged_millicredits, presumed_millicredits, adopted_millicredits)
        VALUES (NEW.name, NEW.is_configured, NEW.balance_millicredits, NEW.balance_at, NEW.balance_asked_at, NEW.balance_attempt_id,
            NEW.rate_limit, NEW.rate_window_ms, NEW.running_limit, NEW.credit_reserve_millicredits, NEW.unconfirmed_policy,
            NEW.unconfirmed_window_ms, NEW.shut_until, coalesce(NEW.charged_millicredits, 0),
            coalesce(NEW.presumed_millicredits, 0), coalesce(NEW.adopted_millicredits, 0));
    ELSE
        IF (NEW.charged_millicredits, NEW.presumed_millicredits, NEW.adopted_millicredits)
            IS DISTINCT FROM (OLD.charged_millicredits, OLD.presumed_millicredits, OLD.adopted_millicredits)
        THEN
            PERFORM refuse('accounts: its sums are those of attempts');
        END IF;
        UPDATE account SET name = NEW.name, is_configured = NEW.is_configured, balance_millicredits = NEW.balance_millicredits,
            balance_at = NEW.balance_at, balance_asked_at = NEW.balance_asked_at, balance_attempt_id = NEW.balance_attempt_id,
            rate_limit = NEW.rate_limit, rate_window_ms = NEW.rate_window_ms, running_limit = NEW.running_limit,
            credit_reserve_millicredits = NEW.credit_reserve_millicredits, unconfirmed_policy = NEW.unconfirmed_policy,
            unconfirmed_window_ms = NEW.unconfirmed_window_ms, shut_until = NEW.shut_until
        WHERE name = OLD.name;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accounts_written INSTEAD OF INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION accounts_written();

CREATE VIEW budget_spending AS
SELECT budget, period, starts_at, clamp(sum(reserved_millicredits)) AS reserved_millicredits, clamp(sum(charged_millicredits)) AS charged_millicredits
FROM (
    SELECT budget, period, starts_at, reserved_millicredits, charged_millicredits FROM budget_spending_sums
    UNION ALL
    SELECT budget, 'hour', hour_at, reserved_millicredits, charged_millicredits FROM budget_spending_deltas
    UNION ALL
    SELECT budget, 'day', hour_at / 86400000 * 86400000, reserved_millicredits, charged_millicredits FROM budget_spending_deltas
    UNION ALL
    SELECT budget, 'total', 0, reserved_millicredits, charged_millicredits FROM budget_spending_deltas) AS s
GROUP BY budget, period, starts_at;

-- The mean goes on with each task, in their order.
CREATE FUNCTION mean_step(state bigint[], took bigint, completions bigint) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        -- What was folded.
        WHEN completions IS NOT NULL THEN ARRAY[completions, took]
        WHEN state IS NULL OR state[1] = 0 THEN ARRAY[1, took]
        ELSE ARRAY[least(state[1] + 1, 4000000000000000), state[2] + (took - state[2]) / least(state[1] + 1, 50)]
        END
$$;

CREATE AGGREGATE running_mean(took bigint, completions bigint) (SFUNC = mean_step, STYPE = bigint[]);

CREATE VIEW completion_times AS
SELECT model, m.state[1] AS completions, m.state[2] AS mean_milliseconds
FROM (
    SELECT model, running_mean(took, completions ORDER BY id) AS state
    FROM (
        SELECT model, 0::bigint AS id, mean_milliseconds AS took, completions FROM completion_sums
        UNION ALL
        SELECT model, id, took_milliseconds, NULL FROM completion_deltas) AS parts
    GROUP BY model) AS m;

-- The daemon of the contract: the one that is at work, or was the last to be; of several, the one that came first.
CREATE VIEW daemon AS
SELECT
    s.id, d.pid, d.version, d.started_at, d.ended_at AS stopped_at, d.heartbeat_at, s.last_error, s.last_error_at,
    s.default_price_millicredits, s.database_id, s.is_copy, s.has_marks, s.restored_at, s.restored_requests, s.restored_job_id,
    s.branch, s.catalogue_version,
    greatest(s.events_removed, (SELECT max(sequence) FROM event_removals)) AS events_removed,
    s.hooks_read
FROM store AS s LEFT JOIN LATERAL (
    SELECT pid, version, started_at, ended_at, heartbeat_at FROM daemons
    ORDER BY ended_at IS NULL DESC, ended_at DESC, epoch LIMIT 1) AS d ON true;

CREATE FUNCTION daemon_written() RETURNS trigger LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM refuse('daemon: its one row stays'); END IF;
    IF TG_OP = 'INSERT' THEN PERFORM refuse('daemon: has one row, which promptd writes'); END IF;
    IF (NEW.pid, NEW.version, NEW.started_at, NEW.stopped_at, NEW.heartbeat_at)
        IS DISTINCT FROM (OLD.pid, OLD.version, OLD.started_at, OLD.stopped_at, OLD.heartbeat_at)
    THEN
        PERFORM refuse('daemon: each daemon writes its own row of daemons');
    END IF;
    UPDATE store SET id = NEW.id, last_error = NEW.last_error, last_error_at = NEW.last_error_at,
        default_price_millicredits = coalesce(NEW.default_price_millicredits, -1), database_id = NEW.database_id, is_copy = NEW.is_copy,
        has_marks = NEW.has_marks, restored_at = NEW.restored_at, restored_requests = NEW.restored_requests,
        restored_job_id = NEW.restored_job_id, branch = NEW.branch, catalogue_version = NEW.catalogue_version,
        events_removed = coalesce(NEW.events_removed, -1), hooks_read = NEW.hooks_read;
    RETURN NEW;
END $$;

CREATE TRIGGER daemon_written INSTEAD OF INSERT OR UPDATE OR DELETE ON daemon FOR EACH ROW EXECUTE FUNCTION daemon_written();

-- What any of the daemons sees closed.
CREATE VIEW gates AS
SELECT name, queue, account, min(closed_at) AS closed_at, max(reopens_at) AS reopens_at, min(message) AS message
FROM daemon_gates GROUP BY name, queue, account;

ALTER VIEW gates ALTER COLUMN queue SET DEFAULT '';
ALTER VIEW gates ALTER COLUMN account SET DEFAULT '';

-- What is written to the view is all daemons'.
CREATE FUNCTION gates_written() RETURNS trigger LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM daemon_gates WHERE name = OLD.name AND queue = OLD.queue AND account = OLD.account;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    INSERT INTO daemon_gates (name, queue, account, closed_at, reopens_at, message)
    VALUES (NEW.name, NEW.queue, NEW.account, NEW.closed_at, NEW.reopens_at, NEW.message);
    RETURN NEW;
END $$;

CREATE TRIGGER gates_written INSTEAD OF INSERT OR UPDATE OR DELETE ON gates FOR EACH ROW EXECUTE FUNCTION gates_written();

CREATE VIEW queue_counts AS
SELECT queue, state, clamp(sum(jobs)) AS jobs
FROM (SELECT queue, state, jobs FROM queue_count_sums UNION ALL SELECT queue, state, jobs FROM queue_count_deltas) AS c
GROUP BY queue, state;

CREATE TRIGGER queue_counts_kept INSTEAD OF INSERT OR UPDATE OR DELETE ON queue_counts FOR EACH ROW
    EXECUTE FUNCTION refuse('queue_counts: is kept; promptctl doctor compares it with the jobs');

CREATE VIEW spending AS
SELECT period, starts_at, queue, clamp(sum(reserved_millicredits)) AS reserved_millicredits, clamp(sum(charged_millicredits)) AS charged_millicredits
FROM (
    SELECT period, starts_at, queue, reserved_millicredits, charged_millicredits FROM spending_sums
    UNION ALL
    SELECT 'hour', hour_at, queue, reserved_millicredits, charged_millicredits FROM spending_deltas
    UNION ALL
    SELECT 'day', hour_at / 86400000 * 86400000, queue, reserved_millicredits, charged_millicredits FROM spending_deltas
    UNION ALL
    SELECT 'total', 0, queue, reserved_millicredits, charged_millicredits FROM spending_deltas) AS s
GROUP BY period, starts_at, queue;

CREATE TRIGGER spending_kept INSTEAD OF INSERT OR UPDATE OR DELETE ON spending FOR EACH ROW
    EXECUTE FUNCTION refuse('spending: the sums that budgets go by are kept; promptctl doctor compares them with the ledger');

-- The lanes: the last turn that was given, how many jobs wait with one, and the last that was taken.
CREATE VIEW turns AS
SELECT
    coalesce(w.queue, t.queue) AS queue, coalesce(w.priority, t.priority) AS priority, coalesce(w.batch, t.batch) AS batch,
    greatest(w.turn, t.taken) AS turn, coalesce(w.waiting, 0) AS waiting, coalesce(t.taken, -1) AS taken
FROM (SELECT queue, priority, batch, max(turn) AS turn, count(*) AS waiting FROM job_turns GROUP BY queue, priority, batch) AS w
FULL JOIN turns_taken AS t ON t.queue = w.queue AND t.priority = w.priority AND t.batch = w.batch;

CREATE TRIGGER turns_kept INSTEAD OF INSERT OR UPDATE OR DELETE ON turns FOR EACH ROW
    EXECUTE FUNCTION refuse('turns: is written by promptd');

-- MARK: The views of SQLite

CREATE VIEW account_load AS
SELECT
    a.name AS account,
    (SELECT count(*) FROM attempts WHERE state = 'sending' AND account = a.name)
        + (SELECT count(*) FROM attempts
            WHERE answered_at > (SELECT fact_time()) / 1000 * 1000 - a.rate_window_ms
                -- Later than that is from before the clock was set back, and says nothing.
                AND answered_at <= (SELECT fact_time()) / 1000 * 1000 + a.rate_window_ms AND arrives_until IS NULL AND account = a.name)
        + (SELECT count(*) FROM attempts
            WHERE arrives_until > (SELECT fact_time()) / 1000 * 1000 - a.rate_window_ms AND account = a.name)
        AS rate_used,
    a.rate_limit,
    -- A task that is set aside may have ended long ago.
    (SELECT count(*) FROM attempts WHERE finished_at IS NULL AND state IN ('sending', 'accepted') AND account = a.name)
        - (SELECT count(*) FROM suspects AS s JOIN attempts AS t ON t.id = s.subject
            WHERE s.step = 'poll' AND s.is_aside = 1 AND t.finished_at IS NULL AND t.state = 'accepted' AND t.account = a.name)
        AS running,
    a.running_limit,
    a.is_configured
FROM account AS a;

CREATE VIEW account_status AS
SELECT
    iso(first.asked_at) AS since,
    iso(last.asked_at) AS compared_at,
    credits(last.balance_millicredits) AS balance,
    credits(last.charged_millicredits + last.open_millicredits - first.charged_millicredits - first.open_millicredits) AS ledger_spend,
    credits(first.balance_millicredits - last.balance_millicredits + last.top_ups_millicredits - first.top_ups_millicredits)
        AS account_spend,
    credits(last.top_ups_millicredits - first.top_ups_millicredits) AS top_ups,
    credits((first.balance_millicredits + first.charged_millicredits + first.open_millicredits - first.top_ups_millicredits)
        - (last.balance_millicredits + last.charged_millicredits + last.open_millicredits - last.top_ups_millicredits)) AS unexplained,
    -- Tasks that have not ended count at their estimate; the difference is certain only without any.
    credits(last.open_millicredits) AS estimated,
    credits((SELECT coalesce(sum(reserved_millicredits), 0) FROM attempts WHERE state = 'unknown' AND finished_at IS NULL
        AND account = a.name)::bigint) AS reserved_for_unknown,
    credits(last.presumed_millicredits - first.presumed_millicredits) AS given_up,
    a.name AS account
FROM account AS a
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
    CASE WHEN g.queued + g.running > 0 AND (g.queued = 0 OR a.rate_limit <> 0 AND a.rate_window_ms IS NOT NULL) THEN iso(greatest(
        (SELECT now_ms()) / 1000 * 1000,
        CASE WHEN g.queued = 0 THEN 0 ELSE
            (SELECT now_ms()) / 1000 * 1000
            + g.queued * greatest(
                a.rate_window_ms * 1.0 / nullif(a.rate_limit, 0),
                coalesce(g.queued_mean / nullif(a.running_limit, 0), 0))
            + coalesce(g.queued_longest, 0)
        END,
        coalesce(g.running_end, 0))::bigint) END AS estimated_finish
FROM (
    SELECT
        batch,
        count(*) AS jobs,
        count(*) FILTER (WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state IN ('submitting', 'running')) AS running,
        count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'unconfirmed') AS unconfirmed,
        coalesce(sum(estimated_millicredits), 0)::float8 / 1000 AS estimated_credits,
        coalesce(sum(charged_millicredits), 0)::float8 / 1000 AS charged_credits,
        avg(mean_milliseconds) FILTER (WHERE state = 'queued') AS queued_mean,
        max(mean_milliseconds) FILTER (WHERE state = 'queued') AS queued_longest,
        max(submitted_at + mean_milliseconds) FILTER (WHERE state IN ('submitting', 'running')) AS running_end,
        min(queue) AS queue
    FROM jobs
    LEFT JOIN completion_times ON completion_times.model = jobs.model
    WHERE batch IS NOT NULL
    GROUP BY batch) AS g
JOIN account AS a ON a.name = coalesce((SELECT account FROM queues WHERE name = g.queue), 'default');

CREATE VIEW budget_jobs AS
SELECT b.name AS budget, j.id AS job_id, b.account
FROM jobs AS j
JOIN budgets AS b ON (b.queue IS NULL OR b.queue = j.queue) AND (b.model IS NULL OR b.model = j.model)
    AND (b.batch IS NULL OR b.batch = j.batch)
    AND (b.label IS NULL OR j.labels IS NOT NULL AND EXISTS (
        SELECT 1 FROM json_each(readable(j.labels)) AS l
        WHERE l.key = substr(b.label, 1, position('=' IN b.label) - 1)
            -- true is 1 as a value, and true as a type.
            AND substr(b.label, position('=' IN b.label) + 1) IN (nullif(l.value #>> '{}', ''),
                CASE WHEN json_typeof(l.value) = 'string' THEN l.value #>> '{}' END,
                CASE l.value::text WHEN 'true' THEN '1' WHEN 'false' THEN '0' END)))
WHERE b.model IS NOT NULL OR b.batch IS NOT NULL OR b.label IS NOT NULL OR b.account IS NOT NULL;

CREATE VIEW budget_periods AS
SELECT
    b.name, b.queue, b.period, b.limit_millicredits,
    CASE b.period
        WHEN 'hour' THEN t.hour WHEN 'day' THEN t.day WHEN 'week' THEN t.week WHEN 'month' THEN t.month ELSE 0
    END AS starts_at,
    CASE b.period
        WHEN 'hour' THEN t.hour + 3600000 WHEN 'day' THEN t.day + 86400000 WHEN 'week' THEN t.week + 604800000
        WHEN 'month' THEN t.next_month
    END AS resets_at,
    b.model, b.batch, b.label, b.account,
    (b.model IS NOT NULL OR b.batch IS NOT NULL OR b.label IS NOT NULL OR b.account IS NOT NULL)::int AS is_scoped,
    CASE b.period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END AS sums
FROM budgets AS b CROSS JOIN (
    SELECT
        now / 3600000 * 3600000 AS hour,
        now / 86400000 * 86400000 AS day,
        -- The first of January 1970 was a Thursday.
        (now / 86400000 - (now / 86400000 + 3) % 7) * 86400000 AS week,
        (date_part('epoch', date_trunc('month', to_timestamp(now / 1000) AT TIME ZONE 'UTC')) * 1000)::bigint AS month,
        (date_part('epoch', date_trunc('month', to_timestamp(now / 1000) AT TIME ZONE 'UTC') + interval '1 month') * 1000)::bigint
            AS next_month
    FROM (SELECT now_ms() AS now OFFSET 0) AS clock) AS t;

CREATE VIEW budget_sums AS
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(s.reserved, 0) AS reserved_millicredits, coalesce(s.charged, 0) AS charged_millicredits,
    p.model, p.batch, p.label, p.account
FROM budget_periods AS p CROSS JOIN LATERAL (
    SELECT clamp(sum(s.reserved_millicredits)) AS reserved, clamp(sum(s.charged_millicredits)) AS charged FROM spending AS s
    WHERE s.starts_at >= p.starts_at AND s.period = p.sums AND (p.queue IS NULL OR s.queue = p.queue)) AS s
WHERE p.is_scoped = 0
UNION ALL
SELECT
    p.name, p.queue, p.period, p.limit_millicredits, p.starts_at, p.resets_at,
    coalesce(s.reserved, 0), coalesce(s.charged, 0), p.model, p.batch, p.label, p.account
FROM budget_periods AS p CROSS JOIN LATERAL (
    SELECT clamp(sum(s.reserved_millicredits)) AS reserved, clamp(sum(s.charged_millicredits)) AS charged FROM budget_spending AS s
    WHERE s.budget = p.name AND s.period = p.sums AND s.starts_at >= p.starts_at) AS s
WHERE p.is_scoped = 1;

CREATE VIEW budget_status AS
SELECT
    name AS budget, queue, period,
    credits(limit_millicredits) AS "limit",
    credits(reserved_millicredits) AS reserved,
    credits(charged_millicredits) AS spent,
    credits(limit_millicredits - reserved_millicredits - charged_millicredits) AS remaining,
    iso(resets_at) AS resets_at,
    model, batch, label, account
FROM budget_sums;

CREATE VIEW daemon_load AS
SELECT
    coalesce(sum(rate_used), 0)::bigint AS rate_used,
    sum(rate_limit) FILTER (WHERE is_configured = 1)::bigint AS rate_limit,
    sum(running)::bigint AS running,
    sum(running_limit) FILTER (WHERE is_configured = 1)::bigint AS running_limit
FROM account_load;

CREATE VIEW daemon_status AS
SELECT
    CASE WHEN d.stopped_at IS NULL THEN d.pid END AS pid,
    d.version,
    iso(d.started_at) AS started_at,
    iso(d.stopped_at) AS stopped_at,
    iso(d.heartbeat_at) AS heartbeat,
    credits((SELECT sum(balance_millicredits) FROM account WHERE is_configured = 1)::bigint) AS balance,
    -- The oldest of them.
    iso((SELECT min(balance_at) FROM account WHERE is_configured = 1)) AS balance_at,
    l.rate_used,
    l.rate_limit,
    own.rate_window_ms / 1000.0::float8 AS rate_window_seconds,
    l.running,
    l.running_limit,
    coalesce((SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT DISTINCT name FROM gates WHERE queue = '') AS g), 'ok') AS provider,
    d.last_error,
    iso(d.last_error_at) AS last_error_at,
    credits((SELECT sum(credit_reserve_millicredits) FROM account WHERE is_configured = 1)::bigint) AS credit_reserve,
    own.unconfirmed_policy,
    own.unconfirmed_window_ms / 1000.0::float8 AS unconfirmed_window_seconds
FROM daemon AS d CROSS JOIN daemon_load AS l JOIN account AS own ON own.name = 'default';

CREATE VIEW input_references AS
SELECT DISTINCT
    r.job_id, r.reference,
    CASE WHEN r.reference LIKE 'key:%' THEN (SELECT id FROM jobs WHERE unique_key = r.name)
        WHEN r.name ~ '^[0-9]{1,18}$' THEN (SELECT id FROM jobs WHERE id = CASE WHEN r.name ~ '^[0-9]{1,18}$' THEN r.name::bigint END)
        END AS source_id,
    r.ordinal
FROM (
    SELECT
        job_id, reference,
        CASE WHEN has_ordinal THEN substr(bare, 1, length(bare) - 1) ELSE rest END AS name,
        CASE WHEN has_ordinal THEN substr(rest, length(bare) + 1)::bigint ELSE 0 END AS ordinal
    FROM (
        SELECT
            job_id, reference, rest, bare,
            bare LIKE '_%/' AND length(rest) - length(bare) BETWEEN 1 AND 6 AS has_ordinal
        FROM (
            SELECT j.id AS job_id, t.text AS reference, substr(t.text, 5) AS rest, rtrim(substr(t.text, 5), '0123456789') AS bare
            FROM jobs AS j CROSS JOIN LATERAL texts_in(j.input) AS t (text)
            WHERE (t.text ~ '^job:[0-9]' OR t.text ~ '^key:.') AND t.text NOT LIKE 'key://%'
                AND t.text !~ '[\x09-\x0d\x20]') AS found) AS parts) AS r;

CREATE VIEW job_status AS
SELECT
    id, state, queue, batch, unique_key, labels, model, priority,
    attempt_count AS attempts,
    task_id, provider_state,
    credits(estimated_millicredits) AS estimated_credits,
    estimate_basis,
    credits(charged_millicredits) AS charged_credits,
    error_code,
    coalesce((SELECT 'set aside: ' || reason FROM set_aside WHERE job_id = jobs.id), error_message) AS error_message,
    iso_ms(created_at) AS created_at,
    CASE WHEN run_at > 0 THEN iso_ms(run_at) END AS run_at,
    iso_ms(submitted_at) AS submitted_at,
    iso_ms(finished_at) AS finished_at,
    (SELECT string_agg(path, ' ' ORDER BY ordinal) FROM results WHERE job_id = jobs.id AND state = 'saved') AS files,
    CASE WHEN waits > 0 THEN (SELECT string_agg(source_id::text, ' ' ORDER BY source_id) FROM (
        SELECT DISTINCT i.source_id FROM job_inputs AS i JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = jobs.id AND s.state <> 'succeeded') AS w) END AS waits_for,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs;

CREATE VIEW job_waits AS
SELECT
    j.id AS job_id,
    CASE WHEN EXISTS (SELECT 1 FROM job_inputs WHERE job_id = j.id) OR EXISTS (SELECT 1 FROM job_uploads WHERE job_id = j.id)
        THEN (SELECT count(DISTINCT CASE WHEN s.state IS DISTINCT FROM 'succeeded' THEN i.source_id END)
                FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id WHERE i.job_id = j.id)
            + (SELECT count(*) FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
                WHERE u.job_id = j.id AND (f.state IS DISTINCT FROM 'ready'
                    -- What was asked for and not seen to yet: this file is uploaded anew.
                    OR EXISTS (SELECT 1 FROM upload_asks AS a WHERE a.reference = u.reference
                        AND (a.is_unusable OR a.reference LIKE 'file:%' AND NOT a.is_again))))
        END AS waits
FROM jobs AS j;

CREATE VIEW queue_status AS
SELECT
    q.name AS queue,
    c.queued, c.running, c.succeeded, c.failed, c.cancelled, c.unconfirmed,
    q.max_running AS max_running,
    CASE
        WHEN q.paused = 1 THEN 'paused'
        -- What is scheduled for later is not held by anything but the time. (In an index's order, so
        -- that this is a seek for each queue: without one, all jobs may be read to find that a queue has none.)
        WHEN (SELECT 1 FROM job_turns AS t WHERE t.queue = q.name ORDER BY t.priority DESC LIMIT 1) IS NULL
            -- While a gate is closed nothing is claimed, so what becomes due has no turn yet.
            AND (SELECT 1 FROM job_times AS t JOIN jobs AS j ON j.id = t.job_id
                WHERE t.run_at <= (SELECT now_ms()) / 1000 * 1000 AND j.queue = q.name
                ORDER BY t.run_at LIMIT 1) IS NULL
            -- Those whose jobs all wait for others.
            THEN (SELECT 'inputs' FROM jobs AS j WHERE j.state = 'queued' AND j.waits > 0 AND j.queue = q.name LIMIT 1)
        WHEN NOT EXISTS (SELECT 1 FROM account WHERE name = coalesce(q.account, 'default') AND is_configured = 1) THEN 'account'
        ELSE coalesce(
            (SELECT g.name FROM gates AS g WHERE g.queue IN ('', q.name) AND g.account IN ('', coalesce(q.account, 'default'))
                AND g.name NOT LIKE 'model:%'
                -- A smaller rate lets jobs through, if fewer; whatever else is closed stops them.
                ORDER BY g.name = 'rate', g.queue = '', g.closed_at, g.name LIMIT 1),
            -- Models' gates hold a queue when all its jobs are for models that are switched off.
            (SELECT CASE WHEN count(g.name) = count(*) THEN min(g.name) END
            FROM (SELECT DISTINCT model FROM lanes_of(q.name)) AS m
                LEFT JOIN gates AS g ON g.name = 'model:' || m.model AND g.queue = ''
                    AND g.account = coalesce(q.account, 'default')),
            CASE WHEN q.max_running <= c.running
                    - (SELECT count(DISTINCT j.id) FROM suspects AS s JOIN jobs AS j ON j.id = s.job_id
                        WHERE s.step = 'poll' AND s.is_aside = 1 AND j.queue = q.name AND j.state = 'running')
                THEN 'running' END,
            (SELECT CASE WHEN running >= running_limit THEN 'running' WHEN rate_used >= rate_limit THEN 'rate' END
                FROM account_load WHERE account = coalesce(q.account, 'default')))
    END AS blocked_by,
    coalesce(q.account, 'default') AS account
FROM queues AS q CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(jobs) FILTER (WHERE state = 'queued'), 0)::bigint AS queued,
        coalesce(sum(jobs) FILTER (WHERE state IN ('submitting', 'running')), 0)::bigint AS running,
        coalesce(sum(jobs) FILTER (WHERE state = 'succeeded'), 0)::bigint AS succeeded,
        coalesce(sum(jobs) FILTER (WHERE state = 'failed'), 0)::bigint AS failed,
        coalesce(sum(jobs) FILTER (WHERE state = 'cancelled'), 0)::bigint AS cancelled,
        coalesce(sum(jobs) FILTER (WHERE state = 'unconfirmed'), 0)::bigint AS unconfirmed
    FROM queue_counts WHERE queue_counts.queue = q.name) AS c;

CREATE VIEW recent_failures AS
SELECT
    id,
    iso(finished_at) AS finished_at,
    queue, batch, model, attempt_count AS attempts, error_code, error_message,
    CASE WHEN length(prompt) > 60 THEN substr(prompt, 1, 59) || '…' ELSE prompt END AS prompt
FROM jobs
WHERE state = 'failed'
ORDER BY jobs.finished_at DESC
LIMIT 100;

CREATE VIEW spend_daily AS
SELECT
    to_char(to_timestamp(sent_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
    queue,
    model,
    count(*) AS attempts,
    count(*) FILTER (WHERE state = 'accepted') AS accepted,
    count(*) FILTER (WHERE state = 'unknown') AS unknown,
    coalesce(sum(charged_millicredits), 0)::float8 / 1000 AS charged_credits,
    sum(reserved_millicredits)::float8 / 1000 AS reserved_credits
FROM attempts
GROUP BY 1, queue, model;

CREATE VIEW upload_references AS
SELECT DISTINCT j.id AS job_id, t.text AS reference
FROM jobs AS j CROSS JOIN LATERAL texts_in(j.input) AS t (text)
WHERE t.text LIKE 'file:///_%' OR t.text ~ '^upload:[0-9a-f]{64}\.[0-9a-z]{1,8}$';
