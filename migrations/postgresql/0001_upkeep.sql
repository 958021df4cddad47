-- What daemons call, of version 1. None of it waits for a producer's transaction: rows that somebody else is changing are
-- left for the next time.

SET search_path = promptd;

-- MARK: Daemons

-- A daemon joins; its epoch never comes again.
CREATE FUNCTION join_daemons(p_name text, p_host text, p_pid bigint, p_version text, p_lease_ms bigint) RETURNS bigint
LANGUAGE sql SET search_path = promptd, pg_temp AS $$
    INSERT INTO daemons (name, host, pid, version, lease_until) VALUES (p_name, p_host, p_pid, p_version, fact_time() + p_lease_ms)
    RETURNING epoch
$$;

-- Renews a lease: until when it holds; NULL: the epoch has ended, or its lease had run out. (Then others may have taken over.)
CREATE FUNCTION beat(p_epoch bigint, p_lease_ms bigint) RETURNS bigint LANGUAGE sql SET search_path = promptd, pg_temp AS $$
    UPDATE daemons SET heartbeat_at = now_ms(), lease_until = fact_time() + p_lease_ms
    WHERE epoch = p_epoch AND ended_at IS NULL AND lease_until > fact_time()
    RETURNING lease_until
$$;

-- A daemon stops in order: others may take over its tasks at once.
CREATE FUNCTION leave_daemons(p_epoch bigint) RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    UPDATE daemons SET ended_at = now_ms() WHERE epoch = p_epoch AND ended_at IS NULL;
    DELETE FROM daemon_gates WHERE owner = p_epoch;
END $$;

-- MARK: An older store

