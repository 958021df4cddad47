-- Jobs that were sent: their states, their attempts, their money.

-- case: a claimed job
-- use: claimed
SELECT state, attempt_count, estimated_millicredits, estimate_basis FROM jobs;
--= submitting|1|14000|listed
SELECT queue, queued, running FROM queue_status;
--= default|0|1
SELECT period, queue, reserved_millicredits, charged_millicredits FROM spending ORDER BY period;
--= day|default|14000|0
--= hour|default|14000|0
--= total|default|14000|0
SELECT account, running FROM account_load;
--= default|1
SELECT turn, waiting, taken FROM turns;
--= 0|0|0
UPDATE jobs SET state = 'cancelled';
--! jobs.state: illegal transition submitting -> cancelled (its request is under way; cancel it in a moment, when it is running)
UPDATE jobs SET state = 'succeeded';
--! jobs.state: illegal transition submitting -> succeeded
UPDATE jobs SET state = 'queued';
--! jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve
UPDATE jobs SET state = 'failed', finished_at = 1796000000000, error_code = 'x';
--! jobs.state: its task may still be running; to stop the job set cancelled
UPDATE jobs SET task_id = 'z';
--! jobs.task_id: is written by promptd
UPDATE jobs SET prompt = 'other';
--! jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued
UPDATE jobs SET max_attempts = 2;
UPDATE jobs SET max_attempts = 4;
--! jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued
UPDATE jobs SET allow_unknown = 1;
--! jobs: allow_unknown can be changed only while the job is queued
DELETE FROM jobs;
--! jobs: cannot be deleted while the provider may be working on it; wait for it to end
DELETE FROM queues WHERE name = 'default';
--! queues: it still has jobs that have not ended; cancel them, move them, or pause the queue
SELECT day, queue, attempts, accepted, unknown, charged_credits, reserved_credits FROM spend_daily;
--= 2026-11-30|default|1|0|0|0|14

-- case: the ledger cannot be rewritten
-- use: claimed
UPDATE attempts SET token = 'ffffffffffffffffffffffffffffffff';
--! attempts: the ledger cannot be rewritten
UPDATE attempts SET job_id = 2;
--! attempts: the ledger cannot be rewritten
UPDATE attempts SET account = 'other';
--! attempts: the ledger cannot be rewritten
UPDATE attempts SET estimated_millicredits = 1;
--! attempts: the ledger cannot be rewritten
UPDATE attempts SET input = '{}';
--! attempts.input: was sent like that
UPDATE attempts SET state = NULL;
--! attempts: state, profile and hint_changes cannot be NULL
DELETE FROM attempts;
--! attempts: the ledger is kept for ever
-- only: postgresql
TRUNCATE attempts;
--! attempts: the ledger is kept for ever
-- only: postgresql
TRUNCATE jobs CASCADE;
--! jobs: cannot be truncated; DELETE those that are over
UPDATE attempts SET reserved_millicredits = 1;
--! attempts: a reservation is kept until the attempt is settled, together with finished_at
UPDATE attempts SET task_id = 'x';
--! attempts.task_id: is set together with state accepted
UPDATE attempts SET task_source = 'answer';
--! attempts.task_source: is written together with state accepted
UPDATE attempts SET answered_at = 1796000000500;
--! attempts: a request under way has no answer
UPDATE attempts SET state = 'accepted', answered_at = 1796000000500;
--! attempts: an accepted attempt has a task
UPDATE attempts SET state = 'accepted', task_id = 't';
--! attempts: an answer has an instant
UPDATE attempts SET state = 'rejected', answered_at = 1796000000500;
--! attempts: promptd writes what was answered; to settle a lost request use promptctl resolve
UPDATE attempts SET state = 'rejected', answered_at = 1796000000500, error_code = 'x';
--! attempts: a rejected attempt is finished, without reservation or charge
UPDATE attempts SET state = 'rejected', answered_at = 1796000000500, error_code = 'x', hinted_task_id = 't', finished_at = 1796000000500,
    reserved_millicredits = 0;
