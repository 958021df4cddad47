-- Files that jobs take: which is uploaded next, by one daemon at a time, and what became of it.
--
-- Of several files at once only those are locked that nobody else holds, so that no two transactions wait for each other.

-- Whose turn a file is. It ends with the upload, or with the daemon.
CREATE TABLE upload_turns (
    reference text COLLATE "C" NOT NULL PRIMARY KEY,
    owner bigint NOT NULL
);

-- Whether an epoch is at work: it has not ended, and was heard of within its lease.
CREATE FUNCTION is_alive(of_epoch bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM daemons AS d WHERE d.epoch = of_epoch AND d.ended_at IS NULL AND d.lease_until > fact_time())
$$;

-- What jobs have asked for is seen to here, too, unless somebody is folding just now.
CREATE FUNCTION note_uploads_now() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM upload_asks) AND pg_try_advisory_xact_lock(hashtext('promptd'), hashtext('fold')) THEN
        PERFORM note_uploads();
    END IF;
END $$;

-- What the provider no longer has is uploaded anew, and whoever takes it waits for that.
CREATE FUNCTION end_uploads(at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ended text[];
BEGIN
    -- Before anything is locked: as a rule there is none.
    IF NOT EXISTS (SELECT 1 FROM uploads AS f WHERE f.state = 'ready' AND f.expires_at <= at) THEN RETURN; END IF;
    ended := ARRAY(SELECT f.reference FROM uploads AS f WHERE f.state = 'ready' AND f.expires_at <= at FOR UPDATE SKIP LOCKED);
    UPDATE uploads AS f SET state = CASE WHEN EXISTS (SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
        WHERE u.reference = f.reference AND j.state = 'queued') THEN 'wanted' ELSE 'idle' END
    WHERE f.reference = ANY (ended);
END $$;

-- Whether want_upload may find anything: a look that locks nothing.
CREATE FUNCTION has_wanted_uploads() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM upload_asks) OR EXISTS (SELECT 1 FROM uploads AS f WHERE f.state = 'wanted')
        OR EXISTS (SELECT 1 FROM uploads AS f WHERE f.state = 'ready' AND f.expires_at <= now_ms())
$$;

-- The next file for this daemon, of those that are needed within `ahead`; its turn at an earlier one is over. Nothing while an older
-- copy of the store is held.
CREATE FUNCTION want_upload(me bigint, ahead bigint)
RETURNS TABLE (reference text, asked bigint, failing_since bigint, path text, sha256 text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('promptd'), hashtext('uploads'));
    IF EXISTS (SELECT 1 FROM store AS s WHERE s.restored_at IS NOT NULL OR s.is_copy = 1) THEN RETURN; END IF;
    PERFORM note_uploads_now();
    PERFORM end_uploads(now_ms());
    DELETE FROM upload_turns AS t WHERE t.owner = me OR NOT is_alive(t.owner);
    SELECT f.reference, f.asked, f.failing_since INTO reference, asked, failing_since FROM uploads AS f
    WHERE f.state = 'wanted' AND NOT EXISTS (SELECT 1 FROM upload_turns AS t WHERE t.reference = f.reference)
        AND EXISTS (SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id LEFT JOIN queues AS q ON q.name = j.queue
            WHERE u.reference = f.reference AND j.state = 'queued' AND j.run_at <= now_ms() + ahead AND coalesce(q.paused, 0) = 0)
    ORDER BY f.tried_at, f.reference LIMIT 1;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO upload_turns (reference, owner) VALUES (want_upload.reference, me);
    IF want_upload.reference ~ '^result:[0-9]{1,18}/[0-9]{1,9}$' THEN
        SELECT r.path, r.sha256 INTO path, sha256 FROM results AS r
        WHERE r.state = 'saved' AND r.job_id = split_part(substr(want_upload.reference, 8), '/', 1)::bigint
            AND r.ordinal = split_part(want_upload.reference, '/', 2)::bigint;
    END IF;
    RETURN NEXT;
END $$;

-- Whether jobs have named a file again since it was found to be wanted: what was read before is not what they mean.
CREATE FUNCTION is_asked_again(of_reference text, of_asked bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (SELECT 1 FROM uploads AS f WHERE f.reference = of_reference AND f.asked = of_asked)
        OR (of_reference LIKE 'file:%'
            AND EXISTS (SELECT 1 FROM upload_asks AS a WHERE a.reference = of_reference AND NOT a.is_again))
$$;

-- Ends this daemon's turn at a file.
CREATE FUNCTION end_upload_turn(me bigint, of_reference text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM upload_turns WHERE reference = of_reference AND owner = me
$$;

-- The provider has it. Nothing is recorded if jobs have named it again meanwhile.
CREATE FUNCTION record_upload(me bigint, of_reference text, of_asked bigint, of_sha256 text, of_bytes bigint, of_type text,
    of_url text, at bigint, until bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_uploads_now();
    IF NOT is_asked_again(of_reference, of_asked) THEN
        UPDATE uploads AS f SET state = 'ready', sha256 = of_sha256, bytes = of_bytes, content_type = of_type, url = of_url,
            uploaded_at = at, expires_at = until, message = NULL, failing_since = NULL
        WHERE f.reference = of_reference AND f.asked = of_asked;
    END IF;
    PERFORM end_upload_turn(me, of_reference);
END $$;

-- It will not be uploaded: queued jobs that take it fail.
CREATE FUNCTION record_upload_failure(me bigint, of_reference text, of_asked bigint, text_message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_uploads_now();
    IF NOT is_asked_again(of_reference, of_asked) THEN
        UPDATE uploads AS f SET state = 'failed', message = text_message WHERE f.reference = of_reference AND f.asked = of_asked;
    END IF;
    PERFORM end_upload_turn(me, of_reference);
END $$;

-- It could not be uploaded now; others come first.
CREATE FUNCTION defer_upload(me bigint, of_reference text, text_message text) RETURNS void LANGUAGE sql AS $$
    UPDATE uploads AS f SET tried_at = now_ms(), failing_since = coalesce(f.failing_since, now_ms()), message = text_message
    WHERE f.reference = of_reference;
    SELECT end_upload_turn(me, of_reference)
$$;

-- Files that no queued job needs any more need not be uploaded.
CREATE FUNCTION rest_uploads() RETURNS void LANGUAGE sql AS $$
    UPDATE uploads SET state = 'idle' WHERE reference = ANY (ARRAY(
        SELECT f.reference FROM uploads AS f WHERE f.state = 'wanted' AND NOT EXISTS (
            SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id WHERE u.reference = f.reference AND j.state = 'queued')
        FOR UPDATE SKIP LOCKED))
$$;

-- Of files that nobody takes nothing stays. Returns those that a job, which has not succeeded, or a schedule takes.
CREATE FUNCTION used_uploads(of_references text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_uploads_now();
    DELETE FROM uploads WHERE reference = ANY (ARRAY(
        SELECT f.reference FROM uploads AS f
        WHERE NOT EXISTS (SELECT 1 FROM job_uploads AS u WHERE u.reference = f.reference)
            AND NOT EXISTS (SELECT 1 FROM upload_asks AS a WHERE a.reference = f.reference)
        FOR UPDATE SKIP LOCKED));
    RETURN QUERY SELECT r FROM unnest(of_references) AS r
    WHERE EXISTS (SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
            WHERE u.reference = r AND j.state <> 'succeeded')
        OR EXISTS (SELECT 1 FROM schedules AS s WHERE strpos(s.input::text, r) > 0);
END $$;
