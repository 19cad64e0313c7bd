-- Subscriptions are kept in memory; this number says when they have changed.

ALTER TABLE accounts ADD COLUMN subscriptions_version bigint NOT NULL DEFAULT 0;
