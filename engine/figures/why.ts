import { suits } from '../plan/queue/pick-worker.ts';
import { LiveFlag, LiveState } from '../model/task/live-state.ts';
import { bufferOf } from '../plan/batch-tasks/gather-task.ts';
import type { ConcurrencyGroup, PlaceRequest } from '../plan/concurrency/concurrency-group.ts';
import { constraintOf, placementOf } from '../plan/queue/task-constraint.ts';
import { type Placement } from '../plan/queue/placement.ts';
import type { RateLimit } from '../plan/rate-limits/rate-limit.ts';
import { findRateLimit } from '../plan/rate-limits/rate-limit-table.ts';
import type { PlannerWorker } from '../plan/queue/planner-worker.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { TaskRow } from '../plan/state/table/rows.ts';

/** Ids that a cause names at most. */
const named = 10;

/** Why a task is not running, and what would end that. Codes are stable. */
export interface Cause {
  code:
    | 'PARENTS'
    | 'CONDITION'
    | 'ON_FAILURE'
    | 'BACKOFF'
    | 'CONCURRENCY'
    | 'RATE_LIMIT'
    | 'BATCH'
    | 'BATCH_LIMIT'
    | 'WORKFLOW_PAUSED'
    | 'NO_WORKER'
    | 'NO_WORKER_CONNECTED'
    | 'NOT_ANSWERING'
    | 'LABELS'
    | 'STICKY'
    | 'SLOTS'
    | 'SLOTS_NEVER'
    | 'RUNNING'
    | 'EVICTED'
    | 'CANCELLING';
  /** One sentence. */
  text: string;
  /** When time alone ends it; null where something else must happen. */
  untilUs: number | null;
  /** Runs, tasks or workers that it names. */
  ids: readonly string[];
}

/** Judged from the planner's own state; undefined for a task that has ended or never was. */
export function whyWaiting(state: ShardState, taskId: string, nowUs: number): Cause | undefined {
  const row = state.tasks.find(taskId);
  if (row === undefined || state.isEnded(row)) return undefined;
  switch (state.tasks.state[row]) {
    case LiveState.Gated:
      return gated(state, row);
    case LiveState.Delayed:
      return cause('BACKOFF', `waits for its retry ${state.tasks.retries[row] ?? 0}`, {
        untilUs: state.deadlines.dueUs(row),
      });
    case LiveState.RateLimited:
    case LiveState.Ready:
      return ready(state, row, nowUs);
    case LiveState.Batching:
      return gathering(state, row, nowUs);
    case LiveState.Running:
      return running(state, row);
    case LiveState.Evicted:
      return cause('EVICTED', 'sleeps off its worker until what it waits for has come; its log says what that is', {
        untilUs: state.deadlines.dueUs(row) || null,
      });
    default:
      return cause('CANCELLING', 'its worker has still to be told that the attempt is over', {
        ids: workerIds(state, row),
      });
  }
}

function cause(
  code: Cause['code'],
  text: string,
  more: { untilUs?: number | null; ids?: readonly string[] } = {},
): Cause {
  return { code, text, untilUs: more.untilUs ?? null, ids: (more.ids ?? []).slice(0, named) };
}

function running(state: ShardState, row: TaskRow): Cause {
  const worker = state.workerOf(row);
  const started = ((state.tasks.flags[row] ?? 0) & LiveFlag.Started) !== 0;
  if (worker?.isBlocked === true)
    return cause(
      'NOT_ANSWERING',
      `${started ? 'runs on' : 'was sent to'} worker ${worker.name}, which does not answer`,
      { ids: workerIds(state, row) },
    );
  const connection =
    (worker?.awaySinceUs ?? 0) > 0
      ? ', which is not connected: its timeout stands still until the worker is back or lost'
      : '';
  return cause('RUNNING', `runs on worker ${worker?.name ?? ''}${connection}`, { ids: workerIds(state, row) });
}

function workerIds(state: ShardState, row: TaskRow): string[] {
  const worker = state.workerOf(row);
  return worker === undefined ? [] : [worker.id];
}

