import { describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { whyWaiting } from '../../../engine/figures/why.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf, valueAt } from '../../helpers/row-of.ts';

const actions = ['wf:one'];

function worldOf(step: Parameters<typeof stepOf>[1] = {}): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one', { executionTimeoutMs: 4_000, ...step })]));
  return made;
}

function pass(made: PlannerWorld, ms: number): void {
  made.nowUs += ms * 1000;
  made.run({ kind: 'tick' });
}

function factsOf(
  made: PlannerWorld,
  taskId: string,
): { state: number | undefined; attempt: number | undefined; worker: string | undefined } {
  const row = rowOf(made.state.tasks, taskId);
  return {
    state: made.state.tasks.state[row],
    attempt: made.state.tasks.attempt[row],
    worker: made.state.workerOf(row)?.id,
  };
}

/** The session layer has waited in vain. */
function unanswered(made: PlannerWorld, workerId: string, taskId: string, invocation: number | null = null): void {
  made.run({
    kind: 'unanswered',
    tenantId,
    workerId,
    attempts: [{ taskId, attempt: factsOf(made, taskId).attempt ?? 0, invocation }],
  });
}

function told(made: PlannerWorld, taskId: string): void {
  made.run({ kind: 'cancelSent', tenantId, taskId, attempt: factsOf(made, taskId).attempt ?? 0 });
}

const why = (made: PlannerWorld, taskId: string): string => {
  const cause = whyWaiting(made.state, taskId, made.nowUs);
  return `${cause?.code}: ${cause?.text}`;
};

describe('a worker that does not answer', () => {
  it('is told that the attempt is over, and the task goes to another at no cost', () => {
    const made = worldOf();
    const blocked = made.register({ actions, slots: 1 });
    const taskId = made.trigger('single');
    const other = made.register({ actions, slots: 1 });
    unanswered(made, blocked, taskId);
    expect(made.effects.at(-1)).toMatchObject({ kind: 'tellCancel', workerId: blocked, taskId, attempt: 0 });
    told(made, taskId);
    expect(factsOf(made, taskId)).toEqual({ state: LiveState.Running, attempt: 1, worker: other });
    expect(JSON.parse(made.stored.live.get(taskId) ?? '')).toMatchObject({ unanswered: 1, reassigns: 0, retries: 0 });
    expect(made.stored.history.find(({ transitions }) => transitions.includes('REASSIGNED'))?.message).toMatch(
      /did not answer/,
    );
    expect(made.broken()).toBeUndefined();
  });

  it('gets nothing new until it has said something, by whatever way', () => {
    const answers: ((made: PlannerWorld, workerId: string, running: string) => void)[] = [
      (made, workerId) => made.run({ kind: 'workerAnswered', tenantId, workerId }),
      (made, _, taskId) => made.run({ kind: 'completed', tenantId, taskId, attempt: 0, output: '{}' }),
      (made, _, taskId) => made.run({ kind: 'started', tenantId, taskId, attempt: 0 }),
      (made, _, taskId) => made.run({ kind: 'refreshTimeout', tenantId, taskId, incrementMs: 1 }),
    ];
    for (const answer of answers) {
      const made = worldOf();
      const workerId = made.register({ actions, slots: 3 });
      const running = made.trigger('single');
      made.run({ kind: 'started', tenantId, taskId: running, attempt: 0 });
      const taskId = made.trigger('single');
      unanswered(made, workerId, taskId);
      told(made, taskId);
      expect(factsOf(made, taskId)).toMatchObject({ state: LiveState.Ready, worker: undefined });
      expect(factsOf(made, running)).toEqual({ state: LiveState.Running, attempt: 0, worker: workerId });
      expect(why(made, taskId)).toMatch(/^NOT_ANSWERING: .*does not answer/);
      expect(why(made, running)).toMatch(/^NOT_ANSWERING: runs on worker .* does not answer/);
      answer(made, workerId, running);
      expect(factsOf(made, taskId)).toMatchObject({ state: LiveState.Running, attempt: 1, worker: workerId });
      expect(made.broken()).toBeUndefined();
    }
  });

  it('keeps what it has started, and what another has by now', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const taskId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId, attempt: 0 });
    unanswered(made, workerId, taskId);
    expect(factsOf(made, taskId)).toEqual({ state: LiveState.Running, attempt: 0, worker: workerId });
    expect(made.state.workersById.get(workerId)?.isBlocked).toBe(false);
    unanswered(made, made.register({ actions, slots: 1 }), taskId);
    made.run({ kind: 'unanswered', tenantId, workerId, attempts: [{ taskId, attempt: 7, invocation: null }] });
    expect(factsOf(made, taskId)).toEqual({ state: LiveState.Running, attempt: 0, worker: workerId });
  });

  it('is left alone while its stream is gone: nothing could be told to it', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1 });
    const taskId = made.trigger('single');
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false, away: true });
    unanswered(made, workerId, taskId);
    expect(factsOf(made, taskId)).toMatchObject({ state: LiveState.Running, attempt: 0 });
  });

  it('keeps the task that three others have left unanswered, which then times out as any other', () => {
    const made = worldOf();
    const taskId = made.trigger('single');
    for (let n = 0; n < 3; n++) {
      unanswered(made, made.register({ actions, slots: 1 }), taskId);
      told(made, taskId);
    }
    const last = made.register({ actions, slots: 1 });
    unanswered(made, last, taskId);
    expect(factsOf(made, taskId)).toEqual({ state: LiveState.Running, attempt: 3, worker: last });
    pass(made, 5_000);
    expect(made.stored.results.get(`${taskId}/1`)?.status).toBe(RunStatus.Failed);
  });
});

