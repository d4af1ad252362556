-- Log lines of all tasks of a tenant, by their time.

-- Up Migration

-- Beside the primary key, which has those of one task.
CREATE INDEX log_line_tenant ON log_line (tenant_id, at, id);

-- Down Migration

DROP INDEX log_line_tenant;
