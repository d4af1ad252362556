import { LiveFlag, LiveState } from '../../model/task/live-state.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';

/** An attempt whose worker has still to be told, or may never have received it. */
export interface OpenAttempt {
  taskId: string;
  runId: string;
  tenantId: TenantId;
  workerId: string;
  attempt: number;
  stepName: string;
  action: string;
  invocation: number | null;
  cancelling: boolean;
}

/** Of a shard that was recovered: the attempts of which it is not known whether their workers have started or stopped them. */
export function openAttempts(shard: ShardState): OpenAttempt[] {
  const open: OpenAttempt[] = [];
  for (const worker of shard.workers) {
    for (const row of worker?.tasks ?? []) {
      const cancelling = shard.tasks.state[row] === LiveState.Cancelling;
      if (worker === undefined || (!cancelling && ((shard.tasks.flags[row] ?? 0) & LiveFlag.Started) !== 0)) continue;
      const step = shard.stepOf(row);
      open.push({
        taskId: shard.tasks.id(row),
        runId: shard.runIdOf(row),
        tenantId: step.version.tenantId,
        workerId: worker.id,
        attempt: shard.tasks.attempt[row] ?? 0,
        stepName: step.definition.name,
        action: step.definition.action,
        invocation: step.definition.durable ? (shard.tasks.invocation[row] ?? 0) : null,
        cancelling,
      });
    }
  }
  return open;
}
