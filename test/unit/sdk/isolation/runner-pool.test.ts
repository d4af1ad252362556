import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { RunnerPool } from '../../../../sdk/isolation/runners/runner-pool.ts';
import type { RunnerEnd, RunnerLink } from '../../../../sdk/isolation/runners/runner-link.ts';

/** Runners that are nothing but a name, with what became of them. */
class Runners {
  readonly alive = new Set<string>();
  started = 0;
  most = 0;

  start(key: string): () => Promise<RunnerLink> {
    return async () => {
      const name = `${key}${++this.started}`;
      this.alive.add(name);
      this.most = Math.max(this.most, this.alive.size);
      let end: (end: RunnerEnd) => void = () => {};
      const gone = new Promise<RunnerEnd>((resolve) => (end = resolve));
      return {
        gone,
        send: () => {},
        hear: () => {},
        setPaused: () => {},
        usage: async () => undefined,
        kill: async () => {
          this.alive.delete(name);
          end({ code: 'RUNNER_LOST', how: 'ended' });
        },
      };
    };
  }
}

function gate(): { open: () => void; passed: Promise<void> } {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

const never = new AbortController().signal;
setMaxListeners(0, never); // as those of attempts are

describe('a pool of runners', () => {
  it('has never more than its size, and serves in order', async () => {
    const runners = new Runners();
    const pool = new RunnerPool({ size: 2, idle: 2, idleMs: 60_000 });
    const order: number[] = [];
    await Promise.all(
      Array.from(
        { length: 20 },
        async (_, n) =>
          await pool.with(n % 3 === 0 ? 'a' : 'b', {
            start: runners.start(n % 3 === 0 ? 'a' : 'b'),
            signal: never,
            use: async () => {
              order.push(n);
              await new Promise((resolve) => setImmediate(resolve));
              return { result: n, isReusable: n % 5 !== 0 };
            },
          }),
      ),
    );
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(runners.most).toBe(2);
    await pool.stop();
    expect([...runners.alive]).toEqual([]);
  });

  it('uses one again for the same key, and ends what is not to be used again', async () => {
    const runners = new Runners();
    const pool = new RunnerPool({ size: 2, idle: 1, idleMs: 60_000 });
    const once = async (key: string, isReusable = true): Promise<string> =>
      await pool.with(key, {
        start: runners.start(key),
        signal: never,
        use: async () => ({ result: key, isReusable }),
      });
    await once('a');
    await once('a');
    expect([...runners.alive]).toEqual(['a1']);
    await once('b'); // one idle runner is kept: the last
    expect([...runners.alive]).toEqual(['b2']);
    await once('b', false);
    expect([...runners.alive]).toEqual([]);
    await expect(
      pool.with('c', { start: runners.start('c'), signal: never, use: () => Promise.reject(new Error('as it goes')) }),
    ).rejects.toThrow('as it goes');
    expect([...runners.alive]).toEqual([]);
    await pool.stop();
  });

  it('ends one that has nothing to do for long', async () => {
    const runners = new Runners();
    const pool = new RunnerPool({ size: 1, idle: 1, idleMs: 1 });
    await pool.with('a', {
      start: runners.start('a'),
      signal: never,
      use: async () => ({ result: 1, isReusable: true }),
    });
    await expect.poll(() => [...runners.alive]).toEqual([]);
  });

  it('lets one that waits leave the line when it is cancelled', async () => {
    const runners = new Runners();
    const pool = new RunnerPool({ size: 1, idle: 1, idleMs: 60_000 });
    const { open, passed } = gate();
    const hold = pool.with('a', {
      start: runners.start('a'),
      signal: never,
      use: async () => ({ result: await passed, isReusable: true }),
    });
    const leaving = new AbortController();
    const left = pool.with('a', {
      start: runners.start('a'),
      signal: leaving.signal,
      use: async () => ({ result: 'ran', isReusable: true }),
    });
    const next = pool.with('a', {
      start: runners.start('a'),
      signal: never,
      use: async () => ({ result: 'ran', isReusable: true }),
    });
    leaving.abort(new Error('cancelled'));
    await expect(left).rejects.toThrow('cancelled');
    open();
    await hold;
    expect(await next).toBe('ran');
    expect(runners.started).toBe(1);
    await pool.stop();
  });
});
