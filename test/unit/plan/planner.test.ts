import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/live-state.ts';
import { RunStatus } from '../../../engine/model/status.ts';
import { concurrencyStrategies, type ConcurrencyStrategy, type Condition, type EventCondition, type ParentCondition, type SleepCondition } from '../../../engine/model/definition.ts';
import type { ConcurrencyDemand, Demands } from '../../../engine/model/demands.ts';
import type { CommandByKind, CommandKind, StepDemands } from '../../../engine/plan/command.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const actions = ['wf:one', 'wf:a', 'wf:b', 'wf:c', 'wf:d', 'wf:keyed', 'wf:x', 'wf:y', 'wf:z', 'wf:start', 'wf:left', 'wf:right', 'wf:join', 'wf:failed'];

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.loosestMaxRuns = 3;
  made.put(workflowOf('single', [stepOf('one', { retries: 2, backoffFactor: 2, backoffMaxSeconds: 4 })]));
  made.put(workflowOf('diamond', [stepOf('a'), stepOf('b', { parents: [0], retries: 1 }), stepOf('c', { parents: [0] }), stepOf('d', { parents: [1, 2] })]));
  made.put(workflowOf('keyed', [stepOf('keyed', { retries: 1, backoffFactor: 2 })], { sticky: 'SOFT' }));
  made.put(workflowOf('keyedDag', [stepOf('x'), stepOf('y', { retries: 1 }), stepOf('z', { parents: [0, 1] })], { sticky: 'HARD' }));
  const on = (base: Pick<Condition, 'action' | 'group'> & { expression?: string }, rest: Particulars): Condition => ({ expression: '', dataKey: 'd', ...base, ...rest });
  made.put(
    workflowOf(
      'branchy',
      [
        stepOf('start'),
        stepOf('left', { parents: [0], conditions: [on({ action: 'SKIP', group: 0, expression: 'output.n > 5.0' }, { kind: 'parent', parent: 0, whenSkipped: false })] }),
        stepOf('right', {
          parents: [0],
          conditions: [
            on({ action: 'QUEUE', group: 0 }, { kind: 'sleep', ms: 10_000, duration: '10s' }),
            on({ action: 'QUEUE', group: 0, expression: 'input.ok' }, { kind: 'event', eventKey: 'go', scope: null }),
            on({ action: 'CANCEL', group: 1 }, { kind: 'event', eventKey: 'stop', scope: 's' }),
          ],
        }),
        stepOf('join', { parents: [1, 2] }),
        stepOf('failed'),
      ],
      { onFailure: 4, eventKeys: ['begin'] },
    ),
  );
  return made;
}

/** What is particular to each kind of condition. */
type Particulars = Pick<SleepCondition, 'kind' | 'ms' | 'duration'> | Pick<EventCondition, 'kind' | 'eventKey' | 'scope'> | Pick<ParentCondition, 'kind' | 'parent' | 'whenSkipped'>;

const link = (level: 'run' | 'task', strategy: ConcurrencyStrategy, key: string, maxRuns = 1): ConcurrencyDemand => ({ level, strategyId: `${level} ${strategy}`, strategy, key, maxRuns });

