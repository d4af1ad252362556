import { describe, expect, it } from 'vitest';
import type { BatchRule } from '../../../engine/model/definition.ts';
import type { Demands } from '../../../engine/model/task/demands.ts';
import { LiveState, liveStateNames, isLiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import type { BatchReportItem } from '../../../engine/plan/commands/attempts/batch-report.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt } from '../../helpers/row-of.ts';

const second = 1_000_000;

function asks(key: string, more: Partial<Demands> & { bytes?: number } = {}): StepDemands[] {
  const { bytes = 10, ...rest } = more;
  return [
    {
      demands: { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, batch: { key, bytes }, ...rest },
      error: null,
    },
  ];
}

class World extends PlannerWorld {
  readonly worker: string;

  constructor(rule: Partial<BatchRule>, options: { slots?: number; retries?: number } = {}) {
    super();
    this.put(
      workflowOf('one', [
        stepOf('one', {
          retries: options.retries ?? 0,
          batch: {
            maxSize: 3,
            maxIntervalMs: null,
            groupKey: null,
            groupMaxRuns: null,
            broadcastOutput: false,
            ...rule,
          },
        }),
      ]),
    );
    this.worker = this.register({ actions: ['wf:one'], slots: options.slots ?? 100 });
  }

  ask(key = '', more: Partial<Demands> & { bytes?: number; priority?: number } = {}): string {
    const { priority = 1, ...demands } = more;
    return this.trigger('one', priority, asks(key, demands));
  }

  /** What went to workers, batch by batch. */
  batches(): { id: string; reason: string; members: string[] }[] {
    return this.effects.flatMap((effect) =>
      effect.kind === 'dispatchBatch'
        ? [{ id: effect.batchId, reason: effect.reason, members: effect.members.map(({ taskId }) => taskId) }]
        : [],
    );
  }

  members(): string[][] {
    return this.batches().map(({ members }) => members);
  }

  where(taskId: string): string {
    const live = valueAt(this.state.tasks.state, this.state.tasks.find(taskId)) ?? -1;
    return isLiveState(live) ? liveStateNames[live] : '';
  }

  report(batchId: string, items: readonly BatchReportItem[]): void {
    this.run({ kind: 'batchReport', tenantId, batchId, items });
  }

  completeAll(at: number): void {
    const batch = this.batches().at(at);
    this.report(
      batch?.id ?? '',
      (batch?.members ?? []).map((taskId) => ({ taskId, attempt: null, event: 'completed', output: '{}' })),
    );
  }

  status(runId: string): RunStatus | undefined {
    return [...this.stored.results.values()].find((result) => result.taskId === runId)?.status;
  }

  error(runId: string): string | null | undefined {
    return [...this.stored.results.values()].find((result) => result.taskId === runId)?.error;
  }

  slots(): number {
    return this.state.workersById.get(this.worker)?.used.get('default') ?? 0;
  }

  wait(us: number): void {
    this.nowUs += us;
    this.run({ kind: 'tick' });
  }
}

describe('a batch goes', () => {
  it('once it is full, and takes the slots of one task', () => {
    const world = new World({});
    const ids = [world.ask(), world.ask()];
    expect(ids.map((id) => world.where(id))).toEqual(['BATCHING', 'BATCHING']);
    ids.push(world.ask());
    expect(world.batches()).toMatchObject([{ reason: 'batch_size_reached', members: ids }]);
    expect(world.slots()).toBe(1);
    world.completeAll(0);
    expect(world.slots()).toBe(0);
    expect(ids.map((id) => world.status(id))).toEqual(ids.map(() => RunStatus.Completed));
  });

  it('once its oldest member has waited for the interval', () => {
    const world = new World({ maxIntervalMs: 5_000 });
    const first = world.ask();
    world.wait(3 * second);
    const late = world.ask();
    expect(world.state.nextDueUs).toBeLessThan(world.nowUs + 3 * second);
    world.wait(1 * second);
    expect(world.members()).toEqual([]);
    world.wait(1 * second);
    expect(world.batches()).toMatchObject([{ reason: 'interval_elapsed', members: [first, late] }]);
    // A member that has left takes its time with it.
    const gone = world.ask();
    world.wait(4 * second);
    const stays = world.ask();
    world.run({ kind: 'cancel', tenantId, ids: [gone] });
    world.wait(3 * second);
    expect(world.where(stays)).toBe('BATCHING');
    world.wait(2 * second);
    expect(world.members()[1]).toEqual([stays]);
  });

  it('once its message is as large as one may be, with as many members as fit', () => {
    const world = new World({ maxSize: 100 });
    const ids = [1, 1.5, 1.4, 0.9].map((megabytes) => world.ask('', { bytes: megabytes * 1_000_000 }));
    expect(world.batches()).toMatchObject([{ reason: 'payload_size_reached', members: ids.slice(0, 3) }]);
    expect(world.where(ids[3] ?? '')).toBe('BATCHING');
    const huge = world.ask('', { bytes: 5_000_000 });
    expect(world.members().slice(1)).toEqual([[ids[3]], [huge]]);
  });

  it('with what their parents gave counted in, in a replay too', () => {
    const world = new World({});
    const batch = { maxSize: 10, maxIntervalMs: 60_000, groupKey: null, groupMaxRuns: null, broadcastOutput: false };
    world.put(workflowOf('dag', [stepOf('first'), stepOf('second', { parents: [0], batch })]));
    world.register({ actions: ['wf:first', 'wf:second'] });
    const rest = { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null };
    const asked: StepDemands[] = [
      { demands: rest, error: null },
      { demands: { ...rest, batch: { key: '', bytes: 10 } }, error: null },
    ];
    const seconds = Array.from({ length: 2 }, () => {
      const runId = world.trigger('dag', 1, asked);
      const run = world.stored.runs.get(runId);
      world.run({
        kind: 'completed',
        tenantId,
        taskId: run?.tasks[0]?.id ?? '',
        attempt: 0,
        output: JSON.stringify('x'.repeat(2_500_000)),
      });
      return run?.tasks[1]?.id ?? '';
    });
    expect(world.batches()).toMatchObject([{ reason: 'payload_size_reached', members: seconds.slice(0, 1) }]);
    world.completeAll(0);
    world.wait(60 * second);
    world.completeAll(1);
    world.run(world.replayOf(seconds));
    expect(world.batches().slice(2)).toMatchObject([{ reason: 'payload_size_reached', members: seconds.slice(0, 1) }]);
  });

  it('with those of its key alone, and no more of a key than may run at once', () => {
    const world = new World({ maxSize: 2, groupMaxRuns: 1 });
    const a = Array.from({ length: 5 }, () => world.ask('a'));
    const b = [world.ask('b'), world.ask('b')];
    expect(world.members()).toEqual([a.slice(0, 2), b]);
    world.completeAll(0);
    expect(world.members()[2]).toEqual(a.slice(2, 4));
    expect(world.where(a[4] ?? '')).toBe('BATCHING');
  });

  it('to a worker with room, best priority first, keys in turn', () => {
    const world = new World({ maxSize: 2 }, { slots: 1 });
    const first = [world.ask('x'), world.ask('x')];
    const many = Array.from({ length: 6 }, () => world.ask('many'));
    const other = [world.ask('other'), world.ask('other')];
    const urgent = [world.ask('urgent', { priority: 3 }), world.ask('urgent', { priority: 3 })];
    for (let at = 0; at < 5; at++) world.completeAll(at);
    expect(world.members()).toEqual([first, urgent, many.slice(0, 2), other, many.slice(2, 4), many.slice(4, 6)]);
  });

  it('with no more others in one transaction than it can carry', () => {
    const world = new World({ maxSize: 3_000 });
    world.run({ kind: 'workerPresence', tenantId, workerId: world.worker, assignable: false });
    world.runTogether(Array.from({ length: 9_000 }, () => world.triggerOf('one', 1, asks(''))));
    world.goesOn = false;
    world.run({ kind: 'workerPresence', tenantId, workerId: world.worker, assignable: true });
    expect(world.members().map((members) => members.length)).toEqual([3_000]);
    expect(world.state.hasMore).toBe(true);
    expect(world.goOn()).toBe(3); // the last finds nothing
    expect(world.members().map((members) => members.length)).toEqual([3_000, 3_000, 3_000]);
  });

  it('once its interval is over, though the transaction that should have sent it was taken back', () => {
    const world = new World({ maxIntervalMs: 5_000 });
    const id = world.ask();
    world.nowUs += 5 * second;
    world.rollback([{ kind: 'tick' }]);
    expect(world.where(id)).toBe('BATCHING');
    expect(world.state.nextDueUs).toBeLessThanOrEqual(world.nowUs);
    world.wait(0);
    expect(world.batches()).toMatchObject([{ reason: 'interval_elapsed', members: [id] }]);
    expect(world.state.nextDueUs).toBeGreaterThan(world.nowUs);
    // With no worker: it is announced to the queue once, and again after what was taken back, whoever joins meanwhile.
    world.run({ kind: 'workerPresence', tenantId, workerId: world.worker, assignable: false });
    world.ask();
    world.nowUs += 5 * second;
    world.rollback([{ kind: 'tick' }]);
    world.ask();
    expect(world.state.nextDueUs).toBeLessThanOrEqual(world.nowUs);
    world.wait(0);
    expect(world.state.nextDueUs).toBeGreaterThan(world.nowUs);
  });

  it('though it was left for the next transaction, and that one was taken back', () => {
    const world = new World({ maxSize: 3_000 });
    world.run({ kind: 'workerPresence', tenantId, workerId: world.worker, assignable: false });
    world.runTogether(Array.from({ length: 9_000 }, () => world.triggerOf('one', 1, asks(''))));
    world.goesOn = false;
    world.run({ kind: 'workerPresence', tenantId, workerId: world.worker, assignable: true });
    world.rollback([{ kind: 'tick' }]);
    expect(world.members()).toHaveLength(1);
    expect(world.state.hasMore).toBe(true);
    world.goOn();
    expect(world.members()).toHaveLength(3);
  });

  it('without members for whom a rate limit has no units, which go with a later one', () => {
    const world = new World({ maxSize: 3, maxIntervalMs: 60_000 });
    const limited = { rateLimits: [{ key: 'api', units: 1, limit: 1, window: 'SECOND' as const }] };
    const ids = [world.ask('', limited), world.ask('', limited), world.ask()];
    expect(world.members()).toEqual([[ids[0], ids[2]]]);
    expect(world.where(ids[1] ?? '')).toBe('RATE_LIMITED');
    world.wait(2 * second);
    expect(world.where(ids[1] ?? '')).toBe('BATCHING');
    world.wait(60 * second);
    expect(world.members()[1]).toEqual([ids[1]]);
  });
});

describe('members of a batch', () => {
  it('end one by one; the slots are free with the last', () => {
    const world = new World({}, { retries: 1 });
    const [one, two, three] = [world.ask(), world.ask(), world.ask()];
    const [batch] = world.batches();
    const id = batch?.id ?? '';
    world.report(id, [
      { taskId: one, attempt: null, event: 'completed', output: '{"n":1}' },
      { taskId: two, attempt: null, event: 'failed', error: '{"message":"no"}', mayRetry: true },
    ]);
    expect(world.status(one)).toBe(RunStatus.Completed);
    // It waits for no others: it has been in a batch.
    expect(world.batches()[1]).toMatchObject({ reason: 'retry', members: [two] });
    expect(world.slots()).toBe(2);
    world.report(id, [{ taskId: three, attempt: null, event: 'cancelled' }]);
    expect([world.status(three), world.where(three)]).toEqual([RunStatus.Cancelled, 'CANCELLING']);
    world.run({ kind: 'cancelSent', tenantId, taskId: three, attempt: 0 });
    expect(world.slots()).toBe(1);
  });

  it('are fenced by their batch: a late report of another changes nothing', () => {
    const world = new World({ maxSize: 2 });
    const [one, two] = [world.ask(), world.ask()];
    const late = world.batches()[0]?.id ?? '';
    world.run({ kind: 'workerLost', tenantId, workerId: world.worker });
    expect([world.where(one), world.where(two)]).toEqual(['BATCHING', 'BATCHING']);
    world.register({ actions: ['wf:one'] });
    expect(world.batches()[1]?.members).toEqual([one, two]);
    world.report(late, [
      { taskId: one, attempt: null, event: 'completed', output: '{}' },
      { taskId: two, attempt: 0, event: 'failed', error: 'no', mayRetry: false },
    ]);
    expect([world.status(one), world.status(two)]).toEqual([undefined, undefined]);
    world.report(world.batches()[1]?.id ?? '', [{ taskId: one, attempt: 0, event: 'completed', output: '{}' }]);
    expect(world.status(one)).toBeUndefined();
    world.completeAll(1);
    expect([world.status(one), world.status(two)]).toEqual([RunStatus.Completed, RunStatus.Completed]);
  });

  it('time out together, live longer together, and give their slots back together', () => {
    const world = new World({ maxSize: 2 });
    const ids = [world.ask(), world.ask()];
    world.report(
      world.batches()[0]?.id ?? '',
      ids.map((taskId) => ({ taskId, attempt: null, event: 'started' as const })),
    );
    world.run({ kind: 'refreshTimeout', tenantId, taskId: ids[1] ?? '', incrementMs: 30_000 });
    world.run({ kind: 'releaseSlot', tenantId, taskId: ids[0] ?? '' });
    expect(world.slots()).toBe(0);
    world.wait(70 * second);
    expect(ids.map((id) => world.where(id))).toEqual(['RUNNING', 'RUNNING']);
    world.wait(30 * second);
    expect(ids.map((id) => world.status(id))).toEqual([RunStatus.Failed, RunStatus.Failed]);
    expect(ids.map((id) => world.error(id))).toEqual(
      ids.map(() => '{"message":"Task failed due to batch timeout, exceeded timeout of 1m"}'),
    );
    for (const taskId of ids) world.run({ kind: 'cancelSent', tenantId, taskId, attempt: 0 });
    expect([world.slots(), world.state.tasks.size, world.state.batches.groups.size]).toEqual([0, 0, 0]);
  });

  it.each(['completed', 'told to stop'] as const)('give their slots back once, where the first is %s', (first) => {
    const world = new World({ maxSize: 2 });
    const [one, two] = [world.ask(), world.ask()];
    world.run({ kind: 'cancel', tenantId, ids: [two] });
    world.run({ kind: 'releaseSlot', tenantId, taskId: one });
    expect(world.slots()).toBe(0);
    const deeds = [
      (): void => world.run({ kind: 'completed', tenantId, taskId: one, attempt: 0, output: '{}' }),
      (): void => world.run({ kind: 'cancelSent', tenantId, taskId: two, attempt: 0 }),
    ];
    for (const deed of first === 'completed' ? deeds : deeds.toReversed()) deed();
    expect([world.slots(), world.state.tasks.size]).toEqual([0, 0]);
  });

  it('wait no longer for their batch than their schedule timeout', () => {
    const world = new World({});
    const id = world.ask();
    world.wait(301 * second);
    expect(world.status(id)).toBe(RunStatus.Cancelled);
    expect(valueAt(world.state.tasks.state, world.state.tasks.find(id))).not.toBe(LiveState.Batching);
  });
});
