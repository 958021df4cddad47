-- A queue that is carried from another store into this one, or away, of version 1 (promptctl migrate). The database itself refuses whatever
-- is written meanwhile, and afterwards where the queue has gone: so it holds for everybody, daemons of any version and psql included.

SET search_path = promptd;

CREATE TABLE moves (
    id text NOT NULL,
    -- source: the queue leaves this store; destination: it comes here.
    role text NOT NULL CHECK (role IN ('source', 'destination')),
    -- moving: nobody can work on it; moved: it is the destination's.
    state text NOT NULL DEFAULT 'moving' CHECK (state IN ('moving', 'moved')),
    source text NOT NULL,
    destination text NOT NULL,
    -- The queue's own id (daemon.database_id).
    database_id text NOT NULL,
    begun_at bigint NOT NULL DEFAULT now_ms(),
    ended_at bigint,
    PRIMARY KEY (id, role)
);

-- The tables that are here whole, of a move that is under way; their lines' SHA-256.
CREATE TABLE moved_tables (
    move_id text NOT NULL,
    name text NOT NULL,
    row_count bigint NOT NULL,
    sha256 text NOT NULL,
    PRIMARY KEY (move_id, name)
);

-- Texts that came from SQLite and are none here, with a NUL, or not UTF-8: what they were. In the row, U+FFFD stands in their place.
CREATE TABLE moved_texts (
    move_id text NOT NULL,
    table_name text NOT NULL,
    row_key text NOT NULL,
    column_name text NOT NULL,
    original bytea NOT NULL
);

-- The tables that a move carries, or makes anew.
CREATE FUNCTION tables_of_queue() RETURNS SETOF name LANGUAGE sql STABLE SET search_path = promptd, pg_temp AS $$
    SELECT relname FROM pg_class WHERE relnamespace = 'promptd'::regnamespace AND relkind IN ('r', 'p')
        AND relname NOT IN ('moves', 'moved_tables', 'moved_texts', 'schema_version') ORDER BY relname
$$;

-- Refuses whatever is written, with these words. Waits for whoever is writing.
CREATE FUNCTION close_store(why text) RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    closed name;
BEGIN
    PERFORM open_store();
    FOR closed IN SELECT tables_of_queue() LOOP
        EXECUTE format('CREATE TRIGGER "0_moved" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT '
            || 'EXECUTE FUNCTION refuse(%L)', closed, why);
    END LOOP;
END $$;

CREATE FUNCTION open_store() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    closed name;
BEGIN
    FOR closed IN SELECT c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = '0_moved' AND c.relnamespace = 'promptd'::regnamespace ORDER BY c.relname LOOP
        EXECUTE format('DROP TRIGGER "0_moved" ON %I', closed);
    END LOOP;
END $$;

-- Keeps out whoever writes, for the rest of the transaction.
CREATE FUNCTION lock_store() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    locked name;
BEGIN
    FOR locked IN SELECT tables_of_queue() LOOP
        EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', locked);
    END LOOP;
END $$;

-- Adds all that was appended to the sums and the events; whether nothing is left of it.
CREATE FUNCTION settle_store() RETURNS boolean LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    -- What jobs wait for may end jobs, and that other jobs.
    FOR step IN 1..100 LOOP
        PERFORM fold();
        PERFORM number_events(2000000000);
        EXIT WHEN NOT EXISTS (SELECT 1 FROM wait_checks) AND NOT EXISTS (SELECT 1 FROM upload_asks);
    END LOOP;
    RETURN NOT EXISTS (SELECT 1 FROM new_events) AND NOT EXISTS (SELECT 1 FROM queue_count_deltas)
        AND NOT EXISTS (SELECT 1 FROM spending_deltas) AND NOT EXISTS (SELECT 1 FROM budget_spending_deltas)
        AND NOT EXISTS (SELECT 1 FROM account_deltas) AND NOT EXISTS (SELECT 1 FROM completion_deltas)
        AND NOT EXISTS (SELECT 1 FROM event_removals) AND NOT EXISTS (SELECT 1 FROM new_queues)
        AND NOT EXISTS (SELECT 1 FROM budget_changes) AND NOT EXISTS (SELECT 1 FROM wait_checks)
        AND NOT EXISTS (SELECT 1 FROM upload_asks);
END $$;

-- Why no queue can be carried into this store; NULL: it is empty, and nobody works on it.
CREATE FUNCTION queue_in_store() RETURNS text LANGUAGE sql STABLE SET search_path = promptd, pg_temp AS $$
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM jobs) THEN 'it has jobs'
        WHEN EXISTS (SELECT 1 FROM attempts) THEN 'it has requests of jobs that are gone'
        WHEN EXISTS (SELECT 1 FROM budgets) THEN 'it has budgets'
        WHEN EXISTS (SELECT 1 FROM schedules) THEN 'it has schedules'
        WHEN EXISTS (SELECT 1 FROM queues WHERE name <> 'default') THEN 'it has queues'
        WHEN EXISTS (SELECT 1 FROM prices WHERE source = 'operator') THEN 'it has prices'
        WHEN EXISTS (SELECT 1 FROM daemons WHERE ended_at IS NULL AND lease_until > now_ms()) THEN 'a promptd works on it'
        END
$$;

-- Removes what a move has brought: another try brings it again. The one row of store stays.
CREATE FUNCTION empty_store() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
DECLARE
    emptied name;
    carried name[] := ARRAY(SELECT t FROM tables_of_queue() AS t WHERE t NOT IN ('store', 'daemons'));
BEGIN
    FOREACH emptied IN ARRAY carried LOOP EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', emptied); END LOOP;
    EXECUTE 'TRUNCATE ' || (SELECT string_agg(quote_ident(t), ', ') FROM unnest(carried) AS t);
    FOREACH emptied IN ARRAY carried LOOP EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', emptied); END LOOP;
END $$;

-- What is made anew from rows that were carried over.
CREATE FUNCTION complete_store() RETURNS void LANGUAGE plpgsql SET search_path = promptd, pg_temp AS $$
BEGIN
    ALTER TABLE job_times DISABLE TRIGGER USER;
    ALTER TABLE queue_count_sums DISABLE TRIGGER USER;
    DELETE FROM job_times;
    INSERT INTO job_times (job_id, run_at)
    SELECT j.id, j.run_at FROM jobs AS j WHERE j.state = 'queued' AND coalesce(j.waits, 0) = 0
        AND NOT EXISTS (SELECT 1 FROM job_turns WHERE job_id = j.id);
    DELETE FROM queue_count_sums;
    INSERT INTO queue_count_sums (queue, state, jobs) SELECT queue, state, count(*) FROM jobs GROUP BY queue, state;
    ALTER TABLE job_times ENABLE TRIGGER USER;
    ALTER TABLE queue_count_sums ENABLE TRIGGER USER;
END $$;
