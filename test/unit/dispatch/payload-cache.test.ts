import { expect, test } from 'vitest';
import { PayloadCache } from '../../../engine/dispatch/payload-cache.ts';

const plain = {
  input: '{}',
  metadata: '{}',
  filterPayload: null,
  parentTaskId: null,
  childIndex: null,
  childKey: null,
};

function kept(count: number, has: (id: string) => boolean): number {
  return Array.from({ length: count }, (_, index) => has(String(index))).filter(Boolean).length;
}

test('small outputs do not gather without bound: an entry counts for what it takes beside its text', () => {
  const cache = new PayloadCache();
  const count = 200_000;
  for (let index = 0; index < count; index++) cache.putOutput(String(index), '{}');
  expect(kept(count, (id) => cache.output(id) !== undefined)).toBeLessThan(150_000);
  expect(cache.output(String(count - 1))).toBe('{}');
});

test('small inputs do not gather without bound either', () => {
  const cache = new PayloadCache();
  const count = 200_000;
  for (let index = 0; index < count; index++) cache.putRun(String(index), plain);
  expect(kept(count, (id) => cache.run(id) !== undefined)).toBeLessThan(150_000);
});

test("a filter's payload counts", () => {
  const cache = new PayloadCache();
  const filterPayload = 'x'.repeat(1024 * 1024);
  for (let index = 0; index < 100; index++) cache.putRun(String(index), { ...plain, filterPayload });
  expect(kept(100, (id) => cache.run(id) !== undefined)).toBeLessThan(64);
});

test('what is forgotten makes room again', () => {
  const cache = new PayloadCache();
  cache.putRun('first', { ...plain, input: 'x', filterPayload: 'y' });
  for (let index = 0; index < 200_000; index++) {
    cache.putRun(String(index), { ...plain, filterPayload: 'z' });
    cache.forgetRun(String(index));
    cache.putOutput(String(index), '{}');
    cache.forgetOutput(String(index));
  }
  expect(cache.run('first')).toBeDefined();
});
