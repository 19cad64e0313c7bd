-- Replays of many deliveries, as jobs that can be watched and cancelled; and deliveries that are not to be late.

CREATE TABLE replays (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    endpoint_id INTEGER,
    event_type TEXT,
    statuses TEXT NOT NULL,
    created_from INTEGER,
    created_to INTEGER NOT NULL,
    rate_per_second INTEGER NOT NULL,
    status TEXT NOT NULL,
    total INTEGER NOT NULL,
    replayed INTEGER NOT NULL DEFAULT 0,
    place_created_at INTEGER NOT NULL DEFAULT 0,
    place_id INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX replays_of_account ON replays (lane, account_id, id);
CREATE INDEX replays_running ON replays (id) WHERE status = 'running';

ALTER TABLE deliveries ADD COLUMN expires_at INTEGER;
