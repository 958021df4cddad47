-- Bounds that only promptd comes near.

-- case: bounds of attempts
-- use: claimed
INSERT INTO attempts (id, job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (0, 2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1);
--! sqlite: attempts.id: is given by the database
--! postgresql: cannot insert a non-DEFAULT value into column "id"
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, input)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1, repeat('x', 4194305));
--! attempts.input: at most 4 MiB
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1000000000001);
--! attempts: a number or a text is out of bounds
UPDATE attempts SET result_json = repeat('x', 1048577);
--! attempts.result_json: at most 1 MiB
UPDATE attempts SET message = repeat('x', 4001);
--! attempts: a text is too long
UPDATE attempts SET hinted_task_id = repeat('x', 1001);
--! attempts: a text is too long

-- case: bounds of what promptd writes in jobs
-- use: claimed
UPDATE jobs SET attempt_count = -1;
--! jobs.attempt_count: at least 0
UPDATE jobs SET provider_state = repeat('x', 201);
--! jobs: a text is too long
UPDATE jobs SET error_message = repeat('x', 4001);
--! jobs: a text is too long
UPDATE jobs SET finished_at = -1;
--! jobs: submitted_at and finished_at are written by promptd

-- case: the last steps of a job
-- use: downloading
UPDATE results SET error_message = repeat('x', 4001);
--! results: a text is too long, or holds a NUL character
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at, role) VALUES (1, 1, 1, 'u', 1796000009000, repeat('x', 201));
--! results.role: at most 200 characters
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (1, 1000001, 1, 'u', 1796000009000);
--! results: are written by promptd, for a task that has succeeded
UPDATE results SET state = 'saved', path = '2026/1.png', bytes = 10, sha256 = 'ab', saved_at = 1796000009500 WHERE job_id = 1;
UPDATE jobs SET state = 'succeeded';
--! jobs.state: only promptd sets succeeded, together with finished_at
UPDATE jobs SET state = 'succeeded', finished_at = 1796000009500;
UPDATE jobs SET pruned_at = -1;
--! jobs.pruned_at: is written by promptd

-- case: a pruned job does not come back
-- use: failed
UPDATE jobs SET pruned_at = 1796100000000, prompt = NULL, input = '{}', labels = NULL;
UPDATE jobs SET state = 'queued';
--! jobs: what this job was about was removed; insert another one, with another unique_key
SELECT state, pruned_at FROM jobs;
--= failed|1796100000000

-- case: another input does not make up for a source that is gone
INSERT INTO jobs (prompt) VALUES ('first');
INSERT INTO jobs (prompt, input) VALUES ('second', '{"a":"job:1"}');
UPDATE jobs SET state = 'cancelled' WHERE id = 1;
UPDATE jobs SET state = 'queued', input = '{"a":"job:1","b":1}' WHERE id = 2;
--! jobs.input: takes the result of a job that has failed, was cancelled, or is gone; retry that one first
UPDATE jobs SET state = 'queued', input = '{"b":1}' WHERE id = 2;
SELECT state, waits, input FROM jobs WHERE id = 2;
--= queued||{"b":1}

-- case: a retried job goes next
INSERT INTO jobs (prompt, batch) VALUES ('a1', 'a'), ('a2', 'a'), ('a3', 'a'), ('a4', 'a');
UPDATE jobs SET state = 'cancelled' WHERE prompt = 'a4';
UPDATE jobs SET state = 'queued' WHERE prompt = 'a4';
-- only: sqlite
SELECT prompt, turn FROM jobs WHERE state = 'queued' ORDER BY turn, id;
--= a1|0
--= a2|1
--= a3|2
--= a4|3
-- only: postgresql
SELECT j.prompt, t.turn FROM job_turns AS t JOIN jobs AS j ON j.id = t.job_id ORDER BY t.turn, t.job_id;
--= a1|0
--= a2|1
--= a3|2
--= a4|3

-- case: jobs that are queued again take turns with the others
INSERT INTO jobs (prompt, batch) VALUES ('a1', 'a'), ('a2', 'a'), ('a3', 'a'), ('a4', 'a');
UPDATE jobs SET state = 'cancelled' WHERE prompt IN ('a1', 'a2');
INSERT INTO jobs (prompt, batch) VALUES ('b1', 'b'), ('b2', 'b');
UPDATE jobs SET state = 'queued' WHERE prompt = 'a1';
UPDATE jobs SET state = 'queued' WHERE prompt = 'a2';
-- only: sqlite
SELECT prompt, turn FROM jobs WHERE state = 'queued' ORDER BY turn, id;
--= a1|0
--= b1|0
--= a2|1
--= b2|1
--= a3|2
--= a4|3
-- only: postgresql
SELECT j.prompt, t.turn FROM job_turns AS t JOIN jobs AS j ON j.id = t.job_id ORDER BY t.turn, t.job_id;
--= a1|0
--= b1|0
--= a2|1
--= b2|1
--= a3|2
--= a4|3
