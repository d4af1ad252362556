import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { action, apply, drain, world, type Action } from '../../helpers/histories.ts';
import type { PlannerWorld } from '../../helpers/planner-world.ts';
import { decisionsSince, modelImage, plannerImage } from '../../model/compare.ts';
import { ReferenceModel } from '../../model/reference-model.ts';

/** `npm run test:model` asks for more. */
const histories = Number(process.env['MODEL_HISTORIES'] ?? 10_000);

/** A planner with a model beside it that is given the same commands, and compared with it after each. */
function watched(): { made: PlannerWorld; compared: () => number } {
  const made = world();
  const model = new ReferenceModel();
  for (const version of made.state.latest.values()) model.put(version.definition.name, version.versionId, version.workflowId, version.definition);
  let seen = { results: 0, runEnds: 0 };
  let [history, effects, compared] = [made.stored.history.length, made.effects.length, 0];
  made.watch = (commands, nowUs): void => {
    model.apply(commands, nowUs, decisionsSince(made, history, effects));
    [history, effects] = [made.stored.history.length, made.effects.length];
    const [planner, expected] = [plannerImage(made, seen), modelImage(model, seen)];
    if (planner.join('\n') !== expected.join('\n')) expect(planner).toEqual(expected);
    seen = { results: model.results.size, runEnds: model.runEnds.size };
    compared++;
  };
  return { made, compared: () => compared };
}

function live(steps: readonly Action[]): number {
  const { made, compared } = watched();
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
      { numRuns: histories },
    );
    process.stdout.write(`${histories} histories, ${states} states compared\n`);
  }, 3_600_000);
});
