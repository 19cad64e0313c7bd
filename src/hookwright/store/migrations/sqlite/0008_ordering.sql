-- Deliveries that go one after another: those of one endpoint in one line, by place. And expiry on time.

ALTER TABLE endpoints ADD COLUMN ordering TEXT NOT NULL DEFAULT 'none';
ALTER TABLE endpoints ADD COLUMN next_place INTEGER NOT NULL DEFAULT 1;

ALTER TABLE events ADD COLUMN ordering_key TEXT;
ALTER TABLE events ADD COLUMN expires_at INTEGER;

ALTER TABLE deliveries ADD COLUMN line TEXT;
ALTER TABLE deliveries ADD COLUMN place INTEGER;
CREATE INDEX deliveries_in_line ON deliveries (lane, endpoint_id, line, place)
    WHERE place IS NOT NULL AND status IN ('pending', 'in_flight');
CREATE INDEX deliveries_blocking ON deliveries (lane, endpoint_id, place)
    WHERE place IS NOT NULL AND status IN ('pending', 'in_flight') AND attempts > round_start;
CREATE INDEX deliveries_expiring ON deliveries (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
