import { gatherTask } from '../batch-tasks/gather-task.ts';
import type { Placement } from './placement.ts';
import type { Plan } from '../state/plan.ts';
import type { ShardState } from '../state/shard-state.ts';

/** Puts a task that has all its places into its action's queue, or among those that wait for its batch. */
export function enqueue(plan: Plan, row: number, rank: number, { keepsTurn = false } = {}): void {
  const { state } = plan;
  const { queue, definition } = state.stepOf(row);
  if (definition.batch !== null) return gatherTask(plan, row, { rank, placement: placementOf(state, row), keepsTurn });
  queue.push(row, { rank, key: state.extras.get(row)?.ringKey ?? '', placement: placementOf(state, row) }, state.undo);
  state.hungry.add(queue);
}

/** Where a task may run: its step's placement, unless it asks something of its own. */
export function placementOf(state: ShardState, row: number): Placement {
  const step = state.stepOf(row);
  const extras = state.extras.get(row);
  const strategy = step.version.definition.sticky;
  const labels = extras?.demands.labels ?? [];
  const workerId = extras?.stickyWorkerId ?? null;
  if (labels.length === 0 && workerId === null) return step.placement;
  const sticky = workerId === null ? null : { workerId, hard: strategy === 'HARD' };
  return step.queue.placement({
    ...step.placement,
    signature: `${step.placement.signature} ${JSON.stringify([labels, sticky])}`,
    labels: labels.length === 0 ? step.placement.labels : labels,
    sticky,
  });
}
