-- The console: who is signed in, what happened in each minute and hour, and where to find what failed.

-- A session lives in the lane of the key that it was begun with. Only the digest of its token is kept.
CREATE TABLE sessions (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    key_id bigint NOT NULL,
    digest bytea NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX sessions_by_age ON sessions (seen_at);

-- How many events were published and how many attempts succeeded and failed, in slots of a minute and of an hour. Rows
-- of account 0, in the first lane, count for the whole platform.
CREATE TABLE tallies (
    lane smallint NOT NULL,
    account_id bigint NOT NULL,
    slot_seconds integer NOT NULL,
    began_at bigint NOT NULL,
    published bigint NOT NULL,
    delivered bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (lane, account_id, slot_seconds, began_at)
) WITH (fillfactor = 50);  -- the rows of the present slots are changed every few seconds
CREATE INDEX tallies_by_age ON tallies (slot_seconds, began_at);

-- What died or waits for a retry. A delivery that succeeds at once is never in it.
CREATE INDEX deliveries_failed ON deliveries (lane, created_at DESC, id DESC)
    WHERE status = 'dead' OR (status = 'pending' AND attempts > round_start);

-- Endpoints that somebody should look at.
CREATE INDEX endpoints_in_trouble ON endpoints (lane, account_id, id)
    WHERE failing_since IS NOT NULL OR missed_since IS NOT NULL OR status = 'disabled';
