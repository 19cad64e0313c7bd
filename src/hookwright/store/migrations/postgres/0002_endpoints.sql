-- What Kit's signed endpoints and our own have beyond a URL, and requests that carry several events.

ALTER TABLE endpoints ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN app_id bigint;
ALTER TABLE endpoints ADD COLUMN sealed_headers bytea;
ALTER TABLE endpoints ADD COLUMN signature text NOT NULL DEFAULT 'v1';
ALTER TABLE endpoints ADD COLUMN batch_limit smallint NOT NULL DEFAULT 1;

ALTER TABLE deliveries ADD COLUMN batch_id bigint;
CREATE INDEX deliveries_of_batch ON deliveries (lane, batch_id) WHERE batch_id IS NOT NULL;

-- Event types that the platform declared, beside the built-in vocabulary. They belong to no account, so they live in
-- the first lane; every process keeps them in memory.
CREATE TABLE event_types (
    lane smallint NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    schema text,
    sample text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (lane, name)
);
