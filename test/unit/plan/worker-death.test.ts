import { describe, expect, it } from 'vitest';
import { LiveFlag, LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { WorkerDeath } from '../../../engine/plan/state/tenant-work.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf, valueAt } from '../../helpers/row-of.ts';

const actions = ['wf:one'];

function worldOf(step: Parameters<typeof stepOf>[1] = {}): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one', { executionTimeoutMs: 5_000, ...step })]));
  return made;
}

function pass(made: PlannerWorld, ms: number): void {
  made.nowUs += ms * 1000;
  made.run({ kind: 'tick' });
}

function statusOf(made: PlannerWorld, runId: string): RunStatus | undefined {
  return made.stored.results.get(`${runId}/1`)?.status;
}

describe('a worker whose stream has ended', () => {
  it('costs its tasks none of their execution timeout until it is back', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    pass(made, 3_000);
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false, away: true });
    pass(made, 60_000);
    expect(valueAt(made.state.tasks.state, made.state.tasks.find(runId))).toBe(LiveState.Running);
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    pass(made, 1_500);
    expect(statusOf(made, runId)).toBeUndefined();
    pass(made, 600);
    expect(statusOf(made, runId)).toBe(RunStatus.Failed);
    expect(made.broken()).toBeUndefined();
  });

  it('stores the time that is left with the batch in which it is back', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    const dueUs = (): number => valueAt(made.state.tasks.dueUs, made.state.tasks.find(runId)) ?? 0;
    const before = dueUs();
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false, away: true });
    const stored: { dueUs: number } = JSON.parse(made.stored.live.get(runId) ?? '');
    expect(stored.dueUs).toBe(before);
    made.nowUs += 7_000_000;
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    expect(dueUs()).toBeGreaterThanOrEqual(before + 7_000_000);
    expect(JSON.parse(made.stored.live.get(runId) ?? '')).toMatchObject({ dueUs: dueUs() });
  });

  it('may have a timeout extended, or its task cancelled, as any other', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 2 });
    const [longer, cancelled] = [made.trigger('single'), made.trigger('single')];
    made.run({ kind: 'started', tenantId, taskId: longer, attempt: 0 });
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false, away: true });
    made.run({ kind: 'refreshTimeout', tenantId, taskId: longer, incrementMs: 10_000 });
    made.run({ kind: 'cancel', tenantId, ids: [cancelled] });
    pass(made, 100_000);
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    pass(made, 14_000);
    expect(statusOf(made, longer)).toBeUndefined();
    pass(made, 1_500);
    expect([longer, cancelled].map((id) => statusOf(made, id))).toEqual([RunStatus.Failed, RunStatus.Cancelled]);
  });
});

describe('a worker that died', () => {
  const death: WorkerDeath = { how: 'exit code 7', isCertain: true, mostDeaths: 3 };

  it('gives its tasks to others at no cost of their retries, and the third death ends them', () => {
    const made = worldOf({ retries: 2 });
    const runId = made.trigger('single');
    const die = (): void => {
      const workerId = made.register({ actions, slots: 1 });
      made.run({ kind: 'workerLost', tenantId, workerId, forget: true, death });
    };
    die();
    die();
    const row = rowOf(made.state.tasks, runId);
    expect([
      made.state.tasks.state[row],
      made.state.tasks.attempt[row],
      made.state.tasks.retries[row],
      made.state.tasks.reassigns[row],
    ]).toEqual([LiveState.Ready, 2, 0, 0]);
    expect(JSON.parse(made.stored.live.get(runId) ?? '')).toMatchObject({ deaths: 2 });
    die();
    const result = made.stored.results.get(`${runId}/1`);
    expect(result?.status).toBe(RunStatus.Failed);
    expect(JSON.parse(result?.error ?? '')).toEqual({
      message: 'its worker died (exit code 7); 3 workers have died under this task',
    });
    expect(
      made.stored.history.filter(({ transitions }) => transitions.includes('REASSIGNED')).map(({ message }) => message),
    ).toHaveLength(3);
    expect(made.broken()).toBeUndefined();
  });

  it('counts nothing where it had said goodbye', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'unsubscribe', tenantId, workerId });
    made.run({ kind: 'workerLost', tenantId, workerId, death: { ...death, mostDeaths: 1 } });
    const row = rowOf(made.state.tasks, runId);
    expect([made.state.tasks.deaths[row], made.state.tasks.reassigns[row]]).toEqual([0, 1]);
  });

  it('is stored as ended, so that no restart brings it back', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const ended: string[] = [];
    made.write = ({ workerUpdates }) =>
      void ended.push(...workerUpdates.filter((update) => update.ended).map(({ id }) => id));
    made.run({ kind: 'workerLost', tenantId, workerId, forget: true, death });
    expect(ended).toEqual([workerId]);
    expect(made.state.workersById.size).toBe(0);
  });

  it('leaves the next attempt unstarted', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    made.run({ kind: 'workerLost', tenantId, workerId, death });
    expect((valueAt(made.state.tasks.flags, made.state.tasks.find(runId)) ?? 0) & LiveFlag.Started).toBe(0);
  });
});

