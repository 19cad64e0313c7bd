-- Who changed what. An entry lives in the lane of its account; those of the platform in the first lane.
CREATE TABLE audit_entries (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    account_id INTEGER,
    way TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id INTEGER,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    object_id TEXT NOT NULL,
    PRIMARY KEY (lane, id)
) WITHOUT ROWID;
CREATE INDEX audit_entries_by_time ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_of_account ON audit_entries (lane, account_id, at DESC, id DESC);
