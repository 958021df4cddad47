-- Queues, budgets, accounts, and the tables that promptd writes.

-- case: queues
INSERT INTO queues (name, paused, max_running) VALUES ('night', 1, 5);
INSERT INTO jobs (prompt, queue) VALUES ('x', 'night');
SELECT queue, queued, max_running, blocked_by, account FROM queue_status ORDER BY queue;
--= default|0|||default
--= night|1|5|paused|default
UPDATE queues SET paused = 0, max_running = 0 WHERE name = 'night';
SELECT queue, blocked_by FROM queue_status ORDER BY queue;
--= default|
--= night|running
UPDATE queues SET paused = 2;
--! queues.paused: 0 or 1
UPDATE queues SET max_running = -1;
--! queues.max_running: NULL (no limit of its own) or at least 0
UPDATE queues SET name = 'other' WHERE name = 'night';
--! queues.name: cannot be changed; make another queue and move its jobs
UPDATE queues SET account = 'nobody';
--! queues.account: there is no such account; the configuration names them, and promptd adds them when it starts
INSERT INTO queues (name, account) VALUES ('x', 'nobody');
--! queues.account: there is no such account; the configuration names them, and promptd adds them when it starts
INSERT INTO queues (name) VALUES ('');
--! sqlite: queues.name: valid UTF-8 without NUL, at most 400 bytes
--! postgresql: queues.name: 1 to 100 characters
INSERT INTO queues (name) VALUES (repeat('x', 101));
--! queues.name: 1 to 100 characters
INSERT INTO queues (name) VALUES (repeat('𐍈', 101));
--! queues.name: valid UTF-8 without NUL, at most 400 bytes
DELETE FROM queues WHERE name = 'night';
--! queues: it still has jobs that have not ended; cancel them, move them, or pause the queue
UPDATE jobs SET queue = 'moved';
DELETE FROM queues WHERE name = 'night';
SELECT name FROM queues ORDER BY name;
--= default
--= moved
UPDATE jobs SET state = 'cancelled';
DELETE FROM queues WHERE name = 'moved';
UPDATE jobs SET state = 'queued';
SELECT name FROM queues ORDER BY name;
--= default
--= moved
INSERT INTO queues (name) VALUES ('moved') ON CONFLICT DO NOTHING;

-- case: accounts
INSERT INTO accounts (name) VALUES ('acme');
SELECT name, is_configured, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits FROM accounts ORDER BY name;
--= acme|1||0|0|0
--= default|1||0|0|0
INSERT INTO accounts (name) VALUES ('acme');
--! accounts: is there already; promptd writes it
INSERT INTO accounts (name) VALUES ('a b');
--! accounts.name: letters, digits, _ and -, 64 at most
INSERT INTO accounts (name, is_configured) VALUES ('x', 2);
--! accounts.is_configured: 0 or 1
UPDATE accounts SET name = 'other' WHERE name = 'acme';
--! accounts.name: does not change; attempts bear it
DELETE FROM accounts;
--! accounts: is kept; promptctl doctor compares it with the ledger
UPDATE accounts SET balance_millicredits = 4000000000000001;
--! accounts: is written by promptd; a number is out of bounds
UPDATE accounts SET rate_limit = 20, rate_window_ms = 10000, running_limit = 100, balance_millicredits = 500000, balance_at = 1796000000000,
    unconfirmed_policy = 'hold', unconfirmed_window_ms = 60000, credit_reserve_millicredits = 1000;
SELECT balance, balance_at, rate_limit, rate_window_seconds, running_limit, provider, credit_reserve, unconfirmed_policy, unconfirmed_window_seconds
    FROM daemon_status;
--= 1000|2026-11-30T00:53:20Z|40|10|200|ok|2|hold|60
SELECT rate_used, rate_limit, running, running_limit FROM daemon_load;
--= 0|40|0|200
INSERT INTO queues (name, account) VALUES ('shop', 'acme');
INSERT INTO jobs (prompt, queue) VALUES ('x', 'shop');
UPDATE accounts SET is_configured = 0 WHERE name = 'acme';
SELECT queue, blocked_by, account FROM queue_status WHERE queue = 'shop';
--= shop|account|acme
UPDATE queues SET account = NULL WHERE name = 'shop';
SELECT queue, blocked_by, account FROM queue_status WHERE queue = 'shop';
--= shop||default

