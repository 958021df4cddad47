-- What producers may do.

-- case: a job needs nothing but a prompt, and the rest has its defaults
INSERT INTO jobs (prompt) VALUES ('a fox');
SELECT id, prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, state, attempt_count, task_id,
    is_resumed, allow_unknown, waits, pruned_at FROM jobs;
--= 1|a fox|flux-2/flex-text-to-image|{}|default|0|0||||3|queued|0||0|0||
SELECT created_at BETWEEN 1700000000000 AND 253402300799999, submitted_at, finished_at, turn FROM jobs WHERE created_at < 0;
--= (none)
SELECT name, paused, max_running, account FROM queues;
--= default|0||
SELECT sequence, job_id, previous_state, state, queue, batch, error_code FROM events;
--= 1|1||queued|default||

-- case: a job with everything
INSERT INTO jobs (prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, allow_unknown)
    VALUES ('tea', 'm/x', '{"aspect_ratio":"4:3"}', 'shop', -5, 1900000000000, 'TEA/1', 'tea', '{"sku":"TEA"}', 20, 1);
SELECT model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, allow_unknown FROM jobs;
--= m/x|{"aspect_ratio":"4:3"}|shop|-5|1900000000000|TEA/1|tea|{"sku":"TEA"}|20|1
SELECT name FROM queues ORDER BY name;
--= default
--= shop
SELECT queue, queued, running, blocked_by, account FROM queue_status ORDER BY queue;
--= default|0|0||default
--= shop|1|0||default

-- case: malformed rows are refused with what is wrong
INSERT INTO jobs (prompt, input) VALUES ('x', '{bad');
--! sqlite: jobs.input: must be a JSON object, like {"aspect_ratio":"16:9"}
--! postgresql: invalid input syntax for type json
INSERT INTO jobs (prompt, input) VALUES ('x', '[]');
--! jobs.input: must be a JSON object, like {"aspect_ratio":"16:9"}
INSERT INTO jobs (prompt, labels) VALUES ('x', '1');
--! jobs.labels: NULL or a JSON object, like {"sku":"A-1"}
INSERT INTO jobs (prompt, max_attempts) VALUES ('x', 0);
--! jobs.max_attempts: 1 to 20
INSERT INTO jobs (prompt, max_attempts) VALUES ('x', 21);
--! jobs.max_attempts: 1 to 20
INSERT INTO jobs (prompt, run_at) VALUES ('x', 1800000000);
--! jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)
INSERT INTO jobs (prompt, run_at) VALUES ('x', 253402300800000);
--! jobs.run_at: not after the year 9999
INSERT INTO jobs (prompt, queue) VALUES ('x', '');
--! jobs.queue: 1 to 100 characters
INSERT INTO jobs (prompt, batch) VALUES ('x', '');
--! jobs.batch: NULL or 1 to 200 characters
INSERT INTO jobs (prompt, model) VALUES ('x', '');
--! jobs.model: must not be empty
INSERT INTO jobs (prompt, model) VALUES ('x', 'two words');
--! jobs.model: 1 to 200 characters of ASCII, without spaces
INSERT INTO jobs (prompt, model) VALUES ('x', 'größe');
--! jobs.model: 1 to 200 characters of ASCII, without spaces
INSERT INTO jobs (prompt, allow_unknown) VALUES ('x', 2);
--! jobs.allow_unknown: 0 or 1
INSERT INTO jobs (prompt, priority) VALUES ('x', 'high');
--! sqlite: cannot store TEXT value in INTEGER column jobs.priority
--! postgresql: invalid input syntax for type bigint
INSERT INTO jobs (prompt, priority) VALUES ('x', 1000000001);
--! jobs.priority: -1000000000 to 1000000000
INSERT INTO jobs (prompt, created_at) VALUES ('x', -1);
--! jobs.created_at: Unix time in milliseconds; leave the column out
INSERT INTO jobs (prompt, queue) VALUES ('x', NULL);
--! sqlite: NOT NULL constraint failed: jobs.queue
--! postgresql: violates not-null constraint
SELECT count(*) FROM jobs;
--= 0

