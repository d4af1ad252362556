import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { DeadlineHeap } from '../../../engine/plan/timers/deadline-heap.ts';
import { TaskTable } from '../../../engine/plan/state/table/task-table.ts';
import { UndoLog } from '../../../engine/plan/state/undo-log.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import type { TaskRow } from '../../../engine/plan/state/table/rows.ts';
import { valueAt } from '../../helpers/row-of.ts';

const actions = ['wf:one'];

/** The engine stands still: time passes, and nobody does anything. */
function standStill(made: PlannerWorld, ms: number): void {
  made.nowUs += ms * 1000;
  made.standstillUs += ms * 1000;
}

function worldOf(step: Parameters<typeof stepOf>[1]): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one', step)]));
  return made;
}

function pass(made: PlannerWorld, ms: number): void {
  made.nowUs += ms * 1000;
  made.run({ kind: 'tick' });
}

describe('while the engine stood still', () => {
  it('no execution timeout ran, and what is stored says so', () => {
    const made = worldOf({ executionTimeoutMs: 5_000 });
    made.register({ actions, slots: 1 });
    const runId = made.trigger('single');
    made.run({ kind: 'started', tenantId, taskId: runId, attempt: 0 });
    const stored = (): number => JSON.parse(made.stored.live.get(runId) ?? '').dueUs;
    const before = stored();
    pass(made, 3_000);
    standStill(made, 60_000);
    pass(made, 1_500);
    expect(made.stored.results.has(`${runId}/1`)).toBe(false);
    made.run({ kind: 'refreshTimeout', tenantId, taskId: runId, incrementMs: 1 });
    expect(stored()).toBe(before + 1_000); // of the shard's own clock, which stood still
    pass(made, 600);
    expect(made.stored.results.get(`${runId}/1`)?.status).toBe(RunStatus.Failed);
    expect(made.broken()).toBeUndefined();
  });

  it('no schedule timeout ran, and a back-off did', () => {
    const made = worldOf({ scheduleTimeoutMs: 10_000, retries: 1, backoffFactor: 30, backoffMaxSeconds: 60 });
    const workerId = made.register({ actions, slots: 1 });
    const [delayed, waiting] = [made.trigger('single'), made.trigger('single')];
    made.run({ kind: 'failed', tenantId, taskId: delayed, attempt: 0, error: '{}', mayRetry: true });
    made.run({ kind: 'workerPresence', tenantId, workerId, assignable: false });
    made.run({ kind: 'cancel', tenantId, ids: [waiting] });
    made.run({ kind: 'cancelSent', tenantId, taskId: waiting, attempt: 0 });
    const ready = made.trigger('single');
    standStill(made, 60_000);
    pass(made, 1_000);
    const states = [delayed, ready].map((id) => valueAt(made.state.tasks.state, made.state.tasks.find(id)));
    expect(states).toEqual([LiveState.Ready, LiveState.Ready]);
    pass(made, 9_500);
    expect(made.stored.results.get(`${ready}/1`)?.status).toBe(RunStatus.Cancelled);
  });
});

describe('the heap of deadlines', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('set' as const),
      row: fc.nat(11),
      at: fc.integer({ min: 1, max: 100 }),
      wall: fc.boolean(),
    }),
    fc.record({ do: fc.constant('clear' as const), row: fc.nat(11) }),
    fc.record({ do: fc.constant('hold' as const), row: fc.nat(11) }),
    fc.record({ do: fc.constant('release' as const), row: fc.nat(11), by: fc.nat(50) }),
    fc.record({ do: fc.constant('stand' as const), by: fc.integer({ min: 1, max: 50 }) }),
  );

  it('gives what a list would, whatever stands still, and takes everything back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 20 }), (steps, taken) => {
        const tasks = new TaskTable();
        const rows = Array.from({ length: 12 }, (_, n) =>
          tasks.insert(`00000000-0000-7000-8000-${String(n).padStart(12, '0')}`),
        );
        const heap = new DeadlineHeap(tasks);
        const model = new Map<TaskRow, { at: number; wall: boolean; held: boolean }>();
        const play = (each: typeof steps, undo?: UndoLog): void => {
          for (const one of each) {
            if (one.do === 'stand') {
              if (undo !== undefined) continue;
              heap.standStill(one.by);
              for (const entry of model.values()) if (!entry.wall && !entry.held) entry.at += one.by;
              continue;
            }
            const row = rows[one.row];
            if (row === undefined) continue;
            const entry = model.get(row);
            if (one.do === 'set') {
              tasks.state[row] = one.wall ? LiveState.Delayed : LiveState.Running;
              heap.set(row, one.at, undo);
              model.set(row, { at: one.at, wall: one.wall && entry?.held !== true, held: entry?.held ?? false });
            } else if (one.do === 'clear') {
              heap.set(row, 0, undo);
              model.delete(row);
            } else if (one.do === 'hold') {
              heap.hold(row, undo);
              if (entry !== undefined) Object.assign(entry, { held: true, wall: false });
            } else {
              heap.release(row, one.by, undo);
              if (entry?.held === true) Object.assign(entry, { held: false, at: entry.at + one.by });
            }
          }
        };
        const picture = (): unknown[] => [
          heap.nextUs,
          heap.due(80, 100).sort((a, b) => a - b),
          rows.map((row) => [heap.dueUs(row), heap.isHeld(row)]),
        ];
        play(steps);
        const running = [...model].filter(([, { held }]) => !held);
        expect(heap.nextUs).toBe(Math.min(Infinity, ...running.map(([, { at }]) => at)));
        expect(heap.due(80, 100).sort((a, b) => a - b)).toEqual(
          running.flatMap(([row, { at }]) => (at <= 80 ? [row] : [])).sort((a, b) => a - b),
        );
        for (const [row, { at, held }] of model) expect([heap.dueUs(row), heap.isHeld(row)]).toEqual([at, held]);
        const before = picture();
        const undo = new UndoLog();
        play(taken, undo);
        undo.rollback();
        expect(picture()).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});