--! attempts: a callback has named a task for this request, and the provider has not said whose it is
UPDATE attempts SET state = 'unknown', answered_at = 1796000000500, error_code = 'answer_lost';
--! attempts.arrives_until: a request whose answer was lost may arrive later; promptd writes until when
UPDATE attempts SET arrives_until = 1796000000500;
--! attempts.arrives_until: is written when the answer is lost
UPDATE attempts SET took_milliseconds = 5;
--! attempts.took_milliseconds: is written when the task has ended
UPDATE attempts SET hint_changes = 2;
--! attempts.hint_changes: is written by promptd
UPDATE attempts SET hint_changes = 1, hinted_task_id = 't';
UPDATE attempts SET answered_at = -1, state = 'accepted', task_id = 't';
--! attempts: answered_at, finished_at and arrives_until are written by promptd
UPDATE attempts SET charged_millicredits = 5;
--! attempts: a reservation is kept until the attempt is settled, together with finished_at
UPDATE attempts SET finished_at = 1796000000500;
--! attempts: to settle one is to book what it was charged, and to release what was reserved
UPDATE attempts SET state = 'bogus';
--! attempts.state: sending, accepted, rejected or unknown
UPDATE attempts SET state = 'accepted', task_id = 't', answered_at = 1796000000500, task_source = 'bogus';
--! attempts.task_source: answer, callback or operator
UPDATE attempts SET result_json = '{}';

-- case: a new attempt
-- use: claimed
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (1, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1);
--! attempts: this job has a request that is not settled; another one might pay for it twice
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (2, '0123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1);
--! attempts: the ledger cannot be rewritten
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (2, 'short', 'default', 'm', 1796000000000, 1);
--! attempts.token: 32 hexadecimal digits
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, account)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1, 'nobody');
--! attempts.account: there is no such account
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, state, answered_at, task_id)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1, 'accepted', 1796000000000, 't');
--! attempts: a new one is being sent; nothing is known of its answer
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', -1, 1);
--! attempts: a number or a text is out of bounds
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, -1);
--! attempts.reserved_millicredits: at least 0
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, estimated_millicredits)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1, -1);
--! attempts.estimated_millicredits: at least 0
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, estimate_basis)
    VALUES (2, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000000000, 1, 'guess');
--! attempts.estimate_basis: listed, override, observed or default

-- case: a running job
-- use: running
SELECT state, task_id FROM jobs;
--= running|t1
SELECT previous_state, state, error_code FROM events ORDER BY sequence;
--= |queued|
--= queued|submitting|
--= submitting|running|
UPDATE jobs SET state = 'queued';
--! jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve
UPDATE jobs SET state = 'submitting';
--! jobs.state: illegal transition running -> submitting
UPDATE jobs SET state = 'unconfirmed';
--! jobs.state: illegal transition running -> unconfirmed
UPDATE jobs SET state = 'succeeded', finished_at = 1796000000000;
--! jobs.state: only promptd sets succeeded, when the task has ended and its results are saved
UPDATE jobs SET state = 'failed', finished_at = 1796000000000, error_code = 'x';
--! jobs.state: its task may still be running; to stop the job set cancelled
UPDATE attempts SET state = 'unknown';
--! attempts.task_id: is set together with state accepted
UPDATE attempts SET task_id = 't2';
--! attempts.task_id: the provider has named the task; it does not change
UPDATE attempts SET answered_at = 1796000000501;
--! attempts.answered_at: is written once
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 5;
--! attempts: promptd books what the task cost when it has ended
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 1000000000001, charge_reported = 1;
--! attempts.charged_millicredits: at most 1000000000000
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = -1, charge_reported = 1;
--! attempts.charged_millicredits: at least 0
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 1, charge_reported = 2;
--! attempts.charge_reported: NULL, 0 or 1
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 1, charge_reported = 1, took_milliseconds = -1;
--! attempts.took_milliseconds: at least 0
UPDATE attempts SET evidence_charged = 2;
--! attempts.evidence_charged: NULL, 0 or 1
UPDATE jobs SET state = 'cancelled';
SELECT state, task_id, error_code FROM jobs;
--= cancelled|t1|
UPDATE jobs SET state = 'queued', prompt = 'other';
--! jobs: prompt and input of a job that has a task cannot be changed; insert another job
-- The task may still give something: it is taken up, not paid for again.
UPDATE jobs SET state = 'queued';
SELECT state, task_id, is_resumed, attempt_count FROM jobs;
--= running|t1|1|0
SELECT previous_state, state FROM events WHERE sequence > 4 ORDER BY sequence;
--= cancelled|queued
--= queued|running
SELECT queue, queued, running, cancelled FROM queue_status;
--= default|0|1|0
SELECT waiting FROM turns;
--= 0

