import { expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { SettleBudget } from '../../../engine/plan/state/settle-budget.ts';
import type { TaskRow } from '../../../engine/plan/state/table/rows.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const tasks = 400;
/** Admissions of a transaction: so many deadlines go on, and four times as many are made to stand. */
const admissions = 20;

interface Scene {
  world: PlannerWorld;
  rows: () => TaskRow[];
  away: () => void;
  back: () => void;
  /** The most rows that one transaction has written since. */
  mostWritten: () => number;
}

function scene(): Scene {
  const world = new PlannerWorld();
  world.put(workflowOf('single', [stepOf('one', { executionTimeoutMs: 10_000 })]));
  const workerId = world.register({ actions: ['wf:one'], slots: tasks });
  for (let n = 0; n < tasks; n++) world.trigger('single');
  let most = 0;
  world.write = ({ liveUpdates }) => void (most = Math.max(most, liveUpdates.length));
  world.budget = () => new SettleBudget(admissions, admissions);
  world.goesOn = false;
  return {
    world,
    rows: () => [...world.state.tasks.rows()],
    away: () => world.run({ kind: 'workerPresence', tenantId, workerId, assignable: false, away: true }),
    back: () => world.run({ kind: 'workerPresence', tenantId, workerId, assignable: true }),
    mostWritten: () => most,
  };
}

it('makes the deadlines of a large worker stand still, and go on, some in each transaction', () => {
  const { world, rows, away, back, mostWritten } = scene();
  const before = rows().map((row) => world.state.deadlines.dueUs(row));
  const awayAtUs = world.nowUs;
  away();
  expect(rows().filter((row) => world.state.deadlines.isHeld(row))).toHaveLength(4 * admissions);
  expect(world.goOn()).toBeGreaterThanOrEqual(tasks / (4 * admissions) - 1);
  world.nowUs += 60_000_000;
  back();
  const shiftUs = world.nowUs - awayAtUs;
  expect(world.goOn()).toBeGreaterThanOrEqual(tasks / admissions - 1);
  expect(mostWritten()).toBeLessThanOrEqual(admissions);
  const shifts = rows().map((row, index) => world.state.deadlines.dueUs(row) - (before[index] ?? 0));
  expect(new Set(shifts).size).toBe(1);
  expect(Math.abs((shifts[0] ?? 0) - shiftUs)).toBeLessThanOrEqual(2_000);
  expect(rows().some((row) => world.state.deadlines.isHeld(row))).toBe(false);
  expect(world.broken()).toBeUndefined();
});

it('meets none of the deadlines that come before they stand still', () => {
  const { world, rows, away } = scene();
  away();
  world.nowUs += 60_000_000;
  world.run({ kind: 'tick', most: tasks });
  expect(rows().every((row) => world.state.tasks.state[row] === LiveState.Running)).toBe(true);
  expect(rows().every((row) => world.state.deadlines.isHeld(row))).toBe(true);
});

it('moves each deadline by all that its worker was away, also where that leaves and returns before it is through', () => {
  const { world, rows, away, back } = scene();
  const before = rows().map((row) => world.state.deadlines.dueUs(row));
  const spans: number[] = [];
  const leave = (): number => {
    away();
    return world.nowUs;
  };
  const firstUs = leave();
  world.nowUs += 3_000_000;
  back(); // before all stand still
  spans.push(world.nowUs - firstUs);
  world.goOn(3);
  world.nowUs += 1_000_000;
  const secondUs = leave(); // before all have gone on
  world.goOn(2);
  world.nowUs += 5_000_000;
  back();
  spans.push(world.nowUs - secondUs);
  world.goOn();
  const shiftUs = spans.reduce((sum, us) => sum + us, 0);
  const late = rows().map((row, index) => world.state.deadlines.dueUs(row) - shiftUs - (before[index] ?? 0));
  // Those that had not gone on yet stood for the second in between, too.
  expect(new Set(late.map((us) => Math.round(us / 1_000_000)))).toEqual(new Set([0]));
  expect(world.broken()).toBeUndefined();
});