-- case: a retry needs the account that it was paid with
-- use: running
INSERT INTO accounts (name) VALUES ('acme');
UPDATE jobs SET state = 'cancelled';
UPDATE accounts SET is_configured = 0 WHERE name = 'default';
UPDATE jobs SET state = 'queued';
--! jobs.state: its task is of an account that is not in the configuration; put that back first

-- case: a retry while a request is under way
-- use: unconfirmed
UPDATE attempts SET state = 'rejected', finished_at = 1796000009000, reserved_millicredits = 0, error_code = 'not_sent';
UPDATE jobs SET state = 'cancelled';
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (1, 'f123456789abcdef0123456789abcdef', 'default', 'm', 1796000020000, 500);
UPDATE jobs SET state = 'queued';
--! jobs.state: a request of this job is under way; try again in a moment

-- case: readings of the balance
INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
    open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits)
    VALUES (1796000000000, 1796000000100, 100000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
    open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits)
    VALUES (1796000060000, 1796000060100, 96000, 3000, 0, 0, 500, 1, 0, 0, 4, 1000, 0);
SELECT since, compared_at, balance, ledger_spend, account_spend, top_ups, unexplained, estimated, reserved_for_unknown, given_up, account FROM account_status;
--= 2026-11-30T00:53:20Z|2026-11-30T00:54:20Z|96|3.5|5|1|1.5|0.5|0|0|default
UPDATE account_readings SET balance_millicredits = 1;
--! account_readings: what was read stays as it is
INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
    open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits)
    VALUES (1796000060000, 1796000060100, 96000, 3000, 0, 0, 500, 1, 0, 2, 4, 1000, 0);
--! account_readings.in_flight: 0 or 1
INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
    open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits, account)
    VALUES (1796000060000, 1796000060100, 96000, 3000, 0, 0, 500, 1, 0, 0, 4, 1000, 0, '');
--! account_readings.account: 1 to 64 characters
INSERT INTO account_readings (asked_at, answered_at, balance_millicredits, charged_millicredits, presumed_millicredits, adopted_millicredits,
    open_millicredits, open_tasks, unknown_millicredits, in_flight, last_attempt_id, top_ups_millicredits, slack_millicredits)
    VALUES (1796000060000, 1796000060100, 4000000000000001, 3000, 0, 0, 500, 1, 0, 0, 4, 1000, 0);
--! account_readings: is written by promptd; a number is out of bounds

-- case: budgets
INSERT INTO budgets (name, queue, period, limit_millicredits) VALUES ('shop/day', 'shop', 'day', 500000);
SELECT name FROM queues ORDER BY name;
--= default
--= shop
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('all', 'total', 10000000);
SELECT budget, queue, period, "limit", reserved, spent, remaining, model, batch, label, account FROM budget_status ORDER BY budget;
--= all||total|10000|0|0|10000||||
--= shop/day|shop|day|500|0|0|500||||
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('x', 'year', 1);
--! budgets.period: total, hour, day, week or month
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('x', 'day', -1);
--! budgets.limit_millicredits: at least 0
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('x', 'day', 1000000000000001);
--! budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000
UPDATE budgets SET limit_millicredits = 1000000000000001;
--! budgets: name without NUL and of at most 400 bytes, limit_millicredits at most 1000000000000000
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('', 'day', 1);
--! budgets.name: 1 to 100 characters
INSERT INTO budgets (name, period, limit_millicredits, label) VALUES ('x', 'day', 1, 'client');
--! budgets.label: NULL (all) or NAME=VALUE, like client=acme
INSERT INTO budgets (name, period, limit_millicredits, model) VALUES ('x', 'day', 1, '');
--! budgets.model: NULL (all) or a model
INSERT INTO budgets (name, period, limit_millicredits, batch) VALUES ('x', 'day', 1, '');
--! budgets.batch: NULL (all) or 1 to 200 characters
INSERT INTO budgets (name, period, limit_millicredits, account) VALUES ('x', 'day', 1, '');
--! budgets.account: NULL (all) or an account
INSERT INTO budgets (name, period, limit_millicredits) VALUES ('h', 'hour', 1), ('w', 'week', 1), ('m', 'month', 1);
SELECT name, resets_at - starts_at, sums, is_scoped FROM budget_periods WHERE period IN ('hour', 'day', 'week') ORDER BY name;
--= h|3600000|hour|0
--= shop/day|86400000|day|0
--= w|604800000|day|0
SELECT name FROM budget_periods WHERE resets_at <= starts_at;
--= (none)
-- 345600000 is the first Monday.
SELECT (starts_at - 345600000) % 604800000 FROM budget_periods WHERE period = 'week';
--= 0

