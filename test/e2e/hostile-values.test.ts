import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hatchet, type Context, type StandardSchema, type Worker } from '../../sdk/index.ts';
import { hostileValue, oddities, type MakeValue } from '../helpers/hostile-values.ts';
import { patient } from '../helpers/patient.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

/** A program's own logger need not be better than its tasks. */
const failing = (): never => {
  throw new Error('the disk is full');
};

const fixture = engineFixture('hostile', { logLevel: 'error' });
let hatchet: Hatchet;
let worker: Worker;
let running: Promise<void>;
/** What the tasks are to throw, return and log, by the number that is their input. */
let values: readonly MakeValue[] = [];

const names = [
  'throws',
  'returns',
  'is',
  'logs',
  'durable-throws',
  'durable-logs',
  'schema-throws',
  'schema-issues',
  'batch',
  'batch-throws',
];

type Numbered = { at: number };
const valueOf = ({ at }: Numbered): unknown => values[at]?.();

/** Each would end a worker's process. */
const unheard: unknown[] = [];
const hear = (reason: unknown): void => void unheard.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', hear);
  hatchet = Hatchet.init({
    token: fixture.engine.token,
    logger: () => ({ debug: failing, info: failing, warn: failing, error: failing }),
  });

  const schema = (validate: (value: unknown) => unknown): StandardSchema<Numbered> => ({
    '~standard': { version: 1, vendor: 'odd', validate: (value) => Object(validate(value)) },
  });
  const log = async (input: Numbered, ctx: Context<Numbered>): Promise<object> => {
    const value = valueOf(input);
    // As plain JavaScript may call it.
    for (const given of [[value], ['x', value], ['x', 'INFO', value], ['x', 'WARN', { extra: value, error: value }]])
      void Reflect.apply(ctx.log, ctx, given);
    for (const write of Object.values(ctx.logger)) void Reflect.apply(write, ctx.logger, [value, value]);
    for (const name of ['putStream', 'refreshTimeout', 'parentOutput', 'runChild', 'runNoWaitChild'] as const)
      void Reflect.apply(ctx[name], ctx, [value, value]);
    void Reflect.apply(ctx.worker.upsertLabels, ctx.worker, [{ odd: value }]);
    return {};
  };
  const tasks = [
    hatchet.task({
      name: 'throws',
      fn: (input: Numbered) => {
        throw valueOf(input);
      },
    }),
    hatchet.task({ name: 'returns', fn: (input: Numbered) => ({ value: valueOf(input) }) }),
    hatchet.task({ name: 'is', fn: (input: Numbered): object => Object(valueOf(input)) }),
    hatchet.task({ name: 'logs', fn: log }),
    hatchet.durableTask({
      name: 'durable-throws',
      fn: async (input: Numbered, ctx) => {
        await ctx.memo(['odd'], () => {
          throw valueOf(input);
        });
      },
    }),
    hatchet.durableTask({ name: 'durable-logs', fn: log }),
    hatchet.task({
      name: 'schema-throws',
      input: schema((input) => {
        throw valueOf(Object(input));
      }),
      fn: () => ({}),
    }),
    hatchet.task({
      name: 'schema-issues',
      output: schema((output) => ({ issues: valueOf(Object(output)) })),
      fn: (input: Numbered) => input,
    }),
    hatchet.batchTask({
      name: 'batch',
      batch: { maxSize: 2, maxInterval: '1ms' },
      fn: (inputs: Record<string, Numbered>) =>
        Object.fromEntries(Object.entries(inputs).map(([id, input]) => [id, { value: valueOf(input) }])),
    }),
    hatchet.batchTask({
      name: 'batch-throws',
      batch: { maxSize: 2, maxInterval: '1ms' },
      fn: (inputs: Record<string, Numbered>): Record<string, object> => {
        throw valueOf(Object.values(inputs)[0] ?? { at: 0 });
      },
    }),
  ];
  worker = await hatchet.worker('hostile', { workflows: tasks, handleKill: false });
  running = worker.start();
  await worker.waitUntilReady(patient.timeout);
});

afterAll(async () => {
  await worker.stop();
  await running;
  hatchet.close();
  process.off('unhandledRejection', hear);
});

/** Has every task meet every value. */
async function endAll(made: readonly MakeValue[]): Promise<void> {
  values = made;
  const refs = await Promise.all(
    names.flatMap((name) => made.map(async (_make, at) => await hatchet.runNoWait<Numbered>(name, { at }))),
  );
  const ends = await Promise.allSettled(refs.map((ref) => ref.result()));
  expect(ends).toHaveLength(names.length * made.length);
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'RUN_FAILED' });
}

describe('a worker', () => {
  it('ends every run, whatever its tasks throw, return and log', async () => {
    await endAll(oddities);
    expect(unheard).toHaveLength(0);
    await fc.assert(fc.asyncProperty(fc.array(hostileValue(), { minLength: 12, maxLength: 12 }), endAll), {
      numRuns: 4,
    });
    expect(unheard).toHaveLength(0);
  });

  it('fails the odd member of a batch alone', async () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const inputs = ['good', 'getter', 'revoked', 'rejected', 'bigint', 'good'];
    const odd = hatchet.batchTask({
      name: 'odd-member',
      batch: { maxSize: inputs.length, maxInterval: '5s' },
      fn: (given: Record<string, { kind: string }>) => {
        const outputs: Record<string, unknown> = {};
        for (const [id, { kind }] of Object.entries(given)) {
          if (kind === 'getter')
            Object.defineProperty(outputs, id, {
              enumerable: true,
              get: () => {
                throw Symbol('no output');
              },
            });
          else
            outputs[id] =
              kind === 'revoked'
                ? revoked.proxy
                : kind === 'rejected'
                  ? Promise.reject(new Error('later'))
                  : kind === 'bigint'
                    ? 10n
                    : Promise.resolve({ kind });
        }
        return outputs;
      },
    });
    const other = await hatchet.worker('odd-member', { workflows: [odd], handleKill: false });
    const ended = other.start();
    await other.waitUntilReady(patient.timeout);
    try {
      const ends = await Promise.allSettled(inputs.map(async (kind) => await odd.run({ kind })));
      expect(ends.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      expect(ends[0]).toMatchObject({ value: { kind: 'good' } });
      expect(ends[1]).toMatchObject({
        reason: { message: 'a value that is not an Error was thrown: Symbol(no output)' },
      });
      expect(ends[3]).toMatchObject({ reason: { message: 'later' } });
    } finally {
      await other.stop();
      await ended;
    }
  });
});
