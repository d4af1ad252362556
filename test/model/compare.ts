import { LiveFlag, LiveState } from '../../engine/model/task/live-state.ts';
import { skippedOutput } from '../../engine/model/task/skipped-output.ts';
import { RunStatus } from '../../engine/model/task/status.ts';
import type { TaskRow } from '../../engine/plan/state/table/rows.ts';
import { tenantId, type PlannerWorld } from '../helpers/planner-world.ts';
import type { Decision, Progress, Where } from './model-state.ts';
import type { ReferenceModel } from './reference-model.ts';

const wheres = new Map<number, Where>([
  [LiveState.Gated, 'waits for its parents'],
  [LiveState.Ready, 'ready'],
  [LiveState.Delayed, 'backs off'],
  [LiveState.Running, 'runs'],
  [LiveState.Cancelling, 'is being told to stop'],
  [LiveState.RateLimited, 'out of units'],
  [LiveState.Batching, 'gathers'],
]);
const ends: Record<number, string> = {
  [RunStatus.Completed]: 'completed',
  [RunStatus.Failed]: 'failed',
  [RunStatus.Cancelled]: 'cancelled',
};

/** What the journal says was decided since a length of it: assignments and waits for units, in their order. */
export function decisionsSince(world: PlannerWorld, historyLength: number, effectsLength: number): Decision[] {
  const dispatched = world.effects.slice(effectsLength).flatMap((effect): Decision[] => {
    if (effect.kind === 'dispatch') return [{ taskId: effect.taskId, workerId: effect.workerId, batchId: null }];
    return effect.kind === 'dispatchBatch'
      ? effect.members.map(({ taskId, workerId }) => ({
          taskId,
          workerId,
          batchId: effect.batchId,
        }))
      : [];
  });
  let assignments = 0;
  return world.stored.history.slice(historyLength).flatMap(({ taskId, transitions, message }) =>
    transitions.flatMap((transition): Decision[] => {
      if (transition === 'REQUEUED_RATE_LIMIT')
        return [{ taskId, workerId: null, batchId: null, limitKey: limitIn(message) }];
      return transition === 'ASSIGNED' ? dispatched.slice(assignments, ++assignments) : [];
    }),
  );
}

function limitIn(message: string | null): string {
  const key: unknown = JSON.parse(message?.replace(/^\d+ of rate limit /, '') ?? 'null');
  return typeof key === 'string' ? key : '';
}

/** What the planner's memory says of what is left for further transactions. */
export function progressOf({ state, stored }: PlannerWorld): Progress {
  const { tasks } = state;
  const works = [...state.unsettled.turns];
  return {
    isAdmitted: works.every((work) => !work.isAdmitting),
    isAssigned: works.every((work) => !work.isAssigning),
    awaitsVerdict: (taskId) => {
      const row = tasks.find(taskId);
      return row !== undefined && state.isArrival(row);
    },
    standsFor: (taskId, key) => {
      const row = tasks.find(taskId);
      const group = [...state.groups.values()].find((each) => nameOf(each) === key);
      return row !== undefined && group !== undefined && tasks.list[row] === group.waiting.id;
    },
    hasEnded: (taskId, generation) => stored.results.has(`${taskId}/${generation}`),
  };
}

/** By the planner's memory, in which order workers have their tasks, and in which tasks listen for events. */
export function ordersOf({ state }: PlannerWorld): { held: string[]; listening: string[] } {
  const ids = (rows: Iterable<TaskRow>): string[] => Array.from(rows, (row) => state.tasks.id(row));
  return {
    held: [...state.workersById.values()].flatMap((worker) => ids(worker.tasks)),
    // Who listens for one of the keys listens for all of them.
    listening: ids(state.eventWaiters.of(tenantId, 'go')),
  };
}

/** Strategy and key. */
function nameOf({ id }: { id: string }): string {
  return id.slice(id.indexOf(' ') + 1);
}

/** How much of what never changes again (results, ends of runs) an image leaves out. */
export interface Seen {
  results: number;
  runEnds: number;
}