-- case: narrow budgets
INSERT INTO jobs (prompt, labels, batch) VALUES ('x', '{"client":"acme","n":1,"b":true}', 'tea');
INSERT INTO jobs (prompt, labels) VALUES ('y', '{"client":"other"}');
INSERT INTO budgets (name, period, limit_millicredits, label) VALUES ('acme', 'total', 2000000, 'client=acme');
INSERT INTO budgets (name, period, limit_millicredits, batch) VALUES ('tea', 'total', 2000000, 'tea');
INSERT INTO budgets (name, period, limit_millicredits, label) VALUES ('n', 'total', 1, 'n=1'), ('b', 'total', 1, 'b=true'), ('b1', 'total', 1, 'b=1');
INSERT INTO budgets (name, period, limit_millicredits, model) VALUES ('other', 'total', 1, 'another/model');
INSERT INTO budgets (name, period, limit_millicredits, account) VALUES ('own', 'total', 1, 'default');
SELECT budget, job_id FROM budget_jobs ORDER BY budget, job_id;
--= acme|1
--= b|1
--= b1|1
--= n|1
--= own|1
--= own|2
--= tea|1
INSERT INTO attempts (job_id, token, queue, model, sent_at, reserved_millicredits)
    VALUES (1, '0123456789abcdef0123456789abcdef', 'default', 'flux-2/flex-text-to-image', 1796000000000, 14000);
UPDATE jobs SET state = 'submitting', attempt_count = 1 WHERE id = 1;
SELECT budget, reserved, spent, remaining FROM budget_status ORDER BY budget;
--= acme|14|0|1986
--= b|14|0|-13.999
--= b1|14|0|-13.999
--= n|14|0|-13.999
--= other|0|0|0.001
--= own|14|0|-13.999
--= tea|14|0|1986
UPDATE attempts SET state = 'accepted', task_id = 't1', task_source = 'answer', answered_at = 1796000000500 WHERE id = 1;
UPDATE attempts SET finished_at = 1796000009000, reserved_millicredits = 0, charged_millicredits = 12000, charge_reported = 1 WHERE id = 1;
SELECT budget, reserved, spent FROM budget_status WHERE budget = 'acme';
--= acme|0|12
-- One that is made later counts what was sent before.
INSERT INTO budgets (name, period, limit_millicredits, label) VALUES ('later', 'total', 2000000, 'client=acme');
SELECT budget, reserved, spent FROM budget_status WHERE budget = 'later';
--= later|0|12
SELECT period, starts_at, reserved_millicredits, charged_millicredits FROM budget_spending WHERE budget = 'later' ORDER BY period;
--= day|1795996800000|0|12000
--= hour|1795996800000|0|12000
--= total|0|0|12000
UPDATE budgets SET name = 'renamed' WHERE name = 'later';
SELECT budget, spent FROM budget_status WHERE budget = 'renamed';
--= renamed|12
SELECT count(*) FROM budget_attempts WHERE budget = 'later';
--= 0
UPDATE budgets SET label = 'client=nobody' WHERE name = 'renamed';
SELECT budget, spent FROM budget_status WHERE budget = 'renamed';
--= renamed|0
UPDATE budgets SET limit_millicredits = 5 WHERE name = 'acme';
SELECT spent FROM budget_status WHERE budget = 'acme';
--= 12
DELETE FROM budgets WHERE name = 'acme';
SELECT count(*) FROM budget_spending WHERE budget = 'acme';
--= 0
UPDATE budget_attempts SET attempt_id = 5;
--! budget_attempts: is written by promptd

