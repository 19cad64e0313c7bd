-- Lanes are in every primary key, unique index and foreign key from the start: a row's lane never changes, and the
-- same tables can be distributed by it later. Times are microseconds since 1970-01-01 UTC.

CREATE TABLE lanes (
    lane smallint PRIMARY KEY,
    lane_index smallint NOT NULL,
    next_counter bigint NOT NULL DEFAULT 1
);

CREATE TABLE accounts (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    lane_spread smallint NOT NULL DEFAULT 1,
    created_at bigint NOT NULL,
    deleted_at bigint,
    PRIMARY KEY (lane, id)
);

CREATE TABLE signing_secrets (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    endpoint_id bigint,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX signing_secrets_of_account ON signing_secrets (lane, account_id, endpoint_id);

CREATE TABLE sites (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    title text NOT NULL,
    subdomain text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX sites_of_account ON sites (lane, account_id, id);

-- No foreign key: a platform's own key belongs to no account.
CREATE TABLE keys (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    account_id bigint,
    name text NOT NULL,
    scopes text NOT NULL,
    digest bytea NOT NULL,
    attributes text NOT NULL,
    created_at bigint NOT NULL,
    rotated_at bigint,
    expires_at bigint,
    PRIMARY KEY (lane, id)
);
CREATE INDEX keys_of_account ON keys (lane, account_id, id);

CREATE TABLE oauth_apps (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    secret_digest bytea,
    redirect_uris text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (lane, id)
);

CREATE TABLE oauth_codes (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    app_id bigint NOT NULL,
    digest bytea NOT NULL,
    redirect_uri text NOT NULL,
    challenge text,
    scope text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    PRIMARY KEY (lane, id)
);

CREATE TABLE grants (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    account_id bigint NOT NULL,
    key_id bigint,
    app_id bigint,
    family_id bigint NOT NULL,
    scopes text NOT NULL,
    access_digest bytea NOT NULL,
    access_expires_at bigint NOT NULL,
    refresh_digest bytea,
    refresh_expires_at bigint,
    created_at bigint NOT NULL,
    refreshed_at bigint,
    revoked_at bigint,
    PRIMARY KEY (lane, id)
);
CREATE INDEX grants_of_key ON grants (lane, key_id);
CREATE INDEX grants_of_family ON grants (lane, account_id, family_id);
CREATE INDEX grants_of_app ON grants (app_id);

CREATE TABLE endpoints (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    site_id bigint,
    dialect text NOT NULL,
    url text NOT NULL,
    status text NOT NULL,
    status_reason text,
    status_changed_at bigint NOT NULL,
    retry_schedule text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (lane, id),
    FOREIGN KEY (lane, account_id) REFERENCES accounts (lane, id)
);
CREATE INDEX endpoints_of_account ON endpoints (lane, account_id, id);

CREATE TABLE subscriptions (
    lane smallint NOT NULL,
    account_id bigint NOT NULL,
    dialect text NOT NULL,
    event text NOT NULL,
    resource text NOT NULL,
    endpoint_id bigint NOT NULL,
    PRIMARY KEY (lane, account_id, dialect, event, resource, endpoint_id)
);
CREATE INDEX subscriptions_of_endpoint ON subscriptions (lane, endpoint_id);

CREATE TABLE events (
    lane smallint NOT NULL,
    id uuid NOT NULL,
    account_id bigint NOT NULL,
    site_id bigint,
    type text NOT NULL,
    occurred_at bigint NOT NULL,
    accepted_at bigint NOT NULL,
    idempotency_key text,
    data text NOT NULL,
    PRIMARY KEY (lane, id)
);

CREATE TABLE idempotency_keys (
    lane smallint NOT NULL,
    account_id bigint NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (lane, account_id, key)
);

CREATE TABLE payloads (
    lane smallint NOT NULL,
    event_id uuid NOT NULL,
    ordinal smallint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (lane, event_id, ordinal)
);

CREATE TABLE deliveries (
    lane smallint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    endpoint_id bigint NOT NULL,
    dialect text NOT NULL,
    dialect_event text NOT NULL,
    ordinal smallint NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    round_start integer NOT NULL DEFAULT 0,
    fence integer NOT NULL DEFAULT 0,
    due_at bigint,
    lease_until bigint,
    created_at bigint NOT NULL,
    finished_at bigint,
    last_status_code integer,
    last_error text,
    PRIMARY KEY (lane, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);  -- every row is updated twice
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'pending' AND due_at IS NOT NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE status = 'in_flight';
CREATE INDEX deliveries_of_account ON deliveries (lane, account_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_endpoint ON deliveries (lane, endpoint_id, created_at DESC, id DESC);
CREATE INDEX deliveries_pending ON deliveries (lane, endpoint_id) WHERE status = 'pending';
CREATE INDEX deliveries_of_event ON deliveries (lane, event_id);

CREATE TABLE attempts (
    lane smallint NOT NULL,
    delivery_id bigint NOT NULL,
    number integer NOT NULL,
    started_at bigint NOT NULL,
    duration_us bigint NOT NULL,
    status_code integer,
    error text,
    detail text,
    response_body bytea NOT NULL,
    next_attempt_at bigint,
    PRIMARY KEY (lane, delivery_id, number)
);
