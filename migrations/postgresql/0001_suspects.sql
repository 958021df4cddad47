-- What was under way when a daemon died, so that what it dies of is left alone.

-- Of a step that was under way: its job, if there still is something to be done. NULL if not.
CREATE FUNCTION job_of_step(of_step text, of_subject bigint, of_ordinal bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE of_step
        WHEN 'claim' THEN (SELECT j.id FROM jobs AS j WHERE j.id = of_subject AND j.state = 'queued')
        WHEN 'poll' THEN (SELECT a.job_id FROM attempts AS a WHERE a.id = of_subject)
        WHEN 'download' THEN (SELECT r.job_id FROM results AS r
            WHERE r.job_id = of_subject AND r.ordinal = of_ordinal AND r.state = 'pending')
    END
$$;

-- What another version has died of is tried again. At a start everything open is listed anyway: no attempt is counted again.
CREATE FUNCTION release_suspects(other_than text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    released bigint[] := ARRAY(SELECT DISTINCT s.job_id FROM suspects AS s
        WHERE s.is_aside = 1 AND s.step = 'poll' AND s.version <> other_than);
BEGIN
    DELETE FROM suspects AS s WHERE s.version <> other_than;
    DELETE FROM set_aside AS s WHERE s.job_id = ANY (released);
    UPDATE jobs AS j SET error_code = NULL, error_message = NULL
    WHERE j.id = ANY (released) AND j.state = 'running' AND j.error_code = 'set_aside';
END $$;

-- Notes what was under way; returns what has been so too often and is to be set aside. What is hardly suspected (less than `crash`),
-- and was not under way this time, has not ended this process.
CREATE FUNCTION note_deaths(steps jsonb, by_weight bigint, of_version text, crash bigint, enough bigint)
RETURNS TABLE (step text, subject bigint, ordinal bigint, job_id bigint, reason text, queue text, batch text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM suspects AS s WHERE s.is_aside = 0 AND s.weight < crash
        AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(steps) AS n (step text, subject bigint, ordinal bigint)
            WHERE n.step = s.step AND n.subject = s.subject AND n.ordinal = s.ordinal);
    INSERT INTO suspects AS s (step, subject, ordinal, job_id, weight, version, reason)
    SELECT n.step, n.subject, n.ordinal, job_of_step(n.step, n.subject, n.ordinal), by_weight, of_version, n.reason
    FROM jsonb_to_recordset(steps) AS n (step text, subject bigint, ordinal bigint, reason text)
    WHERE job_of_step(n.step, n.subject, n.ordinal) IS NOT NULL
    ON CONFLICT (step, subject, ordinal) DO UPDATE SET weight = least(s.weight + excluded.weight, 1000), reason = excluded.reason;
    RETURN QUERY
        SELECT s.step, s.subject, s.ordinal, s.job_id, s.reason, j.queue, j.batch
        FROM suspects AS s LEFT JOIN jobs AS j ON j.id = s.job_id
        WHERE s.is_aside = 0 AND s.weight >= enough ORDER BY s.step, s.subject, s.ordinal;
END $$;

-- Leaves one alone. Money stays as it is: what is reserved for a task that is not asked about any more stays reserved.
CREATE FUNCTION set_step_aside(of_step text, of_subject bigint, of_ordinal bigint, of_job bigint, code text, text_message text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM jobs AS j WHERE j.id = of_job FOR UPDATE;
    IF of_step = 'claim' THEN
        UPDATE jobs SET state = 'failed', finished_at = fact_time(), error_code = code, error_message = text_message
        WHERE id = of_job AND state = 'queued';
    ELSIF of_step = 'poll' THEN
        UPDATE jobs SET error_code = code, error_message = text_message WHERE id = of_job AND state = 'running';
        INSERT INTO set_aside (job_id, reason, since) VALUES (of_job, text_message, now_ms()) ON CONFLICT DO NOTHING;
    ELSE
        UPDATE results SET state = 'failed', error_message = text_message
        WHERE job_id = of_job AND ordinal = of_ordinal AND state = 'pending';
        IF EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = of_job AND j.state = 'running')
            AND NOT EXISTS (SELECT 1 FROM results AS r WHERE r.job_id = of_job AND r.state = 'pending')
        THEN
            PERFORM dispose(of_job, code, text_message, NULL, false, fact_time());
        END IF;
    END IF;
    UPDATE suspects SET is_aside = 1 WHERE step = of_step AND subject = of_subject AND ordinal = of_ordinal;
END $$;
