-- Subscriptions are kept in memory; this number says when they have changed.

ALTER TABLE accounts ADD COLUMN subscriptions_version INTEGER NOT NULL DEFAULT 0;