-- Nothing is submitted any more until somebody has looked: requests may be missing that were paid for. What is known of them goes up by
-- what is told; their numbers are not given again.
CREATE FUNCTION hold_store(missing bigint, last_attempt bigint, last_job bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
BEGIN
    PERFORM lock_claims();
    UPDATE store SET restored_at = now_ms(), restored_requests = nullif(greatest(restored_requests, missing), 0),
        restored_job_id = coalesce(restored_job_id, (SELECT max(id) FROM jobs)), is_copy = 0;
    -- What was under way may have been tried again, and paid for, since: by itself it is not tried once more.
    UPDATE jobs SET max_attempts = greatest(1, least(max_attempts, attempt_count))
    WHERE state IN ('submitting', 'running', 'unconfirmed') AND max_attempts > greatest(1, attempt_count);
    PERFORM setval('attempts_id_seq', greatest((SELECT last_value FROM attempts_id_seq), last_attempt));
    PERFORM setval('jobs_id_seq', greatest((SELECT last_value FROM jobs_id_seq), last_job));
    -- A daemon that is at work finds it out without a start, which would say more.
    INSERT INTO daemon_gates (owner, name, closed_at, message)
    VALUES (0, 'restored', now_ms(), 'requests may be missing in the database; look at promptctl restored')
    ON CONFLICT (name, queue, account, owner) DO NOTHING;
END $$;

-- A claim that a daemon has noted outside of the store. If it is not in it, the store is older than what was sent. Attempts are kept for
-- ever; a number may have been given again.
CREATE FUNCTION check_claim(of_claim uuid, last_attempt bigint, last_job bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    missing bigint := last_attempt - coalesce((SELECT max(id) FROM attempts), 0);
BEGIN
    IF EXISTS (SELECT 1 FROM attempts WHERE id = last_attempt AND (claim_id = of_claim
        -- One that came with a move has no claim here.
        OR claim_id IS NULL AND EXISTS (SELECT 1 FROM moves WHERE role = 'destination' AND state = 'moved')))
    THEN
        RETURN;
    END IF;
    PERFORM hold_store(nullif(greatest(missing, 0), 0), last_attempt, last_job);
END $$;

-- MARK: The claim

-- Claims exclude each other, those of all accounts: budgets and their sums are shared.
CREATE FUNCTION lock_claims() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtext('promptd'), hashtext('claims'))
$$;

-- Begins a claim, in a transaction of its own: it alone claims until that ends. Whatever is read after this sees all that
-- earlier claims have written.
--
-- Returns the claim's instant, which is never before an earlier one's, and until when nothing may be sent.
CREATE FUNCTION begin_claim(p_epoch bigint, p_account text) RETURNS TABLE (at bigint, shut_until bigint)
LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
#variable_conflict use_column
DECLARE
    ours account;
    server int;
    behind bigint;
BEGIN
    -- One snapshot for all of the transaction would not see what others claimed while this one waited.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a claim needs the isolation level read committed' USING ERRCODE = 'PD002';
    END IF;
    PERFORM lock_claims();
    PERFORM apply_budget_changes();
    server := ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int;
    -- Of a server whose clock is behind what was handed out, time goes on from there. How far it was ahead of another server's
    -- clock says nothing of this one's.
    SELECT greatest(max(clock_high) - now_ms(), 0) INTO behind FROM account;
    IF EXISTS (SELECT 1 FROM account WHERE clock_ahead < behind)
        OR NOT EXISTS (SELECT 1 FROM account WHERE timeline = server OR clock_ahead = behind)
    THEN
        UPDATE account SET clock_ahead = behind;
    END IF;
    SELECT * INTO ours FROM account WHERE name = p_account;
    at := fact_time();
    IF NOT EXISTS (SELECT 1 FROM daemons WHERE epoch = p_epoch AND ended_at IS NULL AND lease_until > at) THEN
        RAISE EXCEPTION 'this daemon''s lease has ended; join again' USING ERRCODE = 'PD001';
    END IF;
    IF ours.timeline <> server THEN
        -- Another server than before, whose clock may be another: a whole window of silence.
        UPDATE account SET timeline = server, clock_high = at,
            shut_until = CASE WHEN ours.timeline = 0 THEN account.shut_until
                ELSE greatest(account.shut_until, at + account.rate_window_ms) END
        WHERE name = p_account RETURNING account.shut_until INTO ours.shut_until;
    END IF;
    shut_until := ours.shut_until;
    RETURN NEXT;
END $$;

-- Ends a claim that took something: no later one has an earlier instant. (An UPDATE, so that under another isolation level
-- two at once would fail.)
CREATE FUNCTION end_claim(p_account text, p_at bigint) RETURNS void LANGUAGE sql SET search_path = promptd, pg_temp AS $$
    UPDATE account SET clock_high = greatest(clock_high, p_at) WHERE name = p_account
$$;

-- Gives jobs whose time has come their turn; returns how many.
CREATE FUNCTION give_due_turns(p_at bigint, at_most int) RETURNS int LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    due bigint[] := ARRAY(
        SELECT t.job_id FROM job_times AS t JOIN jobs AS j ON j.id = t.job_id
        WHERE t.run_at <= p_at AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.job_id = t.job_id)
        ORDER BY t.run_at, t.job_id LIMIT at_most
        FOR UPDATE OF t SKIP LOCKED FOR NO KEY UPDATE OF j SKIP LOCKED);
BEGIN
    IF cardinality(due) = 0 THEN RETURN 0; END IF;
    DELETE FROM job_times WHERE job_id = ANY (due);
    PERFORM give_turns(due);
    RETURN cardinality(due);
END $$;

-- The queues; also those that have no row yet, since somebody is about to make it.
CREATE VIEW known_queues AS
SELECT name, paused, max_running, account FROM queues
UNION ALL
SELECT DISTINCT n.name, 0, NULL::bigint, NULL::text FROM new_queues AS n WHERE NOT EXISTS (SELECT 1 FROM queues WHERE name = n.name);

-- Notes the last turn that a claim took.
CREATE FUNCTION note_turn(p_queue text, p_priority bigint, p_turn bigint) RETURNS void LANGUAGE sql SET search_path = promptd, pg_temp AS $$
    INSERT INTO turns_served AS s (queue, priority, turn) VALUES (p_queue, p_priority, p_turn)
    ON CONFLICT (queue, priority) DO UPDATE SET turn = excluded.turn WHERE excluded.turn > s.turn
$$;

