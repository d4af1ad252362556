-- Up Migration

-- Who holds an idempotency key. A claim by STATUS ends with its run, or with expires_us at the latest; the others with expires_us alone.
CREATE TABLE idempotency (
  tenant_id uuid NOT NULL REFERENCES tenant (id),
  key text NOT NULL,
  run_id uuid NOT NULL,
  by_status boolean NOT NULL,
  expires_us bigint NOT NULL,
  PRIMARY KEY (tenant_id, key)
) WITH (fillfactor = 70);

CREATE INDEX idempotency_expiry ON idempotency (expires_us);

-- Down Migration

DROP TABLE idempotency;