-- case: sums are kept
-- use: claimed
DELETE FROM spending;
--! spending: the sums that budgets go by are kept; promptctl doctor compares them with the ledger
DELETE FROM queue_counts;
--! queue_counts: is kept; promptctl doctor compares it with the jobs
UPDATE turns SET queue = 'other';
--! turns: is written by promptd

-- case: numbers that nobody could have counted
-- use: claimed
UPDATE spending SET charged_millicredits = 4000000000000001;
--! sqlite: spending: is written by promptd; a number is out of bounds
--! postgresql: spending: the sums that budgets go by are kept; promptctl doctor compares them with the ledger
UPDATE queue_counts SET jobs = 4000000000000001;
--! sqlite: queue_counts: is written by promptd; a number is out of bounds
--! postgresql: queue_counts: is kept; promptctl doctor compares it with the jobs
UPDATE turns SET turn = 4000000000000001;
--! sqlite: turns: is written by promptd; a number is out of bounds
--! postgresql: turns: is written by promptd
INSERT INTO turns_served (queue, priority, turn) VALUES ('x', 0, 4000000000000001);
--! turns_served: is written by promptd; a number is out of bounds

-- case: the daemon's row
SELECT id, pid, version, is_copy, has_marks, default_price_millicredits, catalogue_version, events_removed, hooks_read FROM daemon;
--= 1|||0|0|20000|0|0|
UPDATE daemon SET default_price_millicredits = 15000, last_error = 'x', last_error_at = 1796000000000;
SELECT last_error, last_error_at, provider FROM daemon_status;
--= x|2026-11-30T00:53:20Z|ok
UPDATE daemon SET default_price_millicredits = 1000000001;
--! daemon.default_price_millicredits: 0 to 1000000000; it is written by promptd, from catalogue.defaultPrice
UPDATE daemon SET database_id = 'other';
--! daemon.database_id: does not change
UPDATE daemon SET is_copy = 2;
--! daemon.is_copy: 0 or 1
UPDATE daemon SET has_marks = 2;
--! daemon.has_marks: 0 or 1
UPDATE daemon SET restored_at = -1;
--! daemon.restored_at: Unix time in milliseconds
UPDATE daemon SET restored_requests = -1;
--! daemon.restored_requests: at least 0
UPDATE daemon SET restored_job_id = -1;
--! daemon.restored_job_id: at least 0
UPDATE daemon SET branch = repeat('x', 65);
--! daemon.branch: at most 64 characters
UPDATE daemon SET catalogue_version = -1;
--! daemon.catalogue_version: at least 0
UPDATE daemon SET events_removed = 1;
--! daemon.events_removed: is written by the database; it only grows
UPDATE daemon SET hooks_read = -1;
--! daemon.hooks_read: at least 0
UPDATE daemon SET last_error_at = 4000000000000001;
--! daemon: is written by promptd; a number is out of bounds
DELETE FROM daemon;
--! daemon: its one row stays
INSERT INTO daemon (id) VALUES (1);
--! daemon: has one row, which promptd writes

-- case: events are the database's
INSERT INTO jobs (prompt, batch) VALUES ('x', 'b');
UPDATE events SET state = 'failed';
--! events: what happened does not change
DELETE FROM events;
--! events: those of the last week stay; promptd removes the oldest
INSERT INTO events (job_id, previous_state, state, queue, at) VALUES (1, 'queued', 'running', 'default', 1796000000000);
--! events: are written by the database, when the state of a job changes
SELECT sequence, job_id, previous_state, state, queue, batch FROM events;
--= 1|1||queued|default|b

