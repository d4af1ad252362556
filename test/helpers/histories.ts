import fc from 'fast-check';
import { LiveState } from '../../engine/model/task/live-state.ts';
import {
  concurrencyStrategies,
  type BatchRule,
  type ConcurrencyStrategy,
  type Condition,
  type EventCondition,
  type ParentCondition,
  type SleepCondition,
} from '../../engine/model/definition.ts';
import type { ConcurrencyDemand, Demands } from '../../engine/model/task/demands.ts';
import type { CommandByKind, CommandKind } from '../../engine/plan/commands/command.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';
import type { PushedEvent } from '../../engine/plan/commands/events/push-event.ts';
import type { BatchReportItem } from '../../engine/plan/commands/attempts/batch-report.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from './planner-world.ts';

export const actions = [
  'wf:one',
  'wf:a',
  'wf:b',
  'wf:c',
  'wf:d',
  'wf:keyed',
  'wf:x',
  'wf:y',
  'wf:z',
  'wf:start',
  'wf:left',
  'wf:right',
  'wf:join',
  'wf:after',
  'wf:failed',
  'wf:gather',
  'wf:ahead',
  'wf:pair',
  'wf:trio',
];

/** A planner with workflows of every kind: retries, a DAG, keyed, sticky, conditions with an on-failure task. */
export function world(made = new PlannerWorld()): PlannerWorld {
  made.loosestMaxRuns = 3;
  made.put(workflowOf('single', [stepOf('one', { retries: 2, backoffFactor: 2, backoffMaxSeconds: 4 })]));
  made.put(
    workflowOf('diamond', [
      stepOf('a'),
      stepOf('b', { parents: [0], retries: 1, slots: { default: 2 } }),
      stepOf('c', { parents: [0] }),
      stepOf('d', { parents: [1, 2] }),
    ]),
  );
  made.put(workflowOf('keyed', [stepOf('keyed', { retries: 1, backoffFactor: 2 })], { sticky: 'SOFT' }));
  made.put(
    workflowOf('keyedDag', [stepOf('x'), stepOf('y', { retries: 1 }), stepOf('z', { parents: [0, 1] })], {
      sticky: 'HARD',
    }),
  );
  const on = (base: Pick<Condition, 'action' | 'group'> & { expression?: string }, rest: Particulars): Condition => ({
    expression: '',
    dataKey: 'd',
    ...base,
    ...rest,
  });
  made.put(
    workflowOf(
      'branchy',
      [
        stepOf('start'),
        stepOf('left', {
          parents: [0],
          conditions: [
            on(
              { action: 'SKIP', group: 0, expression: 'output.n > 5.0' },
              { kind: 'parent', parent: 0, whenSkipped: false },
            ),
          ],
        }),
        stepOf('right', {
          parents: [0],
          conditions: [
            on({ action: 'QUEUE', group: 0 }, { kind: 'sleep', ms: 10_000, duration: '10s' }),
            on({ action: 'QUEUE', group: 0, expression: 'input.ok' }, { kind: 'event', eventKey: 'go', scope: null }),
            on({ action: 'CANCEL', group: 1 }, { kind: 'event', eventKey: 'stop', scope: 's' }),
          ],
        }),
        stepOf('join', { parents: [1, 2] }),
        stepOf('after', { parents: [1] }),
        stepOf('failed'),
      ],
      { onFailure: 5, eventKeys: ['begin'] },
    ),
  );
  const batch = (maxSize: number, maxIntervalMs: number | null, groupMaxRuns: number | null): BatchRule => ({
    maxSize,
    maxIntervalMs,
    groupKey: null,
    groupMaxRuns,
    broadcastOutput: false,
  });
  made.put(
    workflowOf('gather', [
      stepOf('gather', {
        retries: 1,
        backoffFactor: 2,
        slots: { default: 2 },
        batch: batch(3, 3_300, 1),
      }),
    ]),
  );
  made.put(
    workflowOf(
      'gatherDag',
      [
        stepOf('ahead'),
        stepOf('pair', { parents: [0], batch: batch(2, null, null) }),
        stepOf('trio', { parents: [0], retries: 2, batch: batch(3, 2_700, 2) }),
      ],
      { sticky: 'SOFT' },
    ),
  );
  return made;
}

