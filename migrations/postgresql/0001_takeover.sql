-- What a daemon takes over: of daemons that have stopped, or whose lease has been over for long enough that nothing of theirs is
-- still on its way to the provider. Whoever calls this keeps claims out meanwhile (lock_claims).

-- Ends the epochs whose lease was over so many milliseconds ago. One that is only slow finds out by its next heartbeat, and joins
-- again; what it knows is still taken from it.
CREATE FUNCTION fence_daemons(me bigint, grace bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE daemons SET ended_at = fact_time(), fenced_by = me
    WHERE ended_at IS NULL AND epoch <> me AND lease_until + grace < fact_time()
$$;

-- Whether somebody works on what this epoch keeps.
CREATE FUNCTION is_kept(keeper bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM daemons AS d WHERE d.epoch = keeper AND d.ended_at IS NULL)
$$;

-- Whether there is anything to be taken over or taken up, so that nobody is kept waiting where there is not.
CREATE FUNCTION has_orphans(me bigint, grace bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM jobs AS j WHERE j.is_resumed = 1)
        OR EXISTS (SELECT 1 FROM daemons AS d WHERE d.ended_at IS NULL AND d.epoch <> me AND d.lease_until + grace < fact_time())
        OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.finished_at IS NULL AND NOT is_kept(a.keeper))
        OR EXISTS (SELECT 1 FROM results AS r WHERE r.state = 'pending' AND NOT is_kept(r.keeper))
        OR EXISTS (SELECT 1 FROM jobs AS j JOIN attempts AS a ON a.job_id = j.id
            WHERE j.state = 'running' AND a.task_id = j.task_id AND a.finished_at IS NOT NULL AND NOT is_kept(a.keeper))
$$;

-- The attempt under which a job is: the one that is not settled, else that of its task, else the last.
CREATE FUNCTION attempt_of(job bigint) RETURNS attempts LANGUAGE sql STABLE AS $$
    SELECT a.* FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE a.job_id = job
    ORDER BY a.finished_at IS NULL DESC, a.task_id IS NOT DISTINCT FROM j.task_id DESC, a.id DESC LIMIT 1
$$;

-- Makes the requests of an account that were under way when their daemon ended lost ones, and keeps what nobody keeps any more, and
-- what producers have taken up again. Returns the jobs that it is about, and why: `lost`, `kept`, or `settled` (the request was settled
-- by SQL while it was under way, and record_settled_by_sql is to be called).
CREATE FUNCTION adopt(me bigint, of_account text, late_arrival bigint, lost_code text, lost_message text)
RETURNS TABLE (job_id bigint, why text) LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    request record;
    left_over record;