-- case: texts have bounds in bytes
INSERT INTO jobs (prompt) VALUES (substr(replace('          ', ' ', '0123456789012345678901234567890123456789'), 1, 400));
-- only: sqlite
INSERT INTO jobs (prompt) VALUES (replace(hex(zeroblob(70000)), '00', 'xx'));
--! jobs.prompt: at most 131072 bytes
-- only: postgresql
INSERT INTO jobs (prompt) VALUES (repeat('x', 131073));
--! jobs.prompt: at most 131072 bytes
-- only: sqlite
INSERT INTO jobs (prompt, input) VALUES ('x', '{"a":"' || replace(hex(zeroblob(140000)), '00', 'xx') || '"}');
--! jobs.input: at most 262144 bytes
-- only: postgresql
INSERT INTO jobs (prompt, input) VALUES ('x', ('{"a":"' || repeat('x', 262144) || '"}')::json);
--! jobs.input: at most 262144 bytes
-- only: sqlite
INSERT INTO jobs (prompt, labels) VALUES ('x', '{"a":"' || replace(hex(zeroblob(40000)), '00', 'xx') || '"}');
--! jobs.labels: at most 65536 bytes
-- only: postgresql
INSERT INTO jobs (prompt, labels) VALUES ('x', ('{"a":"' || repeat('x', 65536) || '"}')::json);
--! jobs.labels: at most 65536 bytes
-- only: sqlite
INSERT INTO jobs (prompt, unique_key) VALUES ('x', replace(hex(zeroblob(501)), '00', 'xx'));
--! jobs.unique_key: at most 1000 bytes
-- only: postgresql
INSERT INTO jobs (prompt, unique_key) VALUES ('x', repeat('x', 1001));
--! jobs.unique_key: at most 1000 bytes

-- case: what promptd writes is left out
INSERT INTO jobs (prompt, state) VALUES ('x', 'running');
--! jobs.state: a new job is queued; leave the column out
INSERT INTO jobs (prompt, task_id) VALUES ('x', 'y');
--! jobs: attempt_count, is_resumed, task_id, provider_state, charged_millicredits, error_code, error_message, submitted_at and finished_at are written by promptd; leave them out
INSERT INTO jobs (prompt, attempt_count) VALUES ('x', 1);
--! jobs: attempt_count, is_resumed, task_id, provider_state, charged_millicredits, error_code, error_message, submitted_at and finished_at are written by promptd; leave them out
INSERT INTO jobs (prompt, pruned_at) VALUES ('x', 1796000000000);
--! jobs.pruned_at: is written by promptd; leave it out
INSERT INTO jobs (prompt, waits) VALUES ('x', 1);
--! jobs.waits: is written by the database; leave it out
INSERT INTO jobs (prompt, turn) VALUES ('x', 1);
--! jobs: turn and kept_turn are written by promptd; leave them out
INSERT INTO jobs (prompt, estimated_millicredits) VALUES ('x', 1000000000001);
--! jobs.estimated_millicredits: at most 1000000000000
INSERT INTO jobs (prompt, estimated_millicredits) VALUES ('x', -1);
--! jobs.estimated_millicredits: at least 0
INSERT INTO jobs (prompt, estimate_basis) VALUES ('x', 'listed');
--! jobs.estimate_basis: listed, override, observed or default, together with estimated_millicredits
INSERT INTO jobs (prompt, estimated_millicredits, estimate_basis) VALUES ('x', 14000, 'listed');
INSERT INTO jobs (id, prompt) VALUES (0, 'x');
--! sqlite: jobs.id: is given by the database; leave the column out
--! postgresql: cannot insert a non-DEFAULT value into column "id"
-- only: postgresql
INSERT INTO jobs (id, prompt) OVERRIDING SYSTEM VALUE VALUES (0, 'x');
--! jobs.id: is given by the database; leave the column out

