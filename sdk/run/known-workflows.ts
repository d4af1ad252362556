import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';

/** A part of a name finds all that have it; so many of them are looked through. */
const mostFound = 500;

const known = new WeakMap<Connection, Set<string>>();

/** Whether it was there before. */
export function isSeen(connection: Connection, name: string): boolean {
  return known.get(connection)?.has(name) === true;
}

/**
 * Whether the engine has a workflow of that name, as it goes over the wire. Asked for once a name: one that was there stays.
 * Undefined where REST does not say.
 */
export async function isKnownWorkflow(connection: Connection, name: string): Promise<boolean | undefined> {
  const names = known.get(connection) ?? new Set<string>();
  known.set(connection, names);
  if (names.has(name)) return true;
  const { config } = connection;
  try {
    const { rows = [] } = await callRest<{ rows?: { name: string }[] | null }>(
      config,
      'GET',
      `/api/v1/tenants/${config.tenantId}/workflows`,
      { query: { name, limit: mostFound } },
    );
    const found = (rows ?? []).some((row) => row.name === name);
    if (found) names.add(name);
    // A full list may have left it out.
    return found || (rows ?? []).length < mostFound ? found : undefined;
  } catch {
    return undefined;
  }
}