/** What a triggered task asks for; the pick decides. */
function demandsFor(workflow: Workflow, pick: number): StepDemands[] | null {
  if (workflow === 'single' || workflow === 'diamond' || workflow === 'branchy') return null;
  const key = `k${pick % 2}`;
  const level = workflow === 'keyed' ? 'task' : 'run';
  const chains: ConcurrencyDemand[][] = [
    [],
    ...concurrencyStrategies.map((strategy) => [link(level, strategy, key, 1 + (pick % 3))]),
    [link('run', 'GROUP_ROUND_ROBIN', 'all', 2), link('task', 'CANCEL_IN_PROGRESS', key)],
    [link('run', 'CANCEL_NEWEST', key, 2), link('task', 'GROUP_ROUND_ROBIN', 'all', 1)],
    [link('run', 'GROUP_ROUND_ROBIN', key), link('run', 'CANCEL_IN_PROGRESS', 'other', 2), link('task', 'CANCEL_QUEUED_EXCEPT_NEWEST', key)],
  ];
  const demands: Demands = {
    concurrency: chains[pick % chains.length] ?? [],
    rateLimits: pick % 5 === 0 ? [{ key: 'api', units: 1 + (pick % 3), limit: 3, window: 'SECOND' }] : [],
    labels: pick % 7 === 0 ? [{ key: 'gpu', value: 1, comparator: 'EQUAL', required: pick % 2 === 0, weight: 10 }] : [],
    desiredWorkerId: null,
  };
  const steps = workflow === 'keyed' ? 1 : 3;
  return Array.from({ length: steps }, (_, index) => (pick % 31 === 0 && index === steps - 1 ? { demands: null, error: 'no such field' } : { demands, error: null }));
}

type Workflow = 'single' | 'diamond' | 'keyed' | 'keyedDag' | 'branchy';
type Action =
  | { do: 'trigger'; workflow: Workflow; priority: number; pick: number }
  | { do: 'register'; slots: number }
  | { do: 'started' | 'completed' | 'failed' | 'fatal' | 'stale' | 'cancel' | 'cancelRun' | 'release' | 'returnUnsent' | 'unstarted'; pick: number }
  | { do: 'lost' | 'absent' | 'present' | 'unsubscribe' | 'pause'; pick: number }
  | { do: 'advance'; ms: number }
  | { do: 'event'; key: string; scope: string | null; ok: boolean }
  | { do: 'replay'; pick: number; wholeRun: boolean }
  | { do: 'tell' };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('trigger' as const), workflow: fc.constantFrom<Workflow>('single', 'diamond', 'keyed', 'keyed', 'keyedDag', 'branchy', 'branchy'), priority: fc.integer({ min: 1, max: 3 }), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), slots: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('started' as const, 'completed' as const, 'completed' as const, 'failed' as const, 'fatal' as const, 'stale' as const, 'cancel' as const, 'cancelRun' as const, 'release' as const, 'returnUnsent' as const, 'unstarted' as const),
      pick: fc.nat(1000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('lost' as const, 'absent' as const, 'present' as const, 'unsubscribe' as const, 'pause' as const), pick: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(500, 5_000, 70_000, 400_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('event' as const), key: fc.constantFrom('go', 'stop', 'other'), scope: fc.constantFrom(null, 's'), ok: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ do: 'tell' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replay' as const), pick: fc.nat(1000), wholeRun: fc.boolean() }) },
);

/** The command that an action stands for in the present state, if it applies. */
function commandFor(made: PlannerWorld, step: Action): CommandByKind[CommandKind] | undefined {
  const { state } = made;
  const rows = [...state.tasks.rows()];
  const workers = [...state.workersById.values()];
  switch (step.do) {
    case 'trigger':
    case 'register':
    case 'advance':
      return undefined;
    case 'event':
      return { kind: 'pushEvent', tenantId, existing: new Set(), events: [{ id: made.id(), key: step.key, scope: step.scope, payload: JSON.stringify({ ok: step.ok }), metadata: '{}', runs: [] }] };
    case 'replay': {
      const known = [...made.stored.runs.values()];
      const run = known[step.pick % Math.max(known.length, 1)];
      return run === undefined ? undefined : made.replayOf([step.wholeRun ? run.id : (run.tasks[step.pick % run.tasks.length]?.id ?? '')]);
    }
    case 'tell': {
      const row = rows.find((each) => state.tasks.state[each] === LiveState.Cancelling);
      return row === undefined ? undefined : { kind: 'cancelSent', taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? 0 };
    }
    case 'lost':
    case 'absent':
    case 'present':
    case 'unsubscribe':
    case 'pause': {
      const worker = workers[step.pick % Math.max(workers.length, 1)];
      if (worker === undefined) return undefined;
      const workerId = worker.id;
      if (step.do === 'lost') return { kind: 'workerLost', workerId };
      if (step.do === 'unsubscribe') return { kind: 'unsubscribe', tenantId, workerId };
      if (step.do === 'pause') return { kind: 'updateWorker', tenantId, workerId, paused: !worker.paused };
      return { kind: 'workerPresence', workerId, assignable: step.do === 'present' };
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
          return state.tasks.state[row] === LiveState.Running ? { kind: 'releaseSlot', tenantId, taskId: ref.taskId } : undefined;
        case 'returnUnsent':
          return { kind: 'returnUnsent', ...ref };
        case 'unstarted':
          return { kind: 'reassignUnstarted', ...ref };
      }
    }
  }
}