-- case: gates
INSERT INTO gates (name, closed_at, reopens_at, message) VALUES ('provider', 1796000000000, 1796000060000, 'it is down');
INSERT INTO gates (name, queue, account, closed_at) VALUES ('budget:x', 'default', 'default', 1796000000001);
SELECT name, queue, account, closed_at, reopens_at, message FROM gates ORDER BY name;
--= budget:x|default|default|1796000000001||
--= provider|||1796000000000|1796000060000|it is down
INSERT INTO jobs (prompt) VALUES ('x');
SELECT queue, blocked_by FROM queue_status;
--= default|budget:x
DELETE FROM gates WHERE name = 'budget:x';
SELECT queue, blocked_by FROM queue_status;
--= default|provider
SELECT provider FROM daemon_status;
--= provider
INSERT INTO gates (name, closed_at) VALUES ('x', -1);
--! gates: is written by promptd; a number or a text is out of bounds
DELETE FROM gates;
INSERT INTO gates (name, account, closed_at) VALUES ('model:flux-2/flex-text-to-image', 'default', 1796000000001);
SELECT queue, blocked_by FROM queue_status;
--= default|model:flux-2/flex-text-to-image
INSERT INTO jobs (prompt, model) VALUES ('y', 'm/y');
SELECT queue, blocked_by FROM queue_status;
--= default|
INSERT INTO gate_closings (name, message, at) VALUES (repeat('x', 501), 'm', 1796000000001);
--! gate_closings.name: at most 500 characters
INSERT INTO gate_closings (name, message, at) VALUES ('x', repeat('x', 4001), 1796000000001);
--! gate_closings.message: at most 4000 characters
INSERT INTO gate_closings (name, message, at) VALUES ('x', 'm', -1);
--! gate_closings.at: Unix time in milliseconds

-- case: deliveries of hooks
INSERT INTO hook_deliveries (hook, event, job_id, sequence, at, next_at) VALUES ('h', 'succeeded', 1, 5, 1796000000000, 1796000000000);
SELECT id, hook, event, state, attempts, last_error, ended_at FROM hook_deliveries;
--= 1|h|succeeded|pending|0||
INSERT INTO hook_deliveries (hook, event, job_id, sequence, at, next_at) VALUES ('h', 'succeeded', 1, 5, 1796000000000, 1796000000000);
--! sqlite: UNIQUE constraint failed
--! postgresql: duplicate key value violates unique constraint
INSERT INTO hook_deliveries (hook, event, at, next_at) VALUES ('', 'succeeded', 1796000000000, 1796000000000);
--! hook_deliveries.hook: 1 to 64 characters
INSERT INTO hook_deliveries (hook, event, at, next_at) VALUES ('h', 'other', 1796000000000, 1796000000000);
--! hook_deliveries.event: succeeded, failed, unconfirmed, batch.done, gate.closed, budget.warning, budget.reached or test
INSERT INTO hook_deliveries (hook, event, at, next_at, subject) VALUES ('h', 'test', 1796000000000, 1796000000000, repeat('x', 501));
--! hook_deliveries.subject: at most 500 characters
INSERT INTO hook_deliveries (hook, event, at, next_at, message) VALUES ('h', 'test', 1796000000000, 1796000000000, repeat('x', 4001));
--! hook_deliveries.message: at most 4000 characters
INSERT INTO hook_deliveries (hook, event, at, next_at) VALUES ('h', 'test', -1, 1796000000000);
--! hook_deliveries.at: Unix time in milliseconds
INSERT INTO hook_deliveries (hook, event, at, next_at) VALUES ('h', 'test', 1796000000000, -1);
--! hook_deliveries.next_at: Unix time in milliseconds
UPDATE hook_deliveries SET state = 'other';
--! sqlite: hook_deliveries.state: pending, delivered or dead
--! postgresql: hook_deliveries.
UPDATE hook_deliveries SET ended_at = 1796000000000;
--! hook_deliveries.ended_at: Unix time in milliseconds, of what is not pending
UPDATE hook_deliveries SET attempts = 1000001;
--! hook_deliveries.attempts: 0 to 1000000
UPDATE hook_deliveries SET last_error = repeat('x', 1001);
--! hook_deliveries.last_error: at most 1000 characters

