import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettleBudget } from '../../../engine/plan/state/settle-budget.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { action, actions, apply, bulkRuns, commandsFor, drain, world } from '../../helpers/histories.ts';
import { stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { tenantOf } from '../../helpers/tenant.ts';

describe('planner', () => {
  it('keeps its invariants over random histories, and every generation of a run ends exactly once', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const made = world();
        const triggered = steps
          .flatMap((step) => (step.do === 'together' ? step.steps : [step]))
          .reduce((sum, step) => {
            if (step.do === 'bulk') return sum + (step.of === 'runs' ? bulkRuns : 0);
            return sum + (step.do === 'trigger' ? 1 : 0);
          }, 0);
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

  it('keeps its invariants where every transaction settles next to nothing, and takes back what it does', () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        (steps, budget) => {
          const made = world();
          made.budget = () => new SettleBudget(budget, budget);
          made.goesOn = false;
          for (const [index, step] of steps.entries()) {
            apply(made, step);
            const before = JSON.stringify(made.image());
            made.rollback([]);
            expect(JSON.stringify(made.image())).toBe(before);
            if (index % 3 === 0) made.goOn();
          }
          made.goOn();
          expect(made.broken()).toBeUndefined();
          made.goesOn = true;
          drain(made);
          expect(made.broken()).toBeUndefined();
          expect(made.state.tasks.size).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  }, 120_000);

  it('leaves no trace of a batch that is taken back', () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 1, maxLength: 40, size: 'max' }),
        fc.array(action, { minLength: 1, maxLength: 12, size: 'max' }),
        (steps, refused) => {
          const made = world();
          made.register({ actions, slots: 2 });
          for (const step of steps) apply(made, step);
          const before = JSON.stringify(made.image());
          const commands = commandsFor(made, refused);
          const version = made.state.latestVersion(tenantId, 'diamond');
          const ids = Array.from({ length: 4 }, () => made.id());
          if (version !== undefined) {
            const run = {
              runId: made.id(),
              taskIds: ids,
              versionId: version.versionId,
              input: '{}',
              metadata: '{}',
              priority: 2,
              parentTaskId: null,
              childIndex: null,
              childKey: null,
              filterPayload: null,
              placement: null,
              idempotency: null,
              ownId: false,
              earlierIds: [],
              demands: null,
            };
            commands.unshift({ kind: 'trigger', tenantId, runs: [run] });
          }
          commands.push({
            kind: 'putWorkflow',
            tenantId,
            definition: workflowOf('single', [stepOf('one', { retries: 9 })]),
            checksum: 'other',
            workflowId: made.id(),
            versionId: made.id(),
            filterIds: [],
            crons: [],
          });
          commands.push(made.replayOf([...made.stored.runs.keys()]));
          made.rollback(commands);
          expect(JSON.stringify(made.image())).toBe(before);
          expect(made.broken()).toBeUndefined();
          drain(made);
          expect(made.state.tasks.size).toBe(0);
        },
      ),
      { numRuns: 1000 },
    );
  }, 120_000);

  it('assigns by priority, retries first, FIFO inside a rank', () => {
    const made = world();
    const [low, high, middle, lowToo] = [
      made.trigger('single', 1),
      made.trigger('single', 3),
      made.trigger('single', 2),
      made.trigger('single', 1),
    ];
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
    made.run({ kind: 'workerLost', tenantId, workerId });
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '"late"' });
    made.register({ actions, slots: 5 });
    // Attempt 1 runs now; what attempt 0 says must not end it.
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '"later"' });
    made.run({ kind: 'failed', tenantId, taskId: runId, attempt: 0, error: 'later', mayRetry: true });
    expect(made.stored.results.size).toBe(0);
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '"good"' });
    made.run({ kind: 'completed', tenantId, taskId: runId, attempt: 1, output: '"again"' });
    expect([...made.stored.results.values()].map((row) => [row.output, row.status])).toEqual([
      ['"good"', RunStatus.Completed],
    ]);
  });

  it('cancels the children of a failed task, and fails the run', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const runId = made.trigger('diamond');
    const [taskId] = [...made.state.tasks.rows()]
      .filter((row) => made.state.tasks.state[row] === LiveState.Running)
      .map((row) => made.state.tasks.id(row));
    made.run({ kind: 'failed', tenantId, taskId: taskId ?? '', attempt: 0, error: 'no', mayRetry: true });
    expect([...made.stored.results.values()].map((row) => row.status).sort((a, b) => a - b)).toEqual([
      RunStatus.Failed,
      RunStatus.Cancelled,
      RunStatus.Cancelled,
      RunStatus.Cancelled,
    ]);
    expect(made.stored.runEnds.get(`${runId}/1`)?.status).toBe(RunStatus.Failed);
    expect(made.state.tasks.size).toBe(0);
  });

  it('starts the on-failure task with the first failure, and skips it without one', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const end = (fails: boolean): string => {
      const runId = made.trigger('branchy');
      const row = [...made.state.tasks.rows()].find((each) => made.state.tasks.state[each] === LiveState.Running);
      if (row === undefined) throw new Error('no task runs');
      const ref = { tenantId, taskId: made.state.tasks.id(row), attempt: 0 };
      if (fails) made.run({ kind: 'failed', ...ref, error: 'no', mayRetry: false });
      else made.run({ kind: 'cancel', tenantId, ids: [ref.taskId] });
      return runId;
    };
    end(true);
    // Its dependants were cancelled, and nothing else is left: it runs all the same.
    const running = [...made.state.tasks.rows()].filter((each) => made.state.tasks.state[each] === LiveState.Running);
    expect(running.map((each) => made.state.stepOf(each).definition.name)).toEqual(['failed']);
    expect(made.effects.findLast((effect) => effect.kind === 'dispatch')?.failed.map(({ name }) => name)).toEqual([
      'start',
    ]);
    const [failed = ''] = running.map((each) => made.state.tasks.id(each));
    made.run({ kind: 'completed', tenantId, taskId: failed, attempt: 0, output: '{}' });
    const cancelled = end(false);
    expect(made.stored.runEnds.get(`${cancelled}/1`)?.status).toBe(RunStatus.Cancelled);
    expect([...made.stored.results.values()].at(-1)).toMatchObject({
      status: RunStatus.Completed,
      output: '{"skipped": true}',
    });
  });

  it('gives a task up after ten reassignments', () => {
    const made = world();
    const runId = made.trigger('single');
    for (let i = 0; i <= 10; i++)
      made.run({ kind: 'workerLost', tenantId, workerId: made.register({ actions, slots: 1 }) });
    expect(made.stored.results.get(`${runId}/1`)?.status).toBe(RunStatus.Failed);
  });

  it('does not see another tenant', () => {
    const made = world();
    made.register({ actions, slots: 5 });
    const runId = made.trigger('single');
    const other = tenantOf('00000000-0000-7000-8000-00000000000b');
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
    expect(made.stored.history.find((row) => row.message !== null)?.message).toBe(
      'waited longer than its schedule timeout of 5m',
    );
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
    made.run({ kind: 'cancelSent', tenantId, taskId: runId, attempt: 0 });
    made.nowUs += 5_000_000;
    made.run({ kind: 'tick' });
    expect(
      made.effects.filter((effect) => effect.kind === 'dispatch').map((effect) => [effect.taskId, effect.attempt]),
    ).toEqual([
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
