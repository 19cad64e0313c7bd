-- Deliveries that go one after another: those of one endpoint in one line, by place. And expiry on time.

ALTER TABLE endpoints ADD COLUMN ordering text NOT NULL DEFAULT 'none';
ALTER TABLE endpoints ADD COLUMN next_place bigint NOT NULL DEFAULT 1;

ALTER TABLE events ADD COLUMN ordering_key text;
ALTER TABLE events ADD COLUMN expires_at bigint;

ALTER TABLE deliveries ADD COLUMN line text;
ALTER TABLE deliveries ADD COLUMN place bigint;
CREATE INDEX deliveries_in_line ON deliveries (lane, endpoint_id, line, place)
    WHERE place IS NOT NULL AND status IN ('pending', 'in_flight');
CREATE INDEX deliveries_blocking ON deliveries (lane, endpoint_id, place)
    WHERE place IS NOT NULL AND status IN ('pending', 'in_flight') AND attempts > round_start;
CREATE INDEX deliveries_expiring ON deliveries (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
