import { expect } from 'vitest';
import type { PlannerWorld } from '../helpers/planner-world.ts';
import { decisionsSince, modelImage, plannerImage } from './compare.ts';
import { ReferenceModel } from './reference-model.ts';

/** Gives a model every batch of the planner from now on, and compares the two after each. */
export function watch(made: PlannerWorld): { model: ReferenceModel; compare: () => void; compared: () => number } {
  const model = new ReferenceModel();
  for (const version of made.state.latest.values())
    model.put(version.versionId, version.workflowId, version.definition);
  let seen = { results: 0, runEnds: 0 };
  let [history, effects, compared] = [made.stored.history.length, made.effects.length, 0];
  const compare = (): void => {
    const [planner, expected] = [plannerImage(made, seen), modelImage(model, seen)];
    if (planner.join('\n') !== expected.join('\n')) expect(planner).toEqual(expected);
    seen = { results: model.results.size, runEnds: model.runEnds.size };
    compared++;
  };
  made.watch = (commands, nowUs): void => {
    model.apply(commands, nowUs, decisionsSince(made, history, effects));
    [history, effects] = [made.stored.history.length, made.effects.length];
    compare();
  };
  return { model, compare, compared: () => compared };
}
