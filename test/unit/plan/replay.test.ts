import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../engine/model/definition.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { StepDemands } from '../../../engine/model/task/trigger-run.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const actions = ['wf:one', 'wf:a', 'wf:b', 'wf:c', 'wf:d', 'wf:failed', 'wf:start', 'wf:left', 'wf:right'];
const skipWhenBig: Condition = {
  action: 'SKIP',
  group: 0,
  expression: 'output.n > 5.0',
  dataKey: 'd',
  kind: 'parent',
  parent: 0,
  whenSkipped: false,
};

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one', { retries: 1 })]));
  made.put(
    workflowOf(
      'diamond',
      [
        stepOf('a'),
        stepOf('b', { parents: [0] }),
        stepOf('c', { parents: [0] }),
        stepOf('d', { parents: [1, 2] }),
        stepOf('failed'),
      ],
      { onFailure: 4 },
    ),
  );
  made.put(
    workflowOf('choice', [
      stepOf('start'),
      stepOf('left', { parents: [0], conditions: [skipWhenBig] }),
      stepOf('right', { parents: [0] }),
    ]),
  );
  made.register({ actions, slots: 20 });
  return made;
}

/** The running tasks by name, with their attempts. */
function running(made: PlannerWorld): Record<string, number> {
  const { state } = made;
  const rows = [...state.tasks.rows()].filter((row) => state.tasks.state[row] === LiveState.Running);
  return Object.fromEntries(rows.map((row) => [state.stepOf(row).definition.name, state.tasks.attempt[row] ?? -1]));
}

function refOf(made: PlannerWorld, name: string): { tenantId: TenantId; taskId: string; attempt: number } {
  const { state } = made;
  const row = [...state.tasks.rows()].find((each) => state.stepOf(each).definition.name === name);
  if (row === undefined) throw new Error(`no task ${name}`);
  return { tenantId, taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? -1 };
}

const complete = (made: PlannerWorld, name: string, output = '{}'): void =>
  made.run({ kind: 'completed', ...refOf(made, name), output });
const fail = (made: PlannerWorld, name: string): void =>
  made.run({ kind: 'failed', ...refOf(made, name), error: 'no', mayRetry: false });
const taskOf = (made: PlannerWorld, runId: string, step: number): string =>
  made.stored.runs.get(runId)?.tasks[step]?.id ?? '';
const replay = (made: PlannerWorld, ...ids: string[]): readonly string[] => made.run(made.replayOf(ids)).replayed;
const resultOf = (made: PlannerWorld, taskId: string, generation: number) =>
  made.stored.results.get(`${taskId}/${generation}`);

function finishedDiamond(made: PlannerWorld): string {
  const runId = made.trigger('diamond');
  for (const name of ['a', 'b', 'c', 'd']) complete(made, name, `{"by":"${name}"}`);
  expect(made.stored.runEnds.get(`${runId}/1`)?.status).toBe(RunStatus.Completed);
  return runId;
}

