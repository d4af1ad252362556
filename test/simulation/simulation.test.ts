import { expect, it } from 'vitest';
import { historyOf } from './moves.ts';
import { onceWrong } from './once-wrong.ts';
import { printed, shrink, simulate } from './shrink.ts';

const seeds = 150;

it('a seed gives the same history each time', async () => {
  for (const seed of [11, 14, 29]) {
    const first = await simulate(historyOf(seed));
    const second = await simulate(historyOf(seed));
    expect(second.trace).toBe(first.trace);
    expect(second.steps).toBe(first.steps);
  }
});

it('what is left out of a history changes nothing for the rest', async () => {
  const history = historyOf(14);
  const { lines } = await simulate(history, { keepLines: true });
  const last = Math.floor(history.moves.at(-1)?.atMs ?? 0); // lines have fewer digits
  const shorter = await simulate({ ...history, moves: history.moves.slice(0, -1) }, { keepLines: true });
  const before = (all: readonly string[]): string[] =>
    all.filter((line) => Number(line.split(' ')[0]) < Math.floor(last));
  expect(before(shorter.lines)).toEqual(before(lines));
});

it.each(onceWrong)('no more: $what', async ({ history }) => {
  expect((await simulate(history)).violation).toBeUndefined();
});

it(`${seeds} histories keep what is promised, and come to their end`, async () => {
  let [runs, ahead] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const history = historyOf(seed);
    const outcome = await simulate(history);
    runs += outcome.runs;
    ahead += outcome.ahead;
    if (outcome.violation !== undefined)
      expect.fail(`seed ${seed}: ${printed(await shrink({ history, outcome }, 100))}`);
  }
  expect(runs).toBeGreaterThan(seeds);
  expect(ahead).toBeGreaterThan(seeds);
}, 600_000);
