-- Which master keys have sealed what is kept here: a server that lacks one of them must not start. They belong to no
-- account, so they are kept in the first lane. And when a key was last used, to the minute.

CREATE TABLE master_keys (
    lane smallint NOT NULL,
    id text NOT NULL,
    first_used_at bigint NOT NULL,
    PRIMARY KEY (lane, id)
);

ALTER TABLE keys ADD COLUMN last_used_at bigint;