describe('replay', () => {
  it('runs the chosen tasks and what follows them, and keeps the rest', () => {
    const made = world();
    const runId = finishedDiamond(made);
    expect(replay(made, taskOf(made, runId, 1)).toSorted()).toEqual(
      [1, 3, 4].map((step) => taskOf(made, runId, step)).toSorted(),
    );
    expect(running(made)).toEqual({ b: 1 });
    complete(made, 'b');
    expect(running(made)).toEqual({ d: 1 });
    complete(made, 'd');
    expect(made.stored.runEnds.get(`${runId}/2`)?.status).toBe(RunStatus.Completed);
    expect(resultOf(made, taskOf(made, runId, 0), 2)).toBeUndefined();
    expect(made.broken()).toBeUndefined();
  });

  it('goes on counting attempts, so that no report of the old generation counts', () => {
    const made = world();
    const runId = made.trigger('single');
    made.run({ kind: 'failed', tenantId, taskId: runId, attempt: 0, error: 'x', mayRetry: true });
    made.run({ kind: 'failed', tenantId, taskId: runId, attempt: 1, error: 'x', mayRetry: true });
    expect(replay(made, runId)).toEqual([runId]);
    expect(running(made)).toEqual({ one: 2 });
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '"late"' });
    expect(made.stored.results.size).toBe(1);
    // The user's retries start again.
    made.run({ kind: 'failed', tenantId, taskId: runId, attempt: 2, error: 'x', mayRetry: true });
    expect(running(made)).toEqual({ one: 3 });
    complete(made, 'one');
    expect([...made.stored.runEnds.values()].map((end) => end.status)).toEqual([RunStatus.Failed, RunStatus.Completed]);
  });

  it('leaves out a run of which anything is active, and answers for the rest', () => {
    const made = world();
    const ended = finishedDiamond(made);
    const active = made.trigger('diamond');
    complete(made, 'a');
    expect(replay(made, ended, active)).toHaveLength(5);
    expect(replay(made, ended)).toEqual([]);
    expect(made.broken()).toBeUndefined();
  });

  it('runs the on-failure task of a failed run alone when it alone is asked for', () => {
    const made = world();
    const runId = made.trigger('diamond');
    fail(made, 'a');
    complete(made, 'failed');
    expect(replay(made, taskOf(made, runId, 4))).toEqual([taskOf(made, runId, 4)]);
    expect(running(made)).toEqual({ failed: 1 });
    complete(made, 'failed');
    expect(made.stored.runEnds.get(`${runId}/2`)?.status).toBe(RunStatus.Failed);
    expect(made.state.tasks.size).toBe(0);
  });

  it('skips the on-failure task of a run without failures, and ends the run', () => {
    const made = world();
    const runId = finishedDiamond(made);
    replay(made, taskOf(made, runId, 4));
    expect(made.stored.runEnds.get(`${runId}/2`)?.status).toBe(RunStatus.Completed);
    expect(made.state.tasks.size).toBe(0);
  });

  it('gives the failure of the new generation to the on-failure task', () => {
    const made = world();
    const runId = made.trigger('diamond');
    fail(made, 'a');
    complete(made, 'failed');
    replay(made, runId);
    complete(made, 'a');
    fail(made, 'b');
    expect(running(made)).toMatchObject({ failed: 1 });
    expect(made.effects.findLast((effect) => effect.kind === 'dispatch')?.failed.map(({ name }) => name)).toEqual([
      'b',
    ]);
  });

  it('leaves the on-failure task alone where the failure that it answered is kept', () => {
    const made = world();
    const runId = made.trigger('diamond');
    complete(made, 'a');
    fail(made, 'b');
    complete(made, 'c');
    complete(made, 'failed');
    expect(replay(made, taskOf(made, runId, 2)).toSorted()).toEqual(
      [2, 3].map((step) => taskOf(made, runId, step)).toSorted(),
    );
    complete(made, 'c');
    expect(made.stored.runEnds.get(`${runId}/2`)?.status).toBe(RunStatus.Failed);
  });

  it('judges conditions by the kept outputs of parents that do not run again', () => {
    const made = world();
    const runId = made.trigger('choice');
    complete(made, 'start', '{"n":9}');
    complete(made, 'right');
    const left = taskOf(made, runId, 1);
    replay(made, left);
    expect(resultOf(made, left, 2)).toMatchObject({ status: RunStatus.Completed, output: '{"skipped": true}' });
    expect(made.stored.runEnds.get(`${runId}/2`)?.status).toBe(RunStatus.Completed);
    // From the start, another output decides otherwise.
    replay(made, runId);
    complete(made, 'start', '{"n":1}');
    expect(Object.keys(running(made)).toSorted()).toEqual(['left', 'right']);
  });

  it('cancels a chosen task whose kept parent failed, without judging its conditions', () => {
    const made = world();
    const runId = made.trigger('choice');
    fail(made, 'start');
    const left = taskOf(made, runId, 1);
    const before = made.stored.history.length;
    replay(made, left);
    expect(resultOf(made, left, 2)?.status).toBe(RunStatus.Cancelled);
    expect(
      made.stored.history
        .slice(before)
        .map((row) => row.message)
        .filter((message) => message !== null),
    ).toEqual(['a parent failed or was cancelled']);
  });

  it('fails a task whose expression fails again: never "no limit"', () => {
    const made = world();
    const demands: StepDemands[] = [{ demands: null, error: 'no such field' }];
    const runId = made.trigger('single', 1, demands);
    expect(resultOf(made, runId, 1)?.status).toBe(RunStatus.Failed);
    replay(made, runId);
    expect(running(made)).toEqual({});
    expect(resultOf(made, runId, 2)).toMatchObject({ status: RunStatus.Failed, error: '{"message":"no such field"}' });
    expect(made.broken()).toBeUndefined();
  });

  it('in the very batch in which the worker is told of a cancellation', () => {
    const made = world();
    const runId = made.trigger('single');
    made.run({ kind: 'cancel', tenantId, ids: [runId] });
    // Until its worker knows, the task is active there.
    expect(replay(made, runId)).toEqual([]);
    made.runTogether([{ kind: 'cancelSent', tenantId, taskId: runId, attempt: 0 }, made.replayOf([runId])]);
    expect(running(made)).toEqual({ one: 1 });
    expect(made.broken()).toBeUndefined();
  });

  it('leaves out what the same batch has touched: it was loaded before that', () => {
    const made = world();
    const ended = made.trigger('single', 1, [{ demands: null, error: 'no such field' }]);
    const twice = made.replayOf([ended]);
    made.runTogether([twice, twice]); // each ends at once
    expect(resultOf(made, ended, 2)?.status).toBe(RunStatus.Failed);
    const active = made.trigger('diamond');
    made.run({ kind: 'cancel', tenantId, ids: [taskOf(made, active, 0)] });
    made.run({ kind: 'cancelSent', tenantId, taskId: taskOf(made, active, 0), attempt: 0 });
    made.run({ kind: 'updateWorker', tenantId, workerId: [...made.state.workersById.keys()][0] ?? '', paused: true });
    replay(made, active);
    made.runTogether([{ kind: 'cancel', tenantId, ids: [active] }, made.replayOf([active])]);
    expect(made.stored.runEnds.get(`${active}/2`)?.status).toBe(RunStatus.Cancelled);
    expect(made.stored.reopened.has(`${active}/3`)).toBe(false);
    expect(made.broken()).toBeUndefined();
  });

  it("is another tenant's business nowhere", () => {
    const made = world();
    const runId = finishedDiamond(made);
    expect(
      made.run({ ...made.replayOf([runId]), tenantId: tenantOf('00000000-0000-7000-8000-00000000000b') }).replayed,
    ).toEqual([]);
  });
});
