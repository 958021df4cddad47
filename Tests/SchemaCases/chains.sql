-- Jobs that take results of others, and files.

-- setup: chain
INSERT INTO jobs (prompt) VALUES ('first');
INSERT INTO jobs (prompt, input) VALUES ('second', '{"image_urls":["job:1/0"]}');
INSERT INTO jobs (prompt, input) VALUES ('third', '{"a":{"b":["job:2"]}}');

-- setup: first done
-- use: chain
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (1, '0123456789abcdef0123456789abcdef', 'default', 'flux-2/flex-text-to-image', 1796000000000, 14000);
UPDATE jobs SET state = 'submitting', attempt_count = 1 WHERE id = 1;
UPDATE attempts SET state = 'accepted', task_id = 't1', task_source = 'answer', answered_at = 1796000000500 WHERE id = 1;
UPDATE jobs SET state = 'running', task_id = 't1' WHERE id = 1;
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 12000, charge_reported = 1 WHERE id = 1;
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (1, 0, 1, 'https://x/1.png', 1796000009000);
UPDATE results SET state = 'saved', path = '2026/1.png', bytes = 10, sha256 = 'ab', saved_at = 1796000009500 WHERE job_id = 1;
UPDATE jobs SET state = 'succeeded', finished_at = 1796000009500 WHERE id = 1;

-- case: a chain waits for its first
-- use: chain
SELECT id, waits FROM jobs ORDER BY id;
--= 1|
--= 2|1
--= 3|1
SELECT job_id, reference, source_id, ordinal FROM job_inputs ORDER BY job_id;
--= 2|job:1/0|1|0
--= 3|job:2|2|0
SELECT id, waits_for FROM job_status ORDER BY id;
--= 1|
--= 2|1
--= 3|2
SELECT waiting FROM turns;
--= 1
SELECT queued, blocked_by FROM queue_status;
--= 3|
UPDATE jobs SET priority = 5 WHERE id = 2;
SELECT sum(waiting) FROM turns;
--= 1
UPDATE job_inputs SET ordinal = 3;
--! job_inputs: is written by the database, from jobs.input
DELETE FROM job_inputs;
--! job_inputs: is written by the database, from jobs.input
INSERT INTO job_inputs (job_id, reference, source_id, ordinal) VALUES (1, 'job:2', 2, 0);
--! jobs.input: takes the result of a job that waits for this one: a circle
INSERT INTO job_inputs (job_id, reference, source_id, ordinal) VALUES (3, 'job:1', 1, 0);
--! job_inputs: is written by the database, from jobs.input

-- case: a chain goes on when its first is done
-- use: first done
SELECT id, state, waits FROM jobs ORDER BY id;
--= 1|succeeded|
--= 2|queued|0
--= 3|queued|1
INSERT INTO jobs (prompt, input) VALUES ('fourth', '{"x":"job:1"}');
SELECT waits FROM jobs WHERE id = 4;
--= 0
-- Here they have their turns at once; in SQLite the next claim gives them.
-- only: postgresql
SELECT waiting FROM turns WHERE waiting > 0;
--= 2
INSERT INTO jobs (prompt, input) VALUES ('fifth', '{"x":"job:1/7"}');
--! jobs.input: takes a result that its job does not have, or that was pruned
UPDATE jobs SET pruned_at = 1796100000000, prompt = NULL, input = '{}', labels = NULL WHERE id = 1;
SELECT id, state, error_code, error_message FROM jobs WHERE id > 1 ORDER BY id;
--= 2|failed|input_failed|job 1, whose result it takes, was pruned; insert it again
--= 3|failed|input_failed|job 1, whose result it takes, was pruned; insert it again
--= 4|failed|input_failed|job 1, whose result it takes, was pruned; insert it again
UPDATE jobs SET state = 'queued' WHERE id = 2;
--! jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first

-- case: whoever waits for what does not come ends
-- use: chain
UPDATE jobs SET state = 'cancelled' WHERE id = 1;
SELECT id, state, error_code, error_message FROM jobs ORDER BY id;
--= 1|cancelled||
--= 2|failed|input_failed|job 1, whose result it waits for, was cancelled; retry that one, and then this one
--= 3|failed|input_failed|job 1, whose result it waits for, was cancelled; retry that one, and then this one
UPDATE jobs SET state = 'queued' WHERE id = 3;
--! jobs.state: takes the result of a job that has failed, was cancelled, or is gone; retry that one first
UPDATE jobs SET state = 'queued' WHERE id = 1;
UPDATE jobs SET state = 'queued' WHERE id = 2;
UPDATE jobs SET state = 'queued' WHERE id = 3;
SELECT id, state, waits FROM jobs ORDER BY id;
--= 1|queued|
--= 2|queued|1
--= 3|queued|1
SELECT sum(waiting) FROM turns;
--= 1

