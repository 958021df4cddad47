-- What promptctl and the pages call, of version 1.

-- Changes the state of several jobs, one after the other; one that a rule refuses stays as it is, with the reason.
CREATE FUNCTION change_jobs(jobs_to_change bigint[], new_state text) RETURNS TABLE (job_id bigint, problem text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH job_id IN ARRAY jobs_to_change LOOP
        problem := NULL;
        BEGIN
            UPDATE jobs SET state = new_state WHERE id = job_id;
        EXCEPTION WHEN integrity_constraint_violation OR raise_exception THEN
            problem := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;

-- Lets a job that runs be asked about again, if it is set aside; whether it was. Daemons at work take it up.
CREATE FUNCTION release_job(job bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM jobs AS j WHERE j.id = job FOR NO KEY UPDATE;
    DELETE FROM suspects AS s WHERE s.job_id = job AND s.is_aside = 1 AND s.step = 'poll';
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM set_aside AS s WHERE s.job_id = job;
    UPDATE jobs SET error_code = NULL, error_message = NULL WHERE id = job AND state = 'running' AND error_code = 'set_aside';
    UPDATE jobs SET is_resumed = 1 WHERE id = job AND state = 'running';
    RETURN true;
END $$;

-- An unconfirmed job's lost request has made this task, as an operator says: it is followed. A cancelled job stays cancelled, but its
-- task is asked about until its charge is known.
CREATE FUNCTION settle_as_task(job bigint, attempt bigint, task text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE attempts SET state = 'accepted', task_id = task, task_source = 'operator', error_code = NULL, message = NULL,
        arrives_until = CASE WHEN arrives_until > fact_time() THEN fact_time() ELSE arrives_until END
    WHERE id = attempt;
    -- Somebody has looked at it.
    DELETE FROM suspects AS s WHERE s.job_id = job;
    UPDATE jobs SET state = 'running', task_id = task, is_resumed = 1, error_code = NULL, error_message = NULL
    WHERE id = job AND state = 'unconfirmed';
    UPDATE jobs SET is_resumed = 1 WHERE id = job AND state = 'cancelled';
END $$;

-- There is no task: the job is sent again. An attempt that made no task does not count; else the last one allowed would be followed by
-- one too many.
CREATE FUNCTION settle_as_unsent(job bigint, attempt bigint, code text, text_message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM settle_without_task(attempt, code, text_message, NULL, NULL, true, fact_time());
    UPDATE jobs SET state = 'queued', attempt_count = greatest(attempt_count - 1, 0), error_code = NULL, error_message = NULL
    WHERE id = job AND state = 'unconfirmed';
END $$;

-- Nobody knows: the job is given up, and what was reserved counts as spent. A cancelled job stays cancelled, whatever became of its
-- request.
CREATE FUNCTION settle_as_spent(job bigint, attempt bigint, code text, text_message text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at bigint := fact_time();
BEGIN
    PERFORM settle_presumed(attempt, true, at);
    UPDATE jobs SET state = 'failed', finished_at = at, error_code = code, error_message = text_message
    WHERE id = job AND state = 'unconfirmed';
END $$;

-- Gives queued jobs the place where they wait, once each, and takes it from those that wait for others.
CREATE FUNCTION mend_places(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM jobs AS j WHERE j.id = ANY (ids) ORDER BY j.id FOR NO KEY UPDATE;
    DELETE FROM job_turns AS t WHERE t.job_id = ANY (ids);
    DELETE FROM job_times AS t WHERE t.job_id = ANY (ids);
    INSERT INTO job_times (job_id, run_at)
    SELECT j.id, j.run_at FROM jobs AS j WHERE j.id = ANY (ids) AND j.state = 'queued' AND coalesce(j.waits, 0) = 0 AND j.run_at > 0;
    PERFORM give_turns(ARRAY(SELECT j.id FROM jobs AS j WHERE j.id = ANY (ids) AND j.run_at = 0 ORDER BY j.id));
END $$;
