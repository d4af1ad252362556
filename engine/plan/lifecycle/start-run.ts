import { LiveState } from '../../model/task/live-state.ts';
import { RunStatus } from '../../model/task/status.ts';
import type { PlaceRequest } from '../concurrency/concurrency-group.ts';
import type { Collision, TriggerRun } from '../../model/task/trigger-run.ts';
import { claimIdempotencyKey } from './claim-idempotency-key.ts';
import { endReviewed, endTask } from './end-task.ts';
import { makePlaceRequests } from '../concurrency/make-place-requests.ts';
import { journal, touch, type Plan } from '../state/plan.ts';
import { reviewTask } from '../conditions/review-task.ts';
import { openWait } from '../conditions/begin-wait.ts';
import type { Version } from '../state/workflow-version.ts';
import { noRow, type RunRow, type TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Makes a run, unless another holds its idempotency key. */
export function startRun(plan: Plan, tenantId: TenantId, run: TriggerRun): Collision | undefined {
  const collision = claimIdempotencyKey(plan, tenantId, run);
  if (collision === undefined) createRun(plan, tenantId, run);
  return collision;
}

/** Running it again with its ids changes nothing. */
export function isKnownRun({ state }: Plan, storedIds: ReadonlySet<string>, runId: string): boolean {
  return storedIds.has(runId) || state.runsById.has(runId) || state.tasks.find(runId) !== undefined;
}

function createRun(plan: Plan, tenantId: TenantId, run: TriggerRun): void {
  const { state, changes } = plan;
  const version = state.versions.get(run.versionId);
  if (version === undefined || version.tenantId !== tenantId)
    throw new Error(`run ${run.runId} names version ${run.versionId}, which the shard does not hold`);
  changes.runs.push({
    id: run.runId,
    tenantId,
    workflowId: version.workflowId,
    versionId: version.versionId,
    priority: run.priority,
    input: run.input,
    metadata: run.metadata,
    parentTaskId: run.parentTaskId,
    childIndex: run.childIndex,
    childKey: run.childKey,
    filterPayload: run.filterPayload,
    placement: run.placement,
    oneTask: run.taskIds.length === 1,
    queuedSeq: null,
  });
  const { runId, input, metadata, filterPayload, parentTaskId, childIndex, childKey } = run;
  changes.effects.push({
    kind: 'runCreated',
    runId,
    input,
    metadata,
    filterPayload,
    parentTaskId,
    childIndex,
    childKey,
  });
  state.counts.triggered++;
  const runRow = run.taskIds.length > 1 ? addLiveRun(plan, run, version) : undefined;
  const order = run.demands === null ? 0 : state.nextSeq(plan.nowUs);
  let runRequest: PlaceRequest | null = null;
  for (const [index, taskId] of run.taskIds.entries()) {
    const row = addTask(plan, { run, version, index, taskId, runRow });
    const demands = run.demands?.[index]?.demands ?? null;
    if (demands !== null)
      ({ runRequest } = makePlaceRequests(state, row, {
        tenantId,
        demands,
        priority: run.priority,
        order,
        runRequest,
      }));
    const failed = (run.demands?.[index]?.error ?? null) !== null;
    openWait(plan, row);
    if (!failed && index !== version.definition.onFailure && version.definition.steps[index]?.parents.length === 0)
      endReviewed(plan, row, reviewTask(plan, row));
  }
  if (run.demands !== null)
    for (const [index, { error }] of run.demands.entries())
      if (error !== null) failAtBirth(plan, plan.state.tasks.find(run.taskIds[index] ?? ''), error);
}

/** A task whose expressions could not be evaluated never waits: it ends here, with the reason. */
export function failAtBirth(plan: Plan, row: TaskRow | undefined, error: string): void {
  const { tasks } = plan.state;
  if (row === undefined || tasks.alive[row] !== 1 || tasks.state[row] !== LiveState.Gated) return; // cancelled with its parent meanwhile
  journal(plan, row, 'FAILED', error);
  endTask(plan, row, { status: RunStatus.Failed, output: null, error: JSON.stringify({ message: error }) });
}

function addLiveRun(plan: Plan, run: TriggerRun, version: Version): RunRow {
  const { state } = plan;
  const row = state.addRun(
    {
      runId: run.runId,
      version,
      generation: 1,
      priority: run.priority,
      taskIds: run.taskIds,
      outcomes: run.taskIds.map(() => 0),
      skipped: new Set(),
      outputBytes: new Map(),
      unfinished: run.taskIds.length,
      rows: run.taskIds.length,
      ended: false,
    },
    state.undo,
  );
  return row;
}

function addTask(
  plan: Plan,
  options: { run: TriggerRun; version: Version; index: number; taskId: string; runRow: RunRow | undefined },
): TaskRow {
  const { state, changes } = plan;
  const { tasks, undo } = state;
  const { run, version, index, taskId, runRow } = options;
  changes.tasks.push({ id: taskId, runId: run.runId, step: index });
  const row = tasks.add(taskId, undo);
  tasks.state[row] = LiveState.Gated;
  tasks.generation[row] = 1;
  tasks.priority[row] = run.priority;
  tasks.step[row] = version.firstStep + index;
  tasks.run[row] = runRow ?? noRow;
  touch(plan, row);
  if (index === 0) journal(plan, row, 'RUN_CREATED');
  journal(plan, row, 'CREATED');
  return row;
}
