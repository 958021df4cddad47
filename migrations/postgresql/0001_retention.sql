-- What promptd removes of its own, a bounded number at a time, so that nobody waits for it.

-- Removes the oldest events, at most `most_at_once`: those from before an instant, and those that are more than `keeping`. What the
-- rule of the database keeps (events_kept) is not asked for. Only a beginning goes: what is removed leaves no hole.
CREATE FUNCTION remove_events(before bigint, keeping bigint, most_at_once bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(e.sequence) FROM events AS e);
    until bigint;
    removed bigint;
BEGIN
    SELECT min(e.sequence) INTO until FROM (SELECT * FROM events AS e ORDER BY e.sequence LIMIT most_at_once) AS e
    WHERE (e.sequence > last - 100000 AND e.at > now_ms() - 604800000)
        OR NOT (e.sequence <= last - keeping OR coalesce(e.at < before, false));
    IF until IS NULL THEN
        SELECT max(e.sequence) + 1 INTO until FROM (SELECT e.sequence FROM events AS e ORDER BY e.sequence LIMIT most_at_once) AS e;
    END IF;
    DELETE FROM events AS e WHERE e.sequence < until;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- Removes a finished job. Of one with a key that was paid for the row stays, without what it was about: the key is taken for ever.
-- Returns how many files it had.
CREATE FUNCTION prune_job(job bigint, removes_files boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    files bigint;
    keeps_key boolean;
BEGIN
    SELECT count(*) INTO files FROM results AS r WHERE r.job_id = job AND r.state = 'saved';
    -- As long as its results say whose they are.
    IF removes_files THEN
        INSERT INTO removals (path, job_id) SELECT r.path, job FROM results AS r WHERE r.job_id = job AND r.state = 'saved'
        ON CONFLICT DO NOTHING;
    END IF;
    SELECT j.unique_key IS NOT NULL AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = j.id
        AND (a.charged_millicredits > 0 OR (a.state = 'accepted' AND a.error_code IS NULL)))
    INTO keeps_key FROM jobs AS j WHERE j.id = job;
    IF keeps_key THEN
        UPDATE jobs SET pruned_at = now_ms(), prompt = NULL, input = '{}', labels = NULL WHERE id = job;
        DELETE FROM results AS r WHERE r.job_id = job;
    ELSE
        DELETE FROM jobs WHERE id = job;
    END IF;
    -- The request and its price stay; the prompt goes with the job.
    UPDATE attempts AS a SET input = NULL, result_json = NULL
    WHERE a.job_id = job AND (a.input IS NOT NULL OR a.result_json IS NOT NULL);
    RETURN files;
END $$;

-- The same for several; one that a rule of the database keeps, such as somebody's own foreign key, stays, with the reason.
CREATE FUNCTION prune_jobs(jobs_ended bigint[], removes_files boolean)
RETURNS TABLE (job_id bigint, files bigint, problem text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH job_id IN ARRAY jobs_ended LOOP
        files := 0;
        problem := NULL;
        BEGIN
            files := prune_job(job_id, removes_files);
        EXCEPTION WHEN integrity_constraint_violation OR raise_exception THEN
            problem := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
