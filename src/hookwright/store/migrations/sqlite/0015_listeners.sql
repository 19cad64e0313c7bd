-- Endpoints that fetch what is sent to them: until when each is taken to be there, and what waits for it.

CREATE TABLE listeners (
    lane INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    heard_until INTEGER NOT NULL,
    PRIMARY KEY (lane, endpoint_id)
);

-- A request is here as long as the worker that sends it waits: seconds.
CREATE TABLE held_requests (
    lane INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    fetched INTEGER NOT NULL,
    answer BLOB,
    PRIMARY KEY (lane, endpoint_id, id)
);
