import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLine } from '../../../sdk/context/log-line.ts';
import { asError, HatchetError, isError } from '../../../sdk/errors.ts';
import { describeFailure } from '../../../sdk/failure/describe-failure.ts';
import { withoutOwnFrames } from '../../../sdk/failure/own-frames.ts';
import { guardedLogger } from '../../../sdk/logger.ts';
import type { StandardSchema } from '../../../sdk/schema/standard-schema.ts';
import { SchemaError, validate } from '../../../sdk/schema/validate.ts';
import { failurePayload, toFailure, toResult } from '../../../sdk/worker/attempt-result.ts';
import { hostileValue } from '../../helpers/hostile-values.ts';

/** What the engine takes of a failure, and of a line's details. */
const longestFailure = 256 * 1024;
const longestMetadata = 64 * 1024;

describe('whatever user code throws, returns and logs', () => {
  it('is a failure that the engine takes', () => {
    fc.assert(
      fc.property(hostileValue(), (make) => {
        const failure = toFailure(make());
        expect(typeof failure.message).toBe('string');
        const payload = failurePayload(failure);
        expect(payload.length).toBeLessThan(longestFailure);
        expect(JSON.parse(payload)).toMatchObject({ message: expect.any(String) });
        expect(isError(asError(make()))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is an output, or a reason why it is none', () => {
    fc.assert(
      fc.property(hostileValue(), (make) => {
        const result = toResult('odd', make());
        if (result.status === 'completed') JSON.parse(result.json);
        else expect(result.message).toContain('odd');
      }),
      { numRuns: 500 },
    );
  });

  it('is a line of a log', () => {
    fc.assert(
      fc.property(hostileValue(), hostileValue(), hostileValue(), (message, level, details) => {
        for (const given of [details(), { extra: details() }, { error: details() }]) {
          const line = logLine(message(), level(), given);
          expect(typeof line.message).toBe('string');
          expect(['DEBUG', 'INFO', 'WARN', 'ERROR']).toContain(line.level);
          expect(line.metadata.length).toBeLessThanOrEqual(longestMetadata);
          expect(JSON.parse(line.metadata)).toEqual(expect.any(Object));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is an issue of a schema', async () => {
    await fc.assert(
      fc.asyncProperty(hostileValue(), hostileValue(), async (make, other) => {
        for (const issues of [
          make(),
          [
            make(),
            { message: other() },
            { message: 'x', path: [other(), { key: make() }] },
            { message: 'y', path: make() },
          ],
        ]) {
          if (issues === undefined) continue;
          const schema: StandardSchema = {
            '~standard': {
              version: 1,
              vendor: 'odd',
              validate: () => Object.defineProperty({ value: {} }, 'issues', { value: issues }),
            },
          };
          const error: unknown = await validate(schema, {}, 'INVALID_INPUT', 'the input').catch(
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(SchemaError);
          expect(describeFailure(error).message).toMatch(/^the input does not match its schema: /);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is no fault of a logger', async () => {
    const failing = (): never => {
      throw new Error('the disk is full');
    };
    const logger = guardedLogger({
      debug: failing,
      info: () => Promise.reject(new Error('away')),
      warn: failing,
      error: failing,
    });
    await Promise.all([logger.debug('a'), logger.info('a'), logger.warn('a', asError({})), logger.error('a')]);
  });
});

describe('describeFailure', () => {
  it('says what caused an error, and its code', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:80'), { code: 'ECONNREFUSED' });
    const failure = describeFailure(new TypeError('fetch failed', { cause: refused }));
    expect(failure).toMatchObject({ message: 'fetch failed: connect ECONNREFUSED 127.0.0.1:80', code: 'ECONNREFUSED' });
    expect(failure.stack).toMatch(
      /^TypeError: fetch failed\n {4}at [^]*\n {2}caused by Error: connect ECONNREFUSED 127\.0\.0\.1:80\n {6}at /,
    );
  });

  it('adds a code that the message does not have', () => {
    expect(describeFailure(Object.assign(new Error('the card was declined'), { code: 'E42' }))).toMatchObject({
      message: 'the card was declined (E42)',
      code: 'E42',
    });
    expect(describeFailure(Object.assign(new Error('no'), { code: 14 }))).toMatchObject({
      message: 'no',
      code: '14',
      stack: expect.stringContaining('Error: no (14)'),
    });
  });

  it('says what each of several errors was', () => {
    const failure = describeFailure(
      new AggregateError([new Error('a'), Object.assign(new Error('b'), { code: 'EB' }), 'c']),
    );
    expect(failure.message).toBe('a; b (EB); c');
    expect(failure.stack).toMatch(
      /^AggregateError\n[^]*\n {2}error 1 of 3: Error: a\n[^]*\n {2}error 2 of 3: Error: b \(EB\)\n[^]*\n {2}error 3 of 3: c$/,
    );
    expect(
      describeFailure(
        new AggregateError(
          Array.from({ length: 500 }, (_, index) => new Error(`e${index}`)),
          'many',
        ),
      ).message,
    ).toMatch(/^many: e0; .*e9; and 490 more$/);
  });

  it('says nothing twice, and follows no circle', () => {
    const error = new Error('round');
    error.cause = new Error('and round', { cause: error });
    expect(describeFailure(error).message).toBe('round: and round');
    expect(describeFailure(new Error('the disk is full: ENOSPC', { cause: new Error('ENOSPC') })).message).toBe(
      'the disk is full: ENOSPC',
    );
  });

  it('leaves what the SDK says itself as it is, and gives its cause with the stack', () => {
    const failure = describeFailure(
      new HatchetError('INVALID_ARGUMENT', 'the input cannot be written as JSON', {
        cause: new TypeError('Converting circular structure'),
      }),
    );
    expect(failure).toMatchObject({
      message: 'the input cannot be written as JSON',
      code: 'INVALID_ARGUMENT',
      stack: expect.stringContaining('caused by TypeError: Converting circular structure'),
    });
  });

  it('keeps the message of an error of today', () => {
    expect(describeFailure(new Error('a')).message).toBe('a');
    expect(describeFailure(new RangeError('')).message).toBe('RangeError');
    expect(describeFailure('').message).toBe('an empty text was thrown');
    expect(describeFailure(Object.assign(new Error('old'), { message: 'new' }))).toMatchObject({
      message: 'new',
      stack: expect.stringMatching(/^Error: new\n/),
    });
  });

  it('folds the frames of the SDK away, but not those of a fault of its own', async () => {
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'x',
        validate: () => {
          throw new Error('from the schema');
        },
      },
    };
    const thrown: unknown = await validate(schema, {}, 'INVALID_INPUT', 'x').catch((error: unknown) => error);
    expect(thrown instanceof Error && thrown.stack).toMatch(/\/sdk\/schema\/validate\.ts/);
    const { stack } = describeFailure(thrown);
    expect(stack).toContain('failure.test.ts');
    expect(stack).not.toMatch(/\/sdk\/schema\/validate\.ts/);
    const own =
      thrown instanceof Error ? (thrown.stack ?? '').split('\n').filter((line) => line.includes('validate.ts')) : [];
    expect(withoutOwnFrames(own)).toEqual(own);
    const thrownInTask = new AsyncLocalStorage<number>().run(1, () => new Error('in a task'));
    expect(thrownInTask.stack).toMatch(/AsyncLocalStorage/);
    expect(describeFailure(thrownInTask).stack).not.toMatch(/AsyncLocalStorage/);
  });
});
