-- Who changed what. An entry lives in the lane of its account; those of the platform in the first lane.
CREATE TABLE audit_entries (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    at bigint NOT NULL,
    account_id bigint,
    way text NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    action text NOT NULL,
    object_id text NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX audit_entries_by_time ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_of_account ON audit_entries (lane, account_id, at DESC, id DESC);
