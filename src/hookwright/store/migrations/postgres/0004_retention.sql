-- What is old is found by age, a lane at a time.

CREATE INDEX events_by_age ON events (lane, accepted_at);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (lane, created_at);
