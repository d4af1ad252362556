import { LiveFlag } from '../../model/task/live-state.ts';
import type { DesiredLabel } from '../../model/definition.ts';
import type { RateLimitDemand } from '../../model/task/demands.ts';
import type { Constraint, Placement } from './placement.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { TaskRow } from '../state/table/rows.ts';

const noLabels: readonly DesiredLabel[] = [];

const noLimits: readonly RateLimitDemand[] = [];

/** Where a task may run: its step's placement, unless it asks something of its own. */
export function placementOf(state: ShardState, row: TaskRow): Placement {
  const { placement, version } = state.stepOf(row);
  const extras = state.extras.get(row);
  const labels = extras?.demands.labels ?? noLabels;
  const workerId = extras?.stickyWorkerId ?? null;
  if (labels.length === 0 && workerId === null) return placement;
  const sticky = workerId === null ? null : { workerId, hard: version.definition.sticky === 'HARD' };
  const signature = `${placement.signature} ${JSON.stringify([labels, sticky])}`;
  return { ...placement, signature, labels: labels.length === 0 ? placement.labels : labels, sticky };
}

/** Where and when a task may start. One that was restored goes on with the units that its attempt took. */
export function constraintOf(state: ShardState, row: TaskRow): Constraint {
  const extras = state.extras.get(row);
  const step = state.stepOf(row);
  if (extras === undefined) return step.constraint;
  const isRestored = ((state.tasks.flags[row] ?? 0) & LiveFlag.Restored) !== 0;
  const isOwn = isRestored || extras.stickyWorkerId !== null;
  const { shared } = extras;
  // As for the others that ask for the same: their signature is long.
  if (!isOwn && shared.constraint?.step === step) return shared.constraint.constraint;
  const constraint = makeConstraint(state, row, isRestored ? noLimits : shared.demands.rateLimits);
  if (!isOwn) shared.constraint = { step, constraint };
  return constraint;
}

function makeConstraint(state: ShardState, row: TaskRow, rateLimits: readonly RateLimitDemand[]): Constraint {
  const step = state.stepOf(row);
  const placement = placementOf(state, row);
  if (placement === step.placement && rateLimits.length === 0) return step.constraint;
  const signature =
    rateLimits.length === 0 ? placement.signature : `${placement.signature} ${JSON.stringify(rateLimits)}`;
  return { signature, placement, rateLimits };
}
