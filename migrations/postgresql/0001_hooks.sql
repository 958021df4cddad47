-- What hooks are told: noted once, by one daemon at a time, and told by one daemon at a time, in order for each job.

-- The daemons that have hooks.
CREATE TABLE hook_readers (owner bigint NOT NULL PRIMARY KEY);

-- Who tells a delivery: until it is noted what became of that, the daemon has ended, or the time is over.
CREATE TABLE hook_turns (
    delivery_id bigint NOT NULL PRIMARY KEY REFERENCES hook_deliveries (id) ON DELETE CASCADE,
    hook text COLLATE "C" NOT NULL,
    job_id bigint,
    owner bigint NOT NULL,
    until bigint NOT NULL
);

CREATE INDEX hook_turns_job ON hook_turns (hook, job_id) WHERE job_id IS NOT NULL;

-- Whether begin_hooks would find anything: a look that locks nothing.
CREATE FUNCTION has_hook_news(me bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT s.hooks_read IS NULL OR EXISTS (SELECT 1 FROM new_events) OR EXISTS (SELECT 1 FROM gate_closings)
        OR coalesce((SELECT max(e.sequence) FROM events AS e) > s.hooks_read, false)
        OR NOT EXISTS (SELECT 1 FROM hook_readers AS r WHERE r.owner = me)
    FROM store AS s
$$;

-- Begins to note what has happened. `is_ours`: no other daemon is at it. `was_read`: how far that was; NULL: from now on.
CREATE FUNCTION begin_hooks(me bigint) RETURNS TABLE (is_ours boolean, was_read bigint, removed bigint) LANGUAGE plpgsql AS $$
BEGIN
    is_ours := pg_try_advisory_xact_lock(hashtext('promptd'), hashtext('hooks'));
    IF NOT is_ours THEN
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO hook_readers (owner) VALUES (me) ON CONFLICT DO NOTHING;
    PERFORM number_events();
    SELECT s.hooks_read, greatest(s.events_removed, (SELECT max(r.sequence) FROM event_removals AS r)) INTO was_read, removed
    FROM store AS s;
    IF was_read IS NULL THEN
        UPDATE store SET hooks_read = greatest(removed, (SELECT max(e.sequence) FROM events AS e), 0);
        DELETE FROM gate_closings;
    END IF;
    RETURN NEXT;
END $$;

-- This daemon has no hooks; if no other has any either, what happens concerns nobody.
CREATE FUNCTION forget_hooks(me bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM store AS s WHERE s.hooks_read IS NOT NULL) THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('promptd'), hashtext('hooks'));
    DELETE FROM hook_readers AS r WHERE r.owner = me OR NOT is_alive(r.owner);
    IF NOT EXISTS (SELECT 1 FROM hook_readers) THEN
        UPDATE store SET hooks_read = NULL WHERE hooks_read IS NOT NULL;
    END IF;
END $$;

-- Of batches, those that are done with an event: no job of them is open, and nothing has happened to them since.
CREATE FUNCTION batches_done(batches text[], after bigint) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT b FROM unnest(batches) AS b
    WHERE NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.batch = b AND j.state IN ('queued', 'submitting', 'running', 'unconfirmed'))
        AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.batch = b AND e.sequence > after)
        AND NOT EXISTS (SELECT 1 FROM new_events AS n WHERE n.batch = b)
$$;

-- Makes deliveries; those of an event that there are already are not made again. Returns how many were made. An instant that is NULL
-- is now.
CREATE FUNCTION make_deliveries(hooks text[], kinds text[], jobs bigint[], subjects text[], messages text[], sequences bigint[],
    instants bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO hook_deliveries (hook, event, job_id, subject, message, sequence, at, next_at)
    SELECT d.hook, d.event, d.job, d.subject, d.message, d.sequence, coalesce(d.at, now_ms()), now_ms()
    FROM unnest(hooks, kinds, jobs, subjects, messages, sequences, instants) WITH ORDINALITY
        AS d (hook, event, job, subject, message, sequence, at, place)
    ORDER BY d.place ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END $$;

-- Whether somebody has a turn.
CREATE FUNCTION is_told(of_owner bigint, of_until bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT of_until > now_ms() AND is_alive(of_owner)
$$;

-- Gives a daemon its turns at what a hook can be told now: those that it has already come first. Of each job there is one at a time,
-- the first.
CREATE FUNCTION take_hook_turns(me bigint, of_hook text, most bigint, lease bigint)
RETURNS SETOF hook_deliveries LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    -- Whom the others count as gone tells nobody anything.
    IF NOT is_alive(me) THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('promptd.hook'), hashtext(of_hook));
    ids := ARRAY(
        SELECT d.id FROM hook_deliveries AS d LEFT JOIN hook_turns AS t ON t.delivery_id = d.id
        WHERE d.state = 'pending' AND d.hook = of_hook AND d.next_at <= now_ms()
            AND (t.owner IS NULL OR t.owner = me OR NOT is_told(t.owner, t.until))
            AND NOT EXISTS (SELECT 1 FROM hook_deliveries AS e WHERE e.state = 'pending' AND e.job_id IS NOT NULL
                AND e.hook = d.hook AND e.job_id = d.job_id AND e.id < d.id)
            -- Somebody may still be telling an earlier one that another has told already.
            AND NOT EXISTS (SELECT 1 FROM hook_turns AS o WHERE o.job_id IS NOT NULL AND o.hook = d.hook AND o.job_id = d.job_id
                AND o.delivery_id < d.id AND is_told(o.owner, o.until))
        ORDER BY t.owner IS NOT DISTINCT FROM me DESC, d.next_at, d.id LIMIT most);
    INSERT INTO hook_turns AS t (delivery_id, hook, job_id, owner, until)
    SELECT d.id, d.hook, d.job_id, me, now_ms() + lease FROM hook_deliveries AS d WHERE d.id = ANY (ids)
    ON CONFLICT (delivery_id) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE t.owner <> excluded.owner OR t.until < excluded.until - lease / 2;
    RETURN QUERY SELECT * FROM hook_deliveries AS d WHERE d.id = ANY (ids) ORDER BY d.next_at, d.id;
END $$;

-- Notes what became of a delivery. That it has arrived is true whoever says so; that it has not is said by whoever has the turn.
CREATE FUNCTION end_hook_turn(me bigint, delivery bigint, new_state text, text_error text, next_in bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE hook_deliveries AS d SET state = new_state, attempts = d.attempts + 1, last_error = text_error,
        next_at = coalesce(now_ms() + next_in, d.next_at), ended_at = CASE WHEN new_state = 'pending' THEN NULL ELSE now_ms() END
    WHERE d.id = delivery AND d.state = 'pending'
        AND (new_state = 'delivered' OR NOT EXISTS (SELECT 1 FROM hook_turns AS t
            WHERE t.delivery_id = d.id AND t.owner <> me AND is_told(t.owner, t.until)));
    DELETE FROM hook_turns AS t WHERE t.delivery_id = delivery AND t.owner = me;
END $$;

-- Removes what was delivered before one instant, and what is dead or was never delivered since before another.
CREATE FUNCTION remove_deliveries(delivered bigint, dead bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM hook_deliveries WHERE id = ANY (ARRAY(
        SELECT d.id FROM hook_deliveries AS d
        WHERE d.ended_at IS NOT NULL AND (d.state = 'delivered' AND d.ended_at < delivered OR d.ended_at < dead)
            OR d.state = 'pending' AND d.next_at < dead
        ORDER BY d.id LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
