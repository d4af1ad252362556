import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { action, apply, drain, world, type Action } from '../../helpers/histories.ts';
import { watch } from '../../model/watch.ts';

/** `npm run test:model` asks for more, and for others each time. */
const asked = process.env['MODEL_HISTORIES'];
const histories = Number(asked ?? 2_000);
const choice = asked === undefined ? { seed: 15 } : {};

/** @returns how many states were compared */
function live(steps: readonly Action[]): number {
  const made = world();
  const { compared } = watch(made);
  for (const step of steps) apply(made, step);
  drain(made);
  expect(made.state.tasks.size).toBe(0);
  // And once more, all of them.
  made.run(made.replayOf([...made.stored.runs.keys()]));
  drain(made);
  expect(made.state.tasks.size).toBe(0);
  return compared();
}

describe('the planner beside its reference model', () => {
  it(`agrees with it on every state of ${histories} random histories`, () => {
    let states = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        states += live(steps);
      }),
      { numRuns: histories, ...choice },
    );
    process.stdout.write(`${histories} histories, ${states} states compared\n`);
  }, 3_600_000);
});
