-- promptd's schema, version 23: jobs that recur.

PRAGMA user_version = 23;

CREATE TABLE schedules (
    name TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "schedules.name: 1 to 100 characters" CHECK (length(name) BETWEEN 1 AND 100 AND instr(name, char(0)) = 0),
    -- Minute, hour, day of the month, month, day of the week (crontab(5)), or @daily and the like. promptd says in last_error
    -- what it does not understand.
    cron TEXT NOT NULL
        CONSTRAINT "schedules.cron: five fields, like 0 9 * * MON, or @daily"
        CHECK (length(cron) BETWEEN 2 AND 200 AND (cron GLOB '@*' OR cron GLOB '?* ?* ?* ?* ?*') AND instr(cron, char(0)) = 0),
    time_zone TEXT NOT NULL DEFAULT 'UTC'
        CONSTRAINT "schedules.time_zone: an IANA name, like Europe/Berlin"
        CHECK (length(time_zone) BETWEEN 1 AND 64 AND time_zone NOT GLOB '*[^A-Za-z0-9/_+-]*' AND time_zone NOT GLOB '/*'),

    -- As in jobs. {date} and {time} in batch are those of the run, in the time zone.
    prompt TEXT,
    model TEXT NOT NULL DEFAULT 'flux-2/flex-text-to-image'
        CONSTRAINT "schedules.model: must not be empty" CHECK (model <> ''),
    input TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT "schedules.input: must be a JSON object, like {""aspect_ratio"":""16:9""}"
        CHECK (CASE WHEN json_valid(input) THEN json_type(input) = 'object' ELSE 0 END),
    queue TEXT NOT NULL DEFAULT 'default'
        CONSTRAINT "schedules.queue: 1 to 100 characters" CHECK (length(queue) BETWEEN 1 AND 100),
    priority INTEGER NOT NULL DEFAULT 0,
    batch TEXT
        CONSTRAINT "schedules.batch: NULL or 1 to 190 characters" CHECK (length(batch) BETWEEN 1 AND 190),
    labels TEXT
        CONSTRAINT "schedules.labels: NULL or a JSON object, like {""sku"":""A-1""}"
        CHECK (labels IS NULL OR CASE WHEN json_valid(labels) THEN json_type(labels) = 'object' ELSE 0 END),
    max_attempts INTEGER NOT NULL DEFAULT 3
        CONSTRAINT "schedules.max_attempts: 1 to 20" CHECK (max_attempts BETWEEN 1 AND 20),
    allow_unknown INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "schedules.allow_unknown: 0 or 1" CHECK (allow_unknown IN (0, 1)),

    -- A run that is estimated to cost more makes no job. A budget for its label limits what all of them cost.
    limit_millicredits INTEGER
        CONSTRAINT "schedules.limit_millicredits: NULL or at least 0" CHECK (limit_millicredits >= 0),
    -- Of runs that were missed: none, the latest, or all, up to 24.
    catch_up TEXT NOT NULL DEFAULT 'one'
        CONSTRAINT "schedules.catch_up: skip, one or all" CHECK (catch_up IN ('skip', 'one', 'all')),
    enabled INTEGER NOT NULL DEFAULT 1
        CONSTRAINT "schedules.enabled: 0 or 1" CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),

    -- NULL: promptd has yet to work it out. An instant that is set is kept, and the first run is then.
    next_run_at INTEGER
        CONSTRAINT "schedules.next_run_at: Unix time in milliseconds (seconds times 1000)"
        CHECK (next_run_at BETWEEN 100000000000 AND 253402300799999),

    -- Written by promptd.
    last_run_at INTEGER
        CONSTRAINT "schedules.last_run_at: Unix time in milliseconds" CHECK (last_run_at BETWEEN 0 AND 253402300799999),
    last_job_id INTEGER,
    -- Why the last run made no job.
    last_error TEXT
        CONSTRAINT "schedules.last_error: at most 4000 characters" CHECK (length(last_error) <= 4000)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER schedules_text_inserted BEFORE INSERT ON schedules
WHEN instr(NEW.prompt, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.input, char(0)) OR instr(NEW.queue, char(0))
    OR instr(NEW.batch, char(0)) OR instr(NEW.labels, char(0))
    OR NEW.last_run_at IS NOT NULL OR NEW.last_job_id IS NOT NULL OR NEW.last_error IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'schedules: a text holds a NUL character, or last_run_at, last_job_id or last_error are given, which promptd writes');
END;

CREATE TRIGGER schedules_text BEFORE UPDATE ON schedules
WHEN instr(NEW.prompt, char(0)) OR instr(NEW.model, char(0)) OR instr(NEW.input, char(0)) OR instr(NEW.queue, char(0))
    OR instr(NEW.batch, char(0)) OR instr(NEW.labels, char(0)) OR instr(NEW.last_error, char(0))
BEGIN
    SELECT RAISE(ABORT, 'schedules: a text holds a NUL character');
END;

-- The keys of its runs are made of its name: under another one, a run could be paid for again.
CREATE TRIGGER schedules_name_frozen BEFORE UPDATE OF name ON schedules WHEN OLD.name <> NEW.name
BEGIN
    SELECT RAISE(ABORT, 'schedules.name: cannot be changed; remove the schedule and add another');
END;

-- INSERT OR REPLACE would forget when it ran last.
CREATE TRIGGER schedules_not_replaced BEFORE INSERT ON schedules WHEN EXISTS (SELECT 1 FROM schedules WHERE name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'schedules.name: there is a schedule of this name; UPDATE it');
END;

-- At other times, or again after a pause: what passed meanwhile is not made up for.
CREATE TRIGGER schedules_changed AFTER UPDATE OF cron, time_zone, enabled ON schedules
WHEN (OLD.cron <> NEW.cron OR OLD.time_zone <> NEW.time_zone OR OLD.enabled < NEW.enabled)
    AND OLD.next_run_at IS NEW.next_run_at
BEGIN
    UPDATE schedules SET next_run_at = NULL, last_error = NULL WHERE name = NEW.name;
END;
