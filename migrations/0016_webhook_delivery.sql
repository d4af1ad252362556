-- Up Migration

-- Deliveries that became events, by what they are known again by: a hash of the sender's id of it, or of its signature
-- (engine/auth/webhooks/delivery-keys.ts). Written with the event, so that one that was not stored may come again. Without a
-- foreign key: a webhook that is deleted while it is used must not fail a batch.
CREATE TABLE webhook_delivery (
  webhook_id uuid NOT NULL,
  key uuid NOT NULL,
  event_id uuid NOT NULL,
  expires_us bigint NOT NULL,
  PRIMARY KEY (webhook_id, key)
);

CREATE INDEX webhook_delivery_expiry ON webhook_delivery (expires_us);

-- Down Migration

DROP TABLE webhook_delivery;
