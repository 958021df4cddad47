-- promptd's schema, version 17: what the provider says of its models, over what promptd was built with.

PRAGMA user_version = 17;

CREATE TABLE provider_models (
    model TEXT NOT NULL PRIMARY KEY
        CONSTRAINT "provider_models.model: 1 to 200 characters"
        CHECK (length(model) BETWEEN 1 AND 200 AND instr(model, char(0)) = 0),
    -- Whether it was in the provider's list when that was last read.
    listed INTEGER NOT NULL DEFAULT 1
        CONSTRAINT "provider_models.listed: 0 or 1" CHECK (listed IN (0, 1)),
    title TEXT
        CONSTRAINT "provider_models.title: at most 500 characters" CHECK (length(title) <= 500),
    -- What it does, in the provider's words: a JSON list of texts.
    task_types TEXT NOT NULL DEFAULT '[]'
        CONSTRAINT "provider_models.task_types: a JSON list, of at most 4000 characters"
        CHECK (length(task_types) <= 4000 AND CASE WHEN json_valid(task_types) THEN json_type(task_types) = 'array' ELSE 0 END),
    -- What it costs, in the provider's words.
    pricing TEXT
        CONSTRAINT "provider_models.pricing: at most 4000 characters" CHECK (length(pricing) <= 4000),
    -- The JSON schema of input; NULL: the provider publishes none.
    input_schema TEXT
        CONSTRAINT "provider_models.input_schema: a JSON object of at most 256 KiB"
        CHECK (input_schema IS NULL OR length(CAST(input_schema AS BLOB)) <= 262144
            AND CASE WHEN json_valid(input_schema) THEN json_type(input_schema) = 'object' ELSE 0 END),
    read_at INTEGER NOT NULL
        CONSTRAINT "provider_models.read_at: Unix time in milliseconds" CHECK (read_at BETWEEN 0 AND 253402300799999)
) STRICT, WITHOUT ROWID;

-- Counts the changes to provider_models, so that a claim notices them by one number.
ALTER TABLE daemon ADD COLUMN catalogue_version INTEGER NOT NULL DEFAULT 0
    CONSTRAINT "daemon.catalogue_version: at least 0" CHECK (catalogue_version >= 0);

CREATE TRIGGER provider_models_inserted AFTER INSERT ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;

CREATE TRIGGER provider_models_updated AFTER UPDATE ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;

CREATE TRIGGER provider_models_deleted AFTER DELETE ON provider_models
BEGIN
    UPDATE daemon SET catalogue_version = catalogue_version + 1;
END;
