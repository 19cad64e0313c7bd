-- Which secret of a key somebody showed who was given a token, a code or a session: with the key's next secret it ends.
-- A consent names the key that it was given with. NULL where there was no key, and in consents of earlier versions.

ALTER TABLE grants ADD COLUMN key_digest BLOB;
ALTER TABLE oauth_codes ADD COLUMN key_id INTEGER;
ALTER TABLE oauth_codes ADD COLUMN key_digest BLOB;
ALTER TABLE sessions ADD COLUMN key_digest BLOB;

-- What is there and has not ended came with the present secret: a rotation revoked the grants before it, and sessions
-- that are older than one were let in no more.
UPDATE grants SET key_digest = (SELECT k.digest FROM keys k WHERE k.lane = grants.lane AND k.id = grants.key_id)
WHERE key_id IS NOT NULL AND revoked_at IS NULL;
UPDATE sessions SET key_digest = (
    SELECT k.digest FROM keys k
    WHERE k.lane = sessions.lane AND k.id = sessions.key_id
        AND (k.rotated_at IS NULL OR k.rotated_at <= sessions.created_at)
);
