-- Who changed what. An entry lives in the lane of its account; those of the platform in the first lane. The
-- kind of what was changed is the first word of the action.
CREATE TABLE audit_entries (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    at bigint NOT NULL,
    account_id bigint,
    way text NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    object_id text NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX audit_entries_by_time ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_of_account ON audit_entries (lane, account_id, at DESC, id DESC);
-- An index for each filter: changes are few, and whoever looks for one looks among all that there were.
CREATE INDEX audit_entries_of_object ON audit_entries (object_id, at DESC, id DESC);
CREATE INDEX audit_entries_of_actor ON audit_entries (actor_id, at DESC, id DESC);
CREATE INDEX audit_entries_of_kind ON audit_entries (kind, at DESC, id DESC);
CREATE INDEX audit_entries_of_action ON audit_entries (action, at DESC, id DESC);
CREATE INDEX audit_entries_of_way ON audit_entries (way, at DESC, id DESC);
