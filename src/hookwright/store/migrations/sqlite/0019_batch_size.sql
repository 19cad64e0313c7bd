-- How many deliveries went out together. NULL of what was never sent in a batch, or was when nobody counted.

ALTER TABLE deliveries ADD COLUMN batch_size INTEGER;