-- case: whoever cancels a chain cancels all of it
-- use: chain
UPDATE jobs SET state = 'cancelled' WHERE id = 1;
UPDATE jobs SET state = 'cancelled' WHERE id IN (2, 3);
SELECT id, state FROM jobs ORDER BY id;
--= 1|cancelled
--= 2|cancelled
--= 3|cancelled

-- case: a source that is deleted
-- use: chain
DELETE FROM jobs WHERE id = 1;
SELECT id, state, error_message FROM jobs ORDER BY id;
--= 2|failed|job 1, whose result it takes, was deleted; insert it again
--= 3|failed|job 1, whose result it takes, was deleted; insert it again

-- case: what cannot be taken is refused
INSERT INTO jobs (prompt, unique_key) VALUES ('first', 'first');
INSERT INTO jobs (prompt, input) VALUES ('x', '{"a":"job:99"}');
--! jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key
INSERT INTO jobs (prompt, input) VALUES ('x', '{"a":"key:nobody"}');
--! jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key
INSERT INTO jobs (prompt, input) VALUES ('x', '{"a":"key:first"}');
SELECT reference, source_id, ordinal FROM input_references;
--= key:first|1|0
UPDATE jobs SET input = '{"a":"key:nobody/0"}' WHERE prompt = 'x';
--! jobs.input: takes the result of a job that does not exist; job:ID is by its id, key:KEY by its unique_key
UPDATE jobs SET input = '{"a":"job:1/2"}' WHERE prompt = 'x';
SELECT reference, source_id, ordinal FROM job_inputs;
--= job:1/2|1|2
UPDATE jobs SET input = '{"a":"\u006aob:1\/3"}' WHERE prompt = 'x';
SELECT reference, source_id, ordinal FROM job_inputs;
--= job:1/3|1|3
UPDATE jobs SET input = '{}' WHERE prompt = 'x';
SELECT waits FROM jobs WHERE prompt = 'x';
--=
SELECT count(*) FROM job_inputs;
--= 0
-- only: postgresql
SELECT sum(waiting) FROM turns;
--= 2
UPDATE jobs SET state = 'cancelled' WHERE id = 1;
INSERT INTO jobs (prompt, input) VALUES ('y', '{"a":"job:1"}');
--! jobs.input: takes the result of a job that has failed or was cancelled; retry that one first

-- case: texts that are no references
INSERT INTO jobs (prompt, input) VALUES ('x', '{"a":"job:","b":"job:x","c":"key://x","d":"job: 1","e":"the job:1","f":"file:x","g":"upload:1.png","job:1":1,"h":"key:\u0000","i":"\ud800 job:7"}');
SELECT waits FROM jobs;
--=
SELECT count(*) FROM job_inputs;
--= 0

-- case: a job does not take its own result
INSERT INTO jobs (prompt) VALUES ('x');
UPDATE jobs SET input = '{"a":"job:1"}';
--! jobs.input: a job cannot take its own result
INSERT INTO jobs (prompt, input) VALUES ('y', '{"a":"job:1"}');
UPDATE jobs SET input = '{"a":"job:2"}' WHERE id = 1;
--! jobs.input: takes the result of a job that waits for this one: a circle

-- case: files are uploaded first
INSERT INTO jobs (prompt, input) VALUES ('x', '{"image":"file:///srv/a.png"}');
SELECT waits FROM jobs;
--= 1
SELECT job_id, reference FROM job_uploads;
--= 1|file:///srv/a.png
SELECT reference, state, asked, tried_at FROM uploads;
--= file:///srv/a.png|wanted|0|0
SELECT blocked_by FROM queue_status;
--= inputs
INSERT INTO jobs (prompt, input) VALUES ('y', '{"image":"file:///srv/a.png"}');
SELECT reference, state, asked FROM uploads;
--= file:///srv/a.png|wanted|1
UPDATE uploads SET state = 'ready';
--! uploads: what is ready has sha256, url, uploaded_at and expires_at
UPDATE uploads SET state = 'ready', sha256 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', url = 'https://x/a', uploaded_at = 1796000000000,
    expires_at = 1796100000000;