-- budgets_scope_...: what counts towards narrow budgets that were made, changed or removed. Before anything is claimed.
CREATE FUNCTION apply_budget_changes() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    change budget_changes;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM budget_changes) THEN RETURN; END IF;
    PERFORM lock_claims();
    -- No settlement between what is read here and what it appends.
    LOCK TABLE attempts IN SHARE ROW EXCLUSIVE MODE;
    FOR change IN DELETE FROM budget_changes RETURNING * LOOP
        IF change.is_renamed THEN
            PERFORM forget_budget(change.new_name);
            INSERT INTO budget_attempts (budget, attempt_id)
            SELECT change.new_name, attempt_id FROM budget_attempts WHERE budget = change.old_name;
            INSERT INTO budget_spending_sums (budget, period, starts_at, reserved_millicredits, charged_millicredits)
            SELECT change.new_name, period, starts_at, reserved_millicredits, charged_millicredits FROM budget_spending
            WHERE budget = change.old_name;
        ELSIF change.new_name IS NOT NULL THEN
            PERFORM forget_budget(change.new_name);
            PERFORM count_budget(change.new_name);
        END IF;
        IF change.old_name IS DISTINCT FROM change.new_name THEN PERFORM forget_budget(change.old_name); END IF;
    END LOOP;
END $$;

