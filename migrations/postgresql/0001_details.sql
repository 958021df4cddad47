-- What is shown of a job beside its rows.

-- The jobs whose results a job takes (`distance` is negative), and those that take its own, with theirs: at most a hundred of each,
-- the farthest source first. A job that is reached in two ways is followed once for each distance, and chains have no circles.
CREATE FUNCTION chain_of(job bigint) RETURNS TABLE (id bigint, state text, model text, distance bigint, takes text)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE sources (id, distance) AS (
        SELECT i.source_id, 1 FROM job_inputs AS i WHERE i.job_id = job
        UNION
        SELECT i.source_id, s.distance + 1 FROM sources AS s JOIN job_inputs AS i ON i.job_id = s.id WHERE s.distance < 100
    ), takers (id, distance) AS (
        SELECT i.job_id, 1 FROM job_inputs AS i WHERE i.source_id = job
        UNION
        SELECT i.job_id, t.distance + 1 FROM takers AS t JOIN job_inputs AS i ON i.source_id = t.id WHERE t.distance < 100
    ), links (id, distance) AS (
        (SELECT f.id, -max(f.distance) FROM (SELECT * FROM sources LIMIT 400) AS f WHERE EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = f.id)
            GROUP BY f.id ORDER BY max(f.distance), f.id LIMIT 100)
        UNION ALL
        (SELECT f.id, max(f.distance) FROM (SELECT * FROM takers LIMIT 400) AS f WHERE EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = f.id)
            GROUP BY f.id ORDER BY max(f.distance), f.id LIMIT 100))
    SELECT j.id, j.state, j.model, l.distance,
        (SELECT coalesce(json_agg(i.reference ORDER BY i.reference), '[]') FROM job_inputs AS i WHERE i.job_id = j.id)::text
    FROM links AS l JOIN jobs AS j ON j.id = l.id ORDER BY l.distance, CASE WHEN l.distance < 0 THEN -j.id ELSE j.id END
$$;
