import { computeMemoKey } from '@hatchet-dev/typescript-sdk/v1/client/worker/context.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeMemoKey, isPatchKey, isSameMemo } from '../../../../engine/model/durable/memo-key.ts';
import { SeededRandom } from '../../../../sdk/durable/seeded-random.ts';
import { memoKey, patchKey } from '../../../../sdk/durable/memo-key.ts';

describe('the key of a memo', () => {
  it('is the same to a log as the official one, whose own it is for long dependencies, and as no other', async () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), async (task, deps, others) => {
        const [own, official] = [hex(memoKey(task, deps)), hex(await computeMemoKey(task, deps))];
        expect(isSameMemo(task, own, official)).toBe(true);
        expect(isSameMemo(task, official, own)).toBe(true);
        if (JSON.stringify(deps).length > 100) expect(own).toBe(official);
        fc.pre(JSON.stringify(deps) !== JSON.stringify(others));
        for (const key of [memoKey(task, others), await computeMemoKey(task, others)]) {
          expect(isSameMemo(task, own, hex(key))).toBe(false);
          expect(isSameMemo(task, official, hex(key))).toBe(false);
        }
      }),
    );
  });

  it('tells people what the memo depends on', () => {
    const shown = (deps: unknown[]): string => describeMemoKey(memoKey('task', deps).toString('hex'));
    expect(shown(['think', 1])).toBe('memo("think",1)');
    expect(shown([])).toBe('memo()');
    expect(shown(['a'.repeat(80)])).toBe(`memo("${'a'.repeat(59)}…)`);
    expect(shown(['a'.repeat(200)])).toMatch(/^memo [\da-f]{12}$/);
    expect(describeMemoKey(patchKey('new-prices').toString('hex'))).toBe('patched(new-prices)');
    expect(describeMemoKey('5bff5d')).toBe('memo 5bff5d');
  });

  it('of a patch is one that the engine knows; no other is', () => {
    expect(isPatchKey(patchKey('new-prices').toString('hex'))).toBe(true);
    expect(isPatchKey(memoKey('task', ['patched:new-prices']).toString('hex'))).toBe(false);
    expect(() => patchKey('')).toThrow('0 characters');
  });

  it('cannot be made of what JSON cannot carry', () => {
    expect(() => memoKey('task', [1n])).toThrow('cannot be written as JSON');
  });
});

describe('draws', () => {
  it('are the same from the same seed, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.array(fc.boolean(), { maxLength: 20 }), (seed, kinds) => {
        const draw = (): (string | number)[] => {
          const draws = new SeededRandom(seed);
          return kinds.map((isUuid) => (isUuid ? draws.uuid() : draws.number()));
        };
        const drawn = draw();
        expect(draw()).toEqual(drawn);
        expect(new Set(drawn).size).toBe(drawn.length);
      }),
    );
  });

  it('are UUIDs of version 4, and numbers from 0 that stay below 1 and spread evenly', () => {
    const draws = new SeededRandom('seed');
    expect(draws.uuid()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const numbers = Array.from({ length: 10_000 }, () => draws.number());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth++)
      expect(Math.abs(numbers.filter((number) => Math.floor(number * 10) === tenth).length - 1000)).toBeLessThan(150);
  });
});
