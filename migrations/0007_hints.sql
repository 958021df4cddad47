-- promptd's schema, version 7: the task that a callback named for a request whose answer is missing.

PRAGMA user_version = 7;

-- Only a hint: promptd asks the provider about it, again after each start, and its answer decides. NULL if none came.
ALTER TABLE attempts ADD COLUMN hinted_task_id TEXT;
-- How often it was set: a few times at most, so that a flood of callbacks cannot cause commits without bound.
ALTER TABLE attempts ADD COLUMN hint_changes INTEGER NOT NULL DEFAULT 0;
