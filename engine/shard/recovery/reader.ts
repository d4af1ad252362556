import { Client, type ClientConfig } from 'pg';

/** Above it a statement of recovery hangs. */
const readMs = 60_000;

export async function connectReader(config: ClientConfig): Promise<Client> {
  const client = new Client({
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

export async function isAlive(client: Client): Promise<boolean> {
  try {
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}
