import { setImmediate as macrotask } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns, type Due } from '../../../../sdk/durable/turns.ts';

/** A program has at most 6 results and asks at most 3 questions after each. */
const mostTurns = 24;

/**
 * Code that begins with `asks[0]` questions, and asks `asks[n]` more in the turn of its n-th result. Answers come in the
 * order of the questions, results in theirs; `early` says which of the two comes next where both could.
 */
async function play(asks: readonly number[], early: readonly boolean[]): Promise<string[]> {
  const turns = new Turns();
  const taken: string[] = [];
  const due: Due[] = [];
  let asked = 0;
  let answered = 0;
  const ask = (count: number): void => {
    for (let n = 0; n < count; n++) due.push(turns.expectAnswer());
    asked += count;
  };
  ask(asks[0] ?? 0);
  for (let result = 1, step = 0; result < asks.length || answered < asked; step++) {
    if (answered < asked && (result >= asks.length || early[step] !== false)) {
      const number = ++answered;
      const next = due.shift();
      if (next !== undefined) turns.answer(next, () => taken.push(`answer ${number}`));
    } else {
      const number = result++;
      turns.result(() => {
        taken.push(`result ${number}`);
        ask(asks[number] ?? 0);
      });
    }
    if (early[step + 1] !== undefined) await macrotask();
    // A question that a turn is still to ask has to be asked before its answer can come.
    if (result >= asks.length && answered === asked) for (let n = 0; n < mostTurns; n++) await macrotask();
  }
  while (!turns.idle) await macrotask();
  return taken;
}

describe('Turns', () => {
  it('are taken in an order that follows from the results alone, whenever answers come', async () => {
    const asks = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 });
    const schedule = fc.array(fc.boolean(), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(asks, schedule, schedule, async (program, one, other) => {
        const first = await play(program, one);
        expect(await play(program, other)).toEqual(first);
        expect(first.filter((turn) => turn.startsWith('result'))).toEqual(
          program.slice(1).map((_, index) => `result ${index + 1}`),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('have a macrotask each: all that follows from one comes before the next', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      turns.result(() => {
        seen.push(name);
        void Promise.resolve()
          .then(async () => await Promise.resolve())
          .then(() => seen.push(`${name}, later`));
      });
    }
    while (!turns.idle) await macrotask();
    expect(seen).toEqual(['a', 'a, later', 'b', 'b, later']);
  });

  it('are never taken once stopped', async () => {
    const turns = new Turns();
    let taken = 0;
    turns.result(() => void taken++);
    turns.stop();
    turns.result(() => void taken++);
    await macrotask();
    await macrotask();
    expect(taken).toBe(0);
  });
});
