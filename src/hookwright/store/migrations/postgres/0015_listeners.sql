-- Endpoints that fetch what is sent to them: until when each is taken to be there, and what waits for it.

CREATE TABLE listeners (
    lane smallint NOT NULL,
    endpoint_id bigint NOT NULL,
    heard_until bigint NOT NULL,
    PRIMARY KEY (lane, endpoint_id)
);

-- A request is here as long as the worker that sends it waits: seconds.
CREATE TABLE held_requests (
    lane smallint NOT NULL,
    endpoint_id bigint NOT NULL,
    id bigint NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL,
    expires_at bigint NOT NULL,
    fetched boolean NOT NULL,
    answer bytea,
    PRIMARY KEY (lane, endpoint_id, id)
);
