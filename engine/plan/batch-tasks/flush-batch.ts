import { canTake, pickWorker } from '../queue/pick-worker.ts';
import { maxBatchBytes } from '../../model/limits.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import type { BatchBuffer, BatchGroup, RunningBatch } from './batch-buffer.ts';
import type { FlushReason } from './when-to-flush.ts';
import type { SettleBudget } from '../state/settle-budget.ts';
import { type Placement } from '../queue/placement.ts';
import { journal, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { missingUnits, stepOut } from '../rate-limits/wait-for-units.ts';
import { spendUnits } from '../rate-limits/spend-units.ts';
import type { Restore } from '../state/undo-log.ts';
import type { Batches } from './batches.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** A batch that went to a worker, in the order of its members. */
export interface Flush {
  batch: RunningBatch;
  rows: readonly TaskRow[];
  reason: FlushReason;
  worker: PlannerWorker;
}

/**
 * Starts the next batch of the queue for which some worker has room, or, for a worker that gained room, this one could have.
 * `passed` gathers the placements that nobody has room for.
 * @param start gives a member, out of its buffer and with its units, to the worker
 */
export function flushNext(
  plan: Plan,
  queue: ActionQueue,
  options: {
    passed: Set<Placement>;
    worker: PlannerWorker | undefined;
    budget: SettleBudget;
    start: (row: TaskRow, worker: PlannerWorker) => void;
  },
): Flush | undefined {
  const { passed, worker: withRoom, budget, start } = options;
  const flushable = plan.state.batches.flushable(queue);
  for (
    let buffer = flushable.next(passed, plan.nowUs);
    buffer !== undefined;
    buffer = flushable.next(passed, plan.nowUs)
  ) {
    const { placement } = buffer;
    const at =
      withRoom === undefined || canTake(withRoom, placement)
        ? pickWorker(queue.workers, queue.turn, placement)
        : undefined;
    const worker = at === undefined ? undefined : queue.workers[at];
    const reason = buffer.whyNow(plan.nowUs);
    if (at === undefined || worker === undefined || reason === undefined) {
      passed.add(placement);
      continue;
    }
    const batch = startMembers(plan, buffer, { worker, reason, budget, start });
    if (batch === undefined) {
      if (budget.assignments <= 0) return undefined;
      continue;
    }
    queue.turn = at + 1;
    flushable.rotate(buffer);
    return { batch, rows: [...batch.rows], reason, worker };
  }
  return undefined;
}

/**
 * As many as fit, in the buffer's order. Those for whom a rate limit has no units step out; where that is the first one,
 * nobody starts: without it another buffer may be ahead, or this one wait for more.
 */
function startMembers(
  plan: Plan,
  buffer: BatchBuffer,
  options: {
    worker: PlannerWorker;
    reason: FlushReason;
    budget: SettleBudget;
    start: (row: TaskRow, worker: PlannerWorker) => void;
  },
): RunningBatch | undefined {
  const { state } = plan;
  const { worker, reason, budget, start } = options;
  const { tenantId } = buffer.queue;
  let batch: RunningBatch | undefined;
  let bytes = 0;
  let next = buffer.list.head;
  while (next !== undefined && (batch?.rows.size ?? 0) < buffer.rule.maxSize) {
    const row = next;
    next = buffer.list.after(row);
    const own = state.extras.get(row)?.batchBytes ?? 0;
    if (batch !== undefined && bytes + own > maxBatchBytes) break;
    const demands = state.extras.get(row)?.demands.rateLimits ?? [];
    const missing = missingUnits(plan, row, { tenantId, demands, line: undefined });
    budget.assignments--;
    if (missing !== undefined) {
      stepOut(plan, row, missing);
      if (batch === undefined) return undefined;
      continue;
    }
    bytes += own;
    spendUnits(plan, demands, tenantId);
    state.lists.leave(row, state.undo);
    if (batch === undefined) {
      batch = beginBatch(plan, buffer.group, row);
      worker.occupy(state.stepOf(row).slots, state.undo); // one call: the slots of one task
    }
    join(plan, batch, row);
    journal(plan, row, 'BATCH_FLUSHED', `batch ${batch.id} (${reason})`);
    start(row, worker);
  }
  return batch;
}

function beginBatch({ state, nowUs }: Plan, group: BatchGroup, first: TaskRow): RunningBatch {
  const batch: RunningBatch = {
    id: batchId(state.tasks.id(first), state.nextSeq(nowUs)),
    group,
    rows: new Set(),
  };
  // First, so that an undo releases the group once it runs no more.
  state.undo.keep(begun, state.batches, group);
  state.undo.add(group.running, batch);
  return batch;
}

function join({ state }: Plan, batch: RunningBatch, row: TaskRow): void {
  state.undo.add(batch.rows, row);
  state.undo.put(state.batches.ofRow, row, batch);
}

const begun: Restore<Batches, BatchGroup> = { restore: (batches, group) => batches.released(group) };

/** A UUID that no other batch has: the shard's clock gives a number once, and the rest is the first member's. */
function batchId(taskId: string, seq: number): string {
  const hex = seq.toString(16).padStart(15, '0').slice(-15);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12)}-${taskId.slice(19)}`;
}