function gated(state: ShardState, row: TaskRow): Cause {
  const { definition, version, index } = state.stepOf(row);
  if (version.definition.onFailure === index)
    return cause('ON_FAILURE', 'starts only if another task of the run fails');
  const run = state.runOf(row);
  const open = definition.parents.filter((parent) => run?.outcomes[parent] === 0);
  if (open.length > 0) {
    const names = open.slice(0, named).map((parent) => version.definition.steps[parent]?.name ?? '');
    const rest = open.length - names.length;
    return cause('PARENTS', `waits for ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`, {
      ids: open.flatMap((parent) => run?.taskIds[parent] ?? []),
    });
  }
  const wait = state.waits.get(row);
  const waits = definition.conditions.flatMap((condition, at) => {
    if (wait?.states[at] !== 'open' || condition.kind === 'parent') return [];
    const to =
      condition.action === 'QUEUE' || condition.action === 'CREATE'
        ? 'to start'
        : `to be ${condition.action === 'SKIP' ? 'skipped' : 'cancelled'}`;
    if (condition.kind === 'sleep') return [`a sleep of ${condition.duration} ${to}`];
    return [
      `the event ${JSON.stringify(condition.eventKey)}${condition.scope === null ? '' : ` in scope ${JSON.stringify(condition.scope)}`}${condition.expression === '' ? '' : ` with ${condition.expression}`} ${to}`,
    ];
  });
  const due = state.deadlines.dueUs(row);
  return cause('CONDITION', `waits for ${waits.join(', or ')}`, { untilUs: due === 0 ? null : due });
}

/** A task of a batch step that left its buffer for want of units. */
function unbuffered(state: ShardState, row: TaskRow, nowUs: number): Cause {
  const list = state.tasks.list[row];
  for (const demand of state.extras.get(row)?.demands.rateLimits ?? []) {
    const limit = findRateLimit(state, state.stepOf(row).version.tenantId, demand.key);
    if (limit === undefined || (list !== limit.tooLarge.id && list !== limit.waiting.id)) continue;
    return rateLimited(limit, demand, { nowUs, isTooLarge: list === limit.tooLarge.id });
  }
  return cause('RATE_LIMIT', 'waits for a rate limit');
}

function rateLimited(
  limit: RateLimit,
  { units }: { units: number },
  { nowUs, isTooLarge }: { nowUs: number; isTooLarge: boolean },
): Cause {
  const asks = `asks ${units} units of rate limit ${JSON.stringify(limit.key)}`;
  if (!isTooLarge)
    return cause('RATE_LIMIT', `${asks}, of which ${limit.left(nowUs)} of ${limit.limit} are left`, {
      untilUs: limit.nextLookUs(nowUs),
    });
  const size = limit.exists ? `${limit.limit} ${limit.window}` : 'nothing, since it was never put';
  return cause('RATE_LIMIT', `${asks}, which holds ${size}: it will wait until its schedule timeout`);
}

function ready(state: ShardState, row: TaskRow, nowUs: number): Cause {
  const extras = state.extras.get(row);
  const admitted = ((state.tasks.flags[row] ?? 0) & LiveFlag.Admitted) !== 0;
  if (extras !== undefined && !admitted) {
    const full = [extras.runRequest, extras.taskRequest]
      .flatMap((request) => (request === null || request.held ? [] : request.groups))
      .find((group) => group.isFull || group.waiting.id === state.tasks.list[row]);
    if (full !== undefined) return concurrency(state, full);
  }
  const { queue, definition } = state.stepOf(row);
  if (definition.batch !== null) return unbuffered(state, row, nowUs);
  const constraint = constraintOf(state, row);
  const { placement } = constraint;
  const line = queue.lineOf(constraint);
  const entry = line?.heap === undefined ? line?.entry : undefined;
  const limit = entry === undefined ? undefined : findRateLimit(state, queue.tenantId, entry.limit.key);
  if (entry !== undefined && limit !== undefined)
    return rateLimited(limit, entry, { nowUs, isTooLarge: entry.isTooLarge });
  if (placement.workflow.paused) return cause('WORKFLOW_PAUSED', 'its workflow is paused');
  return unplaced(queue.workers, placement, definition.action);
}

