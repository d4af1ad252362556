import type { ClientConfig } from 'pg';
import type { Connector, Sql, SqlClient } from '../../postgres/sql-client.ts';

/** Above it a statement of recovery hangs. */
const readMs = 60_000;

export async function connectReader(config: ClientConfig, connector: Connector): Promise<SqlClient> {
  const client = connector.client({
    ...config,
    application_name: 'hatchet recovery',
    statement_timeout: readMs,
    query_timeout: readMs,
  });
  client.on('error', () => undefined); // what it breaks fails by itself
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

export async function isAlive(client: Sql): Promise<boolean> {
  try {
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}
