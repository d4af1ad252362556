import { expect } from 'vitest';
import type { PlannerWorld } from '../helpers/planner-world.ts';
import { decisionsSince, modelImage, ordersOf, plannerImage, progressOf } from './compare.ts';
import { ReferenceModel } from './reference-model.ts';

/** How much was seen. */
export interface Watched {
  states: number;
  /** Transactions that left something for others. */
  cut: number;
  takenBack: number;
}

/** Gives a model every transaction of the planner from now on, and compares the two after each. */
export function watch(made: PlannerWorld): { model: ReferenceModel; compare: () => void; watched: Watched } {
  const model = new ReferenceModel();
  for (const version of made.state.latest.values())
    model.put(version.versionId, version.workflowId, version.definition);
  let seen = { results: 0, runEnds: 0 };
  let [history, effects] = [made.stored.history.length, made.effects.length];
  const watched: Watched = { states: 0, cut: 0, takenBack: 0 };
  const compare = (): void => {
    const [planner, expected] = [plannerImage(made, seen), modelImage(model, seen)];
    if (planner.join('\n') !== expected.join('\n')) expect(planner).toEqual(expected);
    seen = { results: model.results.size, runEnds: model.runEnds.size };
    watched.states++;
  };
  made.tookBack = (): void => {
    watched.takenBack++;
    model.tookBack(ordersOf(made));
  };
  made.watch = (commands, nowUs): void => {
    model.apply(commands, nowUs, {
      decisions: decisionsSince(made, history, effects),
      progress: progressOf(made),
    });
    [history, effects] = [made.stored.history.length, made.effects.length];
    if (made.state.hasMore) watched.cut++;
    // Deadlines of a worker's tasks go on together in the model, and some a transaction in the planner.
    if ([...made.state.unsettled.turns].every(({ standstills }) => standstills.size === 0)) compare();
  };
  return { model, compare, watched };
}
