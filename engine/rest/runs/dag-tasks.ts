import type { DagTasks } from '../../../proto/gen/rest/answers.ts';
import type { Checked } from '../../model/checked.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin, type Held, type SizedRead } from '../../monitor/budget/answers-in-flight.ts';
import { readSnapshot } from '../../monitor/read-snapshot.ts';
import type { RestDeps } from '../deps.ts';
import { again, mostDetailBytes, readDetails, sized } from './read-details.ts';
import { childCounts } from './read-run.ts';
import { PayloadSpace } from './repeated-payload-room.ts';
import { taskMessages } from './run-messages.ts';

/** The tasks of some runs, by run, without inputs and outputs. Runs of another tenant, and ids that are no run's, are left out. */
export function dagTasks(
  deps: RestDeps,
  tenantId: TenantId,
  runIds: readonly Checked<string>[],
): Promise<Held<readonly DagTasks[] | undefined>> {
  const asked = new Set<string>(runIds);
  return readWithin(mostDetailBytes, async (bytes): Promise<SizedRead<readonly DagTasks[] | undefined>> => {
    const details = await readSnapshot(deps.pool, (snapshot) =>
      readDetails(snapshot, tenantId, runIds, { bytes, data: false }),
    );
    if ('wanted' in details) return again(details.wanted);
    const runs = details.runs.filter(({ id }) => asked.has(id));
    const children = await childCounts(deps, tenantId, runs);
    const repeats = new PayloadSpace(maxPageBytes);
    return sized(
      runs.map((run) => ({ dagId: run.id, children: taskMessages(run, { children, repeats }) })),
      details,
    );
  });
}