-- case: a lost request
-- use: unconfirmed
SELECT state, error_code FROM jobs;
--= unconfirmed|answer_lost
UPDATE jobs SET state = 'queued';
--! jobs.state: an earlier request of this job may have made a task; settle it with promptctl resolve
UPDATE jobs SET state = 'submitting';
--! jobs.state: illegal transition unconfirmed -> submitting
UPDATE jobs SET state = 'succeeded';
--! jobs.state: illegal transition unconfirmed -> succeeded
UPDATE jobs SET state = 'running', task_id = 't';
--! jobs.state: only promptd sets running, with an accepted attempt's task; to settle an unconfirmed job use promptctl resolve
UPDATE attempts SET arrives_until = 1796000000600;
--! attempts.arrives_until: a lost request keeps its slot
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 100;
--! attempts: what may have been spent counts as spent
UPDATE attempts SET state = 'sending', answered_at = NULL;
--! attempts.answered_at: is written once
UPDATE jobs SET state = 'cancelled';
UPDATE jobs SET state = 'queued';
SELECT state FROM jobs;
--= unconfirmed
SELECT account, reserved_for_unknown FROM account_status;
--= (none)
-- Given up: presumed.
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 14000;
SELECT charged_millicredits, presumed_millicredits, adopted_millicredits FROM accounts;
--= 0|14000|0
SELECT reserved_millicredits, charged_millicredits FROM spending WHERE period = 'total';
--= 0|14000

-- case: a lost request whose task turns up
-- use: unconfirmed
UPDATE attempts SET state = 'accepted', task_id = 't1', task_source = 'callback', arrives_until = 1796000001000, error_code = NULL, message = NULL;
UPDATE jobs SET state = 'running', task_id = 't1', error_code = NULL, error_message = NULL;
SELECT charged_millicredits, presumed_millicredits, adopted_millicredits FROM accounts;
--= 0|0|14000
UPDATE attempts SET state = 'unknown', task_id = NULL;
--! attempts.task_id: the provider has named the task; it does not change
UPDATE attempts SET state = 'unknown';
--! attempts.task_id: is set together with state accepted

-- case: a refused request
-- use: rejected
UPDATE jobs SET state = 'queued', attempt_count = 0, error_code = 'rate_limited' WHERE id = 1;
SELECT reserved_millicredits, charged_millicredits FROM spending WHERE period = 'total';
--= 0|0
SELECT turn, waiting, taken FROM turns;
--= 0|1|0
UPDATE attempts SET message = 'other';
--! attempts: what is settled stays as it is
UPDATE attempts SET took_milliseconds = 4;
--! attempts: what is settled stays as it is
UPDATE attempts SET state = 'unknown';
--! attempts: what is settled stays as it is
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (1, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000020000, 500);
SELECT id, state FROM attempts ORDER BY id;
--= 1|rejected
--= 2|sending
UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1;
SELECT period, starts_at, reserved_millicredits FROM spending ORDER BY period;
--= day|1795996800000|500
--= hour|1795996800000|500
--= total|0|500

-- case: attempts begin anew when a job comes back with none left
-- use: rejected
UPDATE jobs SET max_attempts = 1;
UPDATE jobs SET state = 'queued' WHERE id = 1;
SELECT attempt_count FROM jobs;
--= 0

