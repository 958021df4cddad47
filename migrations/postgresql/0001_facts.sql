-- What has happened, recorded. Permissions are fenced, facts never: whoever knows what the provider answered may record it,
-- even after it was declared dead. Each function is one change of the ledger, takes no lock that a claim holds, and changes
-- nothing the second time. It answers with a JSON object that says how the change left the job.
--
-- Locks are taken in one order everywhere: the job's row first, then its attempts, then its results.

-- The job of an attempt, locked; NULL if its row is gone.
CREATE FUNCTION lock_job_of(attempt bigint) RETURNS jobs LANGUAGE plpgsql AS $$
DECLARE
    job jobs;
BEGIN
    SELECT j.* INTO job FROM jobs AS j
    WHERE j.id = (SELECT a.job_id FROM attempts AS a WHERE a.id = attempt) FOR UPDATE;
    RETURN job;
END $$;

-- A job as a change left it, with the results of it that wait to be fetched.
CREATE FUNCTION recorded(job bigint, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT jsonb_build_object('job', j.id, 'state', j.state, 'queue', j.queue, 'batch', j.batch) FROM jobs AS j
        WHERE j.id = job), '{}') || more;
END $$;

CREATE FUNCTION pending_downloads(job bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('downloads', coalesce(jsonb_agg(jsonb_build_object(
            'ordinal', r.ordinal, 'url', r.url, 'content', r.content, 'created_at', r.created_at) ORDER BY r.ordinal), '[]'))
        FROM results AS r JOIN jobs AS j ON j.id = r.job_id
        WHERE r.job_id = job AND r.state = 'pending' AND j.state = 'running');
END $$;

-- MARK: Money

-- What a job's attempts were charged.
CREATE FUNCTION charged_for(job bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT sum(a.charged_millicredits) FROM attempts AS a WHERE a.job_id = job);
END $$;