-- case: prices
INSERT INTO prices (model, millicredits) VALUES ('m', 5000);
SELECT model, input, millicredits, per, source, note FROM prices;
--= m|{}|5000||operator|
INSERT INTO prices (model, millicredits) VALUES ('m', 5000);
--! sqlite: UNIQUE constraint failed
--! postgresql: duplicate key value violates unique constraint
INSERT INTO prices (model, millicredits) VALUES ('', 5000);
--! prices.model: must not be empty
INSERT INTO prices (model, millicredits) VALUES ('a b', 5000);
--! prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000
UPDATE prices SET note = repeat('x', 1001);
--! prices: model of up to 200 characters of ASCII, input of at most 65536 bytes, per of 200, note of 1000
INSERT INTO prices (model, millicredits, input) VALUES ('m', 5000, '[]');
--! prices.input: must be a JSON object, like {"resolution":"2K"}; {} fits every input
INSERT INTO prices (model, millicredits) VALUES ('m2', 1000000001);
--! prices.millicredits: 0 to 1000000000, thousandths of a credit (5 credits are 5000)
INSERT INTO prices (model, millicredits, per) VALUES ('m2', 5, 'two words');
--! prices.per: NULL (a task), a field with a number, like duration, or 1000 characters of FIELD
INSERT INTO prices (model, millicredits, per) VALUES ('m2', 5, '1000 characters of text');
INSERT INTO prices (model, millicredits, source) VALUES ('m2', 5, 'other');
--! prices.source: operator; configuration is written by promptd, from catalogue.prices

-- case: the provider's models
INSERT INTO provider_models (model, read_at) VALUES ('m', 1796000000000);
UPDATE provider_models SET title = 'M';
SELECT catalogue_version FROM daemon;
--= 2
DELETE FROM provider_models;
SELECT catalogue_version FROM daemon;
--= 3
INSERT INTO provider_models (model, read_at) VALUES ('', 1796000000000);
--! provider_models.model: 1 to 200 characters
INSERT INTO provider_models (model, read_at, listed) VALUES ('m', 1796000000000, 2);
--! provider_models.listed: 0 or 1
INSERT INTO provider_models (model, read_at, title) VALUES ('m', 1796000000000, repeat('x', 501));
--! provider_models.title: at most 500 characters
INSERT INTO provider_models (model, read_at, task_types) VALUES ('m', 1796000000000, '{}');
--! provider_models.task_types: a JSON list, of at most 4000 characters
INSERT INTO provider_models (model, read_at, pricing) VALUES ('m', 1796000000000, repeat('x', 4001));
--! provider_models.pricing: at most 4000 characters
INSERT INTO provider_models (model, read_at, input_schema) VALUES ('m', 1796000000000, '[]');
--! provider_models.input_schema: a JSON object of at most 256 KiB
INSERT INTO provider_models (model, read_at) VALUES ('m', -1);
--! provider_models.read_at: Unix time in milliseconds

-- case: schedules
INSERT INTO schedules (name, cron, prompt) VALUES ('daily', '0 9 * * MON', 'x');
SELECT name, cron, time_zone, prompt, model, input, queue, priority, batch, labels, max_attempts, allow_unknown, limit_millicredits, catch_up,
    enabled, next_run_at, last_run_at, last_job_id, last_error FROM schedules;
