import { afterEach, describe, expect, it } from 'vitest';
import { longestInline } from '../../../engine/model/limits.ts';
import { PayloadChecker } from '../../../engine/payloads/payload-checker.ts';
import { reportedOutcome } from '../../../engine/edge/parse/report.ts';

let checker = new PayloadChecker();
afterEach(async () => {
  await checker.stop();
  checker = new PayloadChecker();
});

const long = (inside: string): string => `{"fill":"${'x'.repeat(longestInline)}","it":${inside}}`;
const megabytes = (count: number): string => JSON.stringify(Array.from({ length: count * 20_000 }, (_, n) => ({ n, name: `customer ${n}`, open: n % 3 === 0 })));

describe('a payload', () => {
  it('that is short is checked at once', () => {
    expect(checker.check('a', '{"a":1}', 'the input')).toBeUndefined();
    expect(() => checker.check('a', '{', 'the input')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('that is long passes, and is refused with the same words as a short one', async () => {
    await expect(checker.check('a', long('1'), 'the input')).resolves.toBeUndefined();
    const refusals: [text: string, code: string, message: string][] = [
      [long('}'), 'INVALID_ARGUMENT', 'the input is not valid JSON: '],
      [long('"\\u0000"'), 'INVALID_ARGUMENT', 'the input holds a NUL character'],
      [long('['.repeat(300) + ']'.repeat(300)), 'INVALID_ARGUMENT', 'the input is nested deeper than 200 levels'],
    ];
    for (const [text, code, message] of refusals) {
      await expect(checker.check('a', text, 'the input')).rejects.toMatchObject({ name: 'HatchetError', code, message: expect.stringContaining(message), remedy: expect.any(String) });
    }
    expect(() => checker.check('a', `"${'x'.repeat(5 * 1024 * 1024)}"`, 'the input')).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
  });

  it('that is long leaves the main thread free while it is read', async () => {
    await checker.check('a', long('1'), 'the input'); // the thread has started
    const done: string[] = [];
    const text = megabytes(1);
    const checked = Promise.resolve(checker.check('a', text, 'the input')).then(() => done.push('checked'));
    setImmediate(() => done.push('another caller'));
    await checked;
    expect(done).toEqual(['another caller', 'checked']);
  });

  it('waits for its turn among the tenants, not behind all of one', async () => {
    const order: string[] = [];
    const checks = ['loud', 'loud', 'loud', 'loud', 'quiet'].map(async (tenant) => {
      await checker.check(tenant, long('1'), 'the input');
      order.push(tenant);
    });
    await Promise.all(checks);
    expect(order.indexOf('quiet')).toBeLessThan(3);
  });

  it('that waits while the engine stops is refused so that its caller tries again', async () => {
    const checks = Promise.allSettled([checker.check('a', megabytes(2), 'the input'), checker.check('b', long('1'), 'the input')]);
    await checker.stop();
    for (const each of await checks) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'STOPPING' } });
    expect(() => checker.check('a', long('1'), 'the input')).toThrow(expect.objectContaining({ code: 'STOPPING' }));
  });

  it('of a worker that cannot be stored fails its attempt, and while the engine stops is told again', async () => {
    for (const text of ['{', long('}')]) await expect(reportedOutcome(checker, 'a', text)).resolves.toEqual({ ok: false, error: expect.stringContaining("the task's output is not valid JSON") });
    await expect(reportedOutcome(checker, 'a', '')).resolves.toEqual({ ok: true, output: 'null' });
    const told = expect(reportedOutcome(checker, 'a', long('1'))).rejects.toMatchObject({ code: 'STOPPING' });
    await checker.stop();
    await told;
  });
});
