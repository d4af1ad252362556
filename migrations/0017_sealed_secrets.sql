-- Private parts of signing keys and webhooks' signing secrets are sealed under a key that is not in the database. The engine
-- seals what is here in clear at its next start: SQL has no key.

-- Up Migration

ALTER TABLE signing_key
  ALTER COLUMN private_jwk DROP NOT NULL,
  -- Null once it is retired.
  ADD COLUMN private_sealed text,
  -- Tokens that it signed are refused from then on.
  ADD COLUMN retired_at timestamptz;

-- Which key signed a token; null for one from before keys could be rotated, where there is more than one key.
ALTER TABLE token ADD COLUMN key_id text;
UPDATE token SET key_id = k.id FROM signing_key k WHERE (SELECT count(*) FROM signing_key) = 1;

-- Down Migration

-- What is sealed cannot be read by the version before: it makes a key of its own, and all tokens and these webhooks end.
DELETE FROM webhook WHERE auth ? 'sealedSecret';
DELETE FROM signing_key WHERE private_jwk IS NULL;
ALTER TABLE token DROP COLUMN key_id;
ALTER TABLE signing_key DROP COLUMN retired_at, DROP COLUMN private_sealed, ALTER COLUMN private_jwk SET NOT NULL;
