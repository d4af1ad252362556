import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { longestInline } from '../../../engine/model/limits.ts';
import { JsonText } from '../../../engine/payloads/cut-body.ts';
import { PayloadReader } from '../../../engine/payloads/payload-reader.ts';
import { reportedOutcome } from '../../../engine/edge/parse/attempt-report.ts';
import { tenantOf } from '../../helpers/tenant.ts';

let reader = new PayloadReader();
afterEach(async () => {
  await reader.stop();
  reader = new PayloadReader();
});

const long = (inside: string): string => `{"fill":"${'x'.repeat(longestInline)}","it":${inside}}`;
const megabytes = (count: number): string =>
  JSON.stringify(Array.from({ length: count * 20_000 }, (_, n) => ({ n, name: `customer ${n}`, open: n % 3 === 0 })));

describe('a body', () => {
  const payloads = fc.dictionary(
    fc.constantFrom('input', 'data', 'additionalMetadata', 'filterPayload', 'key', '__proto__'),
    fc.jsonValue(),
  );
  const body = fc
    .record({ name: fc.string(), fill: fc.constantFrom('', 'x'.repeat(longestInline)) })
    .chain((own) =>
      fc
        .tuple(payloads, fc.oneof(fc.array(payloads), fc.jsonValue()))
        .map(([members, events]) => ({ ...members, ...own, events })),
    );

  it('has its payloads as their JSON, and all else as it is, however long it is', async () => {
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const text = JSON.stringify(sent);
        const read = await reader.body(tenantOf('a'), text);
        expect(
          JSON.parse(
            JSON.stringify(read, (_, value: unknown) => (value instanceof JsonText ? JSON.parse(value.text) : value)),
          ),
        ).toEqual(JSON.parse(text));
        for (const name of ['input', 'data', 'additionalMetadata', 'filterPayload'])
          if (Object.hasOwn(read, name)) expect(read[name] === null || read[name] instanceof JsonText).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('that is no JSON object is refused, short or long', async () => {
    for (const fill of ['', 'x'.repeat(longestInline)]) {
      for (const [text, message] of [
        [`["${fill}"]`, 'not a JSON object'],
        [`{"a":"${fill}"`, 'not valid JSON'],
        [`{"a":"${fill}","b":${'['.repeat(300)}`, 'nested deeper than 210 levels'],
      ] as const) {
        await expect(reader.body(tenantOf('a'), text)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining(message),
        });
      }
    }
  });
});

describe('a payload', () => {
  it('that is short is checked at once', () => {
    expect(reader.check(tenantOf('a'), '{"a":1}', 'the input')).toBeUndefined();
    expect(() => reader.check(tenantOf('a'), '{', 'the input')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('that is long passes, and is refused with the same words as a short one', async () => {
    await expect(reader.check(tenantOf('a'), long('1'), 'the input')).resolves.toBeUndefined();
    const refusals: [text: string, code: string, message: string][] = [
      [long('}'), 'INVALID_ARGUMENT', 'the input is not valid JSON: '],
      [long('"\\u0000"'), 'INVALID_ARGUMENT', 'the input holds a NUL character'],
      [long('['.repeat(300) + ']'.repeat(300)), 'INVALID_ARGUMENT', 'the input is nested deeper than 200 levels'],
    ];
    for (const [text, code, message] of refusals) {
      await expect(reader.check(tenantOf('a'), text, 'the input')).rejects.toMatchObject({
        name: 'HatchetError',
        code,
        message: expect.stringContaining(message),
        remedy: expect.any(String),
      });
    }
    expect(() => reader.check(tenantOf('a'), `"${'x'.repeat(5 * 1024 * 1024)}"`, 'the input')).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
    );
  });

  it('that is long leaves the main thread free while it is read', async () => {
    await reader.check(tenantOf('a'), long('1'), 'the input'); // the thread has started
    const done: string[] = [];
    const text = megabytes(1);
    const checked = Promise.resolve(reader.check(tenantOf('a'), text, 'the input')).then(() =>
      done.push(tenantOf('checked')),
    );
    setImmediate(() => done.push('another caller'));
    await checked;
    expect(done).toEqual(['another caller', 'checked']);
  });

  it('waits for its turn among the tenants, not behind all of one', async () => {
    const order: string[] = [];
    const checks = ['loud', 'loud', 'loud', 'loud', 'quiet'].map(async (tenant) => {
      await reader.check(tenantOf(tenant), long('1'), 'the input');
      order.push(tenant);
    });
    await Promise.all(checks);
    expect(order.indexOf('quiet')).toBeLessThan(3);
  });

  it('that waits while the engine stops is refused so that its caller tries again', async () => {
    const checks = Promise.allSettled([
      reader.check(tenantOf('a'), megabytes(2), 'the input'),
      reader.check(tenantOf('b'), long('1'), 'the input'),
    ]);
    await reader.stop();
    for (const each of await checks) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'STOPPING' } });
    expect(() => reader.check(tenantOf('a'), long('1'), 'the input')).toThrow(
      expect.objectContaining({ code: 'STOPPING' }),
    );
  });

  it('of a worker that cannot be stored fails its attempt, and while the engine stops is told again', async () => {
    for (const text of ['{', long('}')])
      expect(await reportedOutcome(reader, tenantOf('a'), text)).toEqual({
        ok: false,
        error: expect.stringContaining("the task's output is not valid JSON"),
      });
    expect(reportedOutcome(reader, tenantOf('a'), '')).toEqual({ ok: true, output: 'null' });
    const told = expect(reportedOutcome(reader, tenantOf('a'), long('1'))).rejects.toMatchObject({ code: 'STOPPING' });
    await reader.stop();
    await told;
  });
});
