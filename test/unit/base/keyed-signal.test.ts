import { describe, expect, it } from 'vitest';
import { KeyedSignal } from '../../../engine/base/keyed-signal.ts';

describe('a keyed signal', () => {
  it('wakes once who watches any of the keys, and nobody else', () => {
    const signal = new KeyedSignal();
    const woken: string[] = [];
    signal.watch(['a', 'b'], () => woken.push('first'));
    signal.watch(['b'], () => woken.push('second'));
    signal.watch(['c'], () => woken.push('third'));
    signal.changed(['a', 'b', 'nobody']);
    expect(woken.sort()).toEqual(['first', 'second']);
  });

  it('ends each watch by itself, one of the same function too, and then holds nothing', () => {
    const signal = new KeyedSignal();
    let count = 0;
    const wake = (): void => void count++;
    const [one, other] = [signal.watch(['a'], wake), signal.watch(['a', 'b'], wake)];
    one();
    one();
    signal.changed(['a']);
    expect(count).toBe(1);
    expect(signal.isWatched).toBe(true);
    other();
    expect(signal.isWatched).toBe(false);
  });

  it('asks nobody who watches another key', () => {
    const signal = new KeyedSignal();
    let asked = 0;
    const keys = (n: number): Iterable<string> => ({
      *[Symbol.iterator]() {
        asked++;
        yield `key ${n}`;
      },
    });
    for (let n = 0; n < 1_000; n++) signal.watch(keys(n), () => undefined);
    const once = asked;
    signal.changed(['key 7']);
    expect(asked).toBe(once);
  });

  it('next: resolves with a change, at the latest after the time, or when it is aborted', async () => {
    const signal = new KeyedSignal();
    const controller = new AbortController();
    const changed = signal.next(['a'], { longestMs: 60_000, signal: controller.signal });
    signal.changed(['a']);
    await changed;
    await signal.next(['a'], { longestMs: 1, signal: controller.signal });
    const aborted = signal.next(['a'], { longestMs: 60_000, signal: controller.signal });
    controller.abort();
    await aborted;
    await signal.next(['a'], { longestMs: 60_000, signal: controller.signal });
    expect(signal.isWatched).toBe(false);
  });
});
