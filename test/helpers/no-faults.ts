import { afterAll, expect } from 'vitest';
import { faults } from '../../engine/base/faults.ts';

/** How many of each a test has provoked on purpose. */
const provoked = { statementsRefused: 0, unhandledRejections: 0, internalErrors: 0 };

/** Says that what was counted since `before` was meant: a test that feeds Postgres poison by hand, say. */
export function forgiveFaults(before: Readonly<typeof faults>): void {
  provoked.statementsRefused += faults.statementsRefused - before.statementsRefused;
  provoked.unhandledRejections += faults.unhandledRejections - before.unhandledRejections;
  provoked.internalErrors += faults.internalErrors - before.internalErrors;
}

// Whatever a file tests: Postgres refused nothing, and no call was answered with INTERNAL.
afterAll(() => {
  expect(faults, 'faults that no test of the file has provoked on purpose').toEqual(provoked);
});
