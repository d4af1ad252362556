import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HeldStarts, type HeldStart, type ReportItem } from '../../../engine/grpc/session/held-starts.ts';
import { markChecked } from '../../../engine/model/checked.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const tenantId = tenantOf('tenant');

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function start(taskId = newId(), attempt = 0): ReportItem {
  return { event: 'started', taskId, attempt: markChecked(attempt) };
}

function end({ taskId, attempt }: ReportItem): ReportItem {
  return { event: 'completed', taskId, attempt, output: markChecked('{}') };
}

/** Starts that a store of the test's takes, and what becomes of frames. */
function world(store: (items: readonly ReportItem[]) => Promise<unknown> = async () => undefined) {
  const stored: (readonly ReportItem[])[] = [];
  const settled: number[] = [];
  const refused: number[] = [];
  const starts = new HeldStarts((_, items) => {
    stored.push(items);
    return store(items);
  });
  const hold = (frame: number, ...items: ReportItem[]): void => {
    const held = items.map((item, index): HeldStart => ({ item, index }));
    void starts.hold(tenantId, held, (_, { index }) => refused.push(index)).then(() => settled.push(frame));
  };
  return { starts, stored, settled, refused, hold };
}

it('starts of several frames are stored together after a while, and their frames are done then, not before', async () => {
  let finish: () => void = () => undefined;
  const { stored, settled, hold } = world(() => new Promise<void>((resolve) => (finish = resolve)));
  const [one, two, three] = [start(), start(), start()];
  hold(1, one, two);
  hold(2, three);
  await vi.advanceTimersByTimeAsync(9);
  expect(stored).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect([stored, settled]).toEqual([[[one, two, three]], []]);
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(settled).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(100);
  expect(stored).toHaveLength(1);
});

it('a start whose end comes meanwhile is not stored by itself: its frame is done with the end', async () => {
  const { starts, stored, settled, hold } = world();
  const [quick, slow] = [start(), start()];
  hold(1, quick);
  hold(2, slow);
  const endIsStored = starts.takeFor(tenantId, [end(quick), end(start())]);
  await vi.advanceTimersByTimeAsync(20);
  expect([stored, settled]).toEqual([[[slow]], [2]]);
  endIsStored();
  await vi.advanceTimersByTimeAsync(0);
  expect(settled).toEqual([2, 1]);
});

it('the end of another attempt, or of another tenant, takes no start away', async () => {
  const { starts, stored, hold } = world();
  const held = start();
  hold(1, held);
  starts.takeFor(tenantId, [end({ ...held, attempt: markChecked(1) })])();
  starts.takeFor(tenantOf('other'), [end(held)])();
  await vi.advanceTimersByTimeAsync(10);
  expect(stored).toEqual([[held]]);
});

it('two attempts of a task, and more than may be held, are stored at once', async () => {
  const { stored, hold } = world();
  const first = start();
  const second = start(first.taskId, 1);
  hold(1, first);
  hold(2, second);
  expect(stored).toEqual([[second]]);
  const many = Array.from({ length: 2_001 }, () => start());
  hold(3, ...many);
  expect(stored[1]).toEqual(many.slice(-2));
  await vi.advanceTimersByTimeAsync(10);
  expect(stored.flat()).toHaveLength(2_003);
});

it('a cut stores at once what is held', async () => {
  const { starts, stored, settled, hold } = world();
  const held = start();
  hold(1, held);
  starts.hurry(tenantId);
  expect(stored).toEqual([[held]]);
  await vi.advanceTimersByTimeAsync(100);
  expect([stored.length, settled]).toEqual([1, [1]]);
});

it('starts that are refused are said to be, each by its place, and their frame is done', async () => {
  const { settled, refused, hold } = world(() => Promise.reject(new Error('no')));
  hold(1, start(), start());
  await vi.advanceTimersByTimeAsync(10);
  expect([settled, refused]).toEqual([[1], [0, 1]]);
});
