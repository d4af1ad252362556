import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventStream } from '../../../engine/rest/monitor/event-stream.ts';

afterEach(() => void vi.useRealTimers());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise has settled, once all that can go on has gone on. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  void promise.then(() => (isSettled = true));
  await turn();
  return isSettled;
}

function textReader({ body }: EventStream): { next(): Promise<string | undefined>; cancel(): Promise<void> } {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? undefined : decoder.decode(value);
    },
    cancel: () => reader.cancel(),
  };
}

describe('an event stream', () => {
  it('writes messages, and what it ends with', async () => {
    const events = new EventStream();
    const reader = textReader(events);
    void events.message('{"a":1}');
    void events.message('{"a":2}');
    events.end('error', '{"code":"X"}');
    expect(await reader.next()).toBe('data: {"a":1}\n\n');
    expect(await reader.next()).toBe('data: {"a":2}\n\n');
    expect(await reader.next()).toBe('event: error\ndata: {"code":"X"}\n\n');
    expect(await reader.next()).toBeUndefined();
  });

  it('lets a writer go on once its message is taken and more is asked for', async () => {
    const events = new EventStream();
    const reader = textReader(events);
    const written = events.message('1');
    expect(await isDone(written)).toBe(false);
    await reader.next();
    expect(await isDone(written)).toBe(false);
    const next = reader.next();
    expect(await isDone(written)).toBe(true);
    void events.message('2');
    expect(await next).toBe('data: 2\n\n');
  });

  it('lets every writer go once the reader goes, and writes no more', async () => {
    const events = new EventStream();
    const reader = textReader(events);
    const written = events.message('1');
    await reader.cancel();
    expect(await isDone(written)).toBe(true);
    expect(await isDone(events.message('2'))).toBe(true);
    events.end('end', '{}');
  });

  it('says each 15 s that it is there, unless a message waits to be read', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const events = new EventStream();
    const reader = textReader(events);
    const first = reader.next();
    await turn();
    vi.advanceTimersByTime(15_000);
    expect(await first).toBe(': \n\n');
    const second = reader.next();
    await turn();
    void events.message('1');
    void events.message('2');
    vi.advanceTimersByTime(60_000);
    events.end('end', '{}');
    expect([await second, await reader.next(), await reader.next(), await reader.next()]).toEqual([
      'data: 1\n\n',
      'data: 2\n\n',
      'event: end\ndata: {}\n\n',
      undefined,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
