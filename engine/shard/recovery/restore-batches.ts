import { LiveFlag } from '../../model/task/live-state.ts';
import type { RunningBatch } from '../../plan/batch-tasks/batch-buffer.ts';
import type { StoredDemands } from '../../plan/state/task-extras.ts';
import type { ShardTables } from './shard-tables.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';

/** A loaded task that runs in a batch. */
export interface BatchedTask {
  row: TaskRow;
  taskId: string;
  runId: string;
  batchId: string;
  stored: StoredDemands | null;
}

/** The batches that are on workers. The first member found takes the slots for all. */
export function restoreBatches({ shard, setAside }: ShardTables, tasks: readonly BatchedTask[]): void {
  const batches = new Map<string, RunningBatch>();
  for (const task of tasks)
    setAside.tryTask(task, () => {
      const { row, batchId, stored } = task;
      let batch = batches.get(batchId);
      if (batch === undefined) {
        const { version, definition } = shard.stepOf(row);
        // From what is stored: one that has ended, and whose worker has still to be told, holds nothing else any more.
        const key = stored?.batch?.key ?? '';
        const group = shard.batches.groupFor({ workflowId: version.workflowId, stepName: definition.name, key });
        batch = { id: batchId, group, rows: new Set() };
        batches.set(batchId, batch);
        group.running.add(batch);
        if (((shard.tasks.flags[row] ?? 0) & LiveFlag.SlotReleased) === 0)
          shard.workerOf(row)?.occupy(shard.stepOf(row).slots);
      }
      batch.rows.add(row);
      shard.batches.ofRow.set(row, batch);
    });
}
