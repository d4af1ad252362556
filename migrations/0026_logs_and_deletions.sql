-- Workflows that were deleted, and log lines of all tasks of a tenant by their time.

-- Up Migration

-- Its runs name it still, so its row stays: nothing new starts by it, and registered again it goes on with its next version. An engine
-- of the release before takes it for one that is there, without the crons, the schedules and the filters that it had.
ALTER TABLE workflow ADD COLUMN deleted boolean NOT NULL DEFAULT false;

-- Beside the primary key, which has those of one task.
CREATE INDEX log_line_tenant ON log_line (tenant_id, at, id);

-- Down Migration

DROP INDEX log_line_tenant;
ALTER TABLE workflow DROP COLUMN deleted;