/** Everything that both know, as lines that can be compared. */
export function plannerImage(world: PlannerWorld, seen: Seen): string[] {
  const { state, stored } = world;
  const { tasks } = state;
  const lines: string[] = [];
  for (const row of tasks.rows()) {
    const where = wheres.get(tasks.state[row] ?? -1) ?? '?';
    const flags = tasks.flags[row] ?? 0;
    const after =
      (flags & LiveFlag.Ended) !== 0
        ? 'end'
        : (flags & LiveFlag.Unanswered) !== 0
          ? 'elsewhere'
          : (flags & LiveFlag.Reassign) !== 0
            ? 'reassign'
            : 'retry';
    const extras = state.extras.get(row);
    lines.push(
      taskLine({
        id: tasks.id(row),
        where,
        generation: tasks.generation[row] ?? 0,
        attempt: tasks.attempt[row] ?? 0,
        retries: tasks.retries[row] ?? 0,
        reassigns: tasks.reassigns[row] ?? 0,
        deaths: tasks.deaths[row] ?? 0,
        unanswered: tasks.unanswered[row] ?? 0,
        due: tasks.dueUs[row] ?? 0,
        worker: state.workerOf(row)?.id ?? null,
        batch: state.batches.ofRow.get(row)?.id ?? null,
        started: (flags & LiveFlag.Started) !== 0,
        slotReleased: (flags & LiveFlag.SlotReleased) !== 0,
        afterStop: where === 'is being told to stop' ? after : '',
        holds: [extras?.runRequest?.held ?? false, extras?.taskRequest?.held ?? false],
        sticky: extras?.stickyWorkerId ?? null,
        conditions: state.waits.get(row)?.states.map((each) => (each === 'open' ? null : each === 'met')) ?? [],
      }),
    );
  }
  for (const [id, row] of [...stored.results].slice(seen.results))
    lines.push(
      `result ${id} ${row.output === skippedOutput ? 'skipped' : ends[row.status]} ${row.output === skippedOutput ? null : row.output} ${row.attempt}`,
    );
  for (const [id, row] of [...stored.runEnds].filter(([, each]) => each.status !== 0).slice(seen.runEnds))
    lines.push(`run ${id} ${ends[row.status]}`);
  for (const group of state.groups.values()) if (group.held > 0) lines.push(`key ${nameOf(group)} ${group.held}`);
  for (const limit of state.rateLimits.values())
    if (limit.used > 0)
      lines.push(`limit ${limit.key} ${limit.used} of ${limit.windowLimit} since ${limit.windowStartUs}`);
  for (const worker of state.workersById.values())
    lines.push(`worker ${worker.id} ${worker.used.get('default') ?? 0}${worker.isBlocked ? ' blocked' : ''}`);
  return lines.sort();
}

export function modelImage(model: ReferenceModel, seen: Seen): string[] {
  const lines = model.tasks.map((task) =>
    taskLine({
      ...task,
      worker: task.worker?.id ?? null,
      afterStop: task.where === 'is being told to stop' ? task.afterStop : '',
      holds: [task.runRequest?.held ?? false, task.request?.held ?? false],
      sticky: task.stickyWorker,
    }),
  );
  for (const [id, end] of [...model.results].slice(seen.results))
    lines.push(`result ${id} ${end.status} ${end.output} ${end.attempt}`);
  for (const [id, status] of [...model.runEnds].slice(seen.runEnds)) lines.push(`run ${id} ${status}`);
  for (const key of model.places.keys.values())
    if (model.places.held(key) > 0) lines.push(`key ${key.name} ${model.places.held(key)}`);
  for (const limit of model.units.limits.values())
    if (limit.used > 0)
      lines.push(`limit ${limit.key} ${limit.used} of ${limit.windowLimit} since ${limit.windowStart}`);
  for (const worker of model.workers)
    lines.push(`worker ${worker.id} ${model.queue.used(worker)}${worker.blocked ? ' blocked' : ''}`);
  return lines.sort();
}

interface TaskImage {
  id: string;
  where: string;
  generation: number;
  attempt: number;
  retries: number;
  reassigns: number;
  deaths: number;
  unanswered: number;
  due: number;
  worker: string | null;
  batch: string | null;
  started: boolean;
  slotReleased: boolean;
  afterStop: string;
  holds: boolean[];
  sticky: string | null;
  conditions: (boolean | null)[];
}

function taskLine(task: TaskImage): string {
  const {
    id,
    where,
    generation,
    attempt,
    retries,
    reassigns,
    deaths,
    unanswered,
    due,
    worker,
    batch,
    started,
    slotReleased,
    afterStop,
    holds,
    sticky,
    conditions,
  } = task;
  return `task ${id} ${where}, generation ${generation}, attempt ${attempt}, ${retries} retries, ${reassigns} reassigns, ${deaths} deaths, ${unanswered} unanswered, due ${due}, on ${worker} in ${batch}, started ${started}, slot released ${slotReleased}, then ${afterStop}, ${afterStop === 'end' ? 'over' : `holds ${holds.join()}, sticky ${sticky}`}, conditions ${conditions.join()}`;
}
