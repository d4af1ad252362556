import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HatchetError } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('returned-errors', { logLevel: 'error' });

function told(outputs: readonly unknown[]): unknown[] {
  return outputs.map((output) => (output instanceof HatchetError ? output.code : output));
}

const returnExceptions = { returnExceptions: true } as const;

describe('returnExceptions', () => {
  it('lists what was refused, what collided and what failed, each at its place', async () => {
    const once = fixture.hatchet.task({
      name: 'once',
      input: z.object({ key: z.string(), fails: z.boolean().default(false) }),
      idempotency: { expression: 'input.key', strategy: 'ttl', ttlMs: 60_000 },
      fn: (input) => {
        if (input.fails) throw new Error('no');
        return { key: input.key };
      },
    });
    await fixture.serve('test', { workflows: [once] });
    const holder = await once.runNoWait({ key: 'a' });
    const untyped: { key: string }[] = JSON.parse(
      '[{"key":"b"},{"key":"a"},{"key":1},{"key":"c","fails":true},{"key":"d"},{"key":"b"}]',
    );
    const outputs = await once.run(untyped, returnExceptions);
    expect(told(outputs)).toEqual([
      { key: 'b' },
      'IDEMPOTENCY_COLLISION',
      'INVALID_INPUT',
      'RUN_FAILED',
      { key: 'd' },
      'IDEMPOTENCY_COLLISION',
    ]);
    expect(outputs[1]).toMatchObject({ existingRunExternalId: holder.workflowRunId });
    await expect(once.run(untyped.slice(0, 2))).rejects.toMatchObject({ code: 'IDEMPOTENCY_COLLISION' });
    expect(told(await once.runMany([{ input: { key: 'a' }, opts: returnExceptions }]))).toEqual([
      'IDEMPOTENCY_COLLISION',
    ]);
  });

  it('lists them for children too, of plain and of durable tasks', async () => {
    const child = fixture.hatchet.task({
      name: 'child-once',
      idempotency: { expression: 'input.key', strategy: 'ttl', ttlMs: 60_000 },
      fn: (input: { key: string }) => ({ key: input.key }),
    });
    const inputs = (prefix: string): { key: string }[] =>
      ['x', 'held', 'y', 'x'].map((key) => ({ key: key === 'held' ? 'held' : `${prefix}${key}` }));
    const plain = fixture.hatchet.task({
      name: 'plain-parent',
      fn: async () => ({ outputs: told(await child.run(inputs('p'), returnExceptions)) }),
    });
    const durable = fixture.hatchet.durableTask({
      name: 'durable-parent',
      fn: async () => ({ outputs: told(await child.run(inputs('d'), returnExceptions)) }),
    });
    await fixture.serve('children', { workflows: [child, plain, durable] });
    await child.run({ key: 'held' });
    expect((await plain.run({})).outputs).toEqual([
      { key: 'px' },
      'IDEMPOTENCY_COLLISION',
      { key: 'py' },
      'IDEMPOTENCY_COLLISION',
    ]);
    expect((await durable.run({})).outputs).toEqual([
      { key: 'dx' },
      'IDEMPOTENCY_COLLISION',
      { key: 'dy' },
      'IDEMPOTENCY_COLLISION',
    ]);
  });
});
