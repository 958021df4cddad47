-- promptd's schema, version 25: what others are told of, until it has reached them.

PRAGMA user_version = 25;

-- A row for each thing that a hook is told, made in the transaction that notes how far events were read: a crash loses none.
CREATE TABLE hook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The hook's name in the configuration.
    hook TEXT NOT NULL
        CONSTRAINT "hook_deliveries.hook: 1 to 64 characters" CHECK (length(hook) BETWEEN 1 AND 64),
    event TEXT NOT NULL
        CONSTRAINT "hook_deliveries.event: succeeded, failed, unconfirmed, batch.done, gate.closed, budget.reached or test"
        CHECK (event IN ('succeeded', 'failed', 'unconfirmed', 'batch.done', 'gate.closed', 'budget.reached', 'test')),
    job_id INTEGER,
    -- The batch, the gate or the budget.
    subject TEXT
        CONSTRAINT "hook_deliveries.subject: at most 500 characters" CHECK (length(subject) <= 500),
    message TEXT
        CONSTRAINT "hook_deliveries.message: at most 4000 characters" CHECK (length(message) <= 4000),
    -- In events; NULL: of none of these.
    sequence INTEGER,
    at INTEGER NOT NULL
        CONSTRAINT "hook_deliveries.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999),
    state TEXT NOT NULL DEFAULT 'pending'
        CONSTRAINT "hook_deliveries.state: pending, delivered or dead" CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0
        CONSTRAINT "hook_deliveries.attempts: 0 to 1000000" CHECK (attempts BETWEEN 0 AND 1000000),
    next_at INTEGER NOT NULL
        CONSTRAINT "hook_deliveries.next_at: Unix time in milliseconds" CHECK (next_at BETWEEN 0 AND 253402300799999),
    last_error TEXT
        CONSTRAINT "hook_deliveries.last_error: at most 1000 characters" CHECK (length(last_error) <= 1000),
    ended_at INTEGER
        CONSTRAINT "hook_deliveries.ended_at: Unix time in milliseconds, of what is not pending"
        CHECK (ended_at BETWEEN 0 AND 253402300799999 AND state <> 'pending' OR ended_at IS NULL AND state = 'pending')
) STRICT;

CREATE INDEX hook_deliveries_due ON hook_deliveries (hook, next_at) WHERE state = 'pending';

-- What a hook is told of a job goes in order.
CREATE INDEX hook_deliveries_job ON hook_deliveries (hook, job_id, id) WHERE state = 'pending' AND job_id IS NOT NULL;

CREATE INDEX hook_deliveries_dead ON hook_deliveries (id) WHERE state = 'dead';

CREATE INDEX hook_deliveries_ended ON hook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE UNIQUE INDEX hook_deliveries_once ON hook_deliveries (hook, event, sequence) WHERE sequence IS NOT NULL;

-- Up to which event deliveries were made; NULL: there are no hooks.
ALTER TABLE daemon ADD COLUMN hooks_read INTEGER
    CONSTRAINT "daemon.hooks_read: at least 0" CHECK (hooks_read >= 0);

-- Gates that have closed, until deliveries are made of them.
CREATE TABLE gate_closings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT "gate_closings.name: at most 500 characters" CHECK (length(name) <= 500),
    message TEXT CONSTRAINT "gate_closings.message: at most 4000 characters" CHECK (length(message) <= 4000),
    at INTEGER NOT NULL
        CONSTRAINT "gate_closings.at: Unix time in milliseconds" CHECK (at BETWEEN 0 AND 253402300799999)
) STRICT;

-- Whether more of a batch has happened since: asked for each batch that is done.
CREATE INDEX events_batch ON events (batch, sequence) WHERE batch IS NOT NULL;
