-- What a claim reads and writes. Which jobs it takes is decided by promptd, between the two, while it holds the account's lock.

-- The instants at which slots of the window were last busy: of answers, and of requests that may still arrive.
CREATE FUNCTION busy_slots(of_account text, window_ms bigint, now bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT a.answered_at FROM attempts AS a
    WHERE a.answered_at > now - window_ms AND a.arrives_until IS NULL AND a.account = of_account
    UNION ALL
    SELECT a.arrives_until FROM attempts AS a WHERE a.arrives_until > now - window_ms AND a.account = of_account
$$;

-- Begins a claim, and answers what every claim asks first. `is_held`: an older copy of the store submits nothing. `given`: how many
-- jobs that had become due were given their turn.
CREATE FUNCTION open_claim(me bigint, of_account text, count bigint, window_ms bigint, running bigint, most_turns int)
RETURNS TABLE (at bigint, is_held boolean, given bigint, places bigint, slots bigint, next_slot_at bigint, next_run_at bigint,
    default_price bigint, catalogue_version bigint)
LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    sending bigint;
    busy bigint;
    shut bigint;
BEGIN
    SELECT b.at, b.shut_until INTO at, shut FROM begin_claim(me, of_account) AS b;
    SELECT s.restored_at IS NOT NULL, s.default_price_millicredits, s.catalogue_version
    INTO is_held, default_price, catalogue_version FROM store AS s;
    IF is_held THEN
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM end_uploads(at);
    given := give_due_turns(at, most_turns);
    sending := (SELECT count(*) FROM attempts AS a WHERE a.state = 'sending' AND a.account = of_account);
    busy := (SELECT count(*) FROM busy_slots(of_account, window_ms, at));
    slots := open_claim.count - sending - busy;
    IF slots <= 0 AND busy > 0 THEN
        next_slot_at := window_ms + (SELECT b FROM busy_slots(of_account, window_ms, at) AS b ORDER BY b
            OFFSET least(-slots, busy - 1) LIMIT 1);
        -- A request under way may be answered at once, and frees its slot a window later.
        IF sending > 0 THEN next_slot_at := least(next_slot_at, at + window_ms); END IF;
    END IF;
    -- The provider wants nothing for a while, or the server is another one with another clock.
    IF shut > at AND slots > 0 THEN
        slots := 0;
        next_slot_at := shut;
    END IF;
    -- Another daemon has found that the account has no credits: it asks, and this one waits. Of two that have, the first one asks.
    IF slots > 0 AND EXISTS (
        SELECT 1 FROM daemon_gates AS g JOIN daemons AS d ON d.epoch = g.owner
        WHERE g.name = 'credits' AND g.queue = '' AND g.account IN ('', of_account)
            AND g.owner <> me AND d.ended_at IS NULL AND d.lease_until > at
            AND NOT EXISTS (SELECT 1 FROM daemon_gates AS o
                WHERE o.owner = me AND o.name = g.name AND o.queue = g.queue AND o.account = g.account
                    AND (o.closed_at, o.owner) < (g.closed_at, g.owner)))
    THEN
        slots := 0;
        next_slot_at := at + 2000;
    END IF;
    -- A task that is set aside may have ended long ago.
    places := running - (SELECT count(*) FROM attempts AS a
        WHERE a.finished_at IS NULL AND a.state IN ('sending', 'accepted') AND a.account = of_account
            AND NOT (a.state = 'accepted' AND is_aside(a.id)));
    next_run_at := (SELECT t.run_at FROM job_times AS t WHERE t.run_at > at ORDER BY t.run_at LIMIT 1);
    RETURN NEXT;
END $$;

-- The models of a queue's jobs that have a turn: a seek for each, at each priority.
CREATE FUNCTION claim_models(of_queue text) RETURNS text[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE levels (priority) AS (
        (SELECT t.priority FROM job_turns AS t WHERE t.queue = of_queue ORDER BY t.priority DESC LIMIT 1)
        UNION ALL
        SELECT (SELECT t.priority FROM job_turns AS t WHERE t.queue = of_queue AND t.priority < l.priority
            ORDER BY t.priority DESC LIMIT 1)
        FROM levels AS l WHERE l.priority IS NOT NULL
    ), models (priority, model) AS (
        SELECT l.priority, (SELECT t.model FROM job_turns AS t WHERE t.queue = of_queue AND t.priority = l.priority
            ORDER BY t.model LIMIT 1)
        FROM levels AS l WHERE l.priority IS NOT NULL
        UNION ALL
        SELECT m.priority, (SELECT t.model FROM job_turns AS t
            WHERE t.queue = of_queue AND t.priority = m.priority AND t.model > m.model ORDER BY t.model LIMIT 1)
        FROM models AS m WHERE m.model IS NOT NULL)
    SELECT coalesce(array_agg(DISTINCT m.model ORDER BY m.model), '{}') FROM models AS m WHERE m.model IS NOT NULL
$$;

-- How many jobs of a queue run; a task that is set aside may have ended long ago.
CREATE FUNCTION queue_running(of_queue text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM jobs AS j WHERE j.queue = of_queue AND j.state IN ('submitting', 'running')
        AND NOT EXISTS (SELECT 1 FROM suspects AS s WHERE s.job_id = j.id AND s.step = 'poll' AND s.is_aside = 1)
$$;

-- A queue by its name, as claim_queues has it.
CREATE FUNCTION claim_queue(of_name text)
RETURNS TABLE (name text, paused int, max_running bigint, running bigint, models text[]) LANGUAGE sql STABLE AS $$
    SELECT q.name, q.paused, q.max_running, CASE WHEN q.max_running IS NULL THEN 0 ELSE queue_running(q.name) END,
        claim_models(q.name)
    FROM known_queues AS q WHERE q.name = of_name
$$;

-- Queues of an account behind a name that have jobs of a priority waiting, in their order.
CREATE FUNCTION claim_queues(of_account text, after text, at_priority bigint, most bigint)
RETURNS TABLE (name text, paused int, max_running bigint, running bigint, models text[]) LANGUAGE sql STABLE AS $$
    SELECT c.name, c.paused, c.max_running, c.running, c.models
    FROM (SELECT q.name FROM known_queues AS q
        WHERE coalesce(q.account, 'default') = of_account AND q.name > after
            -- In an index's order, so that it is a seek for each queue: for EXISTS all that waits may be read once.
            AND (SELECT 1 FROM job_turns AS t WHERE t.queue = q.name AND t.priority = at_priority ORDER BY t.model LIMIT 1) IS NOT NULL
        ORDER BY q.name LIMIT most) AS q
        CROSS JOIN LATERAL claim_queue(q.name) AS c
    ORDER BY q.name
$$;

-- The highest priority of what waits in an account's queues, below one.
CREATE FUNCTION highest_priority(of_account text, below bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max(t.priority) FROM known_queues AS q CROSS JOIN LATERAL (
        SELECT t.priority FROM job_turns AS t WHERE t.queue = q.name AND t.priority < below
        ORDER BY t.priority DESC LIMIT 1) AS t
    WHERE coalesce(q.account, 'default') = of_account
$$;

-- The highest priorities of what waits in an account's queues, below one; at most so many.
CREATE FUNCTION claim_priorities(of_account text, below bigint, most bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE levels (priority, number) AS (
        SELECT highest_priority(of_account, below), 1
        UNION ALL
        SELECT highest_priority(of_account, l.priority), l.number + 1 FROM levels AS l
        WHERE l.priority IS NOT NULL AND l.number < most)
    SELECT l.priority FROM levels AS l WHERE l.priority IS NOT NULL ORDER BY l.priority DESC
$$;

-- The next jobs of a lane behind a position, by turn and then age. They are locked: what somebody else is changing just now is left
-- out, so that a producer's open transaction holds up nobody. Jobs that count towards one of some narrow budgets are left out as far
-- as `depth` goes.
CREATE FUNCTION claim_candidates(of_account text, of_queue text, of_model text, at_priority bigint, after_turn bigint,
    after_id bigint, most bigint, without text[], depth bigint)
RETURNS TABLE (id bigint, turn bigint, batch text, prompt text, input text, allow_unknown int, waits bigint, attempt_count bigint,
    max_attempts int, due_at bigint) LANGUAGE sql AS $$
    SELECT j.id, t.turn, j.batch, j.prompt, j.input::text, j.allow_unknown, j.waits, j.attempt_count, j.max_attempts,
        greatest(j.created_at, j.run_at)
    FROM (SELECT * FROM job_turns AS t
        WHERE t.queue = of_queue AND t.model = of_model AND t.priority = at_priority AND (t.turn, t.job_id) > (after_turn, after_id)
        ORDER BY t.turn, t.job_id LIMIT CASE WHEN without IS NULL THEN NULL ELSE depth END) AS t
        JOIN jobs AS j ON j.id = t.job_id
    WHERE j.state = 'queued' AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.job_id = j.id)
        -- Of one that somebody was changing when its file's time was over it is not noted yet that it waits.
        AND (j.waits IS NULL OR NOT EXISTS (SELECT 1 FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference
            WHERE u.job_id = j.id AND (f.state IS DISTINCT FROM 'ready' OR f.expires_at <= now_ms())))
        AND (without IS NULL OR NOT EXISTS (SELECT 1 FROM budget_jobs AS b
            WHERE b.job_id = j.id AND (b.account IS NULL OR b.account = of_account) AND b.budget = ANY (without)))
    ORDER BY t.turn, t.job_id LIMIT most
    FOR NO KEY UPDATE OF j SKIP LOCKED
$$;

-- Commits jobs to be sent: their attempts, with what is reserved. One that the database refuses is set aside with the reason, and
-- the others go on. `jobs`: a JSON array.
CREATE FUNCTION claim_jobs(me bigint, of_account text, by_claim uuid, at bigint, claimed jsonb)
RETURNS TABLE (job_id bigint, attempt_id bigint, problem text) LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT c.* FROM jsonb_to_recordset(claimed) AS c (id bigint, token text, queue text, model text, reserved bigint,
            basis text, profile text, input text)
    LOOP
        job_id := wanted.id;
        attempt_id := NULL;
        problem := NULL;
        BEGIN
            INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, estimated_millicredits,
                estimate_basis, profile, input, account, owner, keeper, claim_id)
            VALUES (wanted.id, wanted.token, wanted.queue, wanted.model, at, wanted.reserved, wanted.reserved, wanted.basis,
                wanted.profile, wanted.input, of_account, me, me, by_claim)
            RETURNING id INTO attempt_id;
            UPDATE jobs AS j SET state = 'submitting', attempt_count = j.attempt_count + 1,
                estimated_millicredits = wanted.reserved, estimate_basis = wanted.basis, submitted_at = at, error_code = NULL,
                error_message = NULL
            WHERE j.id = wanted.id AND j.state = 'queued';
            -- One attempt for one job that was queued: anything else would pay twice.
            IF NOT FOUND THEN PERFORM refuse('it is no longer queued'); END IF;
        EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
            attempt_id := NULL;
            problem := SQLERRM;
            INSERT INTO set_aside (job_id, reason, since) VALUES (wanted.id, left(problem, 2000), at) ON CONFLICT DO NOTHING;
        END;
        RETURN NEXT;
    END LOOP;
    PERFORM end_claim(of_account, at);
END $$;

-- Ends jobs that may not be sent.
CREATE FUNCTION refuse_jobs(ids bigint[], codes text[], messages text[], at bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE jobs AS j SET state = 'failed', finished_at = at, error_code = r.code, error_message = r.message
    FROM unnest(ids, codes, messages) AS r (id, code, message) WHERE j.id = r.id AND j.state = 'queued'
$$;

-- Gives back what a claim took whose answer never came: nobody has sent it.
CREATE FUNCTION give_back(me bigint, by_claim uuid, code text, text_message text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    request record;
    now bigint := fact_time();
BEGIN
    FOR request IN SELECT a.id, a.job_id FROM attempts AS a WHERE a.owner = me AND a.claim_id = by_claim AND a.state = 'sending'
        ORDER BY a.job_id
    LOOP
        PERFORM 1 FROM jobs AS j WHERE j.id = request.job_id FOR UPDATE;
        IF settle_without_task(request.id, code, text_message, NULL, NULL, true, now) THEN
            PERFORM dispose(request.job_id, code, text_message, 0, false, now) FROM jobs AS j
            WHERE j.id = request.job_id AND j.state = 'submitting';
        END IF;
    END LOOP;
END $$;

-- MARK: What a job takes

-- Results of other jobs, with where they are.
CREATE FUNCTION claim_sources(of_jobs bigint[])
RETURNS TABLE (job_id bigint, reference text, source_id bigint, ordinal bigint, url text, created_at bigint, state text, uploaded text)
LANGUAGE sql STABLE AS $$
    SELECT i.job_id, i.reference, i.source_id, i.ordinal, r.url, r.created_at, r.state, f.url
    FROM job_inputs AS i
        LEFT JOIN jobs AS s ON s.id = i.source_id AND s.state = 'succeeded' AND s.pruned_at IS NULL
        LEFT JOIN results AS r ON r.job_id = s.id AND r.ordinal = i.ordinal
        LEFT JOIN job_uploads AS u ON u.job_id = i.job_id AND u.reference = 'result:' || i.source_id || '/' || i.ordinal
        LEFT JOIN uploads AS f ON f.reference = u.reference AND f.state = 'ready'
    WHERE i.job_id = ANY (of_jobs) ORDER BY i.job_id, i.reference
$$;

-- Files of this machine, where they were uploaded.
CREATE FUNCTION claim_files(of_jobs bigint[]) RETURNS TABLE (job_id bigint, reference text, url text) LANGUAGE sql STABLE AS $$
    SELECT u.job_id, u.reference, f.url
    FROM job_uploads AS u LEFT JOIN uploads AS f ON f.reference = u.reference AND f.state = 'ready'
    WHERE u.job_id = ANY (of_jobs) AND u.reference NOT LIKE 'result:%' ORDER BY u.job_id, u.reference
$$;

-- Has results uploaded anew whose URLs the provider may no longer serve; returns how many of the jobs wait for that now.
CREATE FUNCTION upload_anew(of_jobs bigint[], anew text[]) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_uploads (job_id, reference) SELECT * FROM unnest(of_jobs, anew) ON CONFLICT DO NOTHING;
    RETURN (SELECT count(*) FROM jobs AS j WHERE j.id = ANY (of_jobs) AND j.waits > 0);
END $$;

-- MARK: Prices

-- The latest charges of each model that was charged for, the newest first: a seek for each, however many attempts there are.
CREATE FUNCTION observed_charges(most bigint) RETURNS TABLE (model text, charged bigint, estimated bigint, basis text)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE seen (model) AS (
        SELECT min(a.model) FROM attempts AS a
        WHERE a.state = 'accepted' AND a.error_code IS NULL AND a.charged_millicredits IS NOT NULL
        UNION ALL
        SELECT (SELECT min(a.model) FROM attempts AS a
            WHERE a.state = 'accepted' AND a.error_code IS NULL AND a.charged_millicredits IS NOT NULL AND a.model > s.model)
        FROM seen AS s WHERE s.model IS NOT NULL)
    SELECT s.model, c.charged_millicredits, c.estimated_millicredits, c.estimate_basis
    FROM seen AS s CROSS JOIN LATERAL (
        SELECT * FROM attempts AS a
        WHERE a.state = 'accepted' AND a.error_code IS NULL AND a.charged_millicredits IS NOT NULL AND a.model = s.model
            AND a.charge_reported IS DISTINCT FROM 0
        ORDER BY a.id DESC LIMIT most) AS c
    WHERE s.model IS NOT NULL
$$;
