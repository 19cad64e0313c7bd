-- Since when an endpoint has missed something that nobody has replayed: kept while it is activated and paused.

ALTER TABLE endpoints ADD COLUMN missed_since INTEGER;
