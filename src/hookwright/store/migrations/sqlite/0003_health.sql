-- How an endpoint fares, its brakes, and what its account is to be told of it.

ALTER TABLE endpoints ADD COLUMN failing_since INTEGER;
ALTER TABLE endpoints ADD COLUMN failed_at INTEGER;
ALTER TABLE endpoints ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN warned_percent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN breaker_open_until INTEGER;
ALTER TABLE endpoints ADD COLUMN probing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN max_in_flight INTEGER;
ALTER TABLE endpoints ADD COLUMN rate_per_second INTEGER;
ALTER TABLE endpoints ADD COLUMN rate_free_at INTEGER NOT NULL DEFAULT 0;

-- Written with the change that they tell of; each becomes an event of the account, once, and is deleted.
CREATE TABLE announcements (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (lane, id)
);