function apply(made: PlannerWorld, step: Action): void {
  if (step.do === 'trigger') made.trigger(step.workflow, step.priority, demandsFor(step.workflow, step.pick));
  else if (step.do === 'register') made.register({ actions, slots: step.slots });
  else if (step.do === 'advance') {
    made.nowUs += step.ms * 1000;
    made.run({ kind: 'tick' });
  } else {
    const command = commandFor(made, step);
    if (command !== undefined) made.run(command);
  }
}

/** Workers that take all, until nothing is left. */
function drain(made: PlannerWorld): void {
  made.register({ actions, slots: 100, labels: { gpu: 1 } });
  for (let round = 0; round < 10_000 && made.state.tasks.size > 0; round++) {
    for (const row of Array.from(made.state.tasks.rows())) {
      const ref = { taskId: made.state.tasks.id(row), attempt: made.state.tasks.attempt[row] ?? 0 };
      if (made.state.tasks.state[row] === LiveState.Running) made.run({ kind: 'completed', tenantId, ...ref, output: '{}' });
      else if (made.state.tasks.state[row] === LiveState.Cancelling) made.run({ kind: 'cancelSent', ...ref });
    }
    made.nowUs += 10_000_000;
    made.run({ kind: 'tick' });
  }
}

describe('planner', () => {
  it('keeps its invariants over random histories, and every generation of a run ends exactly once', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const made = world();
        const triggered = steps.filter((step) => step.do === 'trigger').length;
        for (const step of steps) {
          apply(made, step);
          expect(made.broken()).toBeUndefined();
        }
        drain(made);
        // And once more, all of them.
        made.run(made.replayOf([...made.stored.runs.keys()]));
        expect(made.broken()).toBeUndefined();
        drain(made);
        expect(made.state.tasks.size).toBe(0);
        expect(made.stored.live.size).toBe(0);
        expect(made.stored.reopened.size).toBeGreaterThanOrEqual(triggered);
        expect(made.stored.runEnds.size).toBe(triggered + made.stored.reopened.size);
        expect(made.state.runsById.size).toBe(0);
        expect(made.broken()).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  }, 120_000);

  it('leaves no trace of a batch that is taken back', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 40, size: 'max' }), fc.array(action, { minLength: 1, maxLength: 12, size: 'max' }), (steps, refused) => {
        const made = world();
        made.register({ actions, slots: 2 });
        for (const step of steps) apply(made, step);
        const before = JSON.stringify(made.image());
        const commands = refused.map((step) => (step.do === 'advance' ? ({ kind: 'tick' } as const) : commandFor(made, step))).filter((command) => command !== undefined);
        const version = made.state.latestVersion(tenantId, 'diamond');
        const ids = Array.from({ length: 4 }, () => made.id());
        if (version !== undefined) {
          const run = { runId: made.id(), taskIds: ids, versionId: version.versionId, input: '{}', metadata: '{}', priority: 2, parentTaskId: null, childIndex: null, childKey: null, filterPayload: null, placement: null, idempotency: null, ownId: false, demands: null };
          commands.unshift({ kind: 'trigger', tenantId, existing: new Set(), runs: [run] });
        }
        commands.push({ kind: 'putWorkflow', tenantId, definition: workflowOf('single', [stepOf('one', { retries: 9 })]), checksum: 'other', workflowId: made.id(), versionId: made.id(), filterIds: [], crons: [] });
        commands.push(made.replayOf([...made.stored.runs.keys()]));
        made.rollback(commands);
        expect(JSON.stringify(made.image())).toBe(before);
        expect(made.broken()).toBeUndefined();
        drain(made);
        expect(made.state.tasks.size).toBe(0);
      }),
      { numRuns: 1000 },
    );
  }, 120_000);

  it('assigns by priority, retries first, FIFO inside a rank', () => {
    const made = world();
    const [low, high, middle, lowToo] = [made.trigger('single', 1), made.trigger('single', 3), made.trigger('single', 2), made.trigger('single', 1)];
    const workerId = made.register({ actions, slots: 1 });
    const order: string[] = [];
    for (let i = 0; i < 5; i++) {
      const [row] = made.state.workersById.get(workerId)?.tasks ?? [];
      if (row === undefined) throw new Error('nothing was assigned');
      const taskId = made.state.tasks.id(row);
      order.push(taskId);
      const ref = { tenantId, taskId, attempt: made.state.tasks.attempt[row] ?? 0 };
      if (i === 0) {
        made.run({ kind: 'failed', ...ref, error: 'x', mayRetry: true });
        made.nowUs += 3_000_000;
        made.run({ kind: 'tick' });
      } else made.run({ kind: 'completed', ...ref, output: '{}' });
    }
    // The first one's retry waited for its back-off while the next was running, then went ahead of the rest.
    expect(order).toEqual([high, middle, high, low, lowToo]);
  });

  it('ignores reports of attempts that no longer count', () => {
    const made = world();
    const workerId = made.register({ actions, slots: 5 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    made.run({ kind: 'workerLost', workerId });
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '"late"' });
    made.register({ actions, slots: 5 });
    // Attempt 1 runs now; what attempt 0 says must not end it.
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '"later"' });
    made.run({ kind: 'failed', tenantId, taskId: runId, attempt: 0, error: 'later', mayRetry: true });
    expect(made.stored.results.size).toBe(0);
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '"good"' });
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '"again"' });
    expect([...made.stored.results.values()].map((row) => [row.output, row.status])).toEqual([['"good"', RunStatus.Completed]]);
  });

  it('cancels the children of a failed task, and fails the run', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const runId = made.trigger('diamond');
    const [taskId] = [...made.state.tasks.rows()].filter((row) => made.state.tasks.state[row] === LiveState.Running).map((row) => made.state.tasks.id(row));
    made.run({ kind: 'failed', tenantId, taskId: taskId ?? '', attempt: 0, error: 'no', mayRetry: true });
    expect([...made.stored.results.values()].map((row) => row.status).sort((a, b) => a - b)).toEqual([RunStatus.Failed, RunStatus.Cancelled, RunStatus.Cancelled, RunStatus.Cancelled]);
    expect(made.stored.runEnds.get(`${runId}/1`)?.status).toBe(RunStatus.Failed);
    expect(made.state.tasks.size).toBe(0);
  });

  it('starts the on-failure task with the first failure, and skips it without one', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const end = (fails: boolean): string => {
      const runId = made.trigger('branchy');
      const row = [...made.state.tasks.rows()].find((each) => made.state.tasks.state[each] === LiveState.Running) ?? -1;
      const ref = { tenantId, taskId: made.state.tasks.id(row), attempt: 0 };
      if (fails) made.run({ kind: 'failed', ...ref, error: 'no', mayRetry: false });
      else made.run({ kind: 'cancel', tenantId, ids: [ref.taskId] });
      return runId;
    };
    end(true);
    // Its dependants were cancelled, and nothing else is left: it runs all the same.
    const running = [...made.state.tasks.rows()].filter((each) => made.state.tasks.state[each] === LiveState.Running);
    expect(running.map((each) => made.state.stepOf(each).definition.name)).toEqual(['failed']);
    expect(made.effects.findLast((effect) => effect.kind === 'dispatch')?.failed.map(({ name }) => name)).toEqual(['start']);
    made.run({ kind: 'completed', tenantId, taskId: made.state.tasks.id(running[0] ?? -1), attempt: 0, output: '{}' });
    const cancelled = end(false);
    expect(made.stored.runEnds.get(`${cancelled}/1`)?.status).toBe(RunStatus.Cancelled);
    expect([...made.stored.results.values()].at(-1)).toMatchObject({ status: RunStatus.Completed, output: '{"skipped": true}' });
  });

  it('gives a task up after ten reassignments', () => {
    const made = world();
    const runId = made.trigger('single');
    for (let i = 0; i <= 10; i++) made.run({ kind: 'workerLost', workerId: made.register({ actions, slots: 1 }) });
    expect(made.stored.results.get(`${runId}/1`)?.status).toBe(RunStatus.Failed);
  });

  it('does not see another tenant', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const runId = made.trigger('single');
    const other = '00000000-0000-7000-8000-00000000000b';
    expect(made.run({ kind: 'cancel', tenantId: other, ids: [runId] }).cancelled).toEqual([]);
    made.run({ kind: 'completed', tenantId: other, taskId: runId, attempt: 0, output: '{}' });
    expect(made.stored.results.size).toBe(0);
    expect(() => made.run({ kind: 'releaseSlot', tenantId: other, taskId: runId })).toThrow('no running task');
  });

  it('cancels what nobody took within its schedule timeout', () => {
    const made = world();
    const runId = made.trigger('single');
    made.nowUs += 299_000_000;
    made.run({ kind: 'tick' });
    expect(made.stored.results.size).toBe(0);
    made.nowUs += 2_000_000;
    made.run({ kind: 'tick' });
    expect(made.stored.results.get(`${runId}/1`)?.status).toBe(RunStatus.Cancelled);
    expect(made.stored.history.find((row) => row.message !== null)?.message).toBe('waited longer than its schedule timeout of 5m');
  });

  it('tells the worker of a time-out before the next attempt starts', () => {
    const made = world();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    made.nowUs += 61_000_000;
    made.run({ kind: 'tick' });
    expect(made.effects.at(-1)).toMatchObject({ kind: 'tellCancel', workerId, taskId: runId, attempt: 0 });
    // Until the worker knows, its slot stays taken and nothing else starts there.
    const other = made.trigger('single');
    expect(made.effects.filter((effect) => effect.kind === 'dispatch').map((effect) => effect.taskId)).toEqual([runId]);
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '"late"' });
    expect(made.stored.results.size).toBe(0);
    made.run({ kind: 'cancelSent', taskId: runId, attempt: 0 });
    made.nowUs += 5_000_000;
    made.run({ kind: 'tick' });
    expect(made.effects.filter((effect) => effect.kind === 'dispatch').map((effect) => [effect.taskId, effect.attempt])).toEqual([
      [runId, 0],
      [other, 0],
    ]);
    made.run({ kind: 'completed', tenantId, taskId: other, attempt: 0, output: '{}' });
    expect(made.effects.at(-1)).toMatchObject({ kind: 'dispatch', taskId: runId, attempt: 1 });
  });

  it('never shortens a deadline by a refresh', () => {
    const made = world();
    made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    const first = made.run({ kind: 'refreshTimeout', tenantId, taskId: runId, incrementMs: 1000 }).timeoutAtUs;
    const second = made.run({ kind: 'refreshTimeout', tenantId, taskId: runId, incrementMs: 500 }).timeoutAtUs;
    expect(second - first).toBe(500_000);
  });
});
