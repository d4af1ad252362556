import fc from 'fast-check';
import { SettleBudget } from '../../engine/plan/state/settle-budget.ts';
import type { PlannerWorld } from './planner-world.ts';

/** How transactions are planned: each of these goes round. */
export interface Pace {
  /** What they may settle; null for as much as in an engine. */
  budgets: readonly ({ admissions: number; assignments: number } | null)[];
  /** Which of them are taken back once, and planned anew. */
  takenBack: readonly boolean[];
  /** After which of them memory is tidied. */
  tidied: readonly boolean[];
  /** Several tenants are there: commands find less room. */
  isShared: boolean;
}

const few = fc.integer({ min: 1, max: 6 });

export const pace: fc.Arbitrary<Pace> = fc.record({
  budgets: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ admissions: few, assignments: few }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    { minLength: 1, maxLength: 5 },
  ),
  takenBack: fc.array(
    fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    { minLength: 1, maxLength: 20 },
  ),
  tidied: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
  isShared: fc.boolean(),
});

export function keepPace(made: PlannerWorld, { budgets, takenBack, tidied, isShared }: Pace): void {
  let [budget, taking, tidying] = [0, 0, 0];
  made.isShared = isShared;
  made.budget = (): SettleBudget => {
    const given = budgets[budget++ % budgets.length] ?? null;
    return given === null
      ? SettleBudget.forTransaction({ isShared })
      : new SettleBudget(given.admissions, given.assignments, isShared);
  };
  made.isTidied = (): boolean => tidied[tidying++ % tidied.length] === true;
  made.isTakenBack = (): boolean => takenBack[taking++ % takenBack.length] === true;
}
