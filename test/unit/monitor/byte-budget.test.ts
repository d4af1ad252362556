import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWithin } from '../../../engine/monitor/budget/answers-in-flight.ts';
import { ByteBudget, type Reservation } from '../../../engine/monitor/budget/byte-budget.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a budget of bytes', () => {
  it('never gives more than it has, lets nobody overtake, and starves nobody', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 15 }), keep: fc.nat({ max: 15 }) }), {
          minLength: 1,
          maxLength: 30,
        }),
        async (asked) => {
          const budget = new ByteBudget(10);
          const admitted: number[] = [];
          const held: { reservation: Reservation; keep: number }[] = [];
          for (const [index, { bytes, keep }] of asked.entries()) {
            void budget.reserve(bytes).then((reservation) => {
              admitted.push(index);
              held.push({ reservation, keep });
            });
          }
          for (let at = 0; at < asked.length; at++) {
            await turn();
            expect(budget.taken).toBeLessThanOrEqual(10);
            const one = held[at];
            one?.reservation.shrink(one.keep);
            one?.reservation.shrink(100);
            await turn();
            one?.reservation.release();
            one?.reservation.release();
          }
          expect(admitted).toEqual(asked.map((_, index) => index));
          expect({ taken: budget.taken, waiting: budget.waiting }).toEqual({ taken: 0, waiting: 0 });
        },
      ),
    );
  });
});

describe('a read within a budget', () => {
  const mebibyte = 1024 * 1024;
  const read = (size: number, tries: number[]) => (bytes: number) => {
    tries.push(bytes);
    return Promise.resolve({ value: bytes, brought: Math.min(size, bytes), leftOut: Math.max(0, size - bytes) });
  };

  it('holds what it has brought, and asks for more only where something was left out', async () => {
    const budget = new ByteBudget(100 * mebibyte);
    const tries: number[] = [];
    const small = await readWithin(16 * mebibyte, read(1000, tries), budget);
    expect({ tries, taken: budget.taken }).toEqual({ tries: [mebibyte], taken: 1000 });
    const large = await readWithin(16 * mebibyte, read(3 * mebibyte, tries), budget);
    expect({ tries, taken: budget.taken }).toEqual({
      tries: [mebibyte, mebibyte, 3 * mebibyte],
      taken: 1000 + 3 * mebibyte,
    });
    const more = await readWithin(16 * mebibyte, read(90 * mebibyte, tries), budget);
    expect({ value: more.value, taken: budget.taken }).toEqual({ value: 16 * mebibyte, taken: 1000 + 19 * mebibyte });
    for (const { reservation } of [small, large, more]) reservation.release();
    expect(budget.taken).toBe(0);
  });

  it('gives back what it had when it fails', async () => {
    const budget = new ByteBudget(mebibyte);
    await expect(readWithin(mebibyte, () => Promise.reject(new Error('no connection')), budget)).rejects.toThrow(
      'no connection',
    );
    expect(budget.taken).toBe(0);
  });
});