-- case: a second job with the same key is refused, or skipped
INSERT INTO jobs (prompt, unique_key) VALUES ('x', 'k');
INSERT INTO jobs (prompt, unique_key) VALUES ('y', 'k');
--! sqlite: UNIQUE constraint failed: jobs.unique_key
--! postgresql: duplicate key value violates unique constraint
INSERT INTO jobs (prompt, unique_key) VALUES ('y', 'k') ON CONFLICT (unique_key) DO NOTHING;
SELECT prompt, unique_key FROM jobs;
--= x|k
SELECT queued FROM queue_status WHERE queue = 'default';
--= 1
DELETE FROM jobs;
INSERT INTO jobs (prompt, unique_key) VALUES ('y', 'k');
SELECT prompt FROM jobs;
--= y
SELECT queue, state, jobs FROM queue_counts WHERE jobs <> 0;
--= default|queued|1

-- case: several rows at once, and none of them if one is wrong
INSERT INTO jobs (prompt, batch, queue) VALUES ('1', 'a', 'q1'), ('2', 'b', 'q2'), ('3', 'a', 'q1');
INSERT INTO jobs (prompt, max_attempts) VALUES ('4', 3), ('5', 99);
--! jobs.max_attempts: 1 to 20
INSERT INTO jobs (prompt, state) VALUES ('4', 'queued'), ('5', 'failed');
--! jobs.state: a new job is queued; leave the column out
SELECT batch, jobs, queued FROM batch_status ORDER BY batch;
--= a|2|2
--= b|1|1
SELECT queue, queued FROM queue_status ORDER BY queue;
--= default|0
--= q1|2
--= q2|1

-- case: a transaction that is taken back leaves nothing
BEGIN;
INSERT INTO jobs (prompt, queue) VALUES ('x', 'new');
ROLLBACK;
SELECT count(*) FROM jobs;
--= 0
SELECT name FROM queues;
--= default
SELECT count(*) FROM events;
--= 0

-- case: batches take turns within a queue and a priority
INSERT INTO jobs (prompt, batch) VALUES ('a1', 'a'), ('a2', 'a'), ('a3', 'a');
INSERT INTO jobs (prompt, batch) VALUES ('b1', 'b'), ('b2', 'b');
INSERT INTO jobs (prompt) VALUES ('none');
INSERT INTO jobs (prompt, batch, priority) VALUES ('a4', 'a', 5);
SELECT queue, priority, batch, turn, waiting, taken FROM turns ORDER BY priority, batch;
--= default|0||0|1|-1
--= default|0|a|2|3|-1
--= default|0|b|1|2|-1
--= default|5|a|0|1|-1
-- only: sqlite
SELECT prompt FROM jobs WHERE state = 'queued' ORDER BY priority DESC, turn, id;
--= a4
--= a1
--= b1
--= none
--= a2
--= b2
--= a3
-- only: postgresql
SELECT j.prompt FROM job_turns AS t JOIN jobs AS j ON j.id = t.job_id ORDER BY t.priority DESC, t.turn, t.job_id;
--= a4
--= a1
--= b1
--= none
--= a2
--= b2
--= a3

-- case: a lane goes on from what waits, or from what was taken
INSERT INTO jobs (prompt) VALUES ('1'), ('2'), ('3');
UPDATE jobs SET state = 'cancelled' WHERE id = 3;
INSERT INTO jobs (prompt) VALUES ('4');
SELECT turn, waiting FROM turns WHERE waiting > 100;
--= (none)
DELETE FROM jobs;
INSERT INTO jobs (prompt) VALUES ('5');
SELECT turn, waiting, taken FROM turns;
--= 0|1|-1