SELECT id, waits FROM jobs ORDER BY id;
--= 1|0
--= 2|0
-- only: postgresql
SELECT waiting FROM turns;
--= 2
-- The file may have been changed since.
INSERT INTO jobs (prompt, input) VALUES ('z', '{"image":"file:///srv/a.png"}');
SELECT id, waits FROM jobs ORDER BY id;
--= 1|1
--= 2|1
--= 3|1
SELECT state, asked FROM uploads;
--= wanted|2
SELECT count(*) FROM turns WHERE waiting > 0;
--= 0
UPDATE uploads SET state = 'failed', message = 'it is not there';
SELECT id, state, error_code, error_message FROM jobs ORDER BY id;
--= 1|failed|upload_failed|it is not there
--= 2|failed|upload_failed|it is not there
--= 3|failed|upload_failed|it is not there
UPDATE jobs SET state = 'queued' WHERE id = 1;
SELECT state, message FROM uploads;
--= wanted|
SELECT state, waits FROM jobs WHERE id = 1;
--= queued|1
DELETE FROM uploads;
--! uploads: is written by promptd; jobs take this file
UPDATE uploads SET reference = 'file:///other';
--! uploads: is written by promptd
INSERT INTO uploads (reference) VALUES ('file:///srv/a.png');
--! uploads: is written by promptd; this file is known already
UPDATE uploads SET state = 'other';
--! uploads.state: wanted, ready, idle or failed
UPDATE uploads SET bytes = -1;
--! uploads: is written by promptd; a number or a text is out of bounds
UPDATE uploads SET asked = 4000000000000001;
--! uploads.asked: is written by the database; it is out of bounds
INSERT INTO job_uploads (job_id, reference) VALUES (1, 'file:///other');
--! job_uploads: is written by the database, from jobs.input
UPDATE job_uploads SET reference = 'x';
--! job_uploads: is written by the database, from jobs.input
DELETE FROM job_uploads;
--! job_uploads: is written by the database, from jobs.input
UPDATE jobs SET input = '{}' WHERE id = 1;
SELECT count(*) FROM job_uploads WHERE job_id = 1;
--= 0
SELECT waits FROM jobs WHERE id = 1;
--=

-- case: an upload by its content is not uploaded twice
INSERT INTO jobs (prompt, input) VALUES ('x', '{"image":"upload:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.png"}');
UPDATE uploads SET state = 'ready', sha256 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', url = 'https://x/a', uploaded_at = 1796000000000,
    expires_at = 1796100000000;
INSERT INTO jobs (prompt, input) VALUES ('y', '{"image":"upload:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.png"}');
SELECT id, waits FROM jobs ORDER BY id;
--= 1|0
--= 2|0
-- only: postgresql
SELECT waiting FROM turns;
--= 2

-- case: a file: URL has bounds
INSERT INTO jobs (prompt, input) VALUES ('x', '{"image":"upload:nothing"}');
-- only: sqlite
INSERT INTO jobs (prompt, input) VALUES ('x', '{"image":"file:///' || repeat('x', 4090) || '"}');
--! jobs.input: a file: URL has at most 4096 bytes
-- only: postgresql
INSERT INTO jobs (prompt, input) VALUES ('x', ('{"image":"file:///' || repeat('x', 4090) || '"}')::json);
--! jobs.input: a file: URL has at most 4096 bytes

-- case: no more than a hundred
INSERT INTO jobs (prompt) VALUES ('x');
-- only: sqlite
INSERT INTO jobs (prompt, input) SELECT 'y', json_object('a', json_group_array('job:1/' || value)) FROM (
    WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 101) SELECT value FROM n);
--! jobs.input: takes more than 100 results of others
-- only: postgresql
INSERT INTO jobs (prompt, input) SELECT 'y', json_build_object('a', json_agg('job:1/' || n)) FROM generate_series(1, 101) AS n;
--! jobs.input: takes more than 100 results of others
-- only: sqlite
INSERT INTO jobs (prompt, input) SELECT 'y', json_object('a', json_group_array('file:///' || value)) FROM (
    WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 101) SELECT value FROM n);
--! jobs.input: takes more than 100 files
-- only: postgresql
INSERT INTO jobs (prompt, input) SELECT 'y', json_build_object('a', json_agg('file:///' || n)) FROM generate_series(1, 101) AS n;
--! jobs.input: takes more than 100 files
