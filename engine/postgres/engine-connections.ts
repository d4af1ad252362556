/** The name of a connection, by which other engines see that its process lives. Postgres cuts names at 63 bytes. */
export function connectionName(of: 'lane' | 'lease', owner: string): string {
  return `hatchet ${of} ${owner}`;
}

/** Owners of whom any connection is there. An application's name is visible to every role. */
export const connectedOwners = `connected AS MATERIALIZED (
      SELECT right(application_name, 36) AS id FROM pg_stat_activity
      WHERE application_name LIKE 'hatchet lane %' OR application_name LIKE 'hatchet lease %'
    )`;
