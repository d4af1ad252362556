import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserEventCondition } from '../../sdk/index.ts';
import { createTestEngine, type TestEngine } from '../../testing/index.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine({ logLevel: 'OFF', timeout: '20s' });
});

afterAll(async () => {
  await engine.stop();
});

describe('events that were declared', () => {
  it('start what listens for them, with the payload as it arrives', async () => {
    const paid = engine.hatchet.event<{ id: string; at: Date }>('order:paid');
    const byList = engine.hatchet.task({
      name: 'by-list',
      onEvents: [paid],
      fn: (input: { id: string; at: string }) => input,
    });
    const byOn = engine.hatchet.task({
      name: 'by-on',
      on: { event: paid },
      fn: (input: { id: string; at: string }) => input,
    });
    await engine.worker([byList, byOn]);
    await engine.hatchet.events.push(paid, { id: 'a', at: new Date(0) });
    await engine.hatchet.events.bulkPush(paid, [{ payload: { id: 'b', at: new Date(1) } }]);
    const arrived = [
      { id: 'a', at: '1970-01-01T00:00:00.000Z' },
      { id: 'b', at: '1970-01-01T00:00:00.001Z' },
    ];
    for (const task of [byList, byOn])
      expect((await engine.results(task, { count: 2 })).map(({ output }) => output)).toEqual(arrived);
  });

  it('are checked by their schema where they are pushed and where they are waited for', async () => {
    const approved = engine.hatchet.event('approved', {
      schema: z.object({ by: z.string(), at: z.coerce.date<string>() }),
    });
    const waiting = engine.hatchet.durableTask({
      name: 'waiting',
      fn: async (_input: object, ctx) => {
        const { by, at } = await ctx.waitForEvent(approved, { scope: 'a' });
        return { by, year: at.getUTCFullYear() };
      },
    });
    const flow = engine.hatchet.workflow({ name: 'meets' });
    flow.task({ name: 'only', waitFor: new UserEventCondition(approved), fn: () => ({ met: true }) });
    await engine.worker([waiting, flow], { name: 'waits' });
    const run = await waiting.runNoWait({});
    const met = await flow.runNoWait({});
    await engine.settled();
    const untyped: { by: string; at: string } = JSON.parse('{"by":7,"at":"2026-01-01"}');
    await expect(engine.push(approved, untyped)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^the payload of the event approved does not match its schema: by: /),
    });
    await engine.push(approved, { by: 'Ada', at: '2026-01-01' }, { scope: 'a' });
    expect(await run.result()).toEqual({ by: 'Ada', year: 2026 });
    expect(await met.result()).toEqual({ only: { met: true } });
  });

  it('have a key', () => {
    expect(() => engine.hatchet.event('')).toThrow(expect.objectContaining({ code: 'INVALID_DEFINITION' }));
  });
});