CREATE FUNCTION forget_budget(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM budget_attempts WHERE budget = p_name;
    DELETE FROM budget_spending_sums WHERE budget = p_name;
    DELETE FROM budget_spending_deltas WHERE budget = p_name;
END $$;

-- Adds up anew what counts towards a narrow budget; what was sent before it was made counts too.
CREATE FUNCTION count_budget(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO budget_attempts (budget, attempt_id)
    SELECT p_name, a.id FROM budget_jobs AS b JOIN attempts AS a ON a.job_id = b.job_id
    WHERE b.budget = p_name AND (b.account IS NULL OR b.account = a.account);
    INSERT INTO budget_spending_sums (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT p_name, p.period, a.sent_at / p.length * p.length, sum(a.reserved_millicredits), sum(coalesce(a.charged_millicredits, 0))
    FROM budget_attempts AS m JOIN attempts AS a ON a.id = m.attempt_id,
        (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p (period, length)
    WHERE m.budget = p_name GROUP BY 2, 3;
END $$;

-- MARK: Folding

-- Gives changes their numbers, in an order in which all can see them: one numberer at a time, and only what is committed.
CREATE FUNCTION number_events(at_most int DEFAULT 20000) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    numbered int;
BEGIN
    -- To the end of the transaction: a later number is never seen before an earlier one.
    IF NOT pg_try_advisory_xact_lock(hashtext('promptd'), hashtext('events')) THEN RETURN 0; END IF;
    PERFORM set_config('promptd.numbering', 'on', true);
    WITH next AS (
        SELECT id FROM new_events ORDER BY id LIMIT at_most),
    moved AS (
        DELETE FROM new_events AS n USING next WHERE n.id = next.id
        RETURNING n.id, n.job_id, n.previous_state, n.state, n.queue, n.batch, n.error_code, n.at)
    INSERT INTO events (job_id, previous_state, state, queue, batch, error_code, at)
    SELECT m.job_id, m.previous_state, m.state, m.queue, m.batch, m.error_code, m.at FROM moved AS m
    -- Those of a job go with it. (Of one that is being deleted this moment one may stay, and goes with the oldest.)
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = m.job_id AND pruned_at IS NULL)
    ORDER BY m.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    PERFORM set_config('promptd.numbering', 'off', true);
    RETURN numbered;
END $$;

-- Adds what was appended to the sums.
CREATE FUNCTION fold_sums() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    WITH d AS (DELETE FROM queue_count_deltas RETURNING *)
    INSERT INTO queue_count_sums AS s (queue, state, jobs) SELECT queue, state, clamp(sum(jobs)) FROM d GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (queue, state) DO UPDATE SET jobs = clamp(s.jobs + excluded.jobs::numeric);
    WITH d AS (DELETE FROM spending_deltas RETURNING *)
    INSERT INTO spending_sums AS s (period, starts_at, queue, reserved_millicredits, charged_millicredits)
    SELECT p.period, d.hour_at / p.length * p.length, d.queue, clamp(sum(d.reserved_millicredits)), clamp(sum(d.charged_millicredits))
    FROM d, (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p (period, length)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (period, starts_at, queue) DO UPDATE SET
        reserved_millicredits = clamp(s.reserved_millicredits + excluded.reserved_millicredits::numeric),
        charged_millicredits = clamp(s.charged_millicredits + excluded.charged_millicredits::numeric);
    WITH d AS (DELETE FROM budget_spending_deltas RETURNING *)
    INSERT INTO budget_spending_sums AS s (budget, period, starts_at, reserved_millicredits, charged_millicredits)
    SELECT d.budget, p.period, d.hour_at / p.length * p.length, clamp(sum(d.reserved_millicredits)), clamp(sum(d.charged_millicredits))
    FROM d, (VALUES ('hour', 3600000), ('day', 86400000), ('total', 253402300800000)) AS p (period, length)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (budget, period, starts_at) DO UPDATE SET
        reserved_millicredits = clamp(s.reserved_millicredits + excluded.reserved_millicredits::numeric),
        charged_millicredits = clamp(s.charged_millicredits + excluded.charged_millicredits::numeric);
    WITH d AS (DELETE FROM account_deltas RETURNING *),
        s AS (SELECT account, sum(charged_millicredits) AS charged, sum(presumed_millicredits) AS presumed, sum(adopted_millicredits) AS adopted
            FROM d GROUP BY account)
    UPDATE account AS a SET charged_millicredits = clamp(a.charged_millicredits + s.charged),
        presumed_millicredits = clamp(a.presumed_millicredits + s.presumed), adopted_millicredits = clamp(a.adopted_millicredits + s.adopted)
    FROM s WHERE a.name = s.account;
    WITH d AS (DELETE FROM completion_deltas RETURNING *),
        s AS (
            SELECT model, running_mean(took, completions ORDER BY id) AS state
            FROM (SELECT model, id, took_milliseconds AS took, NULL::bigint AS completions FROM d
                UNION ALL
                SELECT model, 0, mean_milliseconds, completions FROM completion_sums WHERE model IN (SELECT model FROM d)) AS parts
            GROUP BY model)
    INSERT INTO completion_sums (model, completions, mean_milliseconds) SELECT model, state[1], state[2] FROM s
    ON CONFLICT (model) DO UPDATE SET completions = excluded.completions, mean_milliseconds = excluded.mean_milliseconds;
    WITH d AS (DELETE FROM event_removals RETURNING sequence)
    UPDATE store SET events_removed = m.sequence FROM (SELECT max(sequence) AS sequence FROM d) AS m WHERE m.sequence > events_removed;
    -- One that somebody is still about to make stays until then.
    FOR missing IN SELECT DISTINCT name FROM new_queues ORDER BY name LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtext('promptd.queue'), hashtext(missing));
        INSERT INTO queues (name) VALUES (missing) ON CONFLICT DO NOTHING;
        DELETE FROM new_queues WHERE name = missing;
    END LOOP;
END $$;

-- Looks at what queued jobs wait for: those whose sources failed end, the others wait for what is missing.
CREATE FUNCTION check_waits_of(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = promptd, pg_temp AS $$
DECLARE
    held bigint[] := ARRAY(SELECT id FROM jobs WHERE id = ANY (ids) AND state = 'queued' AND waits IS NOT NULL
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
BEGIN
    -- Those that somebody else is changing just now.
    INSERT INTO wait_checks (job_id)
    SELECT id FROM jobs WHERE id = ANY (ids) AND state = 'queued' AND waits IS NOT NULL AND id <> ALL (held);
    UPDATE jobs AS j SET state = 'failed', finished_at = now_ms(), error_code = 'input_failed', error_message = lost.why
    FROM (
        SELECT DISTINCT ON (i.job_id) i.job_id, CASE
            WHEN s.id IS NULL THEN 'job ' || i.source_id || ', whose result it takes, was deleted; insert it again'
            WHEN s.pruned_at IS NOT NULL THEN 'job ' || i.source_id || ', whose result it takes, was pruned; insert it again'
            ELSE input_failure(s.id, s.state, s.error_code) END AS why
        FROM job_inputs AS i LEFT JOIN jobs AS s ON s.id = i.source_id
        WHERE i.job_id = ANY (held) AND (s.id IS NULL OR s.pruned_at IS NOT NULL OR s.state IN ('failed', 'cancelled'))
        ORDER BY i.job_id, i.source_id) AS lost
    WHERE j.id = lost.job_id AND j.state = 'queued';
    PERFORM set_config('promptd.waits', 'on', true);
    UPDATE jobs AS j SET waits = w.waits FROM job_waits AS w
    WHERE j.id = ANY (held) AND w.job_id = j.id AND j.state = 'queued' AND j.waits IS DISTINCT FROM w.waits;
    PERFORM set_config('promptd.waits', 'off', true);
    UPDATE jobs AS j SET state = 'failed', finished_at = now_ms(), error_code = 'upload_failed', error_message = lost.why
    FROM (
        SELECT u.job_id, min(coalesce(f.message, 'a file could not be uploaded')) AS why
        FROM job_uploads AS u JOIN uploads AS f ON f.reference = u.reference AND f.state = 'failed'
        WHERE u.job_id = ANY (held)
            -- Asked for again meanwhile.
            AND NOT EXISTS (SELECT 1 FROM upload_asks AS a WHERE a.reference = u.reference)
        GROUP BY u.job_id) AS lost
    WHERE j.id = lost.job_id AND j.state = 'queued';
END $$;

CREATE FUNCTION check_waits() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    ids bigint[];
BEGIN
    WITH d AS (DELETE FROM wait_checks RETURNING job_id) SELECT array_agg(DISTINCT job_id) INTO ids FROM d;
    IF ids IS NOT NULL THEN PERFORM check_waits_of(ids); END IF;
END $$;

-- What jobs have asked of files: those that are not there, may have been changed, or could not be used are wanted.
CREATE FUNCTION note_uploads() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    asks upload_asks[];
BEGIN
    WITH d AS (DELETE FROM upload_asks AS u RETURNING u) SELECT array_agg(d.u) INTO asks FROM d;
    IF asks IS NULL THEN RETURN; END IF;
    UPDATE uploads SET state = CASE state WHEN 'ready' THEN 'wanted' ELSE state END, url = NULL, expires_at = NULL
    WHERE url IS NOT NULL AND sha256 IN (
        SELECT f.sha256 FROM unnest(asks) AS a JOIN uploads AS f ON f.reference = a.reference WHERE a.is_unusable);
    UPDATE uploads SET state = 'wanted', message = NULL, failing_since = NULL
    WHERE state IN ('failed', 'idle') AND reference IN (SELECT reference FROM unnest(asks) WHERE is_again);
    UPDATE uploads AS f SET state = 'wanted',
        asked = CASE WHEN f.asked >= 4000000000000000 THEN 0 WHEN f.reference LIKE 'file:%' THEN f.asked + a.count ELSE f.asked + 1 END,
        message = CASE f.state WHEN 'failed' THEN NULL ELSE f.message END,
        failing_since = CASE f.state WHEN 'failed' THEN NULL ELSE f.failing_since END
    FROM (SELECT reference, count(*) AS count FROM unnest(asks) WHERE NOT is_again GROUP BY reference) AS a
    WHERE f.reference = a.reference AND (f.state IN ('failed', 'idle') OR f.reference LIKE 'file:%');
    INSERT INTO uploads (reference, asked)
    SELECT a.reference, CASE WHEN a.reference LIKE 'file:%' THEN count(*) - 1 ELSE 0 END FROM unnest(asks) AS a
    WHERE NOT a.is_again AND NOT EXISTS (SELECT 1 FROM uploads WHERE reference = a.reference) GROUP BY a.reference;
END $$;

-- All of it. A daemon calls this now and then, in a transaction of its own; if another is at it, nothing is done.
CREATE FUNCTION fold() RETURNS boolean LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('promptd'), hashtext('fold')) THEN RETURN false; END IF;
    PERFORM apply_budget_changes();
    PERFORM fold_sums();
    PERFORM note_uploads();
    PERFORM check_waits();
    PERFORM number_events();
    RETURN true;
END $$;
