import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { HatchetError } from '../errors.ts';

/** A part of a name finds all that have it; so many of them are looked through. */
const mostFound = 500;

const known = new WeakMap<Connection, Set<string>>();

/** Whether it was there before. */
function isSeen(connection: Connection, name: string): boolean {
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

/**
 * A cluster gives an id to a run of a workflow that nobody knows, and only logs that it starts none. Asked for along with the first
 * trigger of a name, so that it costs no time.
 * @throws HatchetError UNKNOWN_WORKFLOW
 */
export function requireKnown(
  connection: Connection,
  requests: readonly TriggerWorkflowRequest[],
): Promise<void> | undefined {
  if (connection.offers.latest?.unknownWorkflows === true) return undefined;
  const check = async (): Promise<void> => {
    const names = [...new Set(requests.map(({ name }) => name))].filter((name) => !isSeen(connection, name));
    if (names.length === 0) return;
    const offers = await connection.offers.ask().catch(() => undefined);
    if (offers === undefined || offers.unknownWorkflows) return;
    for (const name of names) {
      if ((await isKnownWorkflow(connection, name)) === false) throw unknownWorkflow(name);
    }
  };
  const checked = check();
  checked.catch(() => {}); // thrown once the trigger is answered
  return checked;
}

export function unknownWorkflow(name: string, cause?: unknown): HatchetError {
  return new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${name}`, {
    cause,
    remedy: 'Start a worker that has it, and check the spelling',
  });
}
