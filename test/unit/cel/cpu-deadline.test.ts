import { expect, it } from 'vitest';
import { withinCpu } from '../../../engine/cel/cpu-deadline.ts';

/** @param share of a core that the thread gets @param needMs what the work takes of it */
function run({ share, needMs, isKnown = true }: { share: number; needMs: number; isKnown?: boolean }): {
  result: string;
  walls: number[];
  cpuMs: number;
} {
  let cpuMs = 1_000;
  const walls: number[] = [];
  const result = withinCpu(
    50,
    (wallMs) => {
      walls.push(wallMs);
      const had = wallMs * share;
      cpuMs += Math.min(had, needMs);
      return had >= needMs ? 'done' : undefined;
    },
    () => (isKnown ? cpuMs : undefined),
  );
  return { result, walls, cpuMs: cpuMs - 1_000 };
}

it('gives an honest one its time on a core, however little of a core there is', () => {
  expect(run({ share: 1, needMs: 30 })).toMatchObject({ result: 'done', walls: [50] });
  expect(run({ share: 0.1, needMs: 15 })).toMatchObject({ result: 'done', walls: [50, 100, 200] });
  expect(run({ share: 0.02, needMs: 5 })).toMatchObject({ result: 'done', walls: [50, 100, 200, 400] });
});

it('stops one that needs too much before it has had three times what it may', () => {
  for (const share of [1, 0.7, 0.4, 0.2, 0.05]) {
    const { result, cpuMs } = run({ share, needMs: Infinity });
    expect(result).toBe('overran');
    expect(cpuMs).toBeLessThan(150);
  }
});

it('ends where the thread gets no core at all, and tries once where nobody can tell', () => {
  expect(run({ share: 0, needMs: 1 })).toMatchObject({ result: 'overran', walls: [50, 100, 200, 400, 800, 1_600] });
  expect(run({ share: 0.1, needMs: 20, isKnown: false })).toMatchObject({ result: 'overran', walls: [50] });
});