function gathering(state: ShardState, row: TaskRow, nowUs: number): Cause {
  const { queue, definition } = state.stepOf(row);
  const buffer = bufferOf(state, row, placementOf(state, row));
  const { rule, group, placement, list } = buffer;
  if (placement.workflow.paused) return cause('WORKFLOW_PAUSED', 'its workflow is paused');
  const whose = group.key === '' ? '' : ` for key ${JSON.stringify(group.key)}`;
  if (buffer.isBlocked) {
    const ids = [...group.running].flatMap((batch) => [...batch.rows].map((member) => state.runIdOf(member)));
    return cause(
      'BATCH_LIMIT',
      `${counted(group.running.size, 'batch', 'batches')}${whose} ${group.running.size === 1 ? 'runs' : 'run'}, as many as may at once, and ${counted(list.length, 'task waits', 'tasks wait')} for the next`,
      { ids },
    );
  }
  if (buffer.whyNow(nowUs) === undefined) {
    const { flushAtUs } = buffer;
    const when = flushAtUs === Infinity ? 'when it is full' : 'when it is full or its interval is over';
    return cause('BATCH', `waits in a batch${whose} with ${list.length} of ${rule.maxSize} tasks, which goes ${when}`, {
      untilUs: flushAtUs === Infinity ? null : flushAtUs,
    });
  }
  return unplaced(queue.workers, placement, definition.action);
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function concurrency(state: ShardState, group: ConcurrencyGroup): Cause {
  const holders = [...group.members].filter((request) => request.held);
  const ids = holders.flatMap((request) => runOfRequest(state, request));
  return cause(
    'CONCURRENCY',
    `key ${JSON.stringify(group.key)} has ${group.held} of ${group.maxRuns} places taken (${group.strategy}), and ${group.waiting.length} wait for one`,
    { ids: [...new Set(ids)] },
  );
}

function runOfRequest(state: ShardState, request: PlaceRequest): string[] {
  const [row] = request.rows;
  return row === undefined ? [] : [state.runIdOf(row)];
}

/** Why no worker takes it, from the hardest reason to the softest. */
function unplaced(all: readonly PlannerWorker[], placement: Placement, action: string): Cause {
  const workers = all.filter((worker) => !worker.ended);
  if (workers.length === 0) return cause('NO_WORKER', `no worker is registered for ${action}`);
  const present = workers.filter((worker) => worker.assignable && !worker.paused);
  const ids = (list: readonly PlannerWorker[]): string[] => list.map((worker) => worker.id);
  if (present.length === 0)
    return cause('NO_WORKER_CONNECTED', `none of the ${workers.length} workers for ${action} is connected and active`, {
      ids: ids(workers),
    });
  const answering = present.filter((worker) => !worker.isBlocked);
  if (answering.length === 0) {
    const [first] = present;
    return cause(
      'NOT_ANSWERING',
      present.length === 1
        ? `worker ${first?.name ?? ''}, the only one that is connected for ${action}, does not answer: it has not said that a task has arrived`
        : `none of the ${present.length} workers that are connected for ${action} answers: they have not said that a task has arrived`,
      { ids: ids(present) },
    );
  }
  const { sticky } = placement;
  if (sticky?.hard === true && !present.some((worker) => worker.id === sticky.workerId))
    return cause('STICKY', `may only run on worker ${sticky.workerId}, which is not connected`, {
      ids: [sticky.workerId],
    });
  const suitable = present.filter((worker) => suits(worker, placement));
  if (suitable.length === 0) {
    const wanted = placement.labels
      .filter((label) => label.required)
      .map((label) => `${label.key} ${label.comparator} ${JSON.stringify(label.value)}`);
    return cause('LABELS', `none of the ${present.length} connected workers has the labels ${wanted.join(', ')}`, {
      ids: ids(present),
    });
  }
  if (suitable.every((worker) => worker.isBlocked))
    return cause('NOT_ANSWERING', `none of the ${suitable.length} workers that suit it answers`, {
      ids: ids(suitable),
    });
  const largeEnough = suitable.filter((worker) =>
    placement.cost.every(({ type, units }) => (worker.slots.get(type) ?? 0) >= units),
  );
  const cost = placement.cost.map(({ type, units }) => `${units} ${type}`).join(', ');
  if (largeEnough.length === 0)
    return cause(
      'SLOTS_NEVER',
      `asks for ${cost} slots, more than any worker has: it will wait until its schedule timeout`,
      { ids: ids(suitable) },
    );
  return cause('SLOTS', `all ${largeEnough.length} workers that could take it are busy (it asks for ${cost} slots)`, {
    ids: ids(largeEnough),
  });
}
