-- promptd's schema, version 24: the dashboard finds the jobs of a queue and of a state, however many others there are.

PRAGMA user_version = 24;

-- For statements that say `id > 0`, and for no others: what claims jobs has indexes of its own, which hold what is queued
-- alone, and must not be tempted by this one.
CREATE INDEX jobs_listed ON jobs (queue, state) WHERE id > 0;
