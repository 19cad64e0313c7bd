-- Replays of many deliveries, as jobs that can be watched and cancelled; and deliveries that are not to be late.

CREATE TABLE replays (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    endpoint_id bigint,
    event_type text,
    statuses text NOT NULL,
    created_from bigint,
    created_to bigint NOT NULL,
    rate_per_second integer NOT NULL,
    status text NOT NULL,
    total integer NOT NULL,
    replayed integer NOT NULL DEFAULT 0,
    place_created_at bigint NOT NULL DEFAULT 0,
    place_id bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    finished_at bigint,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX replays_of_account ON replays (lane, account_id, id);
CREATE INDEX replays_running ON replays (id) WHERE status = 'running';

ALTER TABLE deliveries ADD COLUMN expires_at bigint;