-- case: a task that has ended
-- use: downloading
SELECT charged_millicredits, presumed_millicredits FROM accounts;
--= 12000|0
SELECT model, completions, mean_milliseconds FROM completion_times;
--= flux-2/flex-text-to-image|1|8000
SELECT reserved_millicredits, charged_millicredits FROM spending WHERE period = 'day';
--= 0|12000
UPDATE jobs SET state = 'queued';
--! jobs.state: its task has succeeded and is paid for; its results are being fetched
UPDATE jobs SET state = 'succeeded', finished_at = 1796000009500;
--! jobs.state: only promptd sets succeeded, when the task has ended and its results are saved
DELETE FROM results;
--! results: are paid for, and go with their job
UPDATE results SET url = 'other';
--! results: what was paid for and saved stays as it is
UPDATE results SET state = NULL;
--! results.state: cannot be NULL
UPDATE results SET state = 'bogus';
--! results.state: pending, saved or failed
UPDATE results SET state = 'saved';
--! results: a saved file has path, bytes and sha256
UPDATE results SET path = '../x';
--! results.path: is relative to the media directory, and stays within it
UPDATE results SET path = 'a//b';
--! results.path: is relative to the media directory, and stays within it
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (1, 0, 1, 'u', 1796000009000);
--! results: are written by promptd, for a task that has succeeded
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (1, -1, 1, 'u', 1796000009000);
--! results.ordinal: at least 0
INSERT INTO results (job_id, ordinal, attempt_id, url, content, created_at) VALUES (1, 1, 1, 'u', 'c', 1796000009000);
--! results: has a url or content
INSERT INTO results (job_id, ordinal, attempt_id, url, path, created_at) VALUES (1, 1, 1, 'u', '.x/y', 1796000009000);
--! results.path: is relative to the media directory, and stays within it
INSERT INTO results (job_id, ordinal, attempt_id, content, created_at, role) VALUES (1, 1, 1, '{}', 1796000009000, 'lastFrame');
UPDATE jobs SET state = 'cancelled';
SELECT ordinal, role, state, error_message FROM results ORDER BY ordinal;
--= 0|result|failed|cancelled before it was downloaded
--= 1|lastFrame|failed|cancelled before it was downloaded
UPDATE jobs SET state = 'queued';
SELECT j.state, j.is_resumed, r.state, r.error_message FROM jobs AS j JOIN results AS r ON r.job_id = j.id WHERE r.ordinal = 0;
--= running|1|pending|
UPDATE attempts SET error_code = 'task_failed';
--! attempts: what is settled stays as it is
UPDATE attempts SET result_json = '{"a":1}';
--! attempts.result_json: what the provider gave stays as it is

-- case: a job that has succeeded
-- use: succeeded
SELECT id, state, queue, attempts, task_id, provider_state, estimated_credits, charged_credits, created_at < '2', submitted_at, finished_at,
    files, waits_for, prompt FROM job_status WHERE submitted_at IS NULL;
--= (none)
SELECT state, attempts, task_id, provider_state, estimated_credits, charged_credits, submitted_at, finished_at, files, prompt FROM job_status;
--= succeeded|1|t1|success|14|12|2026-11-30T00:53:20.000Z|2026-11-30T00:53:29.500Z|2026/1.png|a fox
UPDATE jobs SET state = 'queued';
--! jobs.state: illegal transition succeeded -> queued
UPDATE jobs SET state = 'submitting';
--! jobs.state: illegal transition succeeded -> submitting
UPDATE jobs SET state = 'running';
--! jobs.state: illegal transition succeeded -> running
UPDATE jobs SET state = 'failed', error_code = 'x';
--! jobs.state: illegal transition succeeded -> failed
UPDATE jobs SET state = 'cancelled';
--! jobs.state: illegal transition succeeded -> cancelled
UPDATE jobs SET state = 'unconfirmed';
--! jobs.state: illegal transition succeeded -> unconfirmed
UPDATE jobs SET error_message = 'x';
--! jobs: what has ended stays as it is
UPDATE results SET path = 'b/2.png';
--! results: what was paid for and saved stays as it is
INSERT INTO removals (path, job_id) VALUES ('2026/2.png', 1);
--! removals: is written by promptd, for the files of a job that it prunes
INSERT INTO removals (path, job_id) VALUES ('2026/1.png', 1);
UPDATE removals SET job_id = 2;
--! removals: is written by promptd
UPDATE jobs SET pruned_at = 1796100000000, prompt = NULL, input = '{}', labels = NULL;
SELECT count(*) FROM events;
--= 0
UPDATE jobs SET prompt = 'x';
--! jobs: priority, run_at, queue, prompt, input, labels and max_attempts can be changed only while the job is queued
UPDATE jobs SET pruned_at = 1796100000001;
--! jobs.pruned_at: what was removed does not come back
UPDATE jobs SET state = 'queued';
--! jobs.state: illegal transition succeeded -> queued
DELETE FROM results;
DELETE FROM jobs;
SELECT count(*) FROM attempts;
--= 1
SELECT queue, succeeded FROM queue_status;
--= default|0