BEGIN
    FOR request IN
        SELECT a.id, a.job_id FROM attempts AS a
        WHERE a.state = 'sending' AND a.account = of_account AND NOT is_kept(a.owner) ORDER BY a.job_id
    LOOP
        -- One that somebody is changing just now is taken over the next time, and holds up no other.
        PERFORM 1 FROM jobs AS j WHERE j.id = request.job_id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND AND EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = request.job_id);
        UPDATE attempts AS a SET state = 'unknown', answered_at = now, arrives_until = now + late_arrival, error_code = lost_code,
            message = lost_message
        WHERE a.id = request.id AND a.state = 'sending';
        IF FOUND THEN
            job_id := request.job_id;
            why := 'lost';
            RETURN NEXT;
        END IF;
    END LOOP;
    -- Jobs whose request is over without them: to `unconfirmed`, unless somebody has settled the request by SQL.
    FOR left_over IN
        SELECT j.id, o.task_id, o.id IS NOT NULL AS is_open
        FROM jobs AS j LEFT JOIN attempts AS o ON o.job_id = j.id AND o.finished_at IS NULL
        WHERE j.state = 'submitting' AND o.state IS DISTINCT FROM 'sending'
            AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = j.id AND is_kept(a.keeper))
            AND coalesce((attempt_of(j.id)).account, 'default') = of_account
        ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
    LOOP
        job_id := left_over.id;
        why := 'kept';
        IF left_over.task_id IS NOT NULL THEN
            UPDATE jobs AS j SET state = 'running', task_id = left_over.task_id WHERE j.id = left_over.id;
        ELSIF left_over.is_open THEN
            UPDATE jobs AS j SET state = 'unconfirmed', error_code = lost_code, error_message = lost_message
            WHERE j.id = left_over.id;
        ELSE
            why := 'settled';
        END IF;
        RETURN NEXT;
    END LOOP;
    RETURN QUERY
        WITH kept AS (
            UPDATE attempts AS a SET keeper = me
            -- By the indexes of what is open: attempts are kept for ever.
            WHERE a.id IN (
                SELECT o.id FROM attempts AS o
                WHERE o.finished_at IS NULL AND o.account = of_account AND o.state IN ('accepted', 'unknown') AND NOT is_kept(o.keeper)
                UNION
                SELECT o.id FROM jobs AS j JOIN attempts AS o ON o.job_id = j.id
                WHERE j.state = 'running' AND o.task_id = j.task_id AND o.finished_at IS NOT NULL AND o.account = of_account
                    AND NOT is_kept(o.keeper))
            RETURNING a.job_id
        ), fetched AS (
            UPDATE results AS r SET keeper = me
            WHERE r.state = 'pending' AND NOT is_kept(r.keeper)
                AND coalesce((SELECT a.account FROM attempts AS a WHERE a.id = r.attempt_id), 'default') = of_account
            RETURNING r.job_id
        )
        SELECT k.job_id, 'kept' FROM kept AS k UNION SELECT f.job_id, 'kept' FROM fetched AS f;
    -- Of a job that was cancelled meanwhile nobody waits for the results, but the charge has to be booked. Its task is its first
    -- attempt; one that is waiting again is not.
    RETURN QUERY
        UPDATE jobs AS j SET is_resumed = 0, attempt_count = CASE
            WHEN j.state IN ('running', 'unconfirmed', 'cancelled') THEN greatest(j.attempt_count, 1) ELSE j.attempt_count END
        WHERE j.is_resumed = 1 AND coalesce((attempt_of(j.id)).account, 'default') = of_account
            AND coalesce((attempt_of(j.id)).keeper, me) = me
        RETURNING j.id, 'kept';
END $$;

-- A job whose request somebody settled while it was under way: it may have been paid for all the same, so it is not sent again by
-- itself.
CREATE FUNCTION record_settled_by_sql(job bigint, code text, text_message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM book(job);
    PERFORM dispose(job, code, text_message, NULL, false, fact_time());
END $$;

-- Ends a running job that was taken up again although all its results are saved: it was cancelled while the last download was under
-- way.
CREATE FUNCTION conclude_saved(job bigint, missing text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = job)
        AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = job AND r.state <> 'saved')
        AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = job AND a.finished_at IS NULL)
    THEN
        PERFORM conclude(job, missing, fact_time());
    END IF;
END $$;

-- MARK: What a daemon keeps

-- Whether an attempt's task is no longer polled, because promptd has died of it.
CREATE FUNCTION is_aside(attempt bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM suspects AS s WHERE s.step = 'poll' AND s.subject = attempt AND s.is_aside = 1)
$$;

-- Tasks to be asked about; of some jobs, or of all (NULL). A cancelled job's task is asked about like any other, so that its charge is
-- booked. Of a job that is tried again, or whose attempt somebody has settled, the last task is asked about once more.
CREATE FUNCTION open_tasks(me bigint, of_account text, of_jobs bigint[])
RETURNS TABLE (id bigint, job_id bigint, queue text, batch text, task_id text, model text, profile text, answered_at bigint,
    attempt_count bigint, max_attempts bigint, ended_as text) LANGUAGE sql STABLE AS $$
    SELECT a.id, a.job_id, a.queue, j.batch, a.task_id, a.model, a.profile, a.answered_at, coalesce(j.attempt_count, 1),
        coalesce(j.max_attempts, 1), NULL
    FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
    WHERE a.finished_at IS NULL AND a.keeper = me AND a.account = of_account AND a.state = 'accepted'
        AND (of_jobs IS NULL OR a.job_id = ANY (of_jobs)) AND NOT is_aside(a.id)
    UNION ALL
    SELECT a.id, a.job_id, a.queue, j.batch, a.task_id, a.model, a.profile, a.answered_at, j.attempt_count, j.max_attempts,
        coalesce(a.error_code, 'task_failed')
    FROM jobs AS j JOIN attempts AS a ON a.job_id = j.id
    WHERE j.state = 'running' AND a.task_id = j.task_id AND a.finished_at IS NOT NULL AND a.state = 'accepted'
        AND a.keeper = me AND a.account = of_account AND (of_jobs IS NULL OR j.id = ANY (of_jobs))
        AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id)
        AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = j.id AND o.finished_at IS NULL)
        AND NOT is_aside(a.id)
    ORDER BY id
