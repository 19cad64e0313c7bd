-- How an endpoint fares, its brakes, and what its account is to be told of it.

ALTER TABLE endpoints ADD COLUMN failing_since bigint;
ALTER TABLE endpoints ADD COLUMN failed_at bigint;
ALTER TABLE endpoints ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN warned_percent smallint NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN breaker_open_until bigint;
ALTER TABLE endpoints ADD COLUMN probing boolean NOT NULL DEFAULT FALSE;
ALTER TABLE endpoints ADD COLUMN max_in_flight integer;
ALTER TABLE endpoints ADD COLUMN rate_per_second integer;
ALTER TABLE endpoints ADD COLUMN rate_free_at bigint NOT NULL DEFAULT 0;

-- Written with the change that they tell of; each becomes an event of the account, once, and is deleted.
CREATE TABLE announcements (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (lane, id)
);
