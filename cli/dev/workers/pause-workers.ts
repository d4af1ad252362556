import type { Connection } from '../../connection/resolve-connection.ts';
import { sdkOf } from '../../connection/with-sdk.ts';

/** They finish what they have, and get nothing more. */
export async function pauseWorkers(connection: () => Connection, workerIds: readonly string[]): Promise<void> {
  if (workerIds.length === 0) return;
  const hatchet = sdkOf(connection());
  try {
    await Promise.all(workerIds.map(async (id) => await hatchet.workers.pause(id)));
  } finally {
    hatchet.close();
  }
}
