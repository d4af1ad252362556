import { HatchetError } from '../../base/errors.ts';
import type { Commands } from '../../edge/parsed-commands.ts';
import type { Checked } from '../../model/checked.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';

/** The run's id, once it is stored. @throws HatchetError IDEMPOTENCY_COLLISION */
export async function startOne(owner: Commands, tenantId: TenantId, run: Checked<TriggerRun>): Promise<string> {
  const { collisions } = await owner.submit({ kind: 'trigger', tenantId, runs: [run] });
  const [collision] = collisions;
  if (collision !== undefined)
    throw new HatchetError(
      'IDEMPOTENCY_COLLISION',
      `the idempotency key of the run is held by run ${collision.existingRunId}`,
      { remedy: 'Use the run that exists, or another key.' },
    );
  return run.runId;
}
