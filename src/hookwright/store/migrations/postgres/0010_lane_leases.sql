-- Workers share the lanes by leases; each takes what is due in its own lanes, found without reading the others'.

ALTER TABLE lanes ADD COLUMN owner text;
ALTER TABLE lanes ADD COLUMN leased_until bigint;

-- The workers that live. They belong to no account, so they are kept in the first lane.
CREATE TABLE workers (
    lane smallint NOT NULL,
    id text NOT NULL,
    seen_until bigint NOT NULL,
    PRIMARY KEY (lane, id)
);

DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (lane, due_at) WHERE status = 'pending' AND due_at IS NOT NULL;