/** What is particular to each kind of condition. */
type Particulars =
  | Pick<SleepCondition, 'kind' | 'ms' | 'duration'>
  | Pick<EventCondition, 'kind' | 'eventKey' | 'scope'>
  | Pick<ParentCondition, 'kind' | 'parent' | 'whenSkipped'>;

const link = (level: 'run' | 'task', strategy: ConcurrencyStrategy, key: string, maxRuns = 1): ConcurrencyDemand => ({
  level,
  strategyId: `${level} ${strategy}`,
  strategy,
  key,
  maxRuns,
});

/** What a triggered task asks for; the pick decides. */
function demandsFor(workflow: Workflow, pick: number, workers: readonly string[]): StepDemands[] | null {
  if (workflow === 'single' || workflow === 'diamond' || workflow === 'branchy') return null;
  const key = `k${pick % 2}`;
  const level = workflow === 'keyed' || workflow === 'gather' ? 'task' : 'run';
  const chains: ConcurrencyDemand[][] = [
    [],
    ...concurrencyStrategies.map((strategy) => [link(level, strategy, key, 1 + (pick % 3))]),
    [link('run', 'GROUP_ROUND_ROBIN', 'all', 2), link('task', 'CANCEL_IN_PROGRESS', key)],
    [link('run', 'CANCEL_NEWEST', key, 2), link('task', 'GROUP_ROUND_ROBIN', 'all', 1)],
    // No place at all holds a key until a newer task raises it.
    [link('run', 'GROUP_ROUND_ROBIN', 'held', pick % 4)],
    [
      link('run', 'GROUP_ROUND_ROBIN', key),
      link('run', 'CANCEL_IN_PROGRESS', 'other', 2),
      link('task', 'CANCEL_QUEUED_EXCEPT_NEWEST', key),
    ],
  ];
  const demands: Demands = {
    concurrency: chains[pick % chains.length] ?? [],
    rateLimits: [
      ...(pick % 5 === 0 ? [{ key: 'api', units: 1 + (pick % 3), limit: 3, window: 'SECOND' as const }] : []),
      ...(pick % 7 === 1 ? [{ key: 'put', units: pick % 4, limit: null, window: 'MINUTE' as const }] : []),
    ],
    labels: pick % 7 === 0 ? [{ key: 'gpu', value: 1, comparator: 'EQUAL', required: pick % 2 === 0, weight: 10 }] : [],
    desiredWorkerId: pick % 11 === 0 ? (workers[pick % Math.max(workers.length, 1)] ?? null) : null,
  };
  if (workflow === 'gather' || workflow === 'gatherDag')
    demands.batch = { key: `b${pick % 2}`, bytes: pick % 13 === 0 ? 2_500_000 : 10 };
  const steps = workflow === 'keyed' || workflow === 'gather' ? 1 : 3;
  return Array.from({ length: steps }, (_, index) =>
    pick % 31 === 0 && index === steps - 1 ? { demands: null, error: 'no such field' } : { demands, error: null },
  );
}

type Workflow = 'single' | 'diamond' | 'keyed' | 'keyedDag' | 'branchy' | 'gather' | 'gatherDag';
export type Action =
  | { do: 'trigger'; workflow: Workflow; priority: number; pick: number }
  | { do: 'register'; slots: number }
  | {
      do:
        | 'started'
        | 'completed'
        | 'failed'
        | 'fatal'
        | 'stale'
        | 'cancel'
        | 'cancelRun'
        | 'release'
        | 'refresh'
        | 'returnUnsent'
        | 'unstarted'
        | 'unanswered';
      pick: number;
    }
  | { do: 'lost' | 'died' | 'answered' | 'absent' | 'away' | 'present' | 'unsubscribe' | 'pause'; pick: number }
  | { do: 'advance'; ms: number }
  | { do: 'labels'; pick: number; gpu: number }
  | { do: 'dropLimit' }
  | { do: 'putLimit'; limit: number; window: 'SECOND' | 'MINUTE' }
  | { do: 'pauseWorkflow'; workflow: Workflow; paused: boolean }
  | { do: 'together'; steps: Action[] }
  | { do: 'event'; key: string; scope: string | null; ok: boolean }
  | { do: 'replay'; pick: number; wholeRun: boolean }
  | {
      do: 'batch';
      event: 'started' | 'completed' | 'failed' | 'fatal' | 'cancelled';
      pick: number;
      all: boolean;
      late: boolean;
    }
  | { do: 'bulk'; of: 'runs' | 'events' | 'cancels'; pick: number }
  | { do: 'tell' };

