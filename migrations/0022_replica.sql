-- Engines on one database share its shards, and pass calls on to the one that has the shard of the caller's tenant: each says
-- where the others reach it.

-- Up Migration

-- Where an engine takes calls from the others. In a table of its own: a lease's row is written every 1.5 s.
CREATE TABLE replica (
  id uuid PRIMARY KEY,
  grpc_address text NOT NULL,
  http_address text NOT NULL,
  -- The certificate that it serves, in PEM; null where it speaks plain text.
  certificate text
);

-- Down Migration

DROP TABLE replica;
