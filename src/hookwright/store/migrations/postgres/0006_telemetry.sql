-- Where an event comes from in its producer's trace; and what a scrape of the metrics asks for, found without a search.

ALTER TABLE events ADD COLUMN traceparent text;

CREATE INDEX endpoints_with_open_breaker ON endpoints (breaker_open_until) WHERE breaker_open_until IS NOT NULL;