--= daily|0 9 * * MON|UTC|x|flux-2/flex-text-to-image|{}|default|0|||3|0||one|1||||
INSERT INTO schedules (name, cron) VALUES ('daily', '@daily');
--! schedules.name: there is a schedule of this name; UPDATE it
UPDATE schedules SET name = 'other';
--! schedules.name: cannot be changed; remove the schedule and add another
UPDATE schedules SET next_run_at = 1800000000000, last_error = 'x';
UPDATE schedules SET cron = '@daily';
SELECT next_run_at, last_error FROM schedules;
--= |
INSERT INTO schedules (name, cron, last_error) VALUES ('x', '@daily', 'y');
--! schedules: a text holds a NUL character, or last_run_at, last_job_id or last_error are given, which promptd writes
INSERT INTO schedules (name, cron) VALUES ('', '@daily');
--! schedules.name: 1 to 100 characters
INSERT INTO schedules (name, cron) VALUES ('x', 'daily');
--! schedules.cron: five fields, like 0 9 * * MON, or @daily
INSERT INTO schedules (name, cron, time_zone) VALUES ('x', '@daily', '/etc');
--! schedules.time_zone: an IANA name, like Europe/Berlin
INSERT INTO schedules (name, cron, model) VALUES ('x', '@daily', '');
--! schedules.model: must not be empty
INSERT INTO schedules (name, cron, input) VALUES ('x', '@daily', '[]');
--! schedules.input: must be a JSON object, like {"aspect_ratio":"16:9"}
INSERT INTO schedules (name, cron, queue) VALUES ('x', '@daily', '');
--! schedules.queue: 1 to 100 characters
INSERT INTO schedules (name, cron, batch) VALUES ('x', '@daily', '');
--! schedules.batch: NULL or 1 to 190 characters
INSERT INTO schedules (name, cron, labels) VALUES ('x', '@daily', '1');
--! schedules.labels: NULL or a JSON object, like {"sku":"A-1"}
INSERT INTO schedules (name, cron, max_attempts) VALUES ('x', '@daily', 21);
--! schedules.max_attempts: 1 to 20
INSERT INTO schedules (name, cron, allow_unknown) VALUES ('x', '@daily', 2);
--! schedules.allow_unknown: 0 or 1
INSERT INTO schedules (name, cron, limit_millicredits) VALUES ('x', '@daily', -1);
--! schedules.limit_millicredits: NULL or at least 0
INSERT INTO schedules (name, cron, catch_up) VALUES ('x', '@daily', 'some');
--! schedules.catch_up: skip, one or all
INSERT INTO schedules (name, cron, enabled) VALUES ('x', '@daily', 2);
--! schedules.enabled: 0 or 1
INSERT INTO schedules (name, cron, next_run_at) VALUES ('x', '@daily', 1800000000);
--! schedules.next_run_at: Unix time in milliseconds (seconds times 1000)
UPDATE schedules SET last_run_at = -1;
--! schedules.last_run_at: Unix time in milliseconds
UPDATE schedules SET last_error = repeat('x', 4001);
--! schedules.last_error: at most 4000 characters

-- case: batches
INSERT INTO jobs (prompt, batch, estimated_millicredits) VALUES ('x', 'a', 5000), ('y', 'a', 6000), ('z', 'b', NULL);
UPDATE jobs SET state = 'cancelled' WHERE prompt = 'y';
SELECT batch, jobs, queued, running, succeeded, failed, cancelled, unconfirmed, estimated_credits, charged_credits, estimated_finish FROM batch_status ORDER BY batch;
--= a|2|1|0|0|0|1|0|11|0|
--= b|1|1|0|0|0|0|0|0|0|
UPDATE accounts SET rate_limit = 20, rate_window_ms = 10000, running_limit = 100;
SELECT batch FROM batch_status WHERE estimated_finish IS NULL;
--= (none)

-- case: what is removed and set aside has bounds
-- use: succeeded
INSERT INTO removals (path, job_id) VALUES ('2026/../x', 1);
--! removals: is written by promptd, for the files of a job that it prunes
INSERT INTO set_aside (job_id, reason, since) VALUES (1, repeat('x', 4001), 1796000000000);
--! set_aside: is written by promptd; the reason is too long
INSERT INTO suspects (step, subject, job_id, weight, version, reason) VALUES ('poll', 1, 1, 6, '1', repeat('x', 1001));
--! suspects.reason: at most 1000 characters
UPDATE attempts SET state = 'rejected';
--! attempts: what is settled stays as it is
