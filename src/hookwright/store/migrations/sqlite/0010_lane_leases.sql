-- Workers share the lanes by leases; each takes what is due in its own lanes, found without reading the others'.

ALTER TABLE lanes ADD COLUMN owner TEXT;
ALTER TABLE lanes ADD COLUMN leased_until INTEGER;

-- The workers that live. They belong to no account, so they are kept in the first lane.
CREATE TABLE workers (
    lane INTEGER NOT NULL,
    id TEXT NOT NULL,
    seen_until INTEGER NOT NULL,
    PRIMARY KEY (lane, id)
);

DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (lane, due_at) WHERE status = 'pending' AND due_at IS NOT NULL;
