-- promptd's schema, version 30: hooks are told when a budget is nearly used, and what batches were charged is found in an index.

PRAGMA user_version = 30;

-- The same table, with one more event.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The hook's name in the configuration.
    hook TEXT NOT NULL
        CONSTRAINT "hook_deliveries.hook: 1 to 64 characters" CHECK (length(hook) BETWEEN 1 AND 64),
    event TEXT NOT NULL
        CONSTRAINT "hook_deliveries.event: succeeded, failed, unconfirmed, batch.done, gate.closed, budget.warning, budget.reached or test"
        CHECK (event IN ('succeeded', 'failed', 'unconfirmed', 'batch.done', 'gate.closed', 'budget.warning',
            'budget.reached', 'test')),
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


INSERT INTO deliveries SELECT * FROM hook_deliveries ORDER BY id;

-- Numbers are not given twice: receivers know deliveries by them.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'deliveries', seq FROM sqlite_sequence WHERE name = 'hook_deliveries'
    AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'deliveries');

UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'hook_deliveries') WHERE name = 'deliveries';

DROP TABLE hook_deliveries;

ALTER TABLE deliveries RENAME TO hook_deliveries;

CREATE INDEX hook_deliveries_due ON hook_deliveries (hook, next_at) WHERE state = 'pending';

-- What a hook is told of a job goes in order.
CREATE INDEX hook_deliveries_job ON hook_deliveries (hook, job_id, id) WHERE state = 'pending' AND job_id IS NOT NULL;

CREATE INDEX hook_deliveries_dead ON hook_deliveries (id) WHERE state = 'dead';

CREATE INDEX hook_deliveries_ended ON hook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE UNIQUE INDEX hook_deliveries_once ON hook_deliveries (hook, event, sequence) WHERE sequence IS NOT NULL;

-- In which period hooks were told last that a budget is nearly used.
CREATE TABLE budget_warnings (
    budget TEXT NOT NULL PRIMARY KEY,
    starts_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A page of batches adds up what each was charged.
CREATE INDEX jobs_batch_charged ON jobs (batch, charged_millicredits) WHERE charged_millicredits > 0;