describe('a worker that begins tasks without saying so', () => {
  const runtime = { language: 'TYPESCRIPT', sdkVersion: '1.33.2' };

  it('keeps the first that was sent to it, which times out as any other; the rest goes elsewhere', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 3, runtime });
    const [first, second, third] = [made.trigger('single'), made.trigger('single'), made.trigger('single')];
    for (const taskId of [second, first, third]) unanswered(made, workerId, taskId);
    const other = made.register({ actions, slots: 3 });
    for (const taskId of [second, third]) {
      told(made, taskId);
      expect(factsOf(made, taskId)).toEqual({ state: LiveState.Running, attempt: 1, worker: other });
    }
    expect(factsOf(made, first)).toEqual({ state: LiveState.Running, attempt: 0, worker: workerId });
    expect(made.state.workersById.get(workerId)?.isBlocked).toBe(true);
    pass(made, 5_000);
    expect(made.stored.results.get(`${first}/1`)?.status).toBe(RunStatus.Failed);
  });

  it('keeps none where it is known what it runs', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 2, runtime });
    const running = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: running, attempt: 0 });
    const taskId = made.trigger('single');
    unanswered(made, workerId, taskId);
    expect(factsOf(made, taskId).state).toBe(LiveState.Cancelling);
  });

  it('is told from one of our SDK', () => {
    const made = worldOf();
    const workerId = made.register({ actions, slots: 1, runtime: { ...runtime, extra: 'hatchet-ts' } });
    const taskId = made.trigger('single');
    unanswered(made, workerId, taskId);
    expect(factsOf(made, taskId).state).toBe(LiveState.Cancelling);
  });
});

describe('an execution timeout', () => {
  it('does not run out before the worker has said that it has the task', () => {
    const made = worldOf();
    made.register({ actions, slots: 1 });
    const taskId = made.trigger('single');
    for (let n = 0; n < 10; n++) pass(made, 3_000);
    expect(factsOf(made, taskId)).toMatchObject({ state: LiveState.Running, attempt: 0 });
    made.run({ kind: 'started', tenantId, taskId, attempt: 0 });
    pass(made, 3_900);
    expect(factsOf(made, taskId)).toMatchObject({ state: LiveState.Running });
    pass(made, 200);
    expect(made.stored.results.get(`${taskId}/1`)?.status).toBe(RunStatus.Failed);
  });

  it('runs out in the end, where the worker goes on and never says so', () => {
    const made = worldOf();
    made.register({ actions, slots: 1 });
    const taskId = made.trigger('single');
    pass(made, 4_500);
    pass(made, 31_000);
    expect(made.stored.results.get(`${taskId}/1`)?.status).toBe(RunStatus.Failed);
  });

  it('is the same for one that starts at once, and is never shortened by a start', () => {
    const made = worldOf();
    made.register({ actions, slots: 2 });
    const [prompt, extended] = [made.trigger('single'), made.trigger('single')];
    const dueUs = (taskId: string): number => valueAt(made.state.tasks.dueUs, made.state.tasks.find(taskId)) ?? 0;
    const before = dueUs(prompt);
    made.run({ kind: 'started', tenantId, taskId: prompt, attempt: 0 });
    expect(dueUs(prompt)).toBe(before);
    made.run({ kind: 'refreshTimeout', tenantId, taskId: extended, incrementMs: 60_000 });
    const later = dueUs(extended);
    made.nowUs += 2_000_000;
    made.run({ kind: 'started', tenantId, taskId: extended, attempt: 0 });
    expect(dueUs(extended)).toBe(later);
  });
});
