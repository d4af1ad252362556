-- Up Migration

-- What a token may do; those made before roles were may do all.
ALTER TABLE token ADD COLUMN role text NOT NULL DEFAULT 'admin';
-- Written at most once a minute.
ALTER TABLE token ADD COLUMN last_used_at timestamptz;

-- Numbers that replace the built-in limits of what a tenant may use, by name.
ALTER TABLE tenant ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
-- Set when its deletion began: its tokens are refused from then on, its rows go in slices.
ALTER TABLE tenant ADD COLUMN deleted_at timestamptz;

-- Who changed what. Written apart from the lane, a partition a day by the id's own time.
CREATE TABLE audit_line (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  token_id uuid,
  -- The gRPC method or the REST route.
  action text NOT NULL,
  -- Of what was made or changed, the first hundred.
  ids text[] NOT NULL,
  address text NOT NULL,
  -- OK, or the code of the error.
  outcome text NOT NULL,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX audit_line_tenant ON audit_line (tenant_id, id);

-- Down Migration

DROP TABLE audit_line;
ALTER TABLE tenant DROP COLUMN deleted_at, DROP COLUMN limits;
ALTER TABLE token DROP COLUMN last_used_at, DROP COLUMN role;
