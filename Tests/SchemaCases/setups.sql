-- What cases begin with.

-- setup: claimed
INSERT INTO jobs (prompt) VALUES ('a fox');
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits, estimated_millicredits, estimate_basis)
    VALUES (1, '0123456789abcdef0123456789abcdef', 'default', 'flux-2/flex-text-to-image', 1796000000000, 14000, 14000, 'listed');
UPDATE jobs SET state = 'submitting', attempt_count = attempt_count + 1, estimated_millicredits = 14000, estimate_basis = 'listed',
    submitted_at = 1796000000000 WHERE id = 1;

-- setup: running
-- use: claimed
UPDATE attempts SET state = 'accepted', task_id = 't1', task_source = 'answer', answered_at = 1796000000500, http_status = 200,
    api_code = 200 WHERE id = 1;
UPDATE jobs SET state = 'running', task_id = 't1' WHERE id = 1;

-- setup: unconfirmed
-- use: claimed
UPDATE attempts SET state = 'unknown', answered_at = 1796000000500, arrives_until = 1796000060500, error_code = 'answer_lost',
    message = 'lost' WHERE id = 1;
UPDATE jobs SET state = 'unconfirmed', error_code = 'answer_lost', error_message = 'lost' WHERE id = 1;

-- setup: rejected
-- use: claimed
UPDATE attempts SET state = 'rejected', answered_at = 1796000000500, finished_at = 1796000000500, reserved_millicredits = 0,
    http_status = 429, error_code = 'rate_limited' WHERE id = 1;

-- setup: downloading
-- use: running
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 12000, charge_reported = 1,
    took_milliseconds = 8000 WHERE id = 1;
UPDATE jobs SET charged_millicredits = 12000 WHERE id = 1;
INSERT INTO results (job_id, ordinal, attempt_id, url, created_at) VALUES (1, 0, 1, 'https://x/1.png', 1796000009000);

-- setup: succeeded
-- use: downloading
UPDATE results SET state = 'saved', path = '2026/1.png', bytes = 10, sha256 = 'ab', saved_at = 1796000009500 WHERE job_id = 1;
UPDATE jobs SET state = 'succeeded', provider_state = 'success', finished_at = 1796000009500 WHERE id = 1;

-- setup: failed
-- use: running
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 0, charge_reported = 1,
    error_code = 'task_failed', message = 'no' WHERE id = 1;
UPDATE jobs SET charged_millicredits = 0 WHERE id = 1;
UPDATE jobs SET state = 'failed', finished_at = 1796000009000, error_code = 'task_failed', error_message = 'no' WHERE id = 1;
