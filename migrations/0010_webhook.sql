-- Up Migration

-- Where others post what becomes an event. `auth` holds what a request is checked against: of passwords and API keys a
-- salted digest, of signatures the secret itself, since it is computed with.
CREATE TABLE webhook (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  name text NOT NULL,
  source text NOT NULL,
  event_key_expression text NOT NULL,
  scope_expression text,
  static_payload text,
  returns_event boolean NOT NULL,
  auth jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- Why the newest refused request was refused.
  last_error text,
  last_error_at timestamptz,
  UNIQUE (tenant_id, name)
);

-- The webhook that an event came by; null for all others.
ALTER TABLE event ADD COLUMN webhook_name text;

-- Down Migration

ALTER TABLE event DROP COLUMN webhook_name;
DROP TABLE webhook;
