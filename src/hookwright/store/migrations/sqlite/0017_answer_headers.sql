-- The headers of an answer that delivered nothing, as JSON. NULL where the attempt delivered, had no answer, or is older.

ALTER TABLE attempts ADD COLUMN response_headers TEXT;
