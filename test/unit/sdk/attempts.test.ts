import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskCancelledError } from '../../../sdk/errors.ts';
import { attemptKey, Attempts } from '../../../sdk/worker/attempts.ts';

describe('Attempts', () => {
  it('runs an attempt once, however often it is delivered', () => {
    const attempts = new Attempts();
    const key = attemptKey('task', 0);
    expect(attempts.begin(key, 'first')).toBeDefined();
    expect(attempts.begin(key, 'again')).toBeUndefined();
    attempts.end(key);
    expect(attempts.begin(key, 'after its end')).toBeUndefined();
    expect(attempts.begin(attemptKey('task', 1), 'the next attempt')).toBeDefined();
  });

  it('runs each start of a durable attempt, and cancels the one that is meant', () => {
    const attempts = new Attempts();
    const first = attemptKey('task', 0, 1);
    const second = attemptKey('task', 0, 2);
    attempts.begin(first, 'first start');
    attempts.end(first);
    const again = attempts.begin(second, 'second start');
    expect(again).toBeDefined();
    expect(attempts.begin(first, 'delivered late')).toBeUndefined();
    expect(attempts.cancel(first)).toBeUndefined();
    expect(attempts.cancel(second)).toBe(again);
  });

  it('cancels the attempt that is meant, once', () => {
    const attempts = new Attempts();
    const first = attempts.begin(attemptKey('task', 0), 'first');
    const second = attempts.begin(attemptKey('task', 1), 'second');
    expect(attempts.cancel(attemptKey('task', 0))).toBe(first);
    expect(attempts.cancel(attemptKey('task', 0))).toBeUndefined();
    expect(first?.abortController.signal.reason).toBeInstanceOf(TaskCancelledError);
    expect(second?.abortController.signal.aborted).toBe(false);
    expect(attempts.cancel(attemptKey('other', 0))).toBeUndefined();
  });

  it('cancels a batch once all that run in it are cancelled', () => {
    const attempts = new Attempts();
    const batch = attempts.begin('batch b', 'a batch of two');
    if (batch === undefined) throw new Error('it has not begun');
    attempts.gather(batch, [attemptKey('one', 0), attemptKey('two', 3)]);
    expect(attempts.cancel(attemptKey('one', 0))).toBeUndefined();
    expect(attempts.cancel(attemptKey('two', 2))).toBeUndefined();
    expect(batch.abortController.signal.aborted).toBe(false);
    expect(attempts.cancel(attemptKey('two', 3))).toBe(batch);
    expect(batch.abortController.signal.reason).toBeInstanceOf(TaskCancelledError);
    attempts.end(batch.key);
    expect(attempts.begin('batch b', 'delivered again')).toBeUndefined();
    expect(attempts.cancel(attemptKey('two', 3))).toBeUndefined();
  });

  it('is idle when the last one has ended', async () => {
    const attempts = new Attempts();
    await attempts.idle();
    attempts.begin('a/0', 'a');
    attempts.begin('b/0', 'b');
    let idle = false;
    const waiting = attempts.idle().then(() => (idle = true));
    attempts.end('a/0');
    await Promise.resolve();
    expect(idle).toBe(false);
    attempts.end('b/0');
    await waiting;
  });

  it('gives up on what is left', () => {
    const attempts = new Attempts();
    const attempt = attempts.begin('a/0', 'the label');
    expect(attempts.abandon()).toEqual(['the label']);
    expect(attempt?.abortController.signal.aborted).toBe(true);
  });

  it('agrees with a simple model', () => {
    const step = fc.record({ act: fc.constantFrom('begin', 'end', 'cancel'), task: fc.nat(3), attempt: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const attempts = new Attempts();
        const current = new Set<string>();
        const seen = new Set<string>();
        for (const { act, task, attempt } of steps) {
          const key = attemptKey(String(task), attempt);
          if (act === 'begin') {
            expect(attempts.begin(key, key) !== undefined).toBe(!seen.has(key));
            if (!seen.has(key)) current.add(key);
            seen.add(key);
          } else if (act === 'end') {
            attempts.end(key);
            current.delete(key);
          } else attempts.cancel(key);
          expect(attempts.size).toBe(current.size);
          for (const each of seen) expect(attempts.has(each)).toBe(current.has(each));
        }
      }),
    );
  });
});
