import { computeMemoKey } from '@hatchet-dev/typescript-sdk/v1/client/worker/context.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPatchKey } from '../../../../engine/model/durable.ts';
import { Draws } from '../../../../sdk/durable/draws.ts';
import { memoKey, patchKey } from '../../../../sdk/durable/memo-key.ts';

describe('the key of a memo', () => {
  it('is the official one, so that a log goes on under either SDK', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.array(fc.jsonValue()), async (task, deps) => {
        expect(memoKey(task, deps)).toEqual(Buffer.from(await computeMemoKey(task, deps)));
      }),
    );
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
          const draws = new Draws(seed);
          return kinds.map((isUuid) => (isUuid ? draws.uuid() : draws.number()));
        };
        const drawn = draw();
        expect(draw()).toEqual(drawn);
        expect(new Set(drawn).size).toBe(drawn.length);
      }),
    );
  });

  it('are UUIDs of version 4, and numbers from 0 that stay below 1 and spread evenly', () => {
    const draws = new Draws('seed');
    expect(draws.uuid()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const numbers = Array.from({ length: 10_000 }, () => draws.number());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth++) expect(Math.abs(numbers.filter((number) => Math.floor(number * 10) === tenth).length - 1000)).toBeLessThan(150);
  });
});
