-- Long texts of commands, stored ahead of their batch on another connection: the batch copies them and does not stand still
-- while Postgres reads and compresses them. A row lives until its command is answered; a crash of Postgres may empty the table.

-- Up Migration

CREATE UNLOGGED TABLE staged_payload (
  id uuid PRIMARY KEY,
  value text NOT NULL,
  staged_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE staged_payload;
