import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurableLife, type BranchStep, type Step } from '../../model/durable-life.ts';
import type { Manner } from '../../model/durable-worker.ts';
import { pace } from '../../helpers/pace.ts';
import { durablePrograms } from '../../model/durable-programs.ts';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Step>('send', 'receive') },
  { weight: 4, arbitrary: fc.constantFrom<Step>('second', 'event a', 'event b', 'child ends', 'finish', 'status') },
  { weight: 2, arbitrary: fc.constantFrom<Step>('evict', 'break stream') },
  { weight: 1, arbitrary: fc.constantFrom<Step>('lose worker', 'restart', 'restore', 'stale') },
);

const branchStep: fc.Arbitrary<BranchStep> = fc.record({
  branch: fc.nat(9),
  node: fc.nat(20),
  beside: fc.constantFrom('nothing', 'event a', 'second', 'evict', 'status'),
  before: fc.boolean(),
  refused: fc.boolean(),
});

const programs = durablePrograms(fc.integer({ min: 1, max: 5 }).map((seconds) => seconds * 1000));

const manner = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Manner>('ours') },
  { weight: 2, arbitrary: fc.constantFrom<Manner>('typescript', 'python') },
);

/** How its worker says what it waits for, and how transactions are planned. */
const ways = fc.record({ manner, pace });

const histories = Number(process.env['DURABLE_HISTORIES'] ?? 1200);
/** They are longer. */
const branched = Math.ceil(histories / 2);

describe('random durable programs', () => {
  it(`end with the output that their log gives, over ${histories} histories of deaths, evictions and lost messages`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, ways, fc.array(step, { maxLength: 80, size: 'max' }), async (program, of, steps) => {
        const life = new DurableLife(program, of);
        await life.hear();
        for (const each of steps) if (!life.isOver) await life.take(each);
        await life.drain();
        await life.check();
        expect(life.ends).toHaveLength(1);
      }),
      { numRuns: histories },
    );
  }, 600_000);

  it(`end on every branch with what that branch holds, and leave the others as they are, over ${branched} histories`, async () => {
    const steps = fc.array(fc.oneof({ weight: 10, arbitrary: step }, { weight: 1, arbitrary: branchStep }), {
      maxLength: 80,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(programs, ways, steps, branchStep, async (program, of, each, last) => {
        const life = new DurableLife(program, of);
        await life.hear();
        for (const one of each) {
          if (typeof one !== 'string') await life.startBranch(one);
          else if (!life.isOver) await life.take(one);
        }
        await life.drain();
        // One that has ended, at the latest.
        await life.startBranch(last);
        await life.drain();
        await life.check();
      }),
      { numRuns: branched },
    );
  }, 600_000);
});
