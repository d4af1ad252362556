import { LiveFlag } from '../model/live-state.ts';
import type { RunningBatch } from '../plan/batch-tasks/batch-group.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { parseDemands } from './recover-demands.ts';

/** A loaded task that runs in a batch. */
export interface BatchedTask {
  shard: ShardState;
  row: number;
  batchId: string;
  demands: string | null;
}

/** The batches that are on workers. The first member found takes the slots for all. */
export function restoreBatches(tasks: readonly BatchedTask[]): void {
  const batches = new Map<string, RunningBatch>();
  for (const { shard, row, batchId, demands } of tasks) {
    let batch = batches.get(batchId);
    if (batch === undefined) {
      const { version, definition } = shard.stepOf(row);
      // From what is stored: one that has ended, and whose worker has still to be told, holds nothing else any more.
      const key = demands === null ? '' : (parseDemands(demands).batch?.key ?? '');
      const group = shard.batches.groupFor({ workflowId: version.workflowId, stepName: definition.name, key });
      batch = { id: batchId, group, rows: new Set() };
      batches.set(batchId, batch);
      group.running.add(batch);
      if (((shard.tasks.flags[row] ?? 0) & LiveFlag.SlotReleased) === 0)
        shard.workerOf(row)?.occupy(shard.stepOf(row).slots);
    }
    batch.rows.add(row);
    shard.batches.ofRow.set(row, batch);
  }
}
