-- The same tables as on PostgreSQL; only the first lane is used. Times are microseconds since 1970-01-01 UTC.

CREATE TABLE lanes (
    lane INTEGER PRIMARY KEY,
    lane_index INTEGER NOT NULL,
    next_counter INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE accounts (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    lane_spread INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (lane, id)
);

CREATE TABLE signing_secrets (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    endpoint_id INTEGER,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX signing_secrets_of_account ON signing_secrets (lane, account_id, endpoint_id);

CREATE TABLE sites (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    subdomain TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX sites_of_account ON sites (lane, account_id, id);

-- No foreign key: a platform's own key belongs to no account.
CREATE TABLE keys (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account_id INTEGER,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    digest BLOB NOT NULL,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER,
    expires_at INTEGER,
    PRIMARY KEY (lane, id)
);
CREATE INDEX keys_of_account ON keys (lane, account_id, id);

CREATE TABLE oauth_apps (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    secret_digest BLOB,
    redirect_uris TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (lane, id)
);

CREATE TABLE oauth_codes (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (lane, id)
);

CREATE TABLE grants (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    key_id INTEGER,
    app_id INTEGER,
    family_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    access_digest BLOB NOT NULL,
    access_expires_at INTEGER NOT NULL,
    refresh_digest BLOB,
    refresh_expires_at INTEGER,
    created_at INTEGER NOT NULL,
    refreshed_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (lane, id)
);
CREATE INDEX grants_of_key ON grants (lane, key_id);
CREATE INDEX grants_of_family ON grants (lane, account_id, family_id);
CREATE INDEX grants_of_app ON grants (app_id);

CREATE TABLE endpoints (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    site_id INTEGER,
    dialect TEXT NOT NULL,
    url TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    status_changed_at INTEGER NOT NULL,
    retry_schedule TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX endpoints_of_account ON endpoints (lane, account_id, id);

CREATE TABLE subscriptions (
    lane INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    event TEXT NOT NULL,
    resource TEXT NOT NULL,
    endpoint_id INTEGER NOT NULL,
    PRIMARY KEY (lane, account_id, dialect, event, resource, endpoint_id)
);
CREATE INDEX subscriptions_of_endpoint ON subscriptions (lane, endpoint_id);

CREATE TABLE events (
    lane INTEGER NOT NULL,
    id TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    site_id INTEGER,
    type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    idempotency_key TEXT,
    data TEXT NOT NULL,
    PRIMARY KEY (lane, id)
);

CREATE TABLE idempotency_keys (
    lane INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (lane, account_id, key)
);

CREATE TABLE payloads (
    lane INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (lane, event_id, ordinal)
);

CREATE TABLE deliveries (
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    endpoint_id INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    dialect_event TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    round_start INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    last_status_code INTEGER,
    last_error TEXT,
    PRIMARY KEY (lane, id)
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'pending' AND due_at IS NOT NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE status = 'in_flight';
CREATE INDEX deliveries_of_account ON deliveries (lane, account_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_endpoint ON deliveries (lane, endpoint_id, created_at DESC, id DESC);
-- After the other index that begins so: of two that serve equally, SQLite takes the newer, and this one holds no history.
CREATE INDEX deliveries_pending ON deliveries (lane, endpoint_id) WHERE status = 'pending';
CREATE INDEX deliveries_of_event ON deliveries (lane, event_id);

CREATE TABLE attempts (
    lane INTEGER NOT NULL,
    delivery_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    status_code INTEGER,
    error TEXT,
    detail TEXT,
    response_body BLOB NOT NULL,
    next_attempt_at INTEGER,
    PRIMARY KEY (lane, delivery_id, number)
);
