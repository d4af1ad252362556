import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TenantTurns } from '../../../engine/base/tenant-turns.ts';

it('does one piece of work in a turn of the event loop, the tenants in turn', async () => {
  const turns = new TenantTurns();
  const done: string[] = [];
  for (const name of ['a1', 'a2', 'a3', 'b1']) turns.take(name.charAt(0), () => done.push(name));
  expect(done).toEqual([]);
  const seen: number[] = [];
  while (done.length < 4) {
    await turn();
    seen.push(done.length);
  }
  expect(done).toEqual(['a1', 'b1', 'a2', 'a3']);
  expect(seen.every((count, index) => count - (seen[index - 1] ?? 0) <= 1)).toBe(true);
});