-- case: results go with their job
-- use: succeeded
DELETE FROM jobs;
SELECT count(*) FROM results;
--= 0
SELECT count(*) FROM events;
--= 0
-- The ledger stays, and nobody gets the id again.
INSERT INTO jobs (id, prompt) VALUES (1, 'x');
--! sqlite: jobs.id: is given by the database; leave the column out
--! postgresql: cannot insert a non-DEFAULT value into column "id"
-- only: postgresql
INSERT INTO jobs (id, prompt) OVERRIDING SYSTEM VALUE VALUES (1, 'x');
--! jobs.id: is given by the database; leave the column out
INSERT INTO jobs (prompt) VALUES ('next');
SELECT id FROM jobs;
--= 2

-- case: a job that has failed
-- use: failed
SELECT id, queue, attempts, error_code, error_message, prompt FROM recent_failures;
--= 1|default|1|task_failed|no|a fox
UPDATE jobs SET state = 'submitting';
--! jobs.state: illegal transition failed -> submitting
UPDATE jobs SET state = 'running';
--! jobs.state: illegal transition failed -> running
UPDATE jobs SET state = 'succeeded';
--! jobs.state: illegal transition failed -> succeeded
UPDATE jobs SET state = 'cancelled';
--! jobs.state: illegal transition failed -> cancelled
UPDATE jobs SET state = 'unconfirmed';
--! jobs.state: illegal transition failed -> unconfirmed
UPDATE jobs SET state = 'queued', prompt = 'a red fox';
SELECT state, prompt, task_id, estimated_millicredits, estimate_basis, attempt_count, error_code, finished_at, charged_millicredits FROM jobs;
--= queued|a red fox||||0|||0
SELECT waiting FROM turns;
--= 1

-- case: a failed job that is queued again as it was
-- use: failed
UPDATE jobs SET state = 'queued';
SELECT state, task_id, is_resumed FROM jobs;
--= running|t1|1

-- case: a cancelled job does not change into anything else
INSERT INTO jobs (prompt) VALUES ('x');
UPDATE jobs SET state = 'cancelled';
UPDATE jobs SET state = 'submitting';
--! jobs.state: illegal transition cancelled -> submitting
UPDATE jobs SET state = 'running', task_id = 't';
--! jobs.state: illegal transition cancelled -> running
UPDATE jobs SET state = 'succeeded';
--! jobs.state: illegal transition cancelled -> succeeded
UPDATE jobs SET state = 'unconfirmed';
--! jobs.state: illegal transition cancelled -> unconfirmed

-- case: whoever queues a job again wants it tried
-- use: failed
INSERT INTO set_aside (job_id, reason, since) VALUES (1, 'it crashed', 1796000000000);
INSERT INTO suspects (step, subject, job_id, weight, version, reason) VALUES ('claim', 1, 1, 6, '1', 'it crashed');
SELECT error_message FROM job_status;
--= set aside: it crashed
UPDATE jobs SET state = 'queued', prompt = 'x';
SELECT (SELECT count(*) FROM set_aside) + (SELECT count(*) FROM suspects) AS n;
--= 0
INSERT INTO suspects (step, subject, job_id, weight, version, reason) VALUES ('other', 1, 1, 6, '1', 'it crashed');
--! suspects.step: claim, poll or download
INSERT INTO suspects (step, subject, job_id, weight, version, reason) VALUES ('poll', 1, 1, 6000, '1', 'it crashed');
--! suspects.weight: 0 to 1000
INSERT INTO suspects (step, subject, job_id, weight, version, reason, is_aside) VALUES ('poll', 1, 1, 6, '1', 'it crashed', 2);
--! suspects.is_aside: 0 or 1

-- case: a queue of several, retried: at most every second is one of those
INSERT INTO jobs (prompt) VALUES ('1'), ('2'), ('3'), ('4');
UPDATE jobs SET state = 'cancelled' WHERE id IN (1, 2);
UPDATE jobs SET state = 'queued' WHERE id = 1;
UPDATE jobs SET state = 'queued' WHERE id = 2;
SELECT waiting FROM turns;
--= 4
