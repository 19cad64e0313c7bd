-- Who changed what. An entry lives in the lane of its account; those of the platform in the first lane. The
-- kind of what was changed is the first word of the action.
CREATE TABLE audit_entries (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    account_id INTEGER,
    way TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id INTEGER,
    actor_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    object_id TEXT NOT NULL,
    PRIMARY KEY (lane, id)
) WITHOUT ROWID;
CREATE INDEX audit_entries_by_time ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_of_account ON audit_entries (lane, account_id, at DESC, id DESC);
-- An index for each filter: changes are few, and whoever looks for one looks among all that there were.
CREATE INDEX audit_entries_of_object ON audit_entries (object_id, at DESC, id DESC);
CREATE INDEX audit_entries_of_actor ON audit_entries (actor_id, at DESC, id DESC);
CREATE INDEX audit_entries_of_kind ON audit_entries (kind, at DESC, id DESC);
CREATE INDEX audit_entries_of_action ON audit_entries (action, at DESC, id DESC);
CREATE INDEX audit_entries_of_way ON audit_entries (way, at DESC, id DESC);