$$;

CREATE FUNCTION open_downloads(me bigint, of_account text, of_jobs bigint[])
RETURNS TABLE (job_id bigint, ordinal bigint, url text, content text, created_at bigint, queue text, batch text)
LANGUAGE sql STABLE AS $$
    SELECT r.job_id, r.ordinal, r.url, r.content, r.created_at, j.queue, j.batch
    FROM results AS r JOIN jobs AS j ON j.id = r.job_id
    WHERE r.state = 'pending' AND j.state = 'running' AND r.keeper = me AND (of_jobs IS NULL OR r.job_id = ANY (of_jobs))
        AND coalesce((SELECT a.account FROM attempts AS a WHERE a.id = r.attempt_id), 'default') = of_account
    ORDER BY r.created_at, r.job_id, r.ordinal
$$;

-- Requests whose answer was lost and that nobody has settled.
CREATE FUNCTION open_unknown(me bigint, of_account text, of_jobs bigint[])
RETURNS TABLE (id bigint, job_id bigint, queue text, batch text, answered_at bigint, model text, profile text, prompt text,
    hinted_task_id text, attempt_count bigint, max_attempts bigint) LANGUAGE sql STABLE AS $$
    SELECT a.id, a.job_id, a.queue, j.batch, a.answered_at, a.model, a.profile, j.prompt,
        CASE WHEN NOT is_aside(a.id) THEN a.hinted_task_id END, coalesce(j.attempt_count, 1), coalesce(j.max_attempts, 1)
    FROM attempts AS a LEFT JOIN jobs AS j ON j.id = a.job_id
    WHERE a.keeper = me AND a.account = of_account AND a.state = 'unknown' AND a.finished_at IS NULL
        AND (of_jobs IS NULL OR a.job_id = ANY (of_jobs))
    ORDER BY a.id
$$;

-- MARK: What a daemon learns at its start

-- The latest completions of each model and profile, oldest first: at most 300 of each of the 200 that were used last. Answered by the
-- index attempts_took, in seeks from one profile to the next, however long the ledger is.
CREATE FUNCTION completed_tasks() RETURNS TABLE (model text, profile text, took_milliseconds bigint) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE kinds (model, profile) AS (
        (SELECT a.model, a.profile FROM attempts AS a WHERE a.took_milliseconds IS NOT NULL ORDER BY a.model, a.profile LIMIT 1)
        UNION ALL
        SELECT n.model, n.profile FROM kinds AS k CROSS JOIN LATERAL (
            SELECT a.model, a.profile FROM attempts AS a
            WHERE a.took_milliseconds IS NOT NULL AND (a.model, a.profile) > (k.model, k.profile)
            ORDER BY a.model, a.profile LIMIT 1) AS n
    ), latest AS (
        SELECT k.model, k.profile, l.finished_at FROM kinds AS k CROSS JOIN LATERAL (
            SELECT a.finished_at FROM attempts AS a
            WHERE a.model = k.model AND a.profile = k.profile AND a.took_milliseconds IS NOT NULL AND a.finished_at IS NOT NULL
            ORDER BY a.finished_at DESC LIMIT 1) AS l
        ORDER BY l.finished_at DESC LIMIT 200)
    SELECT l.model, l.profile, t.took_milliseconds FROM latest AS l CROSS JOIN LATERAL (
        SELECT a.took_milliseconds, a.finished_at FROM attempts AS a
        WHERE a.model = l.model AND a.profile = l.profile AND a.took_milliseconds IS NOT NULL AND a.finished_at IS NOT NULL
        ORDER BY a.finished_at DESC LIMIT 300) AS t
    ORDER BY t.finished_at
$$;