const single: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('trigger' as const),
      workflow: fc.constantFrom<Workflow>(
        'single',
        'diamond',
        'keyed',
        'keyed',
        'keyedDag',
        'branchy',
        'branchy',
        'gather',
        'gather',
        'gatherDag',
      ),
      priority: fc.integer({ min: 1, max: 3 }),
      pick: fc.nat(1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), slots: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'started' as const,
        'completed' as const,
        'completed' as const,
        'failed' as const,
        'fatal' as const,
        'stale' as const,
        'cancel' as const,
        'cancelRun' as const,
        'release' as const,
        'refresh' as const,
        'returnUnsent' as const,
        'unstarted' as const,
        'unanswered' as const,
      ),
      pick: fc.nat(1000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'lost' as const,
        'died' as const,
        'answered' as const,
        'absent' as const,
        'away' as const,
        'present' as const,
        'unsubscribe' as const,
        'pause' as const,
      ),
      pick: fc.nat(1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(500, 5_000, 70_000, 400_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      key: fc.constantFrom('go', 'stop', 'stop', 'other'),
      scope: fc.constantFrom(null, 's'),
      ok: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      event: fc.constantFrom(
        'started' as const,
        'completed' as const,
        'completed' as const,
        'failed' as const,
        'fatal' as const,
        'cancelled' as const,
      ),
      pick: fc.nat(1000),
      all: fc.boolean(),
      late: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('bulk' as const),
      of: fc.constantFrom(
        'runs' as const,
        'events' as const,
        'events' as const,
        'cancels' as const,
        'cancels' as const,
      ),
      pick: fc.nat(1000),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'tell' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('replay' as const), pick: fc.nat(1000), wholeRun: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('labels' as const),
      pick: fc.nat(1000),
      gpu: fc.integer({ min: 0, max: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('dropLimit' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('putLimit' as const),
      limit: fc.integer({ min: 0, max: 4 }),
      window: fc.constantFrom('SECOND' as const, 'MINUTE' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pauseWorkflow' as const),
      workflow: fc.constantFrom<Workflow>('single', 'keyed', 'keyedDag', 'branchy', 'gather'),
      paused: fc.boolean(),
    }),
  },
);
/** One command, or several that share a batch. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: single },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('together' as const),
      steps: fc.array(single, { minLength: 2, maxLength: 5 }),
    }),
  },
);

/** Runs of three tasks each. */
export const bulkRuns = 18;

/** What brings more than a transaction has room for beside others, and goes in parts: what matters is in the first and the last. */
function bulkOf(
  made: PlannerWorld,
  { of, pick }: { of: 'runs' | 'events' | 'cancels'; pick: number },
): CommandByKind['trigger'] | CommandByKind['pushEvent'] | CommandByKind['cancel'] {
  const { state } = made;
  switch (of) {
    case 'runs': {
      const workers = [...state.workersById.keys()];
      const picks = Array.from({ length: bulkRuns }, (_, index) => pick + (index % 4) * 100);
      const runs = picks.flatMap(
        (each) => made.triggerOf('keyedDag', 1 + (each % 3), demandsFor('keyedDag', each, workers)).runs,
      );
      return { kind: 'trigger', tenantId, runs };
    }
    case 'events': {
      const event = (key: string): PushedEvent => ({
        id: made.id(),
        key,
        scope: pick % 2 === 0 ? null : 's',
        payload: JSON.stringify({ ok: pick % 3 === 0 }),
        metadata: '{}',
        runs: [],
      });
      const others = Array.from({ length: 60 }, () => event('other'));
      return { kind: 'pushEvent', tenantId, events: [event('go'), ...others, event('stop')] };
    }
    case 'cancels': {
      const ids = Array.from(state.tasks.rows(), (row) => state.tasks.id(row)).filter((_, at) => at % 3 !== pick % 3);
      const half = Math.ceil(ids.length / 2);
      const unknown = Array.from({ length: 60 }, () => made.id());
      return { kind: 'cancel', tenantId, ids: [...ids.slice(0, half), ...unknown, ...ids.slice(half)] };
    }
  }
}

/** The command that an action stands for in the present state, if it applies. */
export function commandFor(made: PlannerWorld, step: Action): CommandByKind[CommandKind] | undefined {
  const { state } = made;
  const rows = [...state.tasks.rows()];
  const workers = [...state.workersById.values()];
  switch (step.do) {
    case 'trigger':
      return made.triggerOf(
        step.workflow,
        step.priority,
        demandsFor(
          step.workflow,
          step.pick,
          workers.map(({ id }) => id),
        ),
      );
    case 'register':
    case 'together':
      return undefined;
    case 'advance':
      made.nowUs += step.ms * 1000;
      return { kind: 'tick' };
    case 'dropLimit':
      return { kind: 'deleteRateLimit', tenantId, key: 'put' };
    case 'putLimit':
      return { kind: 'putRateLimit', tenantId, key: 'put', limit: step.limit, window: step.window };
    case 'pauseWorkflow': {
      const workflowId = state.latestVersion(tenantId, step.workflow)?.workflowId;
      return workflowId === undefined
        ? undefined
        : { kind: 'pauseWorkflow', tenantId, workflowId, paused: step.paused };
    }
    case 'labels': {
      const workerId = workers[step.pick % Math.max(workers.length, 1)]?.id;
      return workerId === undefined
        ? undefined
        : { kind: 'updateWorker', tenantId, workerId, labels: { gpu: step.gpu } };
    }
    case 'event':
      return {
        kind: 'pushEvent',
        tenantId,
        events: [
          {
            id: made.id(),
            key: step.key,
            scope: step.scope,
            payload: JSON.stringify({ ok: step.ok }),
            metadata: '{}',
            runs: [],
          },
        ],
      };
    case 'bulk':
      return bulkOf(made, step);
    case 'batch': {
      const batches = [...state.batches.groups.values()].flatMap((group) => [...group.running]);
      const batch = batches[step.pick % Math.max(batches.length, 1)];
      if (batch === undefined) return undefined;
      const ids = [...batch.rows]
        .map((row) => state.tasks.id(row))
        .filter((_, index) => step.all || index % 2 === step.pick % 2);
      const item = (taskId: string): BatchReportItem => {
        const ref = { taskId, attempt: null }; // SDKs name none
        if (step.event === 'completed') return { event: 'completed', ...ref, output: `{"n":${step.pick % 10}}` };
        if (step.event === 'failed' || step.event === 'fatal')
          return { event: 'failed', ...ref, error: '{"message":"no"}', mayRetry: step.event === 'failed' };
        return { event: step.event, ...ref };
      };
      const another = batches[(step.pick + 1) % batches.length]?.id ?? batch.id;
      return { kind: 'batchReport', tenantId, batchId: step.late ? another : batch.id, items: ids.map(item) };
    }
    case 'replay': {
      const known = [...made.stored.runs.values()];
      const run = known[step.pick % Math.max(known.length, 1)];
      return run === undefined
        ? undefined
        : made.replayOf([step.wholeRun ? run.id : (run.tasks[step.pick % run.tasks.length]?.id ?? '')]);
    }
    case 'tell': {
      const row = rows.find((each) => state.tasks.state[each] === LiveState.Cancelling);
      return row === undefined
        ? undefined
        : { kind: 'cancelSent', tenantId, taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? 0 };
    }
    case 'lost':
    case 'died':
    case 'answered':
    case 'absent':
    case 'away':
    case 'present':
    case 'unsubscribe':
    case 'pause': {
      const worker = workers[step.pick % Math.max(workers.length, 1)];
      if (worker === undefined) return undefined;
      const workerId = worker.id;
      if (step.do === 'answered') return { kind: 'workerAnswered', tenantId, workerId };
      if (step.do === 'lost') return { kind: 'workerLost', tenantId, workerId };
      if (step.do === 'died')
        return {
          kind: 'workerLost',
          tenantId,
          workerId,
          forget: step.pick % 2 === 0,
          death: { how: 'SIGKILL', isCertain: step.pick % 2 === 0, mostDeaths: 2 },
        };
      if (step.do === 'unsubscribe') return { kind: 'unsubscribe', tenantId, workerId };
      if (step.do === 'pause') return { kind: 'updateWorker', tenantId, workerId, paused: !worker.paused };
      return {
        kind: 'workerPresence',
        tenantId,
        workerId,
        assignable: step.do === 'present',
        away: step.do === 'away',
      };
    }
    default: {
      const row = rows[step.pick % Math.max(rows.length, 1)];
      if (row === undefined) return undefined;
      const ref = { taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? 0 };
      switch (step.do) {
        case 'started':
          return { kind: 'started', tenantId, ...ref };
        case 'completed':
          return { kind: 'completed', tenantId, ...ref, output: `{"n":${step.pick % 10}}` };
        case 'failed':
          return { kind: 'failed', tenantId, ...ref, error: '{"message":"no"}', mayRetry: true };
        case 'fatal':
          return { kind: 'failed', tenantId, ...ref, error: 'no', mayRetry: false };
        case 'stale':
          return { kind: 'completed', tenantId, taskId: ref.taskId, attempt: ref.attempt - 1, output: '{}' };
        case 'cancel':
          return { kind: 'cancel', tenantId, ids: [ref.taskId] };
        case 'cancelRun':
          return { kind: 'cancel', tenantId, ids: [state.runIdOf(row)] };
        case 'release':
          return { kind: 'releaseSlot', tenantId, taskId: ref.taskId };
        case 'refresh':
          return { kind: 'refreshTimeout', tenantId, taskId: ref.taskId, incrementMs: 1 + step.pick };
        case 'returnUnsent':
          return { kind: 'returnUnsent', tenantId, ...ref };
        case 'unstarted':
          return { kind: 'reassignUnstarted', tenantId, ...ref };
        case 'unanswered': {
          const worker = state.workerOf(row);
          return worker === undefined
            ? undefined
            : { kind: 'unanswered', tenantId, workerId: worker.id, attempts: [{ ...ref, invocation: null }] };
        }
      }
    }
  }
}

/** Refusals are left to whoever watches. */
export function apply(made: PlannerWorld, step: Action): void {
  if (step.do === 'register') made.register({ actions, slots: step.slots });
  else if (step.do === 'together') made.send(commandsFor(made, step.steps));
  else {
    const command = commandFor(made, step);
    if (command !== undefined) made.send([command]);
  }
}

/** What the actions stand for, all of them in the state before the first: later in a transaction some are refused. */
export function commandsFor(made: PlannerWorld, steps: readonly Action[]): CommandByKind[CommandKind][] {
  return steps.flatMap((step) => commandFor(made, step) ?? []);
}

/** Workers that take all, until nothing is left. */
export function drain(made: PlannerWorld): void {
  for (const { workflowId } of Array.from(made.state.latest.values()))
    made.run({ kind: 'pauseWorkflow', tenantId, workflowId, paused: false });
  made.register({ actions, slots: 100, labels: { gpu: 1 } });
  for (let round = 0; round < 10_000 && made.state.tasks.size > 0; round++) {
    for (const row of Array.from(made.state.tasks.rows())) {
      const ref = { taskId: made.state.tasks.id(row), attempt: made.state.tasks.attempt[row] ?? 0 };
      if (made.state.tasks.state[row] === LiveState.Running)
        made.run({ kind: 'completed', tenantId, ...ref, output: '{}' });
      else if (made.state.tasks.state[row] === LiveState.Cancelling) made.run({ kind: 'cancelSent', tenantId, ...ref });
    }
    made.nowUs += 10_000_000;
    made.run({ kind: 'tick' });
  }
}