-- Books what a job's attempts were charged.
CREATE FUNCTION book(job bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE jobs SET charged_millicredits = charged_for(id) WHERE id = job;
END $$;

-- Settles an attempt whose task ended, well or not; true if it was not settled yet. Without a figure of the provider's, what
-- was reserved counts as charged: rather too much than too little. To book it is left to the caller, who changes the job anyway.
CREATE FUNCTION settle_ended(
    attempt bigint, charged bigint, code text, text_message text, took bigint, unread text, now bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE attempts SET finished_at = now, charged_millicredits = coalesce(charged, reserved_millicredits),
        charge_reported = CASE WHEN charged IS NULL THEN 0 ELSE 1 END, reserved_millicredits = 0, error_code = code,
        message = text_message, took_milliseconds = CASE WHEN took < 0 THEN 0 ELSE took END, result_json = unread
    WHERE id = attempt AND state = 'accepted' AND finished_at IS NULL;
    RETURN FOUND;
END $$;

-- Settles an attempt that made no task and cost nothing; true if it was not settled yet. One for which a callback has named a
-- task stays: of that the provider has yet to say whose it is.
CREATE FUNCTION settle_without_task(
    attempt bigint, code text, text_message text, status integer, api integer, has_arrived boolean, now bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    job bigint;
BEGIN
    UPDATE attempts SET state = 'rejected', answered_at = coalesce(answered_at, now), finished_at = now,
        reserved_millicredits = 0, http_status = coalesce(status, http_status), api_code = coalesce(api, api_code),
        error_code = coalesce(code, error_code), message = text_message,
        -- NULL, where no answer was lost, stays: least() would leave it out.
        arrives_until = CASE WHEN has_arrived AND arrives_until > now THEN now ELSE arrives_until END
    WHERE id = attempt AND state IN ('sending', 'unknown') AND finished_at IS NULL AND hinted_task_id IS NULL
    RETURNING job_id INTO job;
    IF job IS NULL THEN RETURN false; END IF;
    PERFORM book(job);
    RETURN true;
END $$;

-- Settles an attempt whose answer was lost, and of which nobody will know: what was reserved counts as spent.
CREATE FUNCTION settle_presumed(attempt bigint, ignores_hint boolean, now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    job bigint;
BEGIN
    UPDATE attempts SET finished_at = now, charged_millicredits = reserved_millicredits, reserved_millicredits = 0
    WHERE id = attempt AND state = 'unknown' AND finished_at IS NULL AND (hinted_task_id IS NULL OR ignores_hint)
    RETURNING job_id INTO job;
    IF job IS NULL THEN RETURN false; END IF;
    PERFORM book(job);
    RETURN true;
END $$;

-- MARK: What becomes of a job

-- After a failure: back to the queue `retry_after` milliseconds from now, or failed if that is NULL, or if its attempts are
-- used up by one that counted. A job keeps its place in the order, also while it waits.
CREATE FUNCTION dispose(job bigint, code text, text_message text, retry_after bigint, counted boolean, now bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at bigint := now + retry_after;
BEGIN
    IF counted AND NOT (SELECT j.attempt_count < j.max_attempts FROM jobs AS j WHERE j.id = job) THEN at := NULL; END IF;
    IF at IS NULL THEN
        UPDATE jobs SET state = 'failed', finished_at = now, error_code = code, error_message = text_message WHERE id = job;
    ELSE
        UPDATE jobs SET state = 'queued', run_at = CASE WHEN at > now THEN at ELSE run_at END,
            attempt_count = greatest(attempt_count - CASE WHEN counted THEN 0 ELSE 1 END, 0),
            error_code = code, error_message = text_message
        WHERE id = job;
    END IF;
END $$;

-- Ends a running job when none of its results is pending any more. `missing`: what is said where some failed, with U+0001 for how
-- many.
CREATE FUNCTION conclude(job bigint, missing text, now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pending bigint;
    failed bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = job AND j.state = 'running' FOR UPDATE) THEN RETURN; END IF;
    SELECT count(*) FILTER (WHERE r.state = 'pending'), count(*) FILTER (WHERE r.state = 'failed') INTO pending, failed
    FROM results AS r WHERE r.job_id = job;
    IF pending > 0 THEN RETURN; END IF;
    IF failed > 0 THEN
        PERFORM dispose(job, 'download_failed', replace(missing, E'\x01', failed::text), NULL, false, now);
    ELSE
        UPDATE jobs SET state = 'succeeded', finished_at = now WHERE id = job;
    END IF;
END $$;

CREATE FUNCTION feeds_others(job bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object('feeds', EXISTS (SELECT 1 FROM jobs AS j JOIN job_inputs AS i ON i.source_id = j.id
        WHERE j.id = job AND j.state = 'succeeded'));
END $$;

-- MARK: Answers to requests

-- The provider made a task. If the request was lost to others meanwhile, who asks about its task is told by `is_resumed`.
CREATE FUNCTION record_accepted(epoch bigint, attempt bigint, task text, status integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
    a attempts;
    is_ours boolean;
BEGIN
    SELECT * INTO a FROM attempts WHERE id = attempt FOR UPDATE;
    is_ours := coalesce(a.keeper, epoch) = epoch;
    IF a.finished_at IS NULL AND (a.state = 'sending' OR (a.state = 'unknown'
        AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE other.task_id = task))) THEN
        UPDATE attempts SET state = 'accepted', task_id = task, keeper = coalesce(keeper, epoch),
            task_source = CASE WHEN a.state = 'unknown' AND hinted_task_id = task THEN 'callback' ELSE 'answer' END,
            answered_at = coalesce(answered_at, now),
            -- It has arrived by now, which may be long after its answer was lost.
            arrives_until = CASE WHEN a.state = 'unknown' AND arrives_until > now THEN now ELSE arrives_until END,
            http_status = status, api_code = 200, error_code = NULL, message = NULL
        WHERE id = attempt;
        UPDATE jobs SET state = 'running', task_id = task, error_code = NULL, error_message = NULL,
            is_resumed = CASE WHEN is_ours THEN is_resumed ELSE 1 END
        WHERE id = job.id AND state IN ('submitting', 'unconfirmed');
        RETURN recorded(a.job_id, jsonb_build_object('elsewhere', NOT is_ours));
    END IF;
    -- It was recorded before, or somebody has settled it meanwhile.
    IF a.state = 'accepted' AND a.task_id = task THEN
        IF a.finished_at IS NULL THEN
            UPDATE jobs SET state = 'running', task_id = task, error_code = NULL, error_message = NULL
            WHERE id = job.id AND state IN ('submitting', 'unconfirmed');
        END IF;
        RETURN recorded(a.job_id, jsonb_build_object('elsewhere', NOT is_ours));
    END IF;
    RETURN recorded(a.job_id, jsonb_build_object('refused', true, 'instead', CASE
        WHEN a.state = 'accepted' AND a.finished_at IS NULL AND is_ours THEN jsonb_build_object(
            'task', a.task_id, 'queue', a.queue, 'batch', job.batch, 'model', a.model, 'profile', a.profile,
            'answered_at', a.answered_at, 'attempt_count', coalesce(job.attempt_count, 1),
            'max_attempts', coalesce(job.max_attempts, 1)) END));
END $$;

-- The answer was lost: a task may exist. The reservation stays.
CREATE FUNCTION record_unknown(
    attempt bigint, code text, text_message text, status integer, api integer, late_arrival bigint
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
BEGIN
    UPDATE attempts SET state = 'unknown', answered_at = now, arrives_until = now + late_arrival, http_status = status,
        api_code = api, error_code = code, message = text_message
    WHERE id = attempt AND state = 'sending';
    UPDATE jobs SET state = 'unconfirmed', error_code = code, error_message = text_message
    WHERE id = job.id AND state = 'submitting';
    RETURN recorded(job.id);
END $$;

-- The provider made no task, or the request never left. A callback that named a task speaks against the refusal: who is right
-- is for the provider to say, and until then the answer counts as lost (`contradicted` is the message that says so, with U+0001
-- for the task).
CREATE FUNCTION record_rejected(
    attempt bigint, code text, text_message text, status integer, api integer, retry_after bigint, counted boolean,
    shut_for bigint, lost_code text, contradicted text, late_arrival bigint
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
    named text := (SELECT a.hinted_task_id FROM attempts AS a WHERE a.id = attempt AND a.state IN ('sending', 'unknown') FOR UPDATE);
BEGIN
    IF named IS NOT NULL THEN
        RETURN record_unknown(attempt, lost_code, replace(contradicted, E'\x01', named), status, api, late_arrival);
    END IF;
    IF settle_without_task(attempt, code, text_message, status, api, false, now) THEN
        IF shut_for IS NOT NULL THEN
            UPDATE account SET shut_until = now + shut_for WHERE name = (SELECT a.account FROM attempts AS a WHERE a.id = attempt);
        END IF;
        IF job.state IN ('submitting', 'unconfirmed') THEN
            PERFORM dispose(job.id, code, text_message, retry_after, counted, now);
        END IF;
    END IF;
    RETURN recorded(job.id);
END $$;

-- MARK: Tasks

CREATE FUNCTION record_progressed(attempt bigint, word text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    job jobs := lock_job_of(attempt);
BEGIN
    UPDATE jobs SET provider_state = word WHERE id = job.id AND state = 'running';
    RETURN recorded(job.id);
END $$;

-- Whether the task of a settled attempt is asked about again: its job runs on it, and nothing came of it yet. NULL if not;
-- otherwise whether it had failed.
CREATE FUNCTION asked_again(attempt bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.error_code IS NOT NULL FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id
    WHERE a.id = attempt AND a.state = 'accepted' AND a.finished_at IS NOT NULL AND j.state = 'running'
        AND j.task_id = a.task_id AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = j.id)
        AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.job_id = j.id AND o.finished_at IS NULL)
$$;

-- The task ended well. `outputs`: a JSON array of objects with role and url, or content.
CREATE FUNCTION record_succeeded(
    epoch bigint, attempt bigint, outputs jsonb, charged bigint, fetches boolean, took bigint, unread text, unwanted text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
    had_failed boolean;
    is_wanted boolean := job.state = 'running';
    first integer;
BEGIN
    IF NOT settle_ended(attempt, charged, NULL, NULL, took, unread, now) THEN
        had_failed := asked_again(attempt);
        IF had_failed IS NULL THEN RETURN recorded(job.id, pending_downloads(job.id)); END IF;
        -- A task that was settled before as a failure, and has succeeded after all: what it was charged is what the provider
        -- says now. First, because results are a success's.
        IF had_failed THEN
            UPDATE attempts AS a SET error_code = NULL, message = NULL,
                charged_millicredits = coalesce(charged, a.charged_millicredits),
                charge_reported = CASE WHEN charged IS NULL THEN a.charge_reported ELSE 1 END,
                result_json = coalesce(unread, a.result_json)
            WHERE a.id = attempt;
        END IF;
    END IF;
    IF job.id IS NULL THEN RETURN '{}'; END IF;
    IF NOT is_wanted THEN
        PERFORM book(job.id);
    ELSIF NOT fetches THEN
        -- Before its results are noted: a job with results to be fetched has not succeeded.
        UPDATE jobs SET state = 'succeeded', provider_state = 'success', finished_at = now, charged_millicredits = charged_for(id)
        WHERE id = job.id;
    END IF;
    first := (SELECT coalesce(max(r.ordinal) + 1, 0) FROM results AS r WHERE r.job_id = job.id);
    INSERT INTO results (job_id, ordinal, attempt_id, role, url, content, state, error_message, created_at, keeper)
    SELECT job.id, first + o.position - 1, attempt, o.value ->> 'role', o.value ->> 'url', o.value ->> 'content',
        CASE WHEN is_wanted THEN 'pending' ELSE 'failed' END, CASE WHEN NOT is_wanted THEN unwanted END, now, epoch
    FROM jsonb_array_elements(outputs) WITH ORDINALITY AS o (value, position);
    IF NOT is_wanted THEN RETURN recorded(job.id); END IF;
    IF NOT fetches THEN RETURN recorded(job.id, feeds_others(job.id)); END IF;
    UPDATE jobs SET provider_state = 'success', charged_millicredits = charged_for(id) WHERE id = job.id;
    RETURN recorded(job.id, pending_downloads(job.id));
END $$;

CREATE FUNCTION record_failed(
    attempt bigint, code text, text_message text, charged bigint, retry_after bigint, counted boolean, took bigint, unread text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
    had_failed boolean;
BEGIN
    IF settle_ended(attempt, charged, code, text_message, took, unread, now) THEN
        IF job.state IS DISTINCT FROM 'running' THEN
            PERFORM book(job.id);
            RETURN recorded(job.id);
        END IF;
    ELSE
        -- A task that was settled before, and was asked about once more.
        had_failed := asked_again(attempt);
        IF had_failed IS NULL THEN RETURN recorded(job.id); END IF;
        -- Settled by hand, as if it had succeeded: whether it is paid for again is for a person to say.
        IF NOT had_failed THEN retry_after := NULL; END IF;
    END IF;
    UPDATE jobs SET provider_state = 'fail', charged_millicredits = charged_for(id) WHERE id = job.id;
    PERFORM dispose(job.id, code, text_message, retry_after, counted, now);
    RETURN recorded(job.id);
END $$;

-- MARK: Results

CREATE FUNCTION record_saved(
    job bigint, number integer, file_path text, type text, size bigint, hash text, missing text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    is_unwanted boolean := false;
BEGIN
    PERFORM 1 FROM jobs AS j WHERE j.id = job FOR UPDATE;
    UPDATE results SET state = 'saved', path = file_path, content_type = type, bytes = size, sha256 = hash, saved_at = now,
        error_message = NULL
    WHERE job_id = job AND ordinal = number AND state = 'pending';
    IF NOT FOUND THEN
        -- Unless it was recorded before.
        is_unwanted := NOT EXISTS (SELECT 1 FROM results AS r
            WHERE r.job_id = job AND r.ordinal = number AND r.state = 'saved' AND r.path = file_path);
    END IF;
    PERFORM conclude(job, missing, now);
    RETURN recorded(job, feeds_others(job) || jsonb_build_object('unwanted', is_unwanted));
END $$;

CREATE FUNCTION record_delayed(job bigint, number integer, text_message text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE results SET error_message = text_message WHERE job_id = job AND ordinal = number AND state = 'pending';
    RETURN '{}';
END $$;

CREATE FUNCTION record_lost(job bigint, number integer, text_message text, missing text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
BEGIN
    PERFORM 1 FROM jobs AS j WHERE j.id = job FOR UPDATE;
    UPDATE results SET state = 'failed', error_message = text_message
    WHERE job_id = job AND ordinal = number AND state = 'pending';
    PERFORM conclude(job, missing, now);
    RETURN recorded(job);
END $$;

-- MARK: Lost answers

-- Books a lost request as spent, because it may have been, and lets its job go on if it still waits for news.
CREATE FUNCTION record_gave_up(attempt bigint, code text, text_retry text, text_used_up text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
    may_retry boolean := job.attempt_count < job.max_attempts;
BEGIN
    IF job.state IS DISTINCT FROM 'unconfirmed' OR NOT settle_presumed(attempt, false, now) THEN RETURN recorded(job.id); END IF;
    PERFORM dispose(job.id, code, CASE WHEN may_retry THEN text_retry ELSE text_used_up END,
        CASE WHEN may_retry THEN 0 END, true, now);
    RETURN recorded(job.id, '{"settled": true}');
END $$;

-- Forgets a task that a callback named: the provider says that it is not this request's.
CREATE FUNCTION record_hint_refuted(attempt bigint, task text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    job jobs := lock_job_of(attempt);
BEGIN
    UPDATE attempts SET hinted_task_id = NULL
    WHERE id = attempt AND hinted_task_id = task AND finished_at IS NULL AND state = 'unknown';
    RETURN recorded(job.id);
END $$;

-- MARK: The rest

-- The ledger refuses what happened to an attempt: its job is left alone until the next start.
CREATE FUNCTION record_set_aside(attempt bigint, text_reason text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO set_aside (job_id, reason, since)
    SELECT j.id, text_reason, fact_time() FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE a.id = attempt
    ON CONFLICT DO NOTHING;
    RETURN '{}';
END $$;

-- What this daemon sees closed for an account, instead of what it saw before. `notes`: a JSON array; instants are milliseconds from
-- now. Hooks are told of those that no daemon saw closed.
CREATE FUNCTION record_gates(epoch bigint, of_account text, notes jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := now_ms();
BEGIN
    INSERT INTO gate_closings (name, message, at)
    SELECT DISTINCT ON (n ->> 'name') n ->> 'name',
        CASE WHEN of_account = 'default' THEN '' ELSE format('account %s: ', of_account) END || (n ->> 'message'),
        now + (n ->> 'closed_in')::bigint
    FROM jsonb_array_elements(notes) AS n
    WHERE NOT (n ->> 'is_ordinary')::boolean AND (SELECT s.hooks_read FROM store AS s) IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM daemon_gates AS g WHERE g.name = n ->> 'name' AND g.account = of_account)
    ORDER BY n ->> 'name';
    DELETE FROM daemon_gates WHERE owner = epoch AND account = of_account;
    INSERT INTO daemon_gates (owner, name, queue, account, closed_at, reopens_at, message)
    SELECT epoch, n ->> 'name', n ->> 'queue', of_account, now + (n ->> 'closed_in')::bigint,
        now + (n ->> 'reopens_in')::bigint, n ->> 'message'
    FROM jsonb_array_elements(notes) AS n
    ON CONFLICT DO NOTHING;
    RETURN '{}';
END $$;

CREATE FUNCTION record_limits(of_account text, count bigint, window_ms bigint, running bigint) RETURNS jsonb LANGUAGE sql AS $$
    UPDATE account SET rate_limit = count, rate_window_ms = window_ms, running_limit = running WHERE name = of_account;
    SELECT '{}'::jsonb
$$;

CREATE FUNCTION record_rules(of_account text, reserve bigint, policy text, window_ms bigint) RETURNS jsonb LANGUAGE sql AS $$
    UPDATE account SET credit_reserve_millicredits = reserve, unconfirmed_policy = policy, unconfirmed_window_ms = window_ms
    WHERE name = of_account;
    SELECT '{}'::jsonb
$$;

CREATE FUNCTION record_trouble(text_message text) RETURNS jsonb LANGUAGE sql AS $$
    UPDATE store SET last_error = text_message, last_error_at = now_ms();
    SELECT '{}'::jsonb
$$;

-- What the balance says of a lost request. With `settles` it is settled by that: it cost nothing, and its job may be sent again.
CREATE FUNCTION record_evidence(attempt bigint, text_evidence text, was_charged boolean, settles boolean, text_message text)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now bigint := fact_time();
    job jobs := lock_job_of(attempt);
BEGIN
    UPDATE attempts SET evidence = text_evidence, evidence_charged = CASE WHEN was_charged THEN 1 ELSE 0 END WHERE id = attempt;
    IF NOT settles OR NOT settle_without_task(attempt, NULL, text_message, NULL, NULL, false, now) THEN RETURN '{}'; END IF;
    IF job.state = 'unconfirmed' THEN PERFORM dispose(job.id, 'answer_lost', text_message, 0, false, now); END IF;
    RETURN recorded(job.id, '{"settled": true}');
END $$;
