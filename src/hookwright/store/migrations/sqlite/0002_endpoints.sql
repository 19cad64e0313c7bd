-- What Kit's signed endpoints and our own have beyond a URL, and requests that carry several events.

ALTER TABLE endpoints ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN app_id INTEGER;
ALTER TABLE endpoints ADD COLUMN sealed_headers BLOB;
ALTER TABLE endpoints ADD COLUMN signature TEXT NOT NULL DEFAULT 'v1';
ALTER TABLE endpoints ADD COLUMN batch_limit INTEGER NOT NULL DEFAULT 1;

ALTER TABLE deliveries ADD COLUMN batch_id INTEGER;
CREATE INDEX deliveries_of_batch ON deliveries (lane, batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE event_types (
    lane INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    schema TEXT,
    sample TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (lane, name)
);
