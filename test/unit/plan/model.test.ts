import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { action, apply, drain, world, type Action } from '../../helpers/histories.ts';
import { keepPace, pace, type Pace } from '../../helpers/pace.ts';
import { watch, type Watched } from '../../model/watch.ts';

/** `npm run test:model` asks for more, and for others each time. */
const asked = process.env['MODEL_HISTORIES'];
const histories = Number(asked ?? 600);
const choice = asked === undefined ? { seed: 15 } : {};

/** @param of how transactions are planned; by default as in an engine that nothing goes wrong with @returns what was compared */
function live(steps: readonly Action[], of?: Pace): Watched {
  const made = world();
  if (of !== undefined) keepPace(made, of);
  const { watched } = watch(made);
  for (const step of steps) apply(made, step);
  drain(made);
  expect(made.state.tasks.size).toBe(0);
  // And once more, all of them.
  made.run(made.replayOf([...made.stored.runs.keys()]));
  drain(made);
  expect(made.state.tasks.size).toBe(0);
  return watched;
}

/** Shrunk histories over which the two once disagreed. */
const disagreements: { about: string; steps: Action[] }[] = [
  {
    about: 'a task that moves to the line of its sticky worker, ahead of others at several rate limits',
    steps: [
      { do: 'trigger', workflow: 'keyed', priority: 1, pick: 827 },
      { do: 'trigger', workflow: 'keyedDag', priority: 1, pick: 1 },
      {
        do: 'together',
        steps: [
          { do: 'trigger', workflow: 'keyedDag', priority: 2, pick: 645 },
          { do: 'batch', event: 'started', pick: 0, all: false, late: false },
          { do: 'tell' },
        ],
      },
      { do: 'putLimit', limit: 3, window: 'SECOND' },
      {
        do: 'together',
        steps: [
          { do: 'started', pick: 0 },
          { do: 'pauseWorkflow', workflow: 'single', paused: false },
        ],
      },
      { do: 'started', pick: 0 },
      { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
      { do: 'tell' },
      { do: 'started', pick: 0 },
    ],
  },
  {
    about: 'a task behind one that asks more than a full window holds',
    steps: [
      { do: 'trigger', workflow: 'keyedDag', priority: 1, pick: 498 },
      { do: 'register', slots: 1 },
      { do: 'register', slots: 1 },
      { do: 'putLimit', limit: 2, window: 'SECOND' },
      { do: 'trigger', workflow: 'keyedDag', priority: 1, pick: 960 },
      {
        do: 'together',
        steps: [
          { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
          { do: 'started', pick: 0 },
          { do: 'register', slots: 0 },
        ],
      },
      { do: 'started', pick: 0 },
      { do: 'batch', event: 'started', pick: 0, all: false, late: false },
      { do: 'trigger', workflow: 'keyedDag', priority: 2, pick: 186 },
      { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
      { do: 'dropLimit' },
    ],
  },
  {
    about: 'the slots of a batch of which a member is being told to stop',
    steps: [
      { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
      {
        do: 'together',
        steps: [
          { do: 'trigger', workflow: 'gather', priority: 1, pick: 20 },
          { do: 'replay', pick: 0, wholeRun: false },
        ],
      },
      { do: 'trigger', workflow: 'gather', priority: 1, pick: 566 },
      { do: 'cancelRun', pick: 0 },
      { do: 'advance', ms: 5000 },
      { do: 'register', slots: 2 },
      { do: 'together', steps: [{ do: 'unstarted', pick: 177 }, { do: 'tell' }] },
      { do: 'release', pick: 0 },
      { do: 'advance', ms: 500 },
      { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
      {
        do: 'together',
        steps: [
          { do: 'event', key: 'go', scope: null, ok: false },
          { do: 'started', pick: 0 },
        ],
      },
      { do: 'replay', pick: 0, wholeRun: false },
    ],
  },
];

describe('the planner beside its reference model', () => {
  it.each(disagreements)('agrees with it about $about', ({ steps }) => {
    expect(live(steps).states).toBeGreaterThan(0);
  });

  it(`agrees with it on every state of ${histories} random histories`, () => {
    const all: Watched = { states: 0, cut: 0, takenBack: 0 };
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), pace, (steps, of) => {
        const { states, cut, takenBack } = live(steps, of);
        all.states += states;
        all.cut += cut;
        all.takenBack += takenBack;
      }),
      { numRuns: histories, ...choice },
    );
    const { states, cut, takenBack } = all;
    process.stdout.write(
      `${histories} histories, ${states} states compared; ${cut} transactions left something, ${takenBack} were taken back\n`,
    );
  }, 3_600_000);
});
