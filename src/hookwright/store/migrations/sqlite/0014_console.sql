-- The console: who is signed in, what happened in each minute and hour, and where to find what failed.

-- A session lives in the lane of the key that it was begun with. Only the digest of its token is kept.
CREATE TABLE sessions (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX sessions_by_age ON sessions (seen_at);

-- How many events were published and how many attempts succeeded and failed, in slots of a minute and of an hour. Rows
-- of account 0, in the first lane, count for the whole platform.
CREATE TABLE tallies (
    lane INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    slot_seconds INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    published INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (lane, account_id, slot_seconds, began_at)
) WITHOUT ROWID;
CREATE INDEX tallies_by_age ON tallies (slot_seconds, began_at);

-- What died or waits for a retry. A delivery that succeeds at once is never in it.
CREATE INDEX deliveries_failed ON deliveries (lane, created_at DESC, id DESC)
    WHERE status = 'dead' OR (status = 'pending' AND attempts > round_start);

-- Endpoints that somebody should look at.
CREATE INDEX endpoints_in_trouble ON endpoints (lane, account_id, id)
    WHERE failing_since IS NOT NULL OR missed_since IS NOT NULL OR status = 'disabled';
