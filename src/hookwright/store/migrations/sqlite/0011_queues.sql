-- Work is taken endpoint by endpoint: one row for each endpoint that has something to send, by when it has.
-- What was put aside for a paused or disabled endpoint keeps its due time from now on; the row is what is missing then.

CREATE TABLE queues (
    lane INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (lane, endpoint_id)
) WITHOUT ROWID;
CREATE INDEX queues_due ON queues (lane, due_at);

DROP INDEX deliveries_due;
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_queued ON deliveries (lane, endpoint_id, due_at) WHERE status = 'pending';

UPDATE deliveries SET due_at = created_at WHERE status = 'pending' AND due_at IS NULL;
INSERT INTO queues (lane, endpoint_id, due_at)
    SELECT lane, endpoint_id, MIN(due_at) FROM deliveries WHERE status = 'pending' GROUP BY lane, endpoint_id;
