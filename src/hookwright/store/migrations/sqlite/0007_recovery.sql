-- A replay of what finished since an instant: what an endpoint missed since it began to fail.

ALTER TABLE replays ADD COLUMN finished_from INTEGER;