describe('a worker that is lost while its stream is open', () => {
  const death: WorkerDeath = { how: 'no heartbeat for 30 s', isCertain: false, mostDeaths: 2 };

  function lost(made: PlannerWorld): { runId: string; workerId: string; cancels: () => number } {
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    made.run({ kind: 'workerLost', tenantId, workerId, connected: true, death });
    return { runId, workerId, cancels: () => made.effects.filter(({ kind }) => kind === 'tellCancel').length };
  }

  it('is told that the attempt is over before the next begins', () => {
    const made = worldOf();
    const { runId, cancels } = lost(made);
    const row = rowOf(made.state.tasks, runId);
    made.register({ actions, slots: 1 });
    expect([made.state.tasks.state[row], made.state.tasks.attempt[row], cancels()]).toEqual([
      LiveState.Cancelling,
      0,
      1,
    ]);
    made.run({ kind: 'cancelSent', tenantId, taskId: runId, attempt: 0 });
    expect([made.state.tasks.state[row], made.state.tasks.attempt[row], made.state.tasks.retries[row]]).toEqual([
      LiveState.Running,
      1,
      0,
    ]);
    expect(JSON.parse(made.stored.live.get(runId) ?? '')).toMatchObject({ deaths: 1, flags: 0 });
    expect(made.broken()).toBeUndefined();
  });

  it('is told of the last one too, and its slot is free after that', () => {
    const made = worldOf();
    const { runId, workerId } = lost(made);
    made.run({ kind: 'cancelSent', tenantId, taskId: runId, attempt: 0 });
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 1 });
    made.run({ kind: 'workerLost', tenantId, workerId, connected: true, death });
    expect(statusOf(made, runId)).toBe(RunStatus.Failed);
    expect(made.state.workersById.get(workerId)?.tasks.size).toBe(1);
    made.run({ kind: 'cancelSent', tenantId, taskId: runId, attempt: 1 });
    expect(made.state.workersById.get(workerId)?.tasks.size).toBe(0);
    expect(made.broken()).toBeUndefined();
  });

  it('waits for no telling once its stream has ended too', () => {
    const made = worldOf();
    const { runId, workerId } = lost(made);
    made.run({ kind: 'workerLost', tenantId, workerId, death });
    expect(valueAt(made.state.tasks.state, made.state.tasks.find(runId))).toBe(LiveState.Ready);
    expect(JSON.parse(made.stored.live.get(runId) ?? '')).toMatchObject({ deaths: 1 });
  });

  it('of one that had said goodbye costs a reassignment', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'unsubscribe', tenantId, workerId });
    made.run({ kind: 'workerLost', tenantId, workerId, connected: true, death });
    made.run({ kind: 'cancelSent', tenantId, taskId: runId, attempt: 0 });
    const row = rowOf(made.state.tasks, runId);
    expect([made.state.tasks.deaths[row], made.state.tasks.reassigns[row]]).toEqual([0, 1]);
    expect(made.stored.history.find(({ transitions }) => transitions.includes('REASSIGNED'))?.message).toContain(
      'was lost',
    );
    made.run({ kind: 'workerLost', tenantId, workerId, forget: true, death });
    expect(made.state.workersById.has(workerId)).toBe(false);
  });
});
