import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserEventCondition } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { patient } from '../helpers/patient.ts';

const fixture = engineFixture('typed-events', { logLevel: 'error' });

describe('events that were declared', () => {
  it('start what listens for them, with the payload as it arrives', async () => {
    const paid = fixture.hatchet.event<{ id: string; at: Date }>('order:paid');
    const byList = fixture.hatchet.task({
      name: 'by-list',
      onEvents: [paid],
      fn: (input: { id: string; at: string }) => input,
    });
    const byOn = fixture.hatchet.task({
      name: 'by-on',
      on: { event: paid },
      fn: (input: { id: string; at: string }) => input,
    });
    await fixture.serve('listens', { workflows: [byList, byOn] });
    await fixture.hatchet.events.push(paid, { id: 'a', at: new Date(0) });
    await fixture.hatchet.events.bulkPush(paid, [{ payload: { id: 'b', at: new Date(1) } }]);
    const arrived = [
      { id: 'a', at: '1970-01-01T00:00:00.000Z' },
      { id: 'b', at: '1970-01-01T00:00:00.001Z' },
    ];
    const outputsOf = async (workflowNames: string[]): Promise<unknown[]> => {
      const { rows } = await fixture.hatchet.runs.list({ workflowNames });
      return rows
        .map(({ output }) => output)
        .toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
    };
    for (const { name } of [byList, byOn]) await expect.poll(() => outputsOf([name]), patient).toEqual(arrived);
  });

  it('are checked by their schema where they are pushed and where they are waited for', async () => {
    const approved = fixture.hatchet.event('approved', {
      schema: z.object({ by: z.string(), at: z.coerce.date<string>() }),
    });
    const waiting = fixture.hatchet.durableTask({
      name: 'waiting',
      fn: async (_input: object, ctx) => {
        const { by, at } = await ctx.waitForEvent(approved, { scope: 'a' });
        return { by, year: at.getUTCFullYear() };
      },
    });
    const flow = fixture.hatchet.workflow({ name: 'meets' });
    flow.task({ name: 'only', waitFor: new UserEventCondition(approved), fn: () => ({ met: true }) });
    await fixture.serve('waits', { workflows: [waiting, flow] });
    const run = await waiting.runNoWait({});
    const met = await flow.runNoWait({});
    const waits = async (table: 'durable_listen' | 'wait'): Promise<number> =>
      (await fixture.database.pool.query(`SELECT FROM ${table}`)).rows.length;
    for (const table of ['durable_listen', 'wait'] as const) await expect.poll(() => waits(table), patient).toBe(1);
    const untyped: { by: string; at: string } = JSON.parse('{"by":7,"at":"2026-01-01"}');
    await expect(fixture.hatchet.events.push(approved, untyped)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^the payload of the event approved does not match its schema: by: /),
    });
    await fixture.hatchet.events.push(approved, { by: 'Ada', at: '2026-01-01' }, { scope: 'a' });
    expect(await run.result()).toEqual({ by: 'Ada', year: 2026 });
    expect(await met.result()).toEqual({ only: { met: true } });
  });

  it('have a key', () => {
    expect(() => fixture.hatchet.event('')).toThrow(expect.objectContaining({ code: 'INVALID_DEFINITION' }));
  });
});