-- case: a job is edited while it is queued, and moved
INSERT INTO jobs (prompt) VALUES ('x');
UPDATE jobs SET prompt = 'y', queue = 'ads', priority = 3, input = '{"a":1}', labels = '{"b":2}', max_attempts = 5, run_at = 1900000000000;
SELECT prompt, queue, priority, input, labels, max_attempts, run_at FROM jobs;
--= y|ads|3|{"a":1}|{"b":2}|5|1900000000000
SELECT queue, queued FROM queue_status ORDER BY queue;
--= ads|1
--= default|0
UPDATE jobs SET run_at = 0;
SELECT queue, priority, turn, waiting FROM turns WHERE waiting > 0;
--= ads|3|0|1
UPDATE jobs SET input = '[]';
--! jobs.input: must be a JSON object, like {"aspect_ratio":"16:9"}
UPDATE jobs SET labels = '2';
--! jobs.labels: NULL or a JSON object, like {"sku":"A-1"}
UPDATE jobs SET queue = '';
--! jobs.queue: 1 to 100 characters
UPDATE jobs SET priority = 2000000000;
--! jobs.priority: -1000000000 to 1000000000
UPDATE jobs SET run_at = 5;
--! jobs.run_at: 0 or Unix time in milliseconds (seconds times 1000)
UPDATE jobs SET model = 'other';
--! jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another
UPDATE jobs SET batch = 'other';
--! jobs: id, model, unique_key, batch and created_at cannot be changed; cancel the job and insert another
UPDATE jobs SET state = NULL;
--! jobs: model, input, queue, priority, run_at, max_attempts, state, attempt_count, is_resumed and created_at cannot be NULL
UPDATE jobs SET turn = 77;
--! jobs.turn: is written by promptd
UPDATE jobs SET waits = 1;
--! sqlite: jobs.waits: is written by the database
--! postgresql: jobs.waits: is written by the database
UPDATE jobs SET pruned_at = 1796000000000;
--! jobs.pruned_at: is written by promptd, when a job has ended and its attempts are settled
UPDATE jobs SET task_id = 'z';
--! jobs.task_id: is written by promptd
UPDATE jobs SET charged_millicredits = 5;
--! jobs.charged_millicredits: is written by promptd: the sum of its attempts' charges
UPDATE jobs SET attempt_count = 1001;
--! jobs.attempt_count: at most 1000; it is written by promptd
UPDATE jobs SET submitted_at = -1;
--! jobs: submitted_at and finished_at are written by promptd
UPDATE jobs SET estimated_millicredits = 1000000000001;
--! jobs.estimated_millicredits: at most 1000000000000
UPDATE jobs SET is_resumed = 2;
--! jobs.is_resumed: 0 or 1
UPDATE jobs SET state = 'bogus';
--! jobs.state: queued, submitting, running, succeeded, failed, cancelled or unconfirmed

-- case: of a queued job only the cancellation is a user's
INSERT INTO jobs (prompt) VALUES ('x');
UPDATE jobs SET state = 'submitting';
--! jobs.state: only promptd sets submitting, together with the one attempt that it is about to send
UPDATE jobs SET state = 'running', task_id = NULL;
--! jobs.state: a running job has the task_id that the provider gave it; only promptd sets it
UPDATE jobs SET state = 'succeeded';
--! jobs.state: illegal transition queued -> succeeded
UPDATE jobs SET state = 'failed';
--! jobs.state: only promptd sets failed, together with finished_at and error_code; to stop a job set cancelled
UPDATE jobs SET state = 'unconfirmed';
--! jobs.state: only promptd sets unconfirmed, when the answer to a request was lost
UPDATE jobs SET state = 'cancelled';
SELECT state, finished_at > 1700000000000 FROM jobs WHERE finished_at IS NULL;
--= (none)
SELECT previous_state, state FROM events ORDER BY sequence;
--= |queued
--= queued|cancelled
UPDATE jobs SET state = 'queued';
SELECT state, finished_at, attempt_count FROM jobs;
--= queued||0
SELECT previous_state, state FROM events ORDER BY sequence;
--= |queued
--= queued|cancelled
--= cancelled|queued
SELECT waiting FROM turns;
--= 1
UPDATE jobs SET state = 'cancelled';
UPDATE jobs SET state = 'failed', finished_at = 1796000000000, error_code = 'x';
--! jobs.state: illegal transition cancelled -> failed
DELETE FROM jobs;
SELECT count(*) FROM events;
--= 0
SELECT events_removed > 0, id FROM daemon WHERE events_removed = 0;
--= (none)
SELECT count(*) FROM turns WHERE waiting > 0;
--= 0

-- case: a job that waits for its time
INSERT INTO jobs (prompt, run_at) VALUES ('x', 1900000000000);
SELECT run_at FROM job_status;
--= 2030-03-17T17:46:40.000Z
SELECT count(*) FROM turns WHERE waiting > 0;
--= 0
UPDATE jobs SET run_at = 0;
SELECT waiting FROM turns;
--= 1
UPDATE jobs SET state = 'cancelled';
SELECT count(*) FROM turns WHERE waiting > 0;
--= 0
