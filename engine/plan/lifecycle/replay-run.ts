import { LiveState } from '../../model/task/live-state.ts';
import { isTerminal, RunStatus } from '../../model/task/status.ts';
import type { PlaceRequest } from '../concurrency/concurrency-group.ts';
import { endReviewed, reviewOnFailure } from './end-task.ts';
import { makePlaceRequests } from '../concurrency/make-place-requests.ts';
import { journal, touch, type Plan } from '../state/plan.ts';
import { reviewTask } from '../conditions/review-task.ts';
import { resolveParent } from '../conditions/resolve-condition.ts';
import { openWait } from '../conditions/begin-wait.ts';
import type { Version } from '../state/workflow-version.ts';
import { failAtBirth } from './start-run.ts';
import type { StoredRun, StoredTask } from './stored-run.ts';
import { noRow, type RunRow, type TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/**
 * Runs ended tasks again: the same run, its next generation. What follows from the chosen tasks runs again with them, and
 * outputs of the others are kept. A run with anything unfinished is left out.
 * @param ids runs or tasks
 * @returns the tasks that run again
 */
export function replayRuns(
  plan: Plan,
  { tenantId, ids }: { tenantId: TenantId; ids: readonly string[] },
  runs: readonly StoredRun[],
): string[] {
  const reopened: string[] = [];
  const wanted = new Set(ids);
  // What was loaded of a run that this very transaction opened or ended is out of date.
  const changed = new Set(plan.changes.runEnds.map((end) => end.runId));
  for (const run of runs) {
    const version = plan.state.versions.get(run.versionId);
    if (version === undefined || version.tenantId !== tenantId || changed.has(run.runId) || isActive(plan, run))
      continue;
    const chosen = chosenSteps(run, version, wanted);
    if (chosen.size === 0) continue;
    reopen(plan, { run, version, chosen });
    for (const { id, step } of run.tasks) if (chosen.has(step)) reopened.push(id);
  }
  return reopened;
}

function isActive({ state }: Plan, run: StoredRun): boolean {
  return (
    state.runsById.has(run.runId) ||
    run.tasks.some(
      (task) => state.tasks.find(task.id) !== undefined || task.status === null || !isTerminal(task.status),
    )
  );
}

/**
 * The asked-for steps with all that come after them, and the on-failure step, which answers to what they do: unless a
 * failure that stays as it was has had its answer already.
 */
export function chosenSteps(
  run: Pick<StoredRun, 'runId'> & { tasks: readonly Pick<StoredTask, 'id' | 'step' | 'status'>[] },
  version: Version,
  wanted: ReadonlySet<string>,
): Set<number> {
  const chosen = new Set(
    run.tasks.filter((task) => wanted.has(run.runId) || wanted.has(task.id)).map((task) => task.step),
  );
  for (const step of chosen) for (const child of version.children[step] ?? []) chosen.add(child);
  const { onFailure } = version.definition;
  const failureStays = run.tasks.some(
    (task) => task.status === RunStatus.Failed && task.step !== onFailure && !chosen.has(task.step),
  );
  if (chosen.size > 0 && onFailure !== null && !failureStays) chosen.add(onFailure);
  return chosen;
}

function reopen(
  plan: Plan,
  { run, version, chosen }: { run: StoredRun; version: Version; chosen: ReadonlySet<number> },
): void {
  const { state, changes } = plan;
  const generation = Math.max(...run.tasks.map((task) => task.generation)) + 1;
  const runRow = run.tasks.length > 1 ? addRun(plan, { run, version, chosen, generation }) : undefined;
  changes.runEnds.push({
    tenantId: version.tenantId,
    status: 0,
    runId: run.runId,
    generation,
    seq: state.nextSeq(plan.nowUs),
    saidByResult: false,
  });
  const order = state.nextSeq(plan.nowUs);
  let runRequest: PlaceRequest | null = null;
  const rows = new Map<number, TaskRow>();
  for (const task of run.tasks) {
    if (!chosen.has(task.step)) continue;
    const row = addTask(plan, { task, run, version, runRow, generation });
    rows.set(task.step, row);
    const demands = run.demands?.[task.step]?.demands ?? null;
    if (demands !== null)
      ({ runRequest } = makePlaceRequests(state, row, {
        tenantId: version.tenantId,
        demands,
        priority: run.priority,
        order,
        runRequest,
      }));
    openWait(plan, row);
  }
  for (const [step, row] of rows)
    if (step !== version.definition.onFailure && (run.demands?.[step]?.error ?? null) === null)
      review(plan, { row, step, run, version, chosen });
  for (const [step, row] of rows) {
    const error = run.demands?.[step]?.error ?? null;
    if (error !== null) failAtBirth(plan, row, error);
  }
  const liveRun = runRow === undefined ? undefined : state.runs[runRow];
  // Where it runs again alone, no end of another task would come to ask for it.
  if (liveRun !== undefined) reviewOnFailure(plan, liveRun);
}

/** What the parents that stay as they were make of a task: the others will say when they end. */
function review(
  plan: Plan,
  {
    row,
    step,
    run,
    version,
    chosen,
  }: { row: TaskRow; step: number; run: StoredRun; version: Version; chosen: ReadonlySet<number> },
): void {
  const { tasks } = plan.state;
  if (tasks.alive[row] !== 1 || tasks.state[row] !== LiveState.Gated) return; // ended with a parent meanwhile
  for (const parent of version.definition.steps[step]?.parents ?? []) {
    const kept = run.tasks[parent];
    if (kept?.status === RunStatus.Completed && !chosen.has(parent))
      resolveParent(plan, row, parent, { output: kept.output, skipped: kept.skipped, evaluated: kept.evaluated });
  }
  endReviewed(plan, row, reviewTask(plan, row));
}

function addRun(
  plan: Plan,
  {
    run,
    version,
    chosen,
    generation,
  }: { run: StoredRun; version: Version; chosen: ReadonlySet<number>; generation: number },
): RunRow {
  const { state } = plan;
  const row = state.addRun(
    {
      runId: run.runId,
      version,
      generation,
      priority: run.priority,
      taskIds: run.tasks.map((task) => task.id),
      outcomes: run.tasks.map((task) =>
        chosen.has(task.step) || task.status === null || !isTerminal(task.status) ? 0 : task.status,
      ),
      skipped: new Set(run.tasks.flatMap((task) => (task.skipped && !chosen.has(task.step) ? [task.step] : []))),
      outputBytes: new Map(
        run.tasks.flatMap((task) =>
          chosen.has(task.step) || task.outputBytes === 0 ? [] : [[task.step, task.outputBytes]],
        ),
      ),
      unfinished: chosen.size,
      rows: chosen.size,
      ended: false,
    },
    state.undo,
  );
  return row;
}

/** The attempts go on counting: a worker never sees one number twice. The user's retries start again. */
function addTask(
  plan: Plan,
  options: { task: StoredTask; run: StoredRun; version: Version; runRow: RunRow | undefined; generation: number },
): TaskRow {
  const { state } = plan;
  const { task, run, version, runRow, generation } = options;
  const { tasks } = state;
  const row = tasks.add(task.id, state.undo);
  tasks.state[row] = LiveState.Gated;
  tasks.generation[row] = generation;
  tasks.attempt[row] = task.attempt + 1;
  tasks.invocation[row] = task.invocation;
  if (task.branches.length > 0) {
    state.undo.put(state.durable.branches, row, task.branches);
  }
  tasks.priority[row] = run.priority;
  tasks.step[row] = version.firstStep + task.step;
  tasks.run[row] = runRow ?? noRow;
  touch(plan, row);
  journal(plan, row, 'RETRIED_BY_USER');
  return row;
}
